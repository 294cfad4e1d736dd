"""Finds out in a thread what may take its time; the screen's thread hears what it is, or why that cannot be said."""

from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeVar

from textual.dom import DOMNode

from esdash.engine.console import EngineError
from esdash.ui.timers import after

_Found = TypeVar("_Found")

Stopped = Callable[[], bool]
"""Whether nobody waits for the answer any more."""


def find_out(
    owner: DOMNode,
    find: Callable[[], _Found],
    came: Callable[[_Found], object],
    failed: Callable[[str], object],
    name: str,
) -> None:
    """`find` runs in a thread called by a name; whatever it raises, `failed` gets a sentence."""
    # A worker of textual's is in the context of its own task, so only the collector, which comes rarely, frees it and
    # what it holds. Views hold thousands of rows: let it hold nothing once it is done. And what hears the answer may
    # open a screen: in the context of the worker that would hold its owner as long as it is there itself.
    asked = [(find, came, failed, copy_context())]

    def work() -> None:
        find, came, failed, context = asked.pop()

        def answer(hear: Callable[[Any], object], what: object) -> None:
            context.run(owner.app.call_from_thread, hear, what)

        try:
            found = find()
        except EngineError as error:
            answer(failed, str(error))
        except Exception as error:  # noqa: BLE001 - somebody waits for an answer
            answer(failed, f"This could not be computed: {error!r}.")
        else:
            answer(came, found)

    owner.run_worker(work, thread=True, exit_on_error=False, name=name)


class Asking:
    """One answer is waited for at a time: who asks for another, or gives up, does not want the one before."""

    def __init__(self, owner: DOMNode, name: str) -> None:
        self._owner = owner
        self._name = name
        self._asked = 0
        """How often something was asked for, or given up."""

    def forget(self) -> None:
        """Nobody waits any more."""
        self._asked += 1

    def ask(
        self, find: Callable[[Stopped], _Found], came: Callable[[_Found], object], failed: Callable[[str], object]
    ) -> None:
        """`find` may look now and then whether it is to go on."""
        self.forget()
        asked = self._asked

        def stopped() -> bool:
            return asked != self._asked

        find_out(
            self._owner,
            lambda: find(stopped),
            lambda found: None if stopped() else came(found),
            lambda why: None if stopped() else failed(why),
            self._name,
        )

    def later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call something after so many seconds, unless something was asked for or given up until then."""
        asked = self._asked
        after(self._owner, seconds, lambda: callback() if asked == self._asked else None)
