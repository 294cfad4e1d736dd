"""What all dialogs share: the frame with its title and key hints, and Escape."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final, Generic

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import AwaitMount
from textual.widgets import Button, Static

STYLES: Final = Path(__file__).with_name("dialog.tcss")
"""Of all dialogs, and of whatever has a text to read."""


class LeftOnce(Screen[ScreenResultType], Generic[ScreenResultType]):
    """A screen that is left once: told to again, Textual would close what lies under it, or fail."""

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Close it, unless it is closed already."""
        return super().dismiss(result) if self.is_current else AwaitComplete()


class Dialog(ModalScreen[ScreenResultType], LeftOnce[ScreenResultType], Generic[ScreenResultType]):
    """A screen over the main one, as large as it needs to be. Escape leaves it without a result.

    The frame has a body that scrolls when the terminal is small, and under it what must never be cut off.
    """

    CSS_PATH: ClassVar = [STYLES]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close")]

    def __init__(self) -> None:
        super().__init__()
        # A short terminal gets no empty lines.
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]

    def frame(self, title: str, hints: str) -> Vertical:
        """The frame to compose the dialog in. Title and hints are the program's own text: they may hold markup."""
        frame = Vertical(id="dialog")
        frame.border_title = title
        frame.border_subtitle = hints
        return frame

    def foretell(self, text: str, good: bool | None = None) -> None:
        """Say above the buttons how it stands; None where that is neither good nor bad."""
        outlook = self.query_one("#outlook", Static)
        if outlook.content != text:
            outlook.update(text)
        outlook.set_class(good is True, "-good")
        outlook.set_class(good is False, "-bad")

    def relabel(self, button_id: str, label: str) -> None:
        button = self.query_one(f"#{button_id}", Button)
        if str(button.label) != label:
            button.label = label
            button.refresh(layout=True)

    def action_leave(self) -> None:
        self.dismiss(None)


def open_dialog(
    app: App[Any], dialog: Screen[ScreenResultType], then: Callable[[ScreenResultType], object]
) -> AwaitMount:
    """Open it; `then` is called with its result, where it is left with one."""

    def left(result: ScreenResultType | None) -> None:
        if result is not None:
            then(result)

    return app.push_screen(dialog, left)


def uncover(screen: Screen[Any]) -> None:
    """Close, without a result, whatever lies over a screen."""
    while screen.app.screen is not screen:
        screen.app.pop_screen()
