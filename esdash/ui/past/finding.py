"""Looks for a moment of the past, while the screen goes on."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.screen import Screen

from esdash.engine.console import EngineError
from esdash.ui.messages import tell

if TYPE_CHECKING:
    from esdash.past.service import Past

Stopped = Callable[[], bool]
"""Whether nobody waits for the answer any more."""

Find = Callable[["Past", Stopped], int | None]
"""Gives the ordinal of a moment, or None where there is none; may take its time. Raises EngineError."""


class Finding:
    """One answer is waited for at a time: who asks for another, or goes elsewhere, does not want the one before."""

    def __init__(self, screen: Screen[None]) -> None:
        self._screen = screen
        self._asked = 0
        """How often something was asked for, or given up."""

    def forget(self) -> None:
        """Nobody waits any more."""
        self._asked += 1

    def look(self, past: "Past", find: Find, otherwise: str, then: Callable[[int], object]) -> None:
        """Do something with what is found, in the screen's thread; where nothing is, say something."""
        self._asked += 1
        asked = self._asked

        def work() -> None:
            found, why = None, ""
            try:
                found = find(past, lambda: asked != self._asked)
            except EngineError as error:
                why = str(error)
            self._screen.app.call_from_thread(came, found, why)

        def came(found: int | None, why: str) -> None:
            if asked != self._asked:
                return
            if found is not None:
                then(found)
            else:
                tell(self._screen.app, why or otherwise, "warning" if why else "information")

        self._screen.run_worker(work, thread=True, exit_on_error=False, name="past")
