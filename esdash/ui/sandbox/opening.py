"""The key of the main screen that asks what would be, if."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.ui.declared import Actions
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog, uncover
from esdash.ui.past.time_machine import TimeMachine
from esdash.visible import visible
from esdash.words.entries import describe, type_of

if TYPE_CHECKING:
    from esdash.ui.sandbox.drafts import Draft, DraftBook
    from esdash.whatif.sandbox import Sandbox

SandboxOf = Callable[[Fold], "Sandbox"]
"""What gives the sandbox of a log by the rules of a domain."""


class Sandboxes:
    """Opens the sandbox as of the moment that is shown."""

    def __init__(
        self,
        screen: Screen[None],
        time: TimeMachine,
        actions: Actions,
        chosen_entry: Callable[[], Row | None],
        sandbox_of: SandboxOf | None,
        file: Path | None,
    ) -> None:
        """`chosen_entry` gives the entry of the log that is selected. In `file` those are kept that have a name."""
        self.screen = screen
        self.time = time
        self._actions = actions
        self._chosen_entry = chosen_entry
        self._sandbox_of = sandbox_of
        self._file = file
        self._book: DraftBook | None = None
        self._draft: Draft | None = None

    def action_what_if(self) -> None:
        """Try something: with the selected entry of the log or that of the moment, or where the sandbox stands."""
        view, _ = self.time.view(self.time.engine.view, 0)
        of_moment = None if self.time.is_live or not view.rows else view.rows[-1]
        entry = self._chosen_entry() or of_moment
        if entry is not None:
            self.try_with(entry)
        elif self._may_try():
            self._open(None)

    def try_with(self, entry: Row) -> None:
        """Ask what to try with an entry."""
        from esdash.ui.sandbox.choices import LOOK, ChoicesScreen

        if not self._may_try():
            return
        fold = self.time.fold
        number = f"#{entry.ordinal + self.time.unseen():,}"
        said = f"{visible(type_of(fold, entry.fields), 30)} {visible(describe(fold, entry.fields), 60)}"

        def chosen(what: str) -> None:
            self._open(None if what == LOOK else (what, entry.entry_id))

        open_dialog(self.screen.app, ChoicesScreen(fold, f"{number} {said}"), chosen)

    def _may_try(self) -> bool:
        fold = self.time.fold
        if self._sandbox_of is None or fold.readonly:
            tell(self.screen.app, f"{visible(fold.name, 40)} has no rules, so there is nothing to try.")
            return False
        return True

    def _open(self, first: tuple[str, bytes] | None) -> None:
        from esdash.ui.sandbox.drafts import Draft, DraftBook
        from esdash.ui.sandbox.screen import SandboxScreen

        assert self._sandbox_of is not None, "asked before"
        fold, engine = self.time.fold, self.time.engine
        view, _ = self.time.view(engine.view, 0)
        if self._book is None:
            self._book = DraftBook(self._file, view.stream, fold.name)
        if self._draft is None or not self._draft.edits:
            begin = None if self.time.is_live else view.position.last_event_id.encode()
            self._draft = Draft(begin, number=view.position.number)
        screen = SandboxScreen(
            fold, self._actions, self._sandbox_of(fold), self._draft, self._book, view, engine.publishing, first
        )

        def left(ordinal: int | None) -> None:
            self._draft = screen.draft
            if ordinal is not None:
                uncover(self.screen)
                self.time.go_to(ordinal)

        self.screen.app.push_screen(screen, left)
