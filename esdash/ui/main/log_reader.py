"""Reads for the log what its view does not have: older entries, and those that a question asks for; in threads."""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.widget import Widget
from textual.worker import get_current_worker

from esdash.engine.shown.row import Row
from esdash.ui.asking import find_out
from esdash.ui.messages import tell
from esdash.ui.tables.log_answer import Answer
from esdash.ui.tables.log_source import LogSource
from esdash.ui.timers import after

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.query.places import Id
    from esdash.query.terms import Since, Until

AGAIN_SECONDS: Final = 0.5
"""Before something is tried again that could not be read."""

HAND_OVER_SECONDS: Final = 0.1
"""Between two times that a search shows what it has found."""


class LogReader:
    """Belongs to the screen's thread."""

    def __init__(self, widget: Widget, past: "Callable[[], Past | None] | None", changed: Callable[[], object]) -> None:
        """`changed` is called when the log has something else to show."""
        self._widget = widget
        self._past = past
        self._changed = changed
        self.lines: LogSource
        """Whom it reads for; set by whoever made it."""
        self._reading = False
        self._resting = False
        """What some entries did is not recorded yet, and is not asked for again before a moment has passed."""
        self._answer: Answer | None = None
        """What is being searched for."""

    @property
    def past(self) -> "Past | None":
        """Where entries come from; None while, or where, no past is kept."""
        return None if self._past is None else self._past()

    def read(self) -> None:
        """Read what is missing, unless something is being read."""
        past, lines = self.past, self.lines
        if past is None or self._reading:
            return
        entries, history = lines.entries, lines.history
        untold = [] if self._resting else entries.untold
        if entries.beginning and not entries.missing and not untold:
            return
        missing, entries.missing, entries.untold = entries.missing, [], []

        def find() -> tuple[list[Row], int, bool]:
            rows, span = past.rows_at(missing), past.span()
            rows += past.rows_at([each for each in untold if span.first < each <= span.last])
            return rows, span.first + 1, bool(untold) and untold[-1] > span.last

        self._reading = True
        find_out(self._widget, find, lambda found: self._arrived(history, *found), lambda _: self._failed(), "log")

    def search(self, answer: Answer | None) -> None:
        """Go on with an answer, back to the first entry; None: give up."""
        past, self._answer = self.past, answer
        if answer is None or past is None:
            return
        places, until = list(answer.places()), answer.oldest - 1

        def prepare() -> "dict[Since | Until, Id]":
            return {term: past.reach(term) for term in places}

        def look_through() -> None:
            hits: list[int] = []
            gone, handed_over, down_to = 0, 0.0, answer.oldest
            worker = get_current_worker()
            for found in past.search(answer.question, until):
                hits += found.hits
                gone += found.gone
                if self._answer is not answer or worker.is_cancelled:
                    return
                if time.monotonic() >= handed_over + HAND_OVER_SECONDS:
                    self._call(self._found, answer, hits, found.down_to, gone)
                    hits, gone, handed_over = [], 0, time.monotonic()
                down_to = found.down_to
            self._call(self._found, answer, hits, down_to, gone)
            self._call(self._ended, answer)

        stopped = partial(self._stopped, answer)
        if answer.ready:
            find_out(self._widget, look_through, lambda _: None, stopped, "search")
        else:
            find_out(self._widget, prepare, partial(self._prepared, answer), stopped, "search")

    def _arrived(self, history: int, rows: list[Row], beginning: int, late: bool) -> None:
        self._reading, self._resting = False, self._resting or late
        if late:
            after(self._widget, AGAIN_SECONDS, self._rested)
        if history == self.lines.history:
            self.lines.add(rows)
        self.lines.can_begin(beginning)
        self._changed()
        self.read()

    def _failed(self) -> None:
        """It is not there yet: look again what is missing, a bit later."""

        def again() -> None:
            self._reading = False
            self._changed()
            self.read()

        after(self._widget, AGAIN_SECONDS, again)

    def _rested(self) -> None:
        self._resting = False
        self._changed()
        self.read()

    def _prepared(self, answer: Answer, reached: "dict[Since | Until, Id]") -> None:
        if answer is self._answer:
            answer.prepare(reached)
            self.lines.reached(answer)
            self._changed()

    def _found(self, answer: Answer, hits: list[int], down_to: int, gone: int) -> None:
        if answer is self._answer:
            answer.went_back(hits, down_to, gone)
            self._changed()

    def _ended(self, answer: Answer) -> None:
        answer.searching = False
        self._changed()

    def _stopped(self, answer: Answer, why: str) -> None:
        if answer is self._answer:
            answer.searching, answer.stopped = False, why
            tell(self._widget.app, f"The search in the log has stopped: {why}", "warning")
            self._changed()

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        self._widget.app.call_from_thread(what, *arguments)
