"""A steady load: events appended at a chosen rate until told to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from esdash.engine.console import EngineError, LoadStatus
from esdash.engine.publishing.publisher import Publisher
from esdash.fold.failing import DomainError
from esdash.log.stream import PAGE

TICK_SECONDS: Final = 0.05
"""Between two appends, unless the rate is so low that less often is enough."""

MAX_RATE: Final = 100_000.0
"""Events a second that are accepted as a wish."""


class SteadyLoad:
    """Appends events from a generator in a thread of its own. One at a time, and nobody waits for its end."""

    def __init__(
        self,
        publisher: Publisher,
        events: Iterator[tuple[str, bytes]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` gives seconds."""
        self._publisher = publisher
        self._events = events
        self._clock = clock
        self._turn = threading.Lock()
        """Held by the run that appends: one that is stopped may be in the middle of it when the next is started."""
        self._rate = 0.0
        self._run: _Run | None = None

    @property
    def status(self) -> LoadStatus:
        run = self._run
        if run is None:
            return LoadStatus(False, self._rate, 0, "")
        running = run.thread.is_alive() and not run.stopping.is_set()
        return LoadStatus(running, self._rate, run.sent, run.error)

    def start(self, rate: float) -> None:
        """Append `rate` events a second, above 0 and at most MAX_RATE; also changes the rate of a running load."""
        self._rate = min(max(rate, 0.1), MAX_RATE)
        if not self.status.running:
            self._run = _Run(self._append)
            self._run.thread.start()

    def stop(self) -> None:
        """Stop. Returns at once; an append that is on its way is done, or given up, afterwards."""
        if self._run is not None:
            self._run.stopping.set()

    def _append(self, run: "_Run") -> None:
        while not self._turn.acquire(timeout=TICK_SECONDS):
            if run.stopping.is_set():
                return
        try:
            self._append_until_stopped(run)
        except (EngineError, DomainError) as error:
            run.error = str(error)
        finally:
            self._turn.release()

    def _append_until_stopped(self, run: "_Run") -> None:
        rate, due, then = self._rate, 0.0, self._clock()
        while not run.stopping.wait(max(TICK_SECONDS, min(1.0, 1 / rate))):
            rate, now = self._rate, self._clock()
            # What could not be sent in a second is not made up for: the rate is a wish, not a debt.
            due = min(due + (now - then) * rate, max(rate, 1.0))
            then = now
            count = int(due)
            due -= count
            while count and not run.stopping.is_set():
                page = islice(self._events, min(count, PAGE))
                sent = sum(1 for _ in self._publisher.publish_many((*event, None) for event in page))
                run.sent += sent
                count -= sent
                if not sent:
                    return


class _Run:
    """A load from its start to its end."""

    def __init__(self, work: "Callable[[_Run], None]") -> None:
        self.stopping = threading.Event()
        self.sent = 0
        self.error = ""
        """Why it ended by itself."""
        self.thread = threading.Thread(target=work, args=(self,), name="load", daemon=True)
