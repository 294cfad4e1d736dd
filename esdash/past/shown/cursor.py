"""A moment of the past that can be moved: all tables, counted outcomes and changes as they were after any entry."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from esdash.domain import Column, Table
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position
from esdash.fold.cells import Change
from esdash.fold.state import State
from esdash.past.shown.columns import MovingColumn, Passed
from esdash.past.track.decoding import SegmentEntries, SegmentPart
from esdash.past.track.encoding import part_name
from esdash.past.track.reader import TrackReader


class TrackedColumn:
    """A column that follows the cursor."""

    def __init__(self, reader: TrackReader, table: Table, column: Column) -> None:
        self.cells = MovingColumn(table, column)
        self._reader = reader
        self._name = part_name(table, column)
        self._place = -1
        """Of the segment that it stands in; −1 before it stands anywhere."""
        self._count = 0
        """Entries of that segment, which may have grown since; −1 where it stands before it."""

    def seek(self, place: int, entries: int) -> bool:
        """Stand after so many entries of the segment at a place. Whether it may show something else than before."""
        segments = self._reader.segments
        end = segments[place].count if segments else 0
        if place == self._place and end == self._count:
            return self.cells.move(entries)
        begin_at = place + (entries > end // 2)
        self._come_to(begin_at)
        part = self._reader.part(self._name, self.cells.table, place)
        if part is not None:
            self.cells.enter(part, at_end=begin_at > place)
            self.cells.move(entries)
        else:
            self.cells.leave()
        self._place, self._count = place, end
        return True

    def stand_before(self, place: int) -> None:
        """Stand before the segment at a place."""
        if place == self._place and self._count < 0:
            return
        self._come_to(place)
        self.cells.leave()
        self._place, self._count = place, -1

    def pass_through(self, place: int, part: SegmentPart) -> Passed:
        """Stand before the segment behind that at a place, of which this is the part; what it did."""
        self.stand_before(place)
        self._place = place + 1
        return self.cells.pass_through(part)

    def _come_to(self, place: int) -> None:
        """Stand before the segment at a place, the shortest way: from a keyframe, or from where it stands."""
        cells, reader = self.cells, self._reader
        table, column = cells.table, cells.column
        known = reader.keyframes(table, column)
        near = min(known, key=lambda each: abs(each - place), default=None)
        standing = self._place if self._place >= 0 else None
        if standing is not None:
            cells.move(0)
        if reader.shown_from == 0 and (near is None or place < abs(near - place)):
            near = 0
        if standing is None or (near is not None and abs(near - place) < abs(standing - place)):
            if near is None or (near == 0 and not reader.shown_from):
                cells.clear()
            else:
                cells.set(*reader.keyframe(table, column, near))
            standing = near or 0
        start, end = sorted((standing, place))
        back = standing > place
        for _, part in reader.parts(self._name, table, start, end, newest_first=back):
            cells.skip(part, back=back)


class Cursor:
    """Stands after one entry of a track. Belongs to the reader's thread."""

    def __init__(self, reader: TrackReader) -> None:
        self._reader = reader
        fold = reader.fold
        self._columns = {
            table.name: [TrackedColumn(reader, table, column) for column in table.columns]
            for table in fold.domain.tables
        }
        self.ordinal = -1
        self._place, self._entries = 0, 0

    def seek(self, ordinal: int) -> set[str]:
        """Stand after the entry of an ordinal, which is one that can be shown. Raises TrackError.

        The tables that may show something else than before.
        """
        reader = self._reader
        if not reader.shown_from <= ordinal <= reader.built_to:
            raise ValueError(f"{ordinal} is none of those from {reader.shown_from} to {reader.built_to}")
        place = max(0, reader.segment_of(ordinal))
        entries = ordinal - reader.segments[place].first + 1 if reader.segments else 0
        moved = set()
        for name, columns in self._columns.items():
            changed = [column.seek(place, entries) for column in columns]
            if any(changed):
                moved.add(name)
        self.ordinal, self._place, self._entries = ordinal, place, entries
        return moved

    def counts(self) -> list[int]:
        """Outcomes so far, by code."""
        before = self._reader.counts_before(self._place)
        if not self._entries:
            return before
        codes = self._reader.entries(self._place).codes[: self._entries]
        return list(map(int, np.array(before) + np.bincount(codes, minlength=len(before))))

    def entries(self) -> SegmentEntries | None:
        """Those of the segment that it stands in; None where there is none."""
        return self._reader.entries(self._place) if self._reader.segments else None

    def columns(self, table: str) -> list[MovingColumn]:
        """The columns of a table, in the order of its declaration."""
        return [column.cells for column in self._columns[table]]

    def changes(self) -> list[Change]:
        """What the entry that it stands after changed."""
        return [change for columns in self._columns.values() for column in columns for change in column.cells.changed()]

    def all_cells(self) -> Iterator[tuple[Table, Column, dict[Any, Any]]]:
        """The cells of every column, in the order of the declaration."""
        for columns in self._columns.values():
            for column in columns:
                yield column.cells.table, column.cells.column, column.cells.cells()

    def projection(self, anchor: str) -> Projection:
        """The whole state where it stands, as a fold would have made it; `anchor` is that of the entry, which is one of
        the track's."""
        reader = self._reader
        position = Position(reader.id_of(self.ordinal).decode(), self.ordinal)
        return Projection.restored(reader.fold, self.state(), position, reader.origin.unseen, anchor)

    def state(self) -> State:
        """The whole state, as a fold would have made it."""
        fold = self._reader.fold
        state = fold.empty()
        state.cells = [cells for _, _, cells in self.all_cells()]
        state.counts = self.counts()
        state.key_order.extend(self._reader.window(self.ordinal))
        state.keys.update(state.key_order)
        return state
