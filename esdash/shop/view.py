"""Immutable pictures of the state for a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from esdash.shop.decoding import Fields, decode
from esdash.shop.events import AddItem, Event, Order, TopUp
from esdash.shop.outcomes import APPLIED
from esdash.shop.state import State

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

_Subject = TypeVar("_Subject")

REMEMBERED_CHANGES: Final = 50_000
"""Users whose last change is remembered, and as many items; the longest unchanged is forgotten first."""


class LastChange(NamedTuple):
    """The newest entry that changed a number, as far as this process saw it."""

    entry_id: str
    delta: int | None
    """Cents for a balance, pieces for a stock; None for an order whose cost is not known any more."""


class UserRow(NamedTuple):
    """One line of the balances."""

    user_id: int
    balance: int
    """Cents."""
    change: LastChange | None
    """None when the last change lies before what this process saw."""


class ItemRow(NamedTuple):
    """One line of the stock."""

    item_id: str
    price: int
    """Cents."""
    remain: int
    change: LastChange | None


class Balances:
    """Every user's balance at one position; columns, so that a million rows sort in a moment."""

    def __init__(self, ids: "NDArray[int64]", balances: "NDArray[int64]", changes: dict[int, LastChange]) -> None:
        self.ids = ids
        self.balances = balances
        self._changes = changes

    def __len__(self) -> int:
        return len(self.ids)

    def order(self, column: str = "user", descending: bool = False, needle: str = "") -> "NDArray[int64]":
        """Row numbers, sorted by `user` or `balance` (equal balances by user) or `change` (newest last).

        Only users whose number starts with the digits of `needle`; none when it holds anything but digits.
        """
        import numpy as np

        rows = np.arange(len(self.ids), dtype=np.int64)
        if needle:
            rows = rows[self._starting_with(needle)]
        if column == "change":
            newest = {user_id: place for place, user_id in enumerate(self._changes, 1)}
            key = np.array([newest.get(user_id, 0) for user_id in self.ids[rows].tolist()], dtype=np.int64)
            order = np.lexsort((self.ids[rows], key))
        else:
            order = np.argsort(self.ids[rows])
            if column == "balance":
                order = order[_ranks(self.balances[rows][order])]
        rows = rows[order]
        return rows[::-1] if descending else rows

    def row(self, number: int) -> UserRow:
        """The row of a number that `order` gave."""
        user_id = int(self.ids[number])
        return UserRow(user_id, int(self.balances[number]), self._changes.get(user_id))

    def _starting_with(self, needle: str) -> "NDArray[int64]":
        import numpy as np

        if not (needle.isascii() and needle.isdigit()) or len(needle) > 19 or (needle[0] == "0" and needle != "0"):
            return np.zeros(len(self.ids), dtype=bool)
        low = high = int(needle)
        found = np.zeros(len(self.ids), dtype=bool)
        while low < 2**63:
            found |= (self.ids >= low) & (self.ids <= min(high, 2**63 - 1))
            if low == 0:
                break
            low, high = low * 10, high * 10 + 9
        return found


def _ranks(values: "NDArray[int64]") -> "NDArray[int64]":
    """The order of values from 0 up, equal ones in the order they have.

    Where value and place fit into one integer together, sorting those takes a fifth of the time.
    """
    import numpy as np

    bits = len(values).bit_length()
    if not len(values) or int(values.max()) >= 2 ** (63 - bits):
        return np.argsort(values, kind="stable")
    keys = (values << bits) | np.arange(len(values))
    keys.sort()
    return keys & (2**bits - 1)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class ShopView:
    """The state at one position, for a screen."""

    balances: Balances
    items: tuple[ItemRow, ...]
    """By item id."""
    counts: tuple[int, ...]
    """Entries by outcome code."""
    keys: int
    """Idempotency keys in the window."""
    latest: State
    """The state itself, which the consumer goes on changing: for looking up single numbers, not for iterating."""


