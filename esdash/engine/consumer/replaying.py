"""The replaying and following of a consumer: page after page from the log into the state."""

import gc
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from typing import Final

from msgspec.structs import replace

from esdash.engine.consumer.memory import Memory
from esdash.engine.consumer.stimuli import Answered, CaughtUp
from esdash.engine.guard import lag_of
from esdash.engine.moments.history import FAR
from esdash.engine.projection import Projection
from esdash.engine.shown.corrections import noting
from esdash.engine.shown.view import Progress, Restored
from esdash.log.pages import PackedPage, Page
from esdash.log.reading.follower import Follower
from esdash.log.reading.readahead import read_ahead

IDLE_SECONDS: Final = 0.1
"""How long one read waits for new entries; what a person asks for is done after it at the latest."""


def replay(
    memory: Memory, projection: Projection, *, far: bool, interrupted: Callable[[], bool]
) -> Generator[CaughtUp | None, None, None]:
    """Apply what is in the stream; None after each page. `far` lets a second process read ahead.

    Raises HaltError, DivergedError, LogError, SpoiledError, DomainError.
    """
    started, begun = projection.ordinal, memory.clock()
    display = memory.display
    restored = display.restored or Restored((), None, projection.position)
    pages = _near(memory, projection)
    if far:
        pages = chain(_far(memory, projection, interrupted), pages)
    # The collector finds nothing in a fold and takes a fifth of its time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        for page in pages:
            yield None
            lag = display.lag = lag_of(projection, page.evidence.facts)
            done = projection.ordinal - started
            elapsed = memory.clock() - begun
            rate = done / elapsed if elapsed > 0 else 0.0
            display.progress = Progress(done, done + lag, rate, lag / rate if rate else None)
            # A replay may take longer than the time between two snapshots, or never catch up.
            memory.tick(projection)
            memory.publish()
    finally:
        display.progress = None
        if collecting:
            gc.enable()
    if not restored.done:
        display.restored = replace(
            restored,
            replayed=projection.ordinal - restored.position.ordinal,
            replay_seconds=memory.clock() - begun,
            done=True,
        )
    yield CaughtUp()


def _far(memory: Memory, projection: Projection, interrupted: Callable[[], bool]) -> Iterator[Page | PackedPage]:
    """A long way with a second process that reads and packs; up to the last entries, which a screen shows."""
    log, display = memory.log, memory.display
    if lag_of(projection, log.facts()) < FAR or display.orphans:
        # Whether orphans are in the log again is told by the keys that they had, which the other process ignores.
        return
    newest = log.newest()
    if not newest:
        return
    packing, notes = memory.fold.packing, noting(memory.fold)
    for page in read_ahead(log, projection.last_id, newest[0][0], packing, notes, interrupted=interrupted):
        memory.guard(projection, page)
        memory.apply_ahead(projection, page)
        yield page
    display.parked.find(log)


def _near(memory: Memory, projection: Projection) -> Iterator[Page | PackedPage]:
    for page in memory.log.pages(projection.last_id):
        memory.guard(projection, page)
        memory.apply(projection, page)
        yield page


def follow(memory: Memory, projection: Projection) -> Generator[Answered, None, None]:
    """Apply what comes, as it comes, without an end; Answered before each page is applied. Raises as `replay`."""
    display = memory.display
    with memory.log.connection() as connection:
        follower = Follower(memory.log, connection)
        wait = IDLE_SECONDS
        while True:
            page = follower.next(projection.last_id, wait)
            yield Answered()
            memory.guard(projection, page)
            memory.apply(projection, page)
            display.lag = lag_of(projection, page.evidence.facts)
            memory.tick(projection)
            memory.publish()
            wait = display.seconds_to_show(IDLE_SECONDS)
