"""Entries that had been applied and are gone: how many, and which of them are known.

A consumer leaves marks along its way: the number, id and anchor of an entry now and then, closer to each other the
shorter the way. When the log turns out to be another one, the newest mark that still stands in it tells how far the two
agree; all that was applied after that is gone, whether it is remembered or not.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from esdash.engine.projection import Projection
from esdash.engine.shown.kept import is_same
from esdash.engine.shown.row import Row
from esdash.log.headers import Header
from esdash.log.stream import Stream, anchor_of

MARKS: Final = 1024
"""Kept at most; when there are more, every other one goes."""

LOOK: Final = 16
"""Marks looked at together, the newest first."""


class Mark(Struct, frozen=True):
    """A place on the way."""

    number: int
    """How many entries there had ever been in the log, up to and with this one."""
    entry_id: bytes
    anchor: str | None


def mark_of(projection: Projection) -> Mark:
    return Mark(projection.ordinal + max(0, projection.unseen), projection.last_id, projection.anchor)


class Trail:
    """Where a consumer has been in its log."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        """Oldest first."""
        self._distance = 1

    def leave(self, mark: Mark) -> None:
        """Remember a place, when it is far enough from the last."""
        if self.marks and mark.number - self.marks[-1].number < self._distance:
            return
        self.marks.append(mark)
        if len(self.marks) > MARKS:
            self._distance *= 2
            del self.marks[1::2]


class Way(Struct, frozen=True):
    """All that is known of a history that the log is not any more."""

    trail: Trail
    end: Mark
    unseen: int
    """So many entries at its beginning had never been applied."""
    rows: Sequence[Row]
    """The newest entries, oldest first."""


class Orphans(Struct, frozen=True):
    """What was lost."""

    count: int
    known: Sequence[Row]
    """The newest of them, oldest first."""


def way_of(snapshots: Sequence[Header]) -> Way | None:
    """What snapshots that the log does not contain tell of the consumers that took them."""
    if not snapshots:
        return None
    passed = sorted(snapshots, key=lambda header: header.ordinal + header.unseen)
    trail = Trail()
    marks = [Mark(each.ordinal + max(0, each.unseen), each.last_event_id.encode(), each.anchor) for each in passed]
    for mark in marks:
        trail.leave(mark)
    return Way(trail, marks[-1], max(0, passed[-1].unseen), ())


def orphans_of(way: Way, log: Stream, restored: Mark) -> Orphans:
    """What of a way the log does not hold. It does up to `restored`, from where a consumer goes on. Raises LogError."""
    agreed, next_mark = _newest_standing(way, log, restored)
    known = {row.entry_id: row for row in way.rows}
    covered = bool(way.rows) and way.rows[0].ordinal + way.unseen <= agreed.number + 1
    last = min(agreed.number, way.end.number)
    for page in log.pages(agreed.entry_id, next_mark.entry_id):
        for entry in page.entries:
            row = known.get(entry[0])
            if row is not None and is_same(row, entry):
                last = row.ordinal + way.unseen
            elif row is None and not covered:
                # Not remembered one by one: what stands where the way was is taken for what was there.
                last = min(last + 1, next_mark.number - 1)
    lost = [row for row in way.rows if row.ordinal + way.unseen > last]
    return Orphans(way.end.number - max(last, way.unseen), lost)


def _newest_standing(way: Way, log: Stream, restored: Mark) -> tuple[Mark, Mark]:
    """The newest mark that is in the log, and the one after it, which is not."""
    between = (mark for mark in way.trail.marks if restored.number < mark.number < way.end.number)
    marks = [restored, *between, way.end]
    last = len(marks)
    while last > 1:
        first = max(1, last - LOOK)
        ids = [mark.entry_id for mark in marks[first:last]]
        found = [None if entry is None else anchor_of(entry) for entry in log.entries(ids)]
        for place in range(last - 1, first - 1, -1):
            anchor = found[place - first]
            if anchor is not None and anchor == marks[place].anchor:
                return marks[place], marks[min(place + 1, len(marks) - 1)]
        last = first
    return marks[0], marks[1]
