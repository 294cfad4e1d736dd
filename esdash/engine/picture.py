"""Immutable pictures of a state for a screen: rows as columns, so that a million of them sort in a moment."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from esdash.domain import Column, Table
from esdash.engine.row import Row
from esdash.fold.folding import Fold, Told
from esdash.fold.tables import Overlay, State

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    Numbers = NDArray[int64]

REMEMBERED_CHANGES: Final = 50_000
"""Rows of each table whose last change is remembered; the longest unchanged is forgotten first."""

MARKED: Final = 1000
"""Rows of each table of which a snapshot remembers that."""

CHANGE: Final = "*change"
"""What `TablePicture.order` calls the last change; no column is called so."""


class LastChange(Struct, frozen=True, gc=False):
    """The newest entry that changed a row, as far as this process saw it."""

    entry_id: str
    column: str
    """The first of those that it changed by a number, else the first it changed at all."""
    delta: int | None
    """By how much; None for what is no number, or was not there before or after."""
    deltas: dict[str, int]
    """Of every numeric column it changed."""


class ChangeMark(NamedTuple):
    """What changed a row last, as a snapshot remembers it."""

    table: str
    key: int | str
    change: LastChange


class TableRow(NamedTuple):
    """One line of a table."""

    key: int | str
    cells: tuple[Any, ...]
    """In the order of the columns; None for a cell without a value."""
    change: LastChange | None
    """None when the last change lies before what this process saw."""


class TablePicture:
    """One table at one position. Its arrays are never changed."""

    def __init__(self, table: Table, keys: Any, columns: Sequence[Any], changes: Mapping[Any, LastChange]) -> None:
        """`keys` ascend; arrays of integers, or of objects for texts and cells that may be absent (None)."""
        self.table = table
        self.keys = keys
        self.columns = columns
        self._changes = changes

    def __len__(self) -> int:
        return len(self.keys)

    def row(self, number: int) -> TableRow:
        """The row of a number that `order` gave."""
        key = _plain(self.keys[number])
        return TableRow(key, tuple(_plain(column[number]) for column in self.columns), self._changes.get(key))

    def number(self, key: int | str) -> int | None:
        """The number of a key's row; None where there is none."""
        if type(key) is not self.table.key:
            return None
        place = _place(self.keys, key)
        return place if place < len(self.keys) and self.keys[place] == key else None

    def get(self, key: int | str) -> TableRow | None:
        """A key's row."""
        number = self.number(key)
        return None if number is None else self.row(number)

    def greatest(self, column: str) -> int:
        """The greatest number in a column; 0 in none."""
        values = self.columns[self._place_of(column)]
        if not len(values):
            return 0
        if values.dtype == object:
            return max((value for value in values if value is not None), default=0)
        return int(values.max())

    def longest(self, column: str = "") -> int:
        """Characters of the longest text in a column, or among the keys."""
        values = self.columns[self._place_of(column)] if column else self.keys
        if values.dtype == object:
            return max((len(str(value)) for value in values), default=0)
        return max(len(str(int(values.max()))), len(str(int(values.min())))) if len(values) else 0

    def order(self, column: str = "", descending: bool = False, needle: str = "") -> "Numbers":
        """Row numbers, sorted by a column (equal cells by key), by the key (``""``), or by CHANGE (newest last).

        With `needle` only rows whose key begins with those digits or contains that text, in any case.
        """
        import numpy as np

        rows = self._matching(needle) if needle else np.arange(len(self.keys), dtype=np.int64)
        if column == CHANGE:
            newness = np.zeros(len(self.keys), dtype=np.int64)
            for place, key in enumerate(self._changes, 1):
                if (number := self.number(key)) is not None:
                    newness[number] = place
            rows = rows[np.argsort(newness[rows], kind="stable")]
        elif column:
            rows = rows[_ranks(self.columns[self._place_of(column)][rows])]
        return rows[::-1] if descending else rows

    def _place_of(self, column: str) -> int:
        return next(place for place, each in enumerate(self.table.columns) if each.name == column)

    def _matching(self, needle: str) -> "Numbers":
        import numpy as np

        if self.table.key is str:
            folded = needle.casefold()
            found = [number for number, key in enumerate(self.keys) if folded in key.casefold()]
            return np.array(found, dtype=np.int64)
        parts = [np.zeros(0, dtype=np.int64)]
        digits = needle.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 19 and (digits[0] != "0" or digits == "0"):
            low = high = int(digits)
            while low < 2**63:
                first, last = (low, min(high, 2**63 - 1)) if digits == needle else (max(-high, -(2**63)), -low)
                start = self.keys.searchsorted(first)
                parts.append(np.arange(start, self.keys.searchsorted(last, "right")))
                if low == 0:
                    break
                low, high = low * 10, high * 10 + 9
        return np.sort(np.concatenate(parts))


