"""A sandbox folded in a thread, again whenever an edit is made: only the last answer counts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.screen import Screen

from esdash.ui.asking import Asking, Stopped
from esdash.ui.sandbox.drafts import Draft

if TYPE_CHECKING:
    from esdash.whatif.beside import Consequences
    from esdash.whatif.sandbox import Sandbox


class _GivenUpError(Exception):
    """Nobody wants to know any more."""


class Folding:
    """What would be otherwise, as far as it is known."""

    def __init__(self, screen: Screen[int], sandbox: "Sandbox", changed: Callable[[], object]) -> None:
        """`changed` is called when there is an answer."""
        self._sandbox = sandbox
        self._changed = changed
        self._asking = Asking(screen, "sandbox")
        self.running = False
        self.done = 0
        """Entries that were folded so far."""
        self.found: Consequences | None = None
        self.until = b""
        """The end of the log as of which it was found."""
        self.why = ""
        """Why there is no answer."""

    def begin(self, draft: Draft) -> None:
        """Fold the log with the edits of a sandbox, up to its end as it is now."""
        self.give_up()
        self.found, self.why, self.done = None, "", 0
        self.running = bool(draft.edits)
        edits, begin = tuple(draft.edits), draft.begin

        def fold(stopped: Stopped) -> "tuple[bytes, Consequences]":
            def on_page(done: int) -> None:
                if stopped():
                    raise _GivenUpError
                self.done = done

            until = self._sandbox.end()
            return until, self._sandbox.consequences(edits, until, begin=begin, on_page=on_page)

        if self.running:
            self._asking.ask(fold, self._came, self._failed)

    def give_up(self) -> None:
        """Nobody wants to know what is being looked for."""
        self._asking.forget()
        self.running = False

    def _came(self, answer: "tuple[bytes, Consequences]") -> None:
        self.running = False
        self.until, self.found = answer
        self._changed()

    def _failed(self, why: str) -> None:
        self.running, self.why = False, why
        self._changed()
