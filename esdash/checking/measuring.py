"""What a domain costs: time an entry, memory a row."""

import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State

_SECONDS: Final = 0.3
_ROWS: Final = 10_000


def microseconds(fold: Fold, entries: Sequence[Entry]) -> float | None:
    """CPU time an entry, sorting and decoding included; None without entries, and where a rule fails before long."""
    if not entries:
        return None
    page = [entries[number % len(entries)] for number in range(1000)]
    state, folded, start = fold.empty(), 0, time.process_time()
    while time.process_time() - start < _SECONDS:
        try:
            fold.fold(state, page)
        except DomainError:
            return None
        folded += len(page)
    return round((time.process_time() - start) / folded * 1e6, 2)


def bytes_a_row(fold: Fold, state: State) -> dict[str, int | None]:
    """Of each table: what a row takes in a large table, its key and values being like those of the state."""
    return {name: _bytes(columns) for name, columns in fold.cells_of(state).items()}


def _bytes(columns: Sequence[dict[Any, Any]]) -> int | None:
    rows = len(columns[0])
    if not rows:
        return None
    cells = sum(map(len, columns))
    slots = sys.getsizeof(dict.fromkeys(range(_ROWS))) / _ROWS * cells
    keys = sum(map(sys.getsizeof, columns[0]))
    values = sum(sys.getsizeof(value) for column in columns for value in column.values() if not isinstance(value, bool))
    return round((slots + keys + values) / rows)