def _plain(value: Any) -> Any:
    """Python's own value of an array's."""
    return value.tolist() if hasattr(value, "tolist") else value


def _place(keys: Any, key: Any) -> int:
    return bisect_left(keys, key) if keys.dtype == object else int(keys.searchsorted(key))


def _ranks(values: Any) -> "Numbers":
    """The order of values from the least up, equal ones in the order they have, those that are absent first.

    Where value and place fit into one integer together, sorting those takes a fifth of the time.
    """
    import numpy as np

    if values.dtype == object:
        there = [place for place in range(len(values)) if values[place] is not None]
        absent = [place for place in range(len(values)) if values[place] is None]
        return np.array(absent + sorted(there, key=values.__getitem__), dtype=np.int64)
    bits = len(values).bit_length()
    if not len(values) or int(values.max()) >= 2 ** (63 - bits) or int(values.min()) < 0:
        return np.argsort(values, kind="stable")
    keys = (values << bits) | np.arange(len(values))
    keys.sort()
    return keys & (2**bits - 1)  # type: ignore[no-any-return]


class Picture:
    """A state at one position, for a screen."""

    def __init__(
        self, tables: Mapping[str, TablePicture], counts: tuple[int, ...], keys: int, fold: Fold, state: State
    ):
        self.tables = tables
        self.counts = counts
        """Entries by outcome code."""
        self.keys = keys
        """Idempotency keys in the window."""
        self._fold = fold
        self._state = state

    def decide(self, event: Any, entry_id: bytes = b"0-0", key: bytes | None = None) -> tuple[int, Told]:
        """What would come of an event now; asks the state that the consumer goes on changing. Raises DomainError."""
        return self._fold.decide(self._state, event, entry_id, key)

    def cell(self, table: str, key: int | str, column: str) -> Any:
        """One number now, of the state that the consumer goes on changing; None where there is none."""
        return self._fold.cell(self._state, table, key, column)


class _Columns:
    """The rows of a table in the last picture; the arrays are replaced and never changed, since pictures hold them."""

    def __init__(self, fold: Fold, state: State, table: Table, cells: Sequence[Mapping[Any, Any]]) -> None:
        self._table = table
        self.keys: Any
        self.columns: list[Any]
        if fold.storage.is_numeric(state, table.name):
            self.keys, arrays = fold.storage.columns(state, table.name)
            self.columns = list(arrays)
            return
        whole = [column.whole() if isinstance(column, Overlay) else dict(column) for column in cells]
        keys = sorted(whole[0])
        self.keys = _array(keys, table.key is int)
        self.columns = [
            _column(column, list(map(found.get, keys))) for column, found in zip(table.columns, whole, strict=True)
        ]

    def update(self, cells: Sequence[Mapping[Any, Any]], touched: set[Any]) -> None:
        """Take over some rows."""
        import numpy as np

        gone = [key for key in touched if key not in cells[0]]
        there = [key for key in touched if key in cells[0]]
        if gone:
            places = [place for key in gone if (place := self._known(key)) is not None]
            self.keys = np.delete(self.keys, places)
            self.columns = [np.delete(column, places) for column in self.columns]
        new = sorted(key for key in there if self._known(key) is None)
        if new:
            places = [_place(self.keys, key) for key in new]
            self.keys = np.insert(self.keys, places, _array(new, self._table.key is int))
            self.columns = [
                np.insert(column, places, _array([found.get(key) for key in new], column.dtype != object))
                if column.dtype == object or all(key in found for key in new)
                else np.insert(column.astype(object), places, _array([found.get(key) for key in new], False))
                for column, found in zip(self.columns, cells, strict=True)
            ]
        old = [key for key in there if key not in set(new)] if new else there
        if old:
            places = [_place(self.keys, key) for key in old]
            self.columns = [
                self._written(column, places, [found.get(key) for key in old])
                for column, found in zip(self.columns, cells, strict=True)
            ]

    @staticmethod
    def _written(column: Any, places: list[int], values: list[Any]) -> Any:
        written = column.astype(object) if column.dtype != object and None in values else column.copy()
        written[places] = _array(values, written.dtype != object)
        return written

    def _known(self, key: Any) -> int | None:
        place = _place(self.keys, key)
        return place if place < len(self.keys) and self.keys[place] == key else None