class Viewer:
    """Makes views, and remembers between them what changed last. Belongs to the thread that folds."""

    def __init__(self) -> None:
        self._users: dict[int, LastChange] = {}
        self._items: dict[str, LastChange] = {}
        self._prices: dict[str, int] = {}
        """Prices after the last entry that was observed."""
        self._observed = 0
        """Its ordinal."""
        self._seen: dict[int, int] = {}
        """The users of the last view, as the state holds them; it only adds to them, at the end."""
        self._ids: NDArray[int64] | None = None
        """Their numbers: half of a view's time, and mostly still the same."""

    def observe(self, state: State, rows: Sequence[tuple[int, bytes, Fields, int | None]]) -> None:
        """Take note of consumed entries (ordinal, id, fields, outcome code), in order; `state` is that after them."""
        applied = [(entry_id, decode(fields)) for _, entry_id, fields, code in rows if code == APPLIED]
        before = self._prices if rows and rows[0][0] == self._observed + 1 else {}
        costs = _costs(before, [event for _, event in applied], state.prices)
        self._prices = dict(state.prices) if len(state.prices) <= REMEMBERED_CHANGES else {}
        self._observed = rows[-1][0] if rows else self._observed
        for (entry_id, event), cost in zip(applied, costs, strict=True):
            identifier = entry_id.decode()
            if isinstance(event, TopUp):
                _note(self._users, event.user_id, LastChange(identifier, event.amount))
            elif isinstance(event, Order):
                sold: dict[str, int] = {}
                for line in event.lines:
                    sold[line.item_id] = sold.get(line.item_id, 0) + line.quantity
                for item_id, quantity in sold.items():
                    _note(self._items, item_id, LastChange(identifier, -quantity))
                _note(self._users, event.user_id, LastChange(identifier, None if cost is None else -cost))
            elif not isinstance(event, int):
                _note(self._items, event.item_id, LastChange(identifier, event.count))

    def view(self, state: State) -> ShopView:
        """A picture of the state now."""
        import numpy as np  # takes 0.1 s to import, and the first paint needs none of it

        users, size = state.users, len(state.users)
        if self._ids is None or users is not self._seen or size != len(self._ids):
            self._seen, self._ids = users, np.fromiter(users.keys(), np.int64, size)
        balances = Balances(self._ids, np.fromiter(users.values(), np.int64, size), self._users.copy())
        items = tuple(
            ItemRow(item_id, state.prices[item_id], remain, self._items.get(item_id))
            for item_id, remain in sorted(state.stock.items())
        )
        return ShopView(balances, items, tuple(state.counts), len(state.keys), state)


def _costs(before: Mapping[str, int], events: Sequence[Event | int], after: Mapping[str, int]) -> list[int | None]:
    """What each order among events that were applied cost; None for what is no order, and where nobody can tell.

    Prices are known after the last event, and perhaps `before` the first. Going on from there an item's price stays
    known; going back it is known until an event gave it one.
    """
    prices = dict(before)
    costs: list[int | None] = []
    for event in events:
        costs.append(_cost(event, prices))
        if isinstance(event, AddItem) and event.price is not None:
            prices[event.item_id] = event.price
    changed: set[str] = set()
    for place in range(len(events) - 1, -1, -1):
        event = events[place]
        if costs[place] is None and isinstance(event, Order):
            if changed.isdisjoint(line.item_id for line in event.lines):
                costs[place] = _cost(event, after)
        elif isinstance(event, AddItem) and event.price is not None:
            changed.add(event.item_id)
    return costs


def _cost(event: Event | int, prices: Mapping[str, int]) -> int | None:
    if not isinstance(event, Order):
        return None
    known = [prices.get(line.item_id) for line in event.lines]
    pairs = zip(known, event.lines, strict=True)
    return None if None in known else sum((price or 0) * line.quantity for price, line in pairs)


def _note(changes: dict[_Subject, LastChange], subject: _Subject, change: LastChange) -> None:
    changes.pop(subject, None)
    changes[subject] = change
    if len(changes) > REMEMBERED_CHANGES:
        del changes[next(iter(changes))]
