"""The rules: what each event does to the state, and why it may be refused (DESIGN.md, The fold)."""

from esdash.shop.decoding import Fields, decode, first_price, key_of
from esdash.shop.events import MAX_INT, AddItem, Event, Order, TopUp
from esdash.shop.outcomes import (
    APPLIED,
    DUPLICATE,
    EMPTY_ORDER,
    INSUFFICIENT_FUNDS,
    INVALID_AMOUNT,
    INVALID_QUANTITY,
    OUT_OF_STOCK,
    OVERFLOW,
    PRICE_REQUIRED,
    UNKNOWN_ITEM,
    UNKNOWN_USER,
)
from esdash.shop.state import State


def fold_one(state: State, fields: Fields) -> int:
    """Decide one entry by the book: its outcome code. Counts nothing."""
    event = decode(fields)
    if isinstance(event, int):
        return event
    key = key_of(fields)
    if key is None:
        return decide(state, event)
    if key in state.keys:
        return DUPLICATE
    code = decide(state, event)
    state.remember([key])
    return code


def decide(state: State, event: Event) -> int:
    """Apply one event, or refuse it and change nothing. Returns the outcome code; counts nothing."""
    if type(event) is TopUp:
        if event.amount == 0:
            return INVALID_AMOUNT
        balance = state.users.get(event.user_id, 0) + event.amount
        if balance > MAX_INT:
            return OVERFLOW
        state.users[event.user_id] = balance
        return APPLIED
    if type(event) is Order:
        return _order(state, event)
    remain = state.stock.get(event.item_id)
    if type(event) is AddItem:
        price = event.price
        if price is None and remain is None:
            return PRICE_REQUIRED
    else:
        price = first_price(event.item_id) if remain is None else None
    if remain is None:
        remain = 0
    if remain + event.count > MAX_INT:
        return OVERFLOW
    state.stock[event.item_id] = remain + event.count
    if price is not None:
        state.prices[event.item_id] = price
    return APPLIED


def _order(state: State, order: Order) -> int:
    if not order.lines:
        return EMPTY_ORDER
    quantities: dict[str, int] = {}
    for line in order.lines:
        if line.quantity == 0:
            return INVALID_QUANTITY
        quantities[line.item_id] = quantities.get(line.item_id, 0) + line.quantity
    balance = state.users.get(order.user_id)
    if balance is None:
        return UNKNOWN_USER
    stock, prices = state.stock, state.prices
    total = 0
    short = False
    for item_id, quantity in quantities.items():
        remain = stock.get(item_id)
        if remain is None:
            return UNKNOWN_ITEM
        if quantity > remain:
            short = True
        total += prices[item_id] * quantity
    if short:
        return OUT_OF_STOCK
    if total > balance:
        return INSUFFICIENT_FUNDS
    for item_id, quantity in quantities.items():
        stock[item_id] -= quantity
    state.users[order.user_id] = balance - total
    return APPLIED