def _array(values: list[Any], numbers: bool) -> Any:
    import numpy as np

    if numbers:
        return np.array(values, dtype=np.int64)
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _column(column: Column, values: list[Any]) -> Any:
    return _array(values, column.kind is int and None not in values)


class Viewer:
    """Makes pictures of one state, and remembers what changed last. Belongs to the thread that folds.

    As long as it observes every entry, a picture takes from the state only what changed since the last one.
    """

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._tables = fold.domain.tables
        self._changes: dict[str, dict[Any, LastChange]] = {table.name: {} for table in self._tables}
        self._touched: dict[str, set[Any]] = {table.name: set() for table in self._tables}
        self._observed = 0
        """The ordinal of the last entry that was observed."""
        self._columns: dict[str, _Columns] | None = None
        """What the last picture showed; None when entries have gone by unobserved since."""
        self._shown: dict[str, TablePicture] = {}

    def observe(self, rows: Sequence[Row]) -> None:
        """Take note of consumed entries, in their order."""
        if not rows:
            return
        if rows[0].ordinal != self._observed + 1:
            self._columns = None
        for row in rows:
            told = row.told
            if told is None:
                self._columns = None
            elif told.changes:
                self._note(row.entry_id.decode(), told)
        for changes in self._changes.values():
            for key in list(islice(changes, max(0, len(changes) - REMEMBERED_CHANGES))):
                del changes[key]
        self._observed = rows[-1].ordinal

    def _note(self, entry_id: str, told: Told) -> None:
        moved: dict[tuple[str, Any], dict[str, int]] = {}
        first: dict[tuple[str, Any], str] = {}
        for table, key, column, before, after in told.changes:
            self._touched[table].add(key)
            place = table, key
            first.setdefault(place, column)
            if type(after) is int and (type(before) is int or before is None):
                moved.setdefault(place, {})[column] = after - (before or 0)
        for place, column in first.items():
            table, key = place
            deltas = moved.get(place, {})
            named = column if column in deltas or not deltas else next(iter(deltas))
            changes = self._changes[table]
            changes.pop(key, None)
            changes[key] = LastChange(entry_id, named, deltas.get(named), deltas)

    def marks(self) -> list[ChangeMark]:
        """What a snapshot remembers: the newest changes, oldest first."""
        return [
            ChangeMark(table, key, change)
            for table, changes in self._changes.items()
            for key, change in list(changes.items())[-MARKED:]
        ]

    def recall(self, marks: Sequence[ChangeMark]) -> None:
        """Begin with what a snapshot remembers."""
        for table, key, change in marks:
            self._changes[table][key] = change

    def view(self, state: State) -> Picture:
        """A picture of the state now."""
        ordinal = sum(state.counts)
        if ordinal != self._observed:
            self._observed = ordinal
            self._columns = None
        cells = self._fold.cells_of(state)
        if self._columns is None:
            self._columns = {
                table.name: _Columns(self._fold, state, table, cells[table.name]) for table in self._tables
            }
            stale: Iterable[str] = self._columns
        else:
            stale = [name for name, touched in self._touched.items() if touched]
            for name in stale:
                self._columns[name].update(cells[name], self._touched[name])
        for table in self._tables:
            if table.name in stale or table.name not in self._shown:
                columns = self._columns[table.name]
                changes = self._changes[table.name].copy()
                self._shown[table.name] = TablePicture(table, columns.keys, columns.columns, changes)
            self._touched[table.name].clear()
        return Picture(dict(self._shown), tuple(state.counts), len(state.keys), self._fold, state)
