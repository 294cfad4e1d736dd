"""A steady load: events appended at a chosen rate until told to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from esdash.engine.console import EngineError, LoadStatus
from esdash.engine.publisher import Publisher
from esdash.log.stream import PAGE

TICK_SECONDS: Final = 0.05
"""Between two appends, unless the rate is so low that less often is enough."""

MAX_RATE: Final = 100_000.0
"""Events a second that are accepted as a wish."""


class SteadyLoad:
    """Appends events from a generator in a thread of its own."""

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
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._rate = 0.0
        self._sent = 0
        self._error = ""

    @property
    def status(self) -> LoadStatus:
        """What it does now."""
        running = self._thread is not None and self._thread.is_alive() and not self._stopping.is_set()
        return LoadStatus(running, self._rate, self._sent, self._error)

    def start(self, rate: float) -> None:
        """Append `rate` events a second, above 0 and at most MAX_RATE; also changes the rate of a running load."""
        self._rate = min(max(rate, 0.1), MAX_RATE)
        if self.status.running:
            return
        self.stop()
        self._stopping.clear()
        self._sent = 0
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop; returns when the last append is done or given up."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        rate, due, then = self._rate, 0.0, self._clock()
        while not self._stopping.wait(max(TICK_SECONDS, min(1.0, 1 / rate))):
            rate, now = self._rate, self._clock()
            # What could not be sent in a second is not made up for: the rate is a wish, not a debt.
            due = min(due + (now - then) * rate, max(rate, 1.0))
            then = now
            count = int(due)
            due -= count
            while count and not self._stopping.is_set():
                page = islice(self._events, min(count, PAGE))
                try:
                    sent = sum(1 for _ in self._publisher.publish_many((*event, None) for event in page))
                except EngineError as error:
                    self._error = str(error)
                    return
                self._sent += sent
                count -= sent
                if not sent:
                    return
