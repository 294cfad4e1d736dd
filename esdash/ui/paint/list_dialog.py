"""A dialog that is a list to choose one from."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import ScreenResultType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esdash.ui.paint.dialog import Dialog


class ListDialog(Dialog[ScreenResultType]):
    """Its one OptionList has no frame of its own, and is gone through with j and k as well; q leaves it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "Close", show=False),
        Binding("j", "move(1)", "Down", show=False),
        Binding("k", "move(-1)", "Up", show=False),
    ]
    AUTO_FOCUS = "OptionList"
    DEFAULT_CSS = """
    ListDialog OptionList, ListDialog OptionList:focus {
        height: auto; max-height: 100%; border: none; padding: 0; background: transparent;
    }
    """

    def action_move(self, step: int) -> None:
        options = self.query_one(OptionList)
        options.action_cursor_down() if step > 0 else options.action_cursor_up()

    def fill(self, options: Sequence[Option]) -> None:
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options(options)
        if options:
            shown.highlighted = 0

    @abstractmethod
    def choose(self, place: int) -> None:
        """The option at this place was chosen."""

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choose(event.option_index)
