"""What each entry of a track changed: all of a segment at once, for whoever reads many entries."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

import numpy as np

from esdash.domain import Column, Table
from esdash.fold.cells import Change
from esdash.fold.recording import UNTOLD, Told
from esdash.past.shown.columns import MovingColumn, running
from esdash.past.shown.cursor import TrackedColumn
from esdash.past.track.decoding import SegmentPart
from esdash.past.track.encoding import part_name
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader

HELD: Final = 2
"""Segments of which it is known what their entries changed, once somebody asked."""


class Deeds:
    """What the entries of a track did. Belongs to the reader's thread."""

    def __init__(self, reader: TrackReader) -> None:
        self._reader = reader
        self._columns = [
            (table, column, TrackedColumn(reader, table, column))
            for table in reader.fold.domain.tables
            for column in table.columns
        ]
        self._held = lru_cache(HELD)(self._made)

    def told(self, place: int, entries: Numbers) -> list[Told]:
        """What entries of the segment at a place did; places in it, ascending. Raises TrackError."""
        reader = self._reader
        segment = reader.segments[place]
        changes: list[list[Change]] = [[] for _ in entries]
        for column in self._held(segment.first, segment.count):
            for at, change in column.of(entries):
                changes[at].append(change)
        told = [Told(tuple(each)) if each else UNTOLD for each in changes]
        for at in np.flatnonzero(np.isin(entries, reader.entries(place).refused.entries)).tolist():
            told[at] = reader.told(segment.first + int(entries[at]), told[at].changes)
        return told

    def _made(self, first: int, _: int) -> "list[_ColumnDeeds]":
        place = self._reader.segment_of(first)
        made = []
        for table, column, tracked in self._columns:
            part = self._reader.part(part_name(table, column), table, place)
            if part is not None:
                tracked.stand_before(place)
                made.append(_ColumnDeeds(table, column, part, tracked.cells))
        return made


class _ColumnDeeds:
    """What the entries of a segment changed in one column."""

    def __init__(self, table: Table, column: Column, part: SegmentPart, before: MovingColumn) -> None:
        """`before` has the cells before the segment."""
        self._table = table
        self._column = column
        self._part = part
        changes = part.changes
        self._order: Numbers = np.argsort(changes.entries, kind="stable")
        self._entries = changes.entries[self._order]
        if column.kind is not str:
            there = before.shown(part.keys)
            known = np.array([each is not None for each in there.tolist()], bool)
            starts = np.cumsum(part.counts) - part.counts
            base = np.zeros(len(known), np.int64)
            base[known] = there[known].astype(np.int64)
            self._values = running(base, part.moved, starts, changes.rows)
            self._exist = running(known.astype(np.int64), part.there, starts, changes.rows)

    def of(self, entries: Numbers) -> Iterator[tuple[int, Change]]:
        """The changes of some entries, ascending: of each the place among them, and the change."""
        starts, ends = self._entries.searchsorted(entries), self._entries.searchsorted(entries, "right")
        counts = ends - starts
        where = np.repeat(np.arange(len(entries)), counts)
        changes = self._order[np.arange(len(where)) + np.repeat(starts - np.cumsum(counts) + counts, counts)]
        keys = self._part.keys[self._part.changes.rows[changes]].tolist()
        names = repeat(self._table.name), keys, repeat(self._column.name)
        return zip(where.tolist(), map(Change, *names, *self._cells(changes)), strict=False)

    def _cells(self, changes: Numbers) -> tuple[Iterable[Any], Iterable[Any]]:
        """Before and after changes."""
        part = self._part
        if self._column.kind is str:
            some = changes.tolist()
            return map(part.before.__getitem__, some), map(part.after.__getitem__, some)
        # 64 bits pass their bounds as the differences do that are kept.
        after, exists = self._values[changes], self._exist[changes]
        before, existed = after - part.moved[changes], exists - part.there[changes]
        return self._listed(before, existed), self._listed(after, exists)

    def _listed(self, values: Numbers, there: Numbers) -> list[Any]:
        found: list[Any] = (values.astype(bool) if self._column.kind is bool else values).tolist()
        for at in np.flatnonzero(there == 0).tolist():
            found[at] = None
        return found
