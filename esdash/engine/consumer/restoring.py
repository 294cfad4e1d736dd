"""The restoring of a consumer: from a snapshot or the beginning of the stream, and what the log lost meanwhile."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from esdash.counted import counted
from esdash.engine.consumer.memory import Memory
from esdash.engine.consumer.orphans import mark_of, orphans_of, way_of
from esdash.engine.consumer.stimuli import StateRestored
from esdash.engine.guard import forgotten_by, unbroken
from esdash.engine.projection import Projection
from esdash.engine.shown.kept import is_same
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Restored, Rung
from esdash.engine.snapshots import snapshot
from esdash.log.headers import Header
from esdash.log.stream import Stream


def restore(memory: Memory, *, ignore_snapshots: bool) -> StateRestored:
    """Make a state and remember it; every rung of the ladder is shown as it is tried.

    Raises HaltError for a state to which nothing may be applied, which is remembered all the same; LogError.
    """
    display = memory.display

    def tried(rungs: tuple[Rung, ...]) -> None:
        display.restored = Restored(rungs)
        memory.publish(force=True)

    restoration = snapshot.restore(
        memory.log,
        memory.store,
        memory.fold,
        ignore_snapshots=ignore_snapshots,
        clock=memory.clock,
        on_rung=tried,
    )
    projection = restoration.projection
    display.edited = projection.edited
    display.restored = Restored(
        restoration.rungs,
        restoration.header.snapshot_id if restoration.header else None,
        projection.position,
        restoration.seconds,
    )
    display.continuity = restoration.continuity
    display.forgotten = forgotten_by(projection, memory.log.evidence(projection.last_id))
    memory.snapshots.restored(projection.ordinal)
    if projection.ordinal:
        display.recall(memory.log, projection, restoration.journal)
    _find_orphans(memory, projection, restoration.foreign)
    # Only now, so that what could not be shown for want of a connection is not left out at the next attempt.
    memory.begin_with(projection)
    memory.publish(force=True)
    unbroken(restoration.continuity)
    return StateRestored(restoration.header is None and projection.confirmed > 0, display.edited)


def _find_orphans(memory: Memory, projection: Projection, foreign: Sequence[Header]) -> None:
    """Of the entries that had been applied when the log diverged, those that are gone.

    What another consumer had applied is told by the snapshots that do not fit the log any more.
    """
    former = memory.former or way_of(foreign)
    if former is None:
        return
    display = memory.display
    gone = orphans_of(former, memory.log, mark_of(projection))
    still_gone = _gone(memory.log, display.orphans)
    unlisted = display.orphans_gone - len(display.orphans) if still_gone else 0
    memory.former = None
    # Each keeps the number that it had in the log that is no more.
    shift = former.unseen - max(0, projection.unseen)
    display.orphans = tuple(replace(row, ordinal=row.ordinal + shift) for row in (*still_gone, *gone.known))
    display.orphans_gone = len(still_gone) + unlisted + gone.count
    if gone.count:
        display.notify(
            "warning",
            f"{counted(gone.count, 'entry', 'entries')} had been applied and "
            f"{'is' if gone.count == 1 else 'are'} gone from the log.",
        )


def _gone(log: Stream, rows: Iterable[Row]) -> list[Row]:
    rows = list(rows)
    found = log.entries([row.entry_id for row in rows])
    return [row for row, entry in zip(rows, found, strict=True) if entry is None or not is_same(row, entry)]
