"""The values of some numbers of a state, kept up to date by what entries change, wherever that is known from.

A sum or a count costs nothing but its changes, a least or greatest value a step in a heap.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.state import State
from esdash.query.numbers import Aggregate, Cell, Number

_SPARE: Final = 1000
"""Old values in a heap, beyond as many as there are rows, before it is made anew."""


class Numbers:
    """Some numbers, as the changes of one entry after the other go by."""

    def __init__(self, fold: Fold, state: State, numbers: Iterable[Number]) -> None:
        """As they are in a state, which is not looked at again."""
        self._cells: dict[Cell, _Cell] = {}
        self._over: dict[Aggregate, _Count | _Sum | _Extreme] = {}
        self._columns: dict[tuple[str, str], list[_Count | _Sum | _Extreme]] = {}
        """What each column is summed up in."""
        self._keys: dict[tuple[str, int | str, str], _Cell] = {}
        for number in numbers:
            if isinstance(number, Cell):
                self._cells[number] = cell = _Cell(fold.cell(state, number.table, number.key, number.column))
                self._keys[number.table, number.key, number.column] = cell
            elif number not in self._over:
                declared, places = fold.storage.places[number.table]
                names = [column.name for column in declared.columns]
                column = number.column or names[0]
                cells = state.cells[places[names.index(column)]]
                self._over[number] = kept = _KINDS[number.function](cells, number.function)
                self._columns.setdefault((number.table, column), []).append(kept)

    def value(self, number: Number) -> Any:
        """What a number is now; None where there is none."""
        return self.reading(number)()

    def reading(self, number: Number) -> Callable[[], Any]:
        """What gives the value of a number from now on."""
        return (self._cells[number] if isinstance(number, Cell) else self._over[number]).value

    def see(self, changes: Sequence[Change]) -> bool:
        """An entry changed this; whether one of the numbers may be another now."""
        touched = False
        for change in changes:
            cell = self._keys.get((change.table, change.key, change.column))
            if cell is not None:
                cell.now = change.after
                touched = True
            for kept in self._columns.get((change.table, change.column), ()):
                kept.see(change)
                touched = True
        return touched


class _Cell:
    """One cell, whatever it holds."""

    def __init__(self, now: Any) -> None:
        self.now = now

    def value(self) -> Any:
        return self.now


class _Count:
    """How many rows there are."""

    def __init__(self, cells: Mapping[Any, Any], _: str) -> None:
        self._count = len(cells)

    def see(self, change: Change) -> None:
        self._count += (change.before is None) - (change.after is None)

    def value(self) -> int:
        return self._count


class _Sum:
    """The cells that are there, added up."""

    def __init__(self, cells: Mapping[Any, Any], _: str) -> None:
        self._sum: int = sum(cells.values())

    def see(self, change: Change) -> None:
        self._sum += (change.after or 0) - (change.before or 0)

    def value(self) -> int:
        return self._sum


class _Extreme:
    """The least or the greatest cell."""

    def __init__(self, cells: Mapping[Any, Any], function: str) -> None:
        self._sign = -1 if function == "max" else 1
        self._cells = dict(cells.items())
        self._heap: list[tuple[int, Any]] = []
        """Every cell, and what some were before."""
        self._make()

    def _make(self) -> None:
        self._heap = [(self._sign * value, key) for key, value in self._cells.items()]
        heapq.heapify(self._heap)

    def see(self, change: Change) -> None:
        if change.after is None:
            self._cells.pop(change.key, None)
            return
        self._cells[change.key] = change.after
        heapq.heappush(self._heap, (self._sign * change.after, change.key))
        if len(self._heap) > 2 * len(self._cells) + _SPARE:
            self._make()

    def value(self) -> int | None:
        while self._heap:
            signed, key = self._heap[0]
            if self._cells.get(key) == self._sign * signed:
                return self._sign * signed
            heapq.heappop(self._heap)
        return None


_KINDS: Final[dict[str, type[_Count] | type[_Sum] | type[_Extreme]]] = {
    "count": _Count,
    "sum": _Sum,
    "min": _Extreme,
    "max": _Extreme,
}
