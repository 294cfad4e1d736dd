"""A question before something that cannot be taken back."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from esdash.ui.paint.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Yes or no; no unless a person says otherwise. Its result is True for yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape", "answer(False)", "No", show=False),
        Binding("left,up", "app.focus_previous", "Other button", show=False),
        Binding("right,down", "app.focus_next", "Other button", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, consequence: str, yes_label: str) -> None:
        """`consequence` says what will be lost or changed; `yes_label` is a verb."""
        super().__init__()
        self._question = question
        self._consequence = consequence
        self._yes_label = yes_label

    def compose(self) -> ComposeResult:
        with self.frame("Are you sure?", "y yes · n no · Enter the marked one"):
            with VerticalScroll(id="body", can_focus=False):
                yield Static(self._question, id="question", markup=False)
                yield Static(self._consequence, id="consequence", markup=False)
            with Vertical(id="foot"), Horizontal(id="buttons"):
                yield Button("No", id="no", action="screen.answer(False)", compact=True)
                yield Button(Content(self._yes_label), id="yes", action="screen.answer(True)", compact=True)

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def ask(app: App[Any], question: str, consequence: str, yes_label: str, act: Callable[[], object]) -> None:
    """Ask, and do it after a yes."""

    def answered(sure: bool | None) -> None:
        if sure:
            act()

    app.push_screen(ConfirmScreen(question, consequence, yes_label), answered)
