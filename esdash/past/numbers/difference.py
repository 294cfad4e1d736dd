"""What differs between two moments of a track: the numbers of both, and the entries that lie between them."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.fold.sorting import FIRST
from esdash.past.shown.columns import MovingColumn
from esdash.past.shown.cursor import Cursor
from esdash.past.track.reader import TrackReader
from esdash.words.changes import is_amount


class Cells(NamedTuple):
    """Cells of a column at one moment."""

    keys: Any
    """Ascending."""
    values: NDArray[Any]
    """0 or None where there is none."""
    there: NDArray[np.bool_]


class ColumnDifference(NamedTuple):
    """The cells of a column that differ, by key."""

    table: Table
    column: Column
    before: Cells
    after: Cells
    """Of the same keys."""

    def change(self, place: int) -> Change:
        """One of them."""
        key = self.before.keys[place : place + 1].tolist()[0]
        before, after = (self._cell(cells, place) for cells in (self.before, self.after))
        return Change(self.table.name, key, self.column.name, before, after)

    def _cell(self, cells: Cells, place: int) -> Any:
        return self.column.kind(cells.values[place]) if cells.there[place] else None


class Differences(Sequence[Change]):
    """All numbers that differ, the largest difference first; what is no amount comes last, in the order of tables.

    Of a number that is at one of the moments only counts its size. Each is made when it is asked for.
    """

    def __init__(self, columns: Iterable[ColumnDifference]) -> None:
        self.columns = sorted(columns, key=lambda each: not is_amount(each.column))
        self._starts = np.cumsum([0, *(len(each.before.keys) for each in self.columns)]).tolist()
        sizes = [_sizes(each.before.values, each.after.values) for each in self.columns if is_amount(each.column)]
        whole = np.concatenate([np.empty(0, np.uint64), *sizes])
        self._order = np.argsort(~whole, kind="stable")

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: Any) -> Any:
        """One of them; no slices."""
        place = range(len(self))[index]
        if place < len(self._order):
            place = int(self._order[place])
        which = bisect_right(self._starts, place) - 1
        return self.columns[which].change(place - self._starts[which])


class Came(Struct, frozen=True):
    """Entries of one type with one outcome."""

    type: str
    """Empty for what has none that is known."""
    outcome: Outcome
    count: int


class Difference(Struct, frozen=True):
    """Two moments, compared."""

    numbers: Differences
    came: Sequence[Came]
    """The entries between them, the most frequent first."""


def differences(reader: TrackReader, first: int, second: int, tables: Sequence[Table]) -> Differences:
    """What differs in some tables between the moments after two ordinals that can be shown. Raises TrackError."""
    cursor = Cursor(reader)
    cursor.seek(first)
    before = {table.name: list(map(_cells, cursor.columns(table.name))) for table in tables}
    cursor.seek(second)
    return Differences(
        compared
        for table in tables
        for column, one in zip(cursor.columns(table.name), before[table.name], strict=True)
        if (compared := _compared(table, column.column, one, _cells(column))) is not None
    )


class Between:
    """Counts the entries between two moments, segment after segment."""

    def __init__(self, reader: TrackReader, first: int, second: int) -> None:
        """After one ordinal, up to the other; whichever is the earlier."""
        self._fold = reader.fold
        start, self._until = sorted((first, second))
        self.next = start + 1
        self._counts = np.zeros(2**16, np.int64)

    @property
    def done(self) -> bool:
        """Whether all were counted."""
        return self.next > self._until

    def take(self, reader: TrackReader) -> None:
        """Count those of one more segment. Raises TrackError."""
        place = max(0, reader.segment_of(self.next))
        segment, entries = reader.segments[place], reader.entries(place)
        inside = slice(max(0, self.next - segment.first), max(0, self._until - segment.first + 1))
        pairs = entries.kinds[inside].astype(np.int64) * 2**8 + entries.codes[inside]
        self._counts += np.bincount(pairs, minlength=2**16)
        self.next = segment.last + 1

    def came(self) -> list[Came]:
        """What was counted."""
        found: dict[tuple[str, int], int] = {}
        for pair in np.flatnonzero(self._counts).tolist():
            kind, code = divmod(pair, 2**8)
            what = _type_of(self._fold, kind), code
            found[what] = found.get(what, 0) + int(self._counts[pair])
        came = [Came(name, self._fold.outcomes[code], count) for (name, code), count in found.items()]
        return sorted(came, key=lambda each: (-each.count, each.type, each.outcome.name, each.outcome.reason or ""))


def _type_of(fold: Fold, kind: int) -> str:
    return "" if kind < FIRST else fold.domain.events[kind - FIRST].wire_name


def _cells(column: MovingColumn) -> Cells:
    # The values are changed in place when the column moves on.
    return Cells(column.keys, column.values.copy(), column.there)


def _compared(table: Table, column: Column, one: Cells, other: Cells) -> ColumnDifference | None:
    if len(one.keys) != len(other.keys) or not bool((one.keys == other.keys).all()):
        keys = np.unique(np.concatenate((one.keys, other.keys)))
        one, other = _spread(one, keys), _spread(other, keys)
    differ = (one.there != other.there) | (one.there & (one.values != other.values).astype(bool))
    if not differ.any():
        return None
    before, after = (Cells(*(each[differ] for each in cells)) for cells in (one, other))
    return ColumnDifference(table, column, before, after)


def _spread(cells: Cells, keys: Any) -> Cells:
    """The cells among more keys."""
    places = np.searchsorted(keys, cells.keys)
    nothing: Any = None if cells.values.dtype == object else 0
    values, there = np.full(len(keys), nothing, cells.values.dtype), np.zeros(len(keys), bool)
    values[places], there[places] = cells.values, cells.there
    return Cells(keys, values, there)


def _sizes(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.uint64]:
    """How far numbers lie apart: that of two 64-bit numbers has no sign, and fits into 64 bits so."""
    one, other = before.astype(np.uint64), after.astype(np.uint64)
    return np.where(after >= before, other - one, one - other)
