"""Moments of the past as a screen shows them: pictures of the tables, and the last entries of the log."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, Final, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from esdash.domain import Table
from esdash.engine.shown.kept import NOT_KNOWN, row_of
from esdash.engine.shown.picture import LastChange, Picture, TablePicture
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Position
from esdash.fold.cells import Change
from esdash.fold.folding import Fold, Told
from esdash.fold.outcomes import PARKED
from esdash.log.errors import UnreachableError
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.shown.columns import MovingColumn, before_of, cell_of
from esdash.past.shown.cursor import Cursor
from esdash.past.shown.deeds import Deeds
from esdash.past.track.decoding import SegmentEntries
from esdash.past.track.encoding import part_name
from esdash.past.track.reader import TrackReader

ROWS: Final = 500
"""Entries before a moment that are shown with it."""


class Moment(Struct, frozen=True):
    """The state after one entry, with that entry."""

    position: Position
    time: int
    """Unix milliseconds of the entry's id; 0 before the first."""
    picture: Picture
    changes: Sequence[Change]
    """What the entry changed."""


class Last(NamedTuple):
    """One of the last entries before a moment."""

    ordinal: int
    entry_id: bytes
    code: int
    told: Told | None
    """Of the newest alone."""


class PastPicture(Picture):
    """A state of the past: nothing is decided by it."""

    def cell(self, table: str, key: int | str, column: str) -> Any:
        """One number; None where there is none."""
        picture = self.tables[table]
        row = picture.get(key)
        place = next(place for place, each in enumerate(picture.table.columns) if each.name == column)
        return None if row is None else row.cells[place]


class _LastChanges(Mapping[Any, LastChange]):
    """What changed the rows of a table last, as far as that was in the segment of the moment."""

    def __init__(
        self, columns: Sequence[MovingColumn], entries: SegmentEntries, keys: Any, values: Sequence[NDArray[Any]]
    ) -> None:
        """`values` are those that the columns have beside the keys of the moment."""
        self._columns = [
            (column.column, found, shown)
            for column, shown in zip(columns, values, strict=True)
            if (found := column.applied()) is not None
        ]
        self._entries = entries
        self._keys = keys

    def __getitem__(self, key: Any) -> LastChange:
        newest, columns, deltas = -1, list[str](), dict[str, int]()
        for column, applied, values in self._columns:
            found = applied.last(key)
            if found is None or found.entry < newest:
                continue
            if found.entry > newest:
                newest, columns, deltas = found.entry, [], {}
            columns.append(column.name)
            after = cell_of(self._keys, values, key)
            if found.moved is not None and after is not None:
                deltas[column.name] = after - before_of(after, found.moved)
        if newest < 0:
            raise KeyError(key)
        named = next(iter(deltas), columns[0])
        return LastChange(self._entries.id(newest).decode(), named, deltas.get(named), deltas)

    def __iter__(self) -> Iterator[Any]:
        newest: dict[Any, int] = {}
        for _, applied, _ in self._columns:
            for key, entry in applied.newest():
                newest[key] = max(entry, newest.get(key, -1))
        return iter(sorted(newest, key=newest.__getitem__))

    def __len__(self) -> int:
        return len(list(iter(self)))


