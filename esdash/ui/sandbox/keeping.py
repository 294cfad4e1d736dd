"""Keeping sandboxes: a name for one, and choosing another one."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from esdash.counted import counted
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.line_input import LineInput
from esdash.ui.paint.list_dialog import ListDialog
from esdash.ui.sandbox.drafts import Draft, DraftBook
from esdash.visible import visible

LONGEST: Final = 40
"""Characters of a name."""


class NameScreen(Dialog[None]):
    """Asks for the name, and keeps the sandbox under it."""

    AUTO_FOCUS = "#name"

    def __init__(self, book: DraftBook, draft: Draft) -> None:
        super().__init__()
        self._book = book
        self._draft = draft

    def compose(self) -> ComposeResult:
        with self.frame("Keep the sandbox", "Enter keep · Esc close"):
            yield LineInput(self._draft.name, "a name", id="name", max_length=LONGEST)
            yield Static("Then it is there at the next start, too.", id="consequence", markup=False)

    def on_input_submitted(self) -> None:
        name = self.query_one(LineInput).value.strip()
        if not name:
            self.query_one("#consequence", Static).update("✗ It takes a name.")
            return
        former, self._draft.name = self._draft.name, name
        try:
            self._book.keep(self._draft)
        except OSError as error:
            self._draft.name = former
            self.query_one("#consequence", Static).update(f"✗ It could not be kept: {visible(str(error), 200)}.")
            return
        tell(self.app, f"Kept: {visible(name, LONGEST)}.")
        self.dismiss(None)


class DraftsScreen(ListDialog[Draft]):
    """Its result is the sandbox that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,d", "forget", "Forget", show=False),
        Binding("l", "leave", "Close", show=False),
    ]

    def __init__(self, book: DraftBook, fresh: Draft) -> None:
        """`fresh` is an empty one."""
        super().__init__()
        self._book = book
        self._fresh = fresh
        self._drafts: Sequence[Draft] = ()

    def compose(self) -> ComposeResult:
        with self.frame("Sandboxes", "Enter open · d forget · Esc close"):
            yield OptionList(id="drafts", markup=False)

    def on_mount(self) -> None:
        self._list()

    def choose(self, place: int) -> None:
        self.dismiss(self._drafts[place])

    def action_forget(self) -> None:
        marked = self.query_one(OptionList).highlighted
        if marked is None or not (name := self._drafts[marked].name):
            return
        try:
            self._book.forget(name)
        except OSError as error:
            tell(self.app, f"It could not be forgotten: {visible(str(error), 200)}.", "error")
        self._list()

    def _list(self) -> None:
        self._drafts = [self._fresh, *self._book.all()]
        self.fill([Option(_line(draft)) for draft in self._drafts])


def _line(draft: Draft) -> Content:
    if not draft.name:
        return Content("A new one")
    edits = counted(len(draft.edits), "change", "changes")
    return Content.assemble((f"{visible(draft.name, LONGEST)}  ", "bold"), (edits, "$text-muted"))
