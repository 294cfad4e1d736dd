"""Reads a track: segments, their entries and parts, as they are needed."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from esdash.domain import Column, Format, Table
from esdash.fold.cells import Change
from esdash.fold.folding import Fold, Told
from esdash.fold.state import KEY_WINDOW
from esdash.log.facts import id_parts
from esdash.past.track.decoding import SegmentEntries, SegmentPart, decode_cells, decode_keys
from esdash.past.track.encoding import formats, part_name
from esdash.past.track.file import FORMAT, Origin, Segment, Track
from esdash.past.track.packing import DamagedTrackError, TrackError

HELD: Final = 64
"""Segments of which the entries are held once they were read."""


class TrackReader:
    """What is in a track, for one thread."""

    def __init__(self, path: Path, fold: Fold, *, still: bool = False) -> None:
        """`still`: it shows what is in the track now until it is closed, whatever is written meanwhile.

        Raises TrackError.
        """
        self.path = path
        self.fold = fold
        self._track = Track(path)
        self._formats = formats(fold)
        self._held = lru_cache(HELD)(self._decoded)
        self._tail: tuple[Segment, SegmentEntries] | None = None
        """The last segment, whose entries were read when it was so long."""
        try:
            self._track.hold()
            self.origin, self.segments = self._read()
            self._firsts = [segment.first for segment in self.segments]
        except TrackError:
            self.close()
            raise
        if not still:
            self._track.let_go()

    def close(self) -> None:
        """Close the file."""
        self._track.close()

    @contextmanager
    def reading(self) -> Iterator[bool]:
        """Take note of what was added; what is there then stays as it is within.

        Whether all that was there before is as it was, but for the tail, which may have grown. Where it is not, this
        reader is of no use any more. Raises TrackError.
        """
        self._track.hold()
        try:
            yield self._refresh()
        finally:
            self._track.let_go()

    def _refresh(self) -> bool:
        origin, segments = self._read()
        if origin != self.origin or not _continues(segments, self.segments):
            return False
        self.segments = segments
        self._firsts = [segment.first for segment in segments]
        return True

    def _read(self) -> tuple[Origin, list[Segment]]:
        origin, segments = self._track.origin(), self._track.segments()
        if origin is None:
            raise DamagedTrackError(f"{self.path} is of nothing")
        if origin.format != FORMAT:
            raise TrackError(f"{self.path} is of another version of esdash")
        last = origin.ordinal
        for segment in segments:
            if segment.first != last + 1:
                raise DamagedTrackError("a segment is missing")
            last = segment.last
        return origin, segments

    @property
    def shown_from(self) -> int:
        """The ordinal after which the first state can be shown."""
        return self.origin.ordinal

    @property
    def built_to(self) -> int:
        """The ordinal of the last entry in it."""
        return self.segments[-1].last if self.segments else self.origin.ordinal

    @property
    def last_id(self) -> bytes:
        """The id of that entry."""
        return self.segments[-1].last_id if self.segments else self.origin.last_id

    def segment_of(self, ordinal: int) -> int:
        """The place of the segment that an entry is in; it is in one."""
        return bisect_right(self._firsts, ordinal) - 1

    def is_stale(self) -> bool:
        """Whether its file was deleted, or is another one now."""
        return self._track.is_stale()

    def ordinal_of(self, entry_id: bytes) -> int:
        """The ordinal of the last entry up to an id; where the first that can be shown is later, that of the entry
        before it."""
        wanted = id_parts(entry_id)
        place = bisect_right(self.segments, wanted[0], key=lambda segment: segment.first_ms) - 1
        # An id may have the milliseconds of several segments.
        while place >= 0:
            entries, first = self.entries(place), self._firsts[place]
            start, end = entries.before(wanted[0]), entries.until(wanted[0])
            inside = start + int(np.count_nonzero(entries.sequences[start:end] <= np.uint64(wanted[1])))
            if inside:
                return first + inside - 1
            place -= 1
        return self.shown_from

    def id_of(self, ordinal: int) -> bytes:
        """The id of an entry that is in it."""
        place = self.segment_of(ordinal)
        return self.entries(place).id(ordinal - self._firsts[place])

    def time_of(self, ordinal: int) -> int:
        """Unix milliseconds of its id."""
        place = self.segment_of(ordinal)
        return int(self.entries(place).milliseconds[ordinal - self._firsts[place]])

    def code_of(self, ordinal: int) -> int:
        """Its outcome."""
        place = self.segment_of(ordinal)
        return int(self.entries(place).codes[ordinal - self._firsts[place]])

    def decisive_of(self, ordinal: int) -> tuple[int, int, Format] | None:
        """The two numbers that decided a refusal, and how they are shown; None where none did."""
        place = self.segment_of(ordinal)
        entry, refused = ordinal - self._firsts[place], self.entries(place).refused
        at = int(refused.entries.searchsorted(entry))
        if at == len(refused.entries) or refused.entries[at] != entry:
            return None
        shown = self._formats[int(refused.shown[at])]
        return int(refused.needed[at]), int(refused.available[at]), shown

    def told(self, ordinal: int, changes: tuple[Change, ...]) -> Told:
        """What an entry did, which changed this."""
        decisive = self.decisive_of(ordinal)
        return Told(changes) if decisive is None else Told(changes, *decisive)

    def counts_before(self, place: int) -> list[int]:
        """Outcomes before a segment."""
        return self.segments[place - 1].counts if place else self.origin.counts

    def entries(self, place: int) -> SegmentEntries:
        """The entries of a segment."""
        segment = self.segments[place]
        if segment is not self.segments[-1]:
            return self._held(segment.first, segment.count)
        if self._tail is None or self._tail[0] != segment:
            self._tail = segment, self._decoded(segment.first, segment.count)
        return self._tail[1]

    def _decoded(self, first: int, count: int) -> SegmentEntries:
        entries = SegmentEntries(f"{first} entries", self._track.entries(first))
        if len(entries) < count:
            raise DamagedTrackError("a segment lacks entries")
        return entries

    def parts(
        self, name: str, table: Table, start: int, end: int, *, newest_first: bool = False
    ) -> Iterator[tuple[int, SegmentPart]]:
        """A part of the segments from one place up to another (exclusive), of those that have it, with their places."""
        if ordinals := self._ordinals(start, end):
            for first, rows, data in self._track.parts(name, *ordinals, newest_first=newest_first):
                yield self.segment_of(first), SegmentPart(name, first, table, rows, partial(bytes, data))

    def about(
        self, name: str, table: Table, key: int | str, start: int, end: int, *, newest_first: bool = False
    ) -> Iterator[tuple[int, SegmentPart]]:
        """The same, only of the segments in which a row is."""
        if ordinals := self._ordinals(start, end):
            for first, rows in self._track.rows(name, *ordinals, newest_first=newest_first):
                part = SegmentPart(name, first, table, rows, partial(self._track.data, name, first))
                if part.place(key) is not None:
                    yield self.segment_of(first), part

    def _ordinals(self, start: int, end: int) -> tuple[int, int] | None:
        end = min(end, len(self._firsts))
        return (self._firsts[start], self._firsts[end - 1]) if start < end else None

    def part(self, name: str, table: Table, place: int) -> SegmentPart | None:
        """A part of one segment; None where it has nothing of it."""
        return next((part for _, part in self.parts(name, table, place, place + 1)), None)

    def keyframes(self, table: Table, column: Column) -> list[int]:
        """The places of segments before which all cells of a column are known."""
        ordinals = self._track.keyframes(part_name(table, column))
        return [bisect_right(self._firsts, ordinal) for ordinal in ordinals]

    def keyframe(self, table: Table, column: Column, place: int) -> tuple[Any, NDArray[Any]]:
        """All cells of a column before the segment at a place."""
        name = part_name(table, column)
        ordinal = self.segments[place].first - 1 if place < len(self.segments) else self.built_to
        return decode_cells(name, ordinal, table, column, self._track.keyframe(name, ordinal))

    def window(self, ordinal: int) -> list[bytes]:
        """The idempotency keys that the state after an ordinal remembers, oldest first."""
        found: list[bytes] = []
        for first, blob in self._track.keys(ordinal):
            keys = decode_keys(f"{first} keys", blob)
            found += [key for entry, key in reversed(keys) if not first or entry <= ordinal - first]
            if len(found) >= KEY_WINDOW:
                break
        return found[:KEY_WINDOW][::-1]


def _continues(segments: Sequence[Segment], before: Sequence[Segment]) -> bool:
    """Whether segments are those of before, perhaps with more: in the last of them, and after it."""
    if not before:
        return True
    *whole, tail = before
    if len(segments) < len(before) or list(segments[: len(whole)]) != whole:
        return False
    now = segments[len(whole)]
    return now == tail or (now.first == tail.first and now.count > tail.count)
