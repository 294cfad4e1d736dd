"""What a server gives: publishing, replay and latency, measured on a scratch stream that is removed again."""

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, cast

from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Stop
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.view import Phase
from esdash.fold.folding import Entry, Fold
from esdash.log.errors import ForbiddenError
from esdash.log.keys import key_prefix
from esdash.log.stream import START, Stream

REPLAYS: Final = 3
"""The one in the middle is told."""

LATENCY_RATE: Final = 250.0
"""Events a second while latency is measured."""

LATENCY_SECONDS: Final = 2.0

PATIENCE_SECONDS: Final = 10.0
"""How long a consumer may take to become live or to catch up."""

SCRATCH_SECONDS: Final = 3600
"""A scratch stream that could not be removed, since the process was killed, is gone after so long."""

Event = tuple[str, bytes]
"""type, data"""


class Latency(Struct, frozen=True):
    """Seconds from before an append to after the fold, each event appended alone."""

    events: int
    median: float
    p99: float
    longest: float
    append: float
    """The median of the append alone: the answer of the server."""


class Measured(Struct, frozen=True):
    """What a server gave. Rates are in events a second."""

    entries: int
    publish: float
    """In batches of a thousand, each with a key."""
    read: float
    """Reading page after page, without folding."""
    replay: float
    """From the beginning of the stream, every rule included."""
    latency: Latency


class Bench:
    """Measures on a stream of its own, beside the log's."""

    def __init__(self, log: Stream, domain: Fold, events: Iterator[Event]) -> None:
        """`events` has no end."""
        self._log = log
        self._domain = domain
        self._events = events

    def run(self, entries: int, on_progress: Callable[[str], object] = id) -> Measured:
        """Measure with so many entries; `on_progress` hears what is done. Raises LogError, EngineError."""
        with self._scratch() as scratch:
            on_progress(f"publishing {entries:,} events")
            publish = self._publish(scratch, entries)
            on_progress("reading them")
            read = self._read(scratch, entries)
            on_progress("replaying them")
            replay = sorted(self._replay(scratch, entries) for _ in range(REPLAYS))[REPLAYS // 2]
            on_progress(f"publishing one at a time, {LATENCY_RATE:.0f} a second")
            latency = self._latency(scratch)
        return Measured(entries, publish, read, replay, latency)

    @contextmanager
    def _scratch(self) -> Iterator[Stream]:
        """A stream that nobody else has, in the slot of the log's; gone at the end, however that comes."""
        name = f"{key_prefix(self._log.name)}bench:{secrets.token_hex(8)}"
        scratch = Stream(self._log.server, name)
        try:
            yield scratch
        finally:
            try:
                self._log.command("UNLINK", scratch.key)
            except ForbiddenError as error:
                # Who may not touch the key has written nothing there, and is told so by the first attempt.
                if not error.right.startswith("~"):
                    raise

    def _publish(self, scratch: Stream, entries: int) -> float:
        events = list(islice(self._events, entries))
        publisher = Publisher(scratch, self._domain.fields)
        first, rest = events[:1], events[1:]
        _exhaust(publisher.publish_many((*event, None) for event in first))
        scratch.command("EXPIRE", scratch.key, SCRATCH_SECONDS)
        begun = time.perf_counter()
        _exhaust(publisher.publish_many((*event, None) for event in rest))
        return len(rest) / (time.perf_counter() - begun)

    def _read(self, scratch: Stream, entries: int) -> float:
        begun = time.perf_counter()
        count = sum(page.count for page in scratch.pages(START))
        _require(count == entries)
        return count / (time.perf_counter() - begun)

    def _replay(self, scratch: Stream, entries: int) -> float:
        consumer = Consumer(scratch, self._domain, ConsumerSettings(write_snapshots=False, once=True))
        consumer.run()
        restored = consumer.view.restored
        _require(restored is not None and restored.replayed == entries)
        assert restored is not None, "required above"
        return entries / restored.replay_seconds

    def _latency(self, scratch: Stream) -> Latency:
        timed = _Timed(self._domain)
        consumer = Consumer(scratch, cast(Fold, timed), ConsumerSettings(write_snapshots=False))
        thread = threading.Thread(target=consumer.run, name="bench", daemon=True)
        thread.start()
        try:
            self._await(lambda: consumer.view.phase is Phase.LIVE)
            timed.applied.clear()
            sent, answered = self._publish_slowly(Publisher(scratch, self._domain.fields))
            self._await(lambda: len(timed.applied) >= len(sent))
        finally:
            consumer.ask(Stop())
            thread.join(PATIENCE_SECONDS)
        delays = sorted(late - early for early, late in zip(sent, timed.applied, strict=True))
        appends = sorted(late - early for early, late in zip(sent, answered, strict=True))
        middle = len(delays) // 2
        return Latency(len(delays), delays[middle], delays[len(delays) * 99 // 100], delays[-1], appends[middle])

    def _publish_slowly(self, publisher: Publisher) -> tuple[list[float], list[float]]:
        """When each event was sent, and when the server had answered."""
        sent, answered = [], []
        begun = time.perf_counter()
        for number, event in enumerate(islice(self._events, round(LATENCY_RATE * LATENCY_SECONDS))):
            time.sleep(max(0.0, begun + number / LATENCY_RATE - time.perf_counter()))
            sent.append(time.perf_counter())
            publisher.publish(*event)
            answered.append(time.perf_counter())
        return sent, answered

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while not condition():
            if time.perf_counter() > deadline:
                raise EngineError("The server fell so far behind that nothing could be measured. Try again later.")
            time.sleep(0.005)


class _Timed:
    """A domain that notes when each entry had been folded."""

    def __init__(self, domain: Fold) -> None:
        self._domain = domain
        self.applied: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domain, name)

    def fold(self, state: Any, entries: list[Entry], tell: Any = None) -> bytes:
        codes = self._domain.fold(state, entries, tell)
        self.applied += [time.perf_counter()] * len(entries)
        return codes


def _exhaust(events: Iterable[object]) -> None:
    for _ in events:
        pass


def _require(whole: bool) -> None:
    if not whole:
        raise EngineError("The scratch stream lost entries while it was measured. Does the server evict keys?")
