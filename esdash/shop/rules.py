"""The rules: what each event does to the state, and why it may be refused."""

from typing import Any

from esdash.domain import COUNT, MONEY, Refusal
from esdash.shop.events import MAX_INT, AddItem, Order, TopUp

State = Any
"""`users.balance`, `items.price` (both cents) and `items.remain` (pieces)."""


def top_up(state: State, event: TopUp) -> str | None:
    """Money comes in."""
    if event.amount == 0:
        return "invalid_amount"
    balance = state.users.balance
    after = balance.get(event.user_id, 0) + event.amount
    if after > MAX_INT:
        return "overflow"
    balance[event.user_id] = after
    return None


def add_item(state: State, event: AddItem) -> str | None:
    """Goods come in."""
    price, remain = state.items.price, state.items.remain
    before = remain.get(event.item_id)
    if before is None:
        if event.price is None:
            return "price_required"
        price[event.item_id] = event.price
        remain[event.item_id] = event.count
        return None
    if before + event.count > MAX_INT:
        return "overflow"
    if event.price is not None:
        price[event.item_id] = event.price
    remain[event.item_id] = before + event.count
    return None


def order(state: State, event: Order) -> str | Refusal | None:
    """A user buys every line, or nothing."""
    if not event.lines:
        return "empty_order"
    balance, price, remain = state.users.balance, state.items.price, state.items.remain
    wanted: dict[str, int] = {}
    cost = 0
    unknown = False
    short = None
    # One loop looks at everything, and the reasons are told in their order after it: that is a third faster than two.
    for line in event.lines:
        quantity = line.quantity
        if quantity == 0:
            return "invalid_quantity"
        item_id = line.item_id
        left = remain.get(item_id)
        if left is None:
            unknown = True
        else:
            wanted[item_id] = total = wanted.get(item_id, 0) + quantity
            cost += price[item_id] * quantity
            if total > left and short is None:
                short = item_id
    had = balance.get(event.user_id)
    if had is None:
        return "unknown_user"
    if unknown:
        return "unknown_item"
    if short is not None:
        return Refusal("out_of_stock", needed=wanted[short], available=remain[short], shown=COUNT)
    if cost > had:
        return Refusal("insufficient_funds", needed=cost, available=had, shown=MONEY)
    for item_id, quantity in wanted.items():
        remain[item_id] -= quantity
    balance[event.user_id] = had - cost
    return None
