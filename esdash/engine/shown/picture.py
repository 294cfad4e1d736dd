"""Immutable pictures of a state for a screen: rows as columns, so that a million of them sort in a moment."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from esdash.domain import Table
from esdash.fold.folding import Fold, Told
from esdash.fold.state import State

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

    Numbers = NDArray[int64]

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
        place = place_of(self.keys, key)
        return place if place < len(self.keys) and self.keys[place] == key else None

    def get(self, key: int | str) -> TableRow | None:
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

    def total(self, function: str, column: str) -> int | None:
        """The `sum`, `min` or `max` of the numbers in a column; None where a least or a greatest has none."""
        values = self.columns[self._place_of(column)]
        if values.dtype == object:
            there = [value for value in values if value is not None]
            return sum(there) if function == "sum" else (min if function == "min" else max)(there, default=None)
        if function == "sum":
            # In two halves, for the sum may be beyond 64 bits.
            return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())
        return int(values.min() if function == "min" else values.max()) if len(values) else None

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


def place_of(keys: Any, key: Any) -> int:
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
