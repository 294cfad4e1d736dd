"""Sorting balances without a pause: a million of them are sorted in a thread, while the screen shows the last order."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from esdash.shop.view import Balances

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

AT_ONCE: Final = 20_000
"""As many balances are sorted within a few milliseconds, on the spot."""
_REST: Final = 4
"""After a sort in the thread it rests this many times as long as that took, unless a person asks."""


class Question(NamedTuple):
    """How balances are to be ordered and filtered."""

    column: str
    descending: bool
    needle: str


class Ordering:
    """The balances in the order that a person wants, or in the last one while the next is made."""

    def __init__(self, ready: Callable[[], object] = lambda: None) -> None:
        """`ready` is called in the sorting thread when an order can be collected."""
        self._ready = ready
        self.balances: Balances | None = None
        """What `rows` are the row numbers of."""
        self.rows: NDArray[int64] | tuple[int, ...] = ()
        self._question: Question | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._pending: tuple[Balances, Question, Future[tuple[float, NDArray[int64]]]] | None = None
        self._rest_until = 0.0

    @property
    def busy(self) -> bool:
        """A sort is under way."""
        return self._pending is not None

    def show(self, balances: Balances | None, question: Question) -> None:
        """Make `balances` and `rows` what is asked for, now or at one of the next calls."""
        self._collect(question)
        if balances is None:
            self.balances, self.rows, self._question = None, (), None
        elif balances is self.balances and question == self._question:
            return
        elif self._turned_around(balances, question):
            self.rows, self._question = self.rows[::-1], question
        elif len(balances) <= AT_ONCE:
            self.balances, self.rows, self._question = balances, balances.order(*question), question
        elif self._same_users(balances, question):
            self.balances = balances
        elif self._pending is None and (question != self._question or time.monotonic() >= self._rest_until):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, "sort")
            future = self._pool.submit(_sort, balances, question)
            self._pending = (balances, question, future)
            future.add_done_callback(lambda _: self._ready())

    def _collect(self, question: Question) -> None:
        if self._pending is None or not self._pending[2].done():
            return
        balances, answered, future = self._pending
        self._pending = None
        seconds, rows = future.result()
        if answered == question:
            self.balances, self.rows, self._question = balances, rows, question
            self._rest_until = time.monotonic() + _REST * seconds

    def _turned_around(self, balances: Balances, question: Question) -> bool:
        """Whether it is the last order the other way round."""
        turned = question._replace(descending=not question.descending)
        return balances is self.balances and turned == self._question

    def _same_users(self, balances: Balances, question: Question) -> bool:
        """Whether the last order holds for these balances as well."""
        before = self.balances
        return (
            before is not None
            and question == self._question
            and question.column == "user"
            and before.ids is balances.ids
        )


def _sort(balances: Balances, question: Question) -> "tuple[float, NDArray[int64]]":
    started = time.monotonic()
    rows = balances.order(*question)
    return time.monotonic() - started, rows
