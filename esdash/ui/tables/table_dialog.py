"""A dialog that is tables: nearly as large as the terminal."""

from abc import abstractmethod
from typing import ClassVar, Generic

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ScreenResultType

from esdash.ui.paint.dialog import Dialog
from esdash.ui.tables.line_table import LineTable


class TableDialog(Dialog[ScreenResultType], Generic[ScreenResultType]):
    """Enter or a double click opens what the chosen line stands for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False),
        Binding("backspace,q", "leave", "Back", show=False),
    ]

    def frame(self, title: str, hints: str) -> Vertical:
        frame = super().frame(title, hints)
        frame.add_class("-large")
        return frame

    @abstractmethod
    def action_open(self) -> None:
        """Open it."""

    @on(LineTable.Activated)
    def _activated(self, event: LineTable.Activated) -> None:
        event.stop()
        self.action_open()