class Moments:
    """Shows the moments of one track. Belongs to the reader's thread."""

    def __init__(self, reader: TrackReader) -> None:
        self.reader = reader
        self._fold = reader.fold
        self.deeds = Deeds(reader)
        self._cursor = Cursor(reader)
        self._tables: dict[str, TablePicture] = {}

    def at(self, ordinal: int) -> Moment:
        """The moment after an entry that can be shown. Raises TrackError."""
        cursor, reader = self._cursor, self.reader
        moved = cursor.seek(ordinal)
        for table in self._fold.domain.tables:
            if table.name in moved or table.name not in self._tables:
                self._tables[table.name] = _picture(table, cursor.columns(table.name), cursor.entries())
        entry_id = reader.id_of(ordinal) if ordinal > reader.shown_from else reader.origin.last_id
        picture = PastPicture(dict(self._tables), tuple(cursor.counts()), 0, self._fold, self._fold.empty())
        position = Position(entry_id.decode(), ordinal, reader.origin.unseen)
        return Moment(position, id_parts(entry_id)[0], picture, cursor.changes())

    def last(self, moment: Moment, count: int = ROWS) -> list[Last]:
        """The last entries up to a moment, newest first. Raises TrackError."""
        reader, newest = self.reader, moment.position.ordinal
        return [
            Last(
                ordinal,
                reader.id_of(ordinal),
                reader.code_of(ordinal),
                reader.told(ordinal, tuple(moment.changes)) if ordinal == newest else None,
            )
            for ordinal in range(newest, max(newest - count, reader.shown_from), -1)
        ]

    def next_of(self, ordinal: int, codes: Sequence[int], *, back: bool = False) -> int | None:
        """The next entry after an ordinal with one of these outcomes, or the one before it; None for none."""
        reader = self.reader
        place = max(0, reader.segment_of(ordinal))
        places = range(place, -1, -1) if back else range(place, len(reader.segments))
        for each in places:
            segment = reader.segments[each]
            found = np.flatnonzero(np.isin(reader.entries(each).codes, codes)) + segment.first
            found = found[found < ordinal] if back else found[found > ordinal]
            if len(found):
                return int(found[-1 if back else 0])
        return None

    def next_about(self, ordinal: int, table: Table, key: int | str, *, back: bool = False) -> int | None:
        """The next entry after an ordinal that is about a row, or the one before it; None where there is none."""
        reader = self.reader
        place = max(0, reader.segment_of(ordinal))
        places = range(place, -1, -1) if back else range(place, len(reader.segments))
        names = [table.name, *(part_name(table, column) for column in table.columns)]
        for each in places:
            first = reader.segments[each].first
            found = set[int]()
            for name in names:
                for _, part in reader.about(name, table, key, each, each + 1):
                    found.update((part.entries_about(key) + first).tolist())
            wanted = [entry for entry in found if (entry < ordinal if back else entry > ordinal)]
            if wanted:
                return max(wanted) if back else min(wanted)
        return None


class LastRows:
    """The last entries up to moments, with what they say."""

    def __init__(self, log: Stream) -> None:
        self._log = log
        self._read: Sequence[Row] = ()
        """For a moment, the last that the log was read for."""

    def of(self, last: Sequence[Last]) -> Sequence[Row]:
        """Those of a moment, oldest first, that are in the stream; that of the moment without fields where it is not.

        While no server answers, those that were read before. Raises LogError where that of the moment was not.
        """
        if not last:
            return []
        try:
            self._read = self._rows(last)
        except UnreachableError:
            known = {(row.ordinal, row.entry_id): row for row in self._read}
            there = [*takewhile(lambda each: (each.ordinal, each.entry_id) in known, last)]
            if not there:
                raise
            return [replace(known[each.ordinal, each.entry_id], told=each.told) for each in reversed(there)]
        return self._read

    def _rows(self, last: Sequence[Last]) -> list[Row]:
        rows: list[Row] = []
        for entry, each in zip(reversed(self._log.newest(last[0].entry_id, len(last))), last, strict=False):
            if entry[0] != each.entry_id:
                break
            rows.append(row_of(each.ordinal, entry, each.code, each.told))
        newest = last[0]
        return rows[::-1] or [Row(newest.ordinal, newest.entry_id, (), newest.code, mark=NOT_KNOWN, told=newest.told)]


def refused_codes(fold: Fold) -> list[int]:
    """Of the outcomes by which a rule says no."""
    return [code for code, outcome in enumerate(fold.outcomes) if outcome.name == "rejected"]


def parked_codes() -> list[int]:
    """Of the outcomes of what cannot be understood."""
    return list(range(len(PARKED)))


def _picture(table: Table, columns: Sequence[MovingColumn], entries: SegmentEntries | None) -> TablePicture:
    first, *rest = columns
    there = first.there
    keys = first.keys[there]
    arrays = [first.shown(keys), *(column.shown(keys) for column in rest)]
    changes: Mapping[Any, LastChange] = {} if entries is None else _LastChanges(columns, entries, keys, arrays)
    return TablePicture(table, keys, arrays, changes)
