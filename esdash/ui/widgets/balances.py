"""The lines of the balances: every user, what they own, and what changed it last."""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from esdash.shop.money import format_money
from esdash.shop.view import Balances, LastChange, ShopView
from esdash.ui.widgets.columns import Cell, Column, Kind
from esdash.ui.widgets.drawing import age, milliseconds_of
from esdash.ui.widgets.line_table import Order
from esdash.ui.widgets.ordering import Ordering, Question

_COLUMNS = (
    Column("user", "user", Kind.NUMBER, sortable=True),
    Column("balance", "balance", Kind.NUMBER, sortable=True, starts_descending=True),
    Column("bar", "", Kind.BAR, least=5, rank=3, stretch=1),
    Column("change", "last change", Kind.NUMBER, rank=1, sortable=True, starts_descending=True),
    Column("ago", "ago", Kind.NUMBER, rank=2),
)


_STEP: Final = 5
"""Seconds."""

WAITING: Final = ("Nothing is known yet.",)
"""What panels say before there is a state."""


class BalancesSource:
    """What the balances panel shows."""

    columns = _COLUMNS
    older = 0
    """All users are here."""

    def __init__(self, hint: Sequence[str] = (), sorted_later: Callable[[], object] = lambda: None) -> None:
        """`sorted_later` is called in another thread when `update` would show a new order."""
        self.order: Order | None = Order("user", False)
        self.needle = ""
        """The digits that the users' numbers start with."""
        self._hint = hint
        self._ordering = Ordering(sorted_later)
        self._latest: Balances | None = None
        self._now = 0.0
        self._widest = [3, 6, 8, 9, 6]
        self._top_balance = 0

    @property
    def total(self) -> int:
        """Users, whether they match the filter or not."""
        return 0 if self._latest is None else len(self._latest)

    @property
    def sorting(self) -> bool:
        """A new order is being made in a thread."""
        return self._ordering.busy

    def update(self, state: ShopView | None, now: float) -> None:
        """Show another state; `now` in Unix seconds."""
        balances = None if state is None else state.balances
        self._now = now
        if balances is not None and balances is not self._latest and len(balances):
            highest = int(balances.balances.max())
            self._top_balance = max(self._top_balance, highest)
            self._widest[0] = max(self._widest[0], len(str(int(balances.ids[-1]))))
            self._widest[1] = max(self._widest[1], len(format_money(highest)))
        self._latest = balances
        self._arrange()

    def sort(self, order: Order) -> None:
        """Change the order."""
        self.order = order
        self._arrange()

    def search(self, needle: str) -> None:
        """Only users whose number starts with these digits."""
        self.needle = needle.strip()
        self._arrange()

    def __len__(self) -> int:
        return len(self._ordering.rows)

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One line."""
        assert self._ordering.balances is not None
        row = self._ordering.balances.row(int(self._ordering.rows[index]))
        change, ago = change_cells(row.change, self._now, money=True)
        self._widest[3] = max(self._widest[3], len(change.text))
        self._widest[4] = max(self._widest[4], len(ago.text))
        return (
            Cell(str(row.user_id), "strong"),
            Cell(format_money(row.balance)),
            Cell("", "information", fraction=row.balance / self._top_balance if self._top_balance else 0.0),
            change,
            ago,
        )

    def identity(self, index: int) -> Hashable:
        """The user's number."""
        assert self._ordering.balances is not None
        return int(self._ordering.balances.ids[self._ordering.rows[index]])

    def find(self, identity: Hashable) -> int | None:
        """Where a user is in the order."""
        ordering = self._ordering
        if ordering.balances is None or isinstance(ordering.rows, tuple):
            return None
        number = ordering.balances.number(identity) if isinstance(identity, int) else None
        if number is None:
            return None
        (places,) = (ordering.rows == number).nonzero()
        return int(places[0]) if len(places) else None

    def wanted(self) -> Sequence[int]:
        """Cells for the widest content so far."""
        return self._widest

    def hint(self) -> Sequence[str]:
        """What to do about an empty panel."""
        return ("no user matches",) if self.total else self._hint if self._latest is not None else WAITING

    def _arrange(self) -> None:
        assert self.order is not None
        self._ordering.show(self._latest, Question(self.order.column, self.order.descending, self.needle))


def change_cells(change: LastChange | None, now: float, money: bool) -> tuple[Cell, Cell]:
    """What changed a number last, and how long ago."""
    if change is None:
        return Cell(""), Cell("")
    seconds = now - milliseconds_of(change.entry_id) / 1000
    # In steps of five, or every line of a busy shop would change every second.
    ago = Cell(age(seconds if seconds < _STEP * 2 else seconds // _STEP * _STEP), "dim")
    if change.delta is None:
        return Cell("order", "dim"), ago
    shown = format_money(abs(change.delta)) if money else f"{abs(change.delta):,}"
    return Cell(f"−{shown}" if change.delta < 0 else f"+{shown}", "bad" if change.delta < 0 else "good"), ago
