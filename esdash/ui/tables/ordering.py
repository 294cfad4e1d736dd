"""Sorting a table without a pause: a million rows are sorted in a thread, while the screen shows the last order."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from heapq import merge
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from esdash.engine.shown.picture import CHANGE, TablePicture

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

AT_ONCE: Final = 20_000
"""As many rows are sorted within a few milliseconds, on the spot."""
_PIECE: Final = 5_000
"""Objects that one call may compare."""
_REST: Final = 4
"""After a sort in the thread it rests this many times as long as that took, unless a person asks."""


class Question(NamedTuple):
    """How rows are to be ordered and filtered."""

    column: str
    descending: bool
    needle: str


class Ordering:
    """The rows in the order that a person wants, or in the last one while the next is made."""

    def __init__(self, ready: Callable[[], object] = lambda: None) -> None:
        """`ready` is called in the sorting thread when an order can be collected."""
        self._ready = ready
        self.table: TablePicture | None = None
        """What `rows` are the row numbers of."""
        self.rows: NDArray[int64] | tuple[int, ...] = ()
        self._question: Question | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._pending: tuple[TablePicture, Question, Future[tuple[float, NDArray[int64]]]] | None = None
        self._rest_until = 0.0

    @property
    def busy(self) -> bool:
        """A sort is under way."""
        return self._pending is not None

    def show(self, table: TablePicture | None, question: Question) -> None:
        """Make `table` and `rows` what is asked for, now or at one of the next calls."""
        self._collect(question)
        if table is None:
            self.table, self.rows, self._question = None, (), None
        elif table is self.table and question == self._question:
            return
        elif self._turned_around(table, question):
            self.rows, self._question = self.rows[::-1], question
        elif self._same_order(table, question):
            self.table = table
        elif len(table) <= AT_ONCE:
            self.table, self.rows, self._question = table, table.order(*question), question
        elif self._pending is None and (question != self._question or time.monotonic() >= self._rest_until):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, "sort")
            future = self._pool.submit(_sort, table, question)
            self._pending = (table, question, future)
            future.add_done_callback(lambda _: self._ready())

    def _collect(self, question: Question) -> None:
        if self._pending is None or not self._pending[2].done():
            return
        table, answered, future = self._pending
        self._pending = None
        seconds, rows = future.result()
        if answered == question:
            self.table, self.rows, self._question = table, rows, question
            self._rest_until = time.monotonic() + _REST * seconds

    def _turned_around(self, table: TablePicture, question: Question) -> bool:
        """Whether it is the last order the other way round."""
        turned = question._replace(descending=not question.descending)
        return table is self.table and turned == self._question

    def _same_order(self, table: TablePicture, question: Question) -> bool:
        """Whether the last order holds for this picture as well: neither its keys nor the sorted column changed."""
        before = self.table
        if before is None or question != self._question or before.keys is not table.keys or question.column == CHANGE:
            return False
        return not question.column or _values(before, question.column) is _values(table, question.column)


def _values(table: TablePicture, column: str) -> Any:
    return next(values for values, each in zip(table.columns, table.table.columns, strict=True) if each.name == column)


def _sort(table: TablePicture, question: Question) -> "tuple[float, NDArray[int64]]":
    started = time.monotonic()
    column, descending, needle = question
    if column not in ("", CHANGE) and _values(table, column).dtype == object:
        rows = _in_pieces(_values(table, column), table.order(needle=needle))
        rows = rows[::-1] if descending else rows
    else:
        rows = table.order(*question)
    return time.monotonic() - started, rows


def _in_pieces(values: Any, rows: "NDArray[int64]") -> "NDArray[int64]":
    """Rows sorted by what are no plain numbers, absent ones first, equal ones as they are.

    One call that compares a million objects would keep the screen's thread waiting for seconds.
    """
    import numpy as np

    absent = [row for row in rows.tolist() if values[row] is None]
    there = [row for row in rows.tolist() if values[row] is not None]
    pieces = [sorted(there[start : start + _PIECE], key=values.__getitem__) for start in range(0, len(there), _PIECE)]
    return np.fromiter(chain(absent, merge(*pieces, key=values.__getitem__)), np.int64, len(rows))
