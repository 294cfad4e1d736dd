"""Makes pictures of a state that is folded into, and remembers what changed last."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from esdash.domain import Column, Table
from esdash.engine.shown.picture import LastChange, Picture, TablePicture, place_of
from esdash.engine.shown.row import Row
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.fold.folding import Fold, Told
from esdash.fold.overlay import Overlay
from esdash.fold.state import State

REMEMBERED_CHANGES: Final = 50_000
"""Rows of each table whose last change is remembered; the longest unchanged is forgotten first."""

MARKED: Final = 1000
"""Rows of each table of which a snapshot remembers that."""


def load_numpy() -> None:
    """Load what pictures are made with: the first time that takes longer than many a picture."""
    import numpy  # noqa: F401


class ChangeMark(NamedTuple):
    """What changed a row last, as a snapshot remembers it."""

    table: str
    key: int | str
    change: LastChange


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
        new = {key for key in there if self._known(key) is None}
        if new:
            added = sorted(new)
            places = [place_of(self.keys, key) for key in added]
            self.keys = np.insert(self.keys, places, _array(added, self._table.key is int))
            self.columns = [
                np.insert(column, places, _array([found.get(key) for key in added], column.dtype != object))
                if column.dtype == object or all(key in found for key in added)
                else np.insert(column.astype(object), places, _array([found.get(key) for key in added], False))
                for column, found in zip(self.columns, cells, strict=True)
            ]
        old = [key for key in there if key not in new] if new else there
        if old:
            places = [place_of(self.keys, key) for key in old]
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
        place = place_of(self.keys, key)
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


def _storable(change: LastChange) -> LastChange:
    """It without its differences where one is beyond 64 bits, as that of two cells can be: no snapshot holds that."""
    if all(MIN_INT <= delta <= MAX_INT for delta in change.deltas.values()):
        return change
    return LastChange(change.entry_id, change.column, None, {})


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
        for change in told.changes:
            self._touched[change.table].add(change.key)
            place = change.table, change.key
            first.setdefault(place, change.column)
            before, after = change.before, change.after
            if type(after) is int and (type(before) is int or before is None):
                moved.setdefault(place, {})[change.column] = after - (before or 0)
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
            ChangeMark(table, key, _storable(change))
            for table, changes in self._changes.items()
            for key, change in list(changes.items())[-MARKED:]
        ]

    def recall(self, marks: Sequence[ChangeMark]) -> None:
        """Begin with what a snapshot remembers."""
        for table, key, change in marks:
            self._changes[table][key] = change

    def view(self, state: State) -> Picture:
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
