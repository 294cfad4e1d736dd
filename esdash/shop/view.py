"""Immutable pictures of the state for a screen."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from msgspec import Struct

from esdash.shop.decoding import Fields, decode
from esdash.shop.events import AddItem, Event, Order, TopUp
from esdash.shop.outcomes import APPLIED
from esdash.shop.state import State

if TYPE_CHECKING:
    from numpy import bool_, int64
    from numpy.typing import NDArray

REMEMBERED_CHANGES: Final = 50_000
"""Users whose last change is remembered, and as many items; the longest unchanged is forgotten first."""


class Consumed(Protocol):
    """An entry and what became of it."""

    @property
    def ordinal(self) -> int:
        """1 for the first."""

    @property
    def entry_id(self) -> bytes:
        """As the server gave it."""

    @property
    def fields(self) -> Fields:
        """name, value, name, value, …"""

    @property
    def code(self) -> int | None:
        """The outcome; None where it is not known any more."""


class LastChange(Struct, frozen=True, gc=False):
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
        """`ids` ascend."""
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

        rows = self._starting_with(needle) if needle else np.arange(len(self.ids), dtype=np.int64)
        if column == "change":
            newness = np.zeros(len(self.ids), dtype=np.int64)
            places, known = _find(self.ids, np.fromiter(self._changes, np.int64, len(self._changes)))
            newness[places[known]] = np.arange(1, len(places) + 1)[known]
            rows = rows[np.argsort(newness[rows], kind="stable")]
        elif column == "balance":
            rows = rows[_ranks(self.balances[rows])]
        return rows[::-1] if descending else rows

    def row(self, number: int) -> UserRow:
        """The row of a number that `order` gave."""
        user_id = int(self.ids[number])
        return UserRow(user_id, int(self.balances[number]), self._changes.get(user_id))

    def number(self, user_id: int) -> int | None:
        """The number of a user's row; None for nobody's."""
        place = int(self.ids.searchsorted(user_id))
        return place if place < len(self.ids) and self.ids[place] == user_id else None

    def _starting_with(self, needle: str) -> "NDArray[int64]":
        import numpy as np

        found = [np.zeros(0, dtype=np.int64)]
        if needle.isascii() and needle.isdigit() and len(needle) <= 19 and (needle[0] != "0" or needle == "0"):
            low = high = int(needle)
            while low < 2**63:
                start = self.ids.searchsorted(low)
                found.append(np.arange(start, self.ids.searchsorted(min(high, 2**63 - 1), "right")))
                if low == 0:
                    break
                low, high = low * 10, high * 10 + 9
        return np.concatenate(found)


def _find(ids: "NDArray[int64]", wanted: "NDArray[int64]") -> "tuple[NDArray[int64], NDArray[bool_]]":
    """Where among ascending ids each of `wanted` is or would be, and whether it is there."""
    places = ids.searchsorted(wanted)
    known = places < len(ids)
    known[known] = ids[places[known]] == wanted[known]
    return places, known


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


class _Columns:
    """The balances of the last view; the arrays are replaced and never changed, since views hold on to them."""

    def __init__(self, state: State, changes: dict[int, LastChange]) -> None:
        self._ids, self._balances = state.user_columns()
        self.shown = Balances(self._ids, self._balances, changes.copy())

    def update(self, state: State, touched: set[int], changes: dict[int, LastChange]) -> None:
        """Take over the balances of some users."""
        import numpy as np

        if not touched:
            return
        ids = np.fromiter(touched, np.int64, len(touched))
        balances = np.fromiter(map(state.users.__getitem__, touched), np.int64, len(touched))
        places, known = _find(self._ids, ids)
        self._balances = self._balances.copy()
        self._balances[places[known]] = balances[known]
        if not known.all():
            new = np.flatnonzero(~known)
            new = new[ids[new].argsort()]
            self._ids = np.insert(self._ids, places[new], ids[new])
            self._balances = np.insert(self._balances, places[new], balances[new])
        self.shown = Balances(self._ids, self._balances, changes.copy())


class _Lines:
    """The items of the last view."""

    def __init__(self, state: State, changes: dict[str, LastChange]) -> None:
        self._rows = [ItemRow(*item, changes.get(item[0])) for item in state.items()]
        self._ids = [row.item_id for row in self._rows]
        self.shown = tuple(self._rows)

    def update(self, state: State, touched: set[str], changes: dict[str, LastChange]) -> None:
        """Take over some items."""
        if not touched:
            return
        known = len(self._ids)
        for item_id in touched:
            row = ItemRow(item_id, state.prices[item_id], state.stock[item_id], changes.get(item_id))
            place = bisect_left(self._ids, item_id, hi=known)
            if place < known and self._ids[place] == item_id:
                self._rows[place] = row
            else:
                self._rows.append(row)
        if len(self._rows) > known:
            self._rows.sort(key=itemgetter(0))
            self._ids = [row.item_id for row in self._rows]
        self.shown = tuple(self._rows)


class Viewer:
    """Makes views of one state, and remembers what changed last. Belongs to the thread that folds.

    As long as it observes every entry, a view takes from the state only what changed since the last one.
    """

    def __init__(self) -> None:
        self._users: dict[int, LastChange] = {}
        self._items: dict[str, LastChange] = {}
        self._prices: dict[str, int] = {}
        """Prices after the last entry that was observed."""
        self._observed = 0
        """Its ordinal."""
        self._columns: _Columns | None = None
        self._lines: _Lines | None = None
        """What the last view showed; None when entries have gone by unobserved since."""
        self._touched_users: set[int] = set()
        self._touched_items: set[str] = set()

    def observe(self, state: State, rows: Sequence[Consumed]) -> None:
        """Take note of consumed entries, in order; `state` is that after them."""
        if not rows:
            return
        consecutive = rows[0].ordinal == self._observed + 1
        applied = [(row.entry_id, decode(row.fields)) for row in rows if row.code == APPLIED]
        costs = _costs(self._prices if consecutive else {}, [event for _, event in applied], state.prices)
        # Without a function in between: at 50,000 events a second this loop is most of what a view takes.
        users, items, touched_users, touched_items = self._users, self._items, self._touched_users, self._touched_items
        for (entry_id, event), cost in zip(applied, costs, strict=True):
            identifier = entry_id.decode()
            moved: dict[str, int] = {}
            user_id = delta = None
            if isinstance(event, TopUp):
                user_id, delta = event.user_id, event.amount
            elif isinstance(event, Order):
                user_id, delta = event.user_id, None if cost is None else -cost
                for line in event.lines:
                    moved[line.item_id] = moved.get(line.item_id, 0) - line.quantity
            elif not isinstance(event, int):
                moved[event.item_id] = event.count
            if user_id is not None:
                users.pop(user_id, None)
                users[user_id] = LastChange(identifier, delta)
                touched_users.add(user_id)
            for item_id, quantity in moved.items():
                items.pop(item_id, None)
                items[item_id] = LastChange(identifier, quantity)
            touched_items.update(moved)
        _forget_oldest(users)
        _forget_oldest(items)
        self._observed = rows[-1].ordinal
        if not consecutive:
            self._start_over(state)

    def view(self, state: State) -> ShopView:
        """A picture of the state now."""
        ordinal = sum(state.counts)
        if ordinal != self._observed:
            self._observed = ordinal
            self._start_over(state)
        if self._columns is None or self._lines is None:
            self._columns, self._lines = _Columns(state, self._users), _Lines(state, self._items)
        else:
            self._columns.update(state, self._touched_users, self._users)
            self._lines.update(state, self._touched_items, self._items)
        self._touched_users.clear()
        self._touched_items.clear()
        return ShopView(self._columns.shown, self._lines.shown, tuple(state.counts), len(state.keys), state)

    def _start_over(self, state: State) -> None:
        self._columns = self._lines = None
        self._prices = {item_id: price for item_id, price, _ in state.items()}


def _costs(prices: dict[str, int], events: Sequence[Event | int], after: Mapping[str, int]) -> list[int | None]:
    """What each order among events that were applied cost; None for what is no order, and where nobody can tell.

    Prices are known `after` the last event, and perhaps before the first: those in `prices`, which take on what the
    events say. Going on from there an item's price stays known; going back it is known until an event gave it one.
    """
    costs: list[int | None] = []
    unknown = False
    for event in events:
        cost = None
        if isinstance(event, Order):
            cost = _cost(event, prices)
            unknown = unknown or cost is None
        elif isinstance(event, AddItem) and event.price is not None:
            prices[event.item_id] = event.price
        costs.append(cost)
    if not unknown:
        return costs
    changed: set[str] = set()
    for place in range(len(events) - 1, -1, -1):
        event = events[place]
        if costs[place] is None and isinstance(event, Order):
            if changed.isdisjoint(line.item_id for line in event.lines):
                costs[place] = _cost(event, after)
        elif isinstance(event, AddItem) and event.price is not None:
            changed.add(event.item_id)
    return costs


def _cost(order: Order, prices: Mapping[str, int]) -> int | None:
    cost = 0
    for line in order.lines:
        price = prices.get(line.item_id)
        if price is None:
            return None
        cost += price * line.quantity
    return cost


def _forget_oldest(changes: dict[Any, LastChange]) -> None:
    for subject in list(islice(changes, max(0, len(changes) - REMEMBERED_CHANGES))):
        del changes[subject]
