"""The line in which a filter is typed."""

from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from esdash.ui.paint.line_input import LineInput


class FilterInput(LineInput):
    """Where a filter is typed. Enter and the arrows go back to the table and keep it, Escape clears it."""

    DEFAULT_CSS = """
    FilterInput, FilterInput:focus { height: 1; width: 1fr; border: none; padding: 0; background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down,up,tab", "keep", "Keep the filter", show=False),
        Binding("escape", "drop", "Clear the filter", show=False),
    ]

    def __init__(self, placeholder: str, leave: Callable[[], None]) -> None:
        """`leave` is called, not told by a message, so that the next key is the table's already."""
        super().__init__(placeholder=placeholder, max_length=300)
        self.cursor_blink = False
        self._leave = leave

    def action_keep(self) -> None:
        self._leave()

    def action_drop(self) -> None:
        self.value = ""
        self._leave()


class FilterLine(Horizontal):
    """A slash and what is typed after it."""

    DEFAULT_CSS = """
    FilterLine { height: 1; padding: 0 1; background: $boost; &:ansi { background: ansi_default; } }
    FilterLine Static { width: 2; color: $text-accent; text-style: bold; }
    """

    def __init__(self, input: FilterInput) -> None:
        super().__init__()
        self.input = input

    def fill(self) -> None:
        """Take in what is on the line, once this is in its panel."""
        self.mount(Static("/", markup=False), self.input)
