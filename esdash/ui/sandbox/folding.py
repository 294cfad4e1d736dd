"""A sandbox folded in a thread, again whenever an edit is made: only the last answer counts."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen

from esdash.engine.console import EngineError
from esdash.ui.sandbox.drafts import Draft
from esdash.whatif.edits import Edit

if TYPE_CHECKING:
    from esdash.whatif.beside import Consequences
    from esdash.whatif.sandbox import Sandbox


class _GivenUpError(Exception):
    """Nobody wants to know any more."""


class Folding:
    """What would be otherwise, as far as it is known."""

    def __init__(self, screen: Screen[int], sandbox: "Sandbox", changed: Callable[[], object]) -> None:
        """`changed` is called when there is an answer."""
        self._screen = screen
        self._sandbox = sandbox
        self._changed = changed
        self._generation = 0
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
        if self.running:
            work = partial(self._fold, self._generation, tuple(draft.edits), draft.begin)
            self._screen.run_worker(work, thread=True, exit_on_error=False, name="sandbox")

    def give_up(self) -> None:
        """Nobody wants to know what is being looked for."""
        self._generation += 1
        self.running = False

    def _fold(self, generation: int, edits: Sequence[Edit], begin: bytes | None) -> None:
        def on_page(done: int) -> None:
            if generation != self._generation:
                raise _GivenUpError
            self.done = done

        try:
            until = self._sandbox.end()
            found = self._sandbox.consequences(edits, until, begin=begin, on_page=on_page)
        except _GivenUpError:
            return
        except EngineError as error:
            self._screen.app.call_from_thread(self._failed, generation, str(error))
        else:
            self._screen.app.call_from_thread(self._came, generation, until, found)

    def _came(self, generation: int, until: bytes, found: "Consequences") -> None:
        if generation == self._generation:
            self.running, self.found, self.until = False, found, until
            self._changed()

    def _failed(self, generation: int, why: str) -> None:
        if generation == self._generation:
            self.running, self.why = False, why
            self._changed()
