"""Why a number is what it is: every entry that moved it."""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from typing import Any

from msgspec import Struct

from esdash.domain import Column, Table
from esdash.fold.cells import Change
from esdash.past.shown.columns import before_of, cell_of
from esdash.past.track.encoding import part_name
from esdash.past.track.reader import TrackReader


class Moved(Struct, frozen=True):
    """One entry that changed a cell."""

    ordinal: int
    entry_id: bytes
    kind: int
    """FIRST + the index of its type."""
    code: int
    """Its outcome."""
    before: Any
    """None where there was none; so `after`."""
    after: Any


class Story:
    """The story of one cell."""

    def __init__(self, reader: TrackReader, table: Table, column: Column, key: int | str) -> None:
        self._reader = reader
        self._table = table
        self._column = column
        self._key = key
        self._name = part_name(table, column)

    def newest(self) -> Any:
        """The cell after the last entry of the track; None where there is none. Raises TrackError."""
        return cell_before(self._reader, self._table, self._column, self._key, len(self._reader.segments))

    def at(self, until: int) -> Any:
        """The cell after an entry; None where there was none. Raises TrackError."""
        value = self.newest()
        for each in self.backwards():
            if each.ordinal <= until:
                return each.after
            value = each.before
        return value

    def times(self, until: int) -> int:
        """How many entries up to an ordinal changed it. Raises TrackError."""
        reader, found = self._reader, 0
        for place, part in reader.about(self._name, self._table, self._key, 0, reader.segment_of(until) + 1):
            entries = part.entries_about(self._key)
            found += int(entries.searchsorted(until - reader.segments[place].first, "right"))
        return found

    def backwards(self, until: int | None = None) -> Iterator[Moved]:
        """Every entry that changed it, the newest first; up to the ordinal `until` perhaps. Raises TrackError."""
        reader, kind = self._reader, self._column.kind
        end = len(reader.segments) if until is None else reader.segment_of(until) + 1
        after = cell_before(reader, self._table, self._column, self._key, end)
        for place, part in reader.about(self._name, self._table, self._key, 0, end, newest_first=True):
            where = part.where(self._key)
            about, first = reader.entries(place), reader.segments[place].first
            for change in range(where.stop - 1, where.start - 1, -1):
                entry = int(part.changes.entries[change])
                if kind is str:
                    before = part.before[change]
                else:
                    there = (after is not None) - int(part.there[change])
                    before = kind(before_of(after or 0, part.moved[change])) if there else None
                if until is None or first + entry <= until:
                    yield Moved(
                        first + entry, about.id(entry), int(about.kinds[entry]), int(about.codes[entry]), before, after
                    )
                after = before


def cell_before(reader: TrackReader, table: Table, column: Column, key: int | str, place: int) -> Any:
    """A cell before the segment at a place; None where there is none. Raises TrackError."""
    known = [each for each in reader.keyframes(table, column) if each <= place]
    start, value = 0, None
    if known:
        start = known[-1]
        value = cell_of(*reader.keyframe(table, column, start), key)
    for _, part in reader.about(part_name(table, column), table, key, start, place):
        where = part.where(key)
        if column.kind is str:
            value = part.after[where][-1]
        else:
            exists = (value is not None) + int(part.there_in(where).sum())
            value = before_of(value or 0, -int(part.moved_in(where).sum())) if exists else None
    return value if value is None else column.kind(value)


class StoryLine(Struct, frozen=True):
    """One entry of the story of a row: one that changed it, or is about it."""

    ordinal: int
    entry_id: bytes
    code: int
    """Its outcome."""
    changes: tuple[Change, ...]
    """Of this row."""


def story_of_row(reader: TrackReader, table: Table, key: int | str, until: int | None = None) -> Iterator[StoryLine]:
    """The entries that changed a row or are about it, the newest first, up to an ordinal perhaps. Raises TrackError."""

    def moved(column: Column) -> Iterator[tuple[int, Change | None]]:
        for each in Story(reader, table, column, key).backwards(until):
            yield each.ordinal, Change(table.name, key, column.name, each.before, each.after)

    named: Iterator[tuple[int, Change | None]] = ((each, None) for each in _named(reader, table, key, until))
    together = merge(*map(moved, table.columns), named, key=lambda each: -each[0])
    for ordinal, group in groupby(together, key=lambda each: each[0]):
        changes = tuple(change for _, change in group if change is not None)
        yield StoryLine(ordinal, reader.id_of(ordinal), reader.code_of(ordinal), changes)


def _named(reader: TrackReader, table: Table, key: int | str, until: int | None) -> Iterator[int]:
    end = len(reader.segments) if until is None else reader.segment_of(until) + 1
    for place, part in reader.about(table.name, table, key, 0, end, newest_first=True):
        first = reader.segments[place].first
        for entry in reversed(part.entries_about(key).tolist()):
            if until is None or first + entry <= until:
                yield first + entry
