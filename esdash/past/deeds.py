"""What each entry of a track changed: all of a segment at once, for whoever reads many entries."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import numpy as np

from esdash.domain import Column, Table
from esdash.fold.folding import Told
from esdash.fold.tables import Change
from esdash.past.columns import MovingColumn, before_of, running
from esdash.past.cursor import TrackedColumn
from esdash.past.decoding import SegmentPart
from esdash.past.encoding import part_name
from esdash.past.packing import Numbers
from esdash.past.reader import TrackReader

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

    def told(self, ordinal: int) -> Told:
        """What the entry of an ordinal did, which is in the track. Raises TrackError."""
        reader = self._reader
        segment = reader.segments[reader.segment_of(ordinal)]
        entry = ordinal - segment.first
        columns = self._held(segment.first, segment.count)
        return reader.told(ordinal, tuple(change for column in columns for change in column.of(entry)))

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

    def of(self, entry: int) -> Iterator[Change]:
        """The changes of one entry, by its place in the segment."""
        start, end = self._entries.searchsorted((entry, entry + 1))
        for change in self._order[start:end].tolist():
            row = int(self._part.changes.rows[change])
            key = self._part.keys[row : row + 1].tolist()[0]
            yield Change(self._table.name, key, self._column.name, *self._cells(change))

    def _cells(self, change: int) -> tuple[Any, Any]:
        """Before and after a change."""
        part, kind = self._part, self._column.kind
        if kind is str:
            return part.before[change], part.after[change]
        after, exists = self._values[change], int(self._exist[change])
        existed = exists - int(part.there[change])
        return kind(before_of(after, part.moved[change])) if existed else None, kind(after) if exists else None
