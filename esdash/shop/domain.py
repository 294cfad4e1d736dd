"""The shop: users top up balances, items are added to a warehouse, orders buy them."""

from collections.abc import Iterator
from typing import Final

from esdash.domain import COUNT, MONEY, Column, Domain, EventType, Table
from esdash.shop import older, rules
from esdash.shop.events import AddItem, Order, TopUp
from esdash.shop.older import AddItemV0, OrderTypeV0, OrderV0, TopUpV0
from esdash.shop.samples import Event, demo_batch, demo_events

_NAMED: Final = 10
"""Lines of an order that are named; the others are counted."""


def describe(event: Event | AddItemV0) -> str:
    """One line about an event: `user 7 buys 2 × hdd`."""
    if isinstance(event, TopUp):
        return f"user {event.user_id} +{MONEY.write(event.amount)}"
    if isinstance(event, Order):
        bought = ", ".join(f"{line.quantity:,} × {line.item_id}" for line in event.lines[:_NAMED])
        unnamed = len(event.lines) - _NAMED
        more = f" and {unnamed} more line{'s' if unnamed > 1 else ''}" if unnamed > 0 else ""
        return f"user {event.user_id} buys {bought or 'nothing'}{more}"
    if isinstance(event, AddItemV0):
        return f"{event.ItemID} +{event.Count:,}"
    price = "" if event.price is None else f" at {MONEY.write(event.price)}"
    return f"{event.item_id} +{event.count:,}{price}"


def sample(seed: int) -> Iterator[Event]:
    """A batch like that of the reference's producer, then a mix of all kinds without an end."""
    yield from demo_batch(seed)
    yield from demo_events(seed)


SHOP: Final = Domain(
    name="shop",
    version="1",
    tables=(
        Table("users", "user", int, (Column("balance", int, MONEY, bar=True),), title="Balances"),
        Table(
            "items",
            "item",
            str,
            (Column("price", int, MONEY), Column("remain", int, COUNT, title="remaining", bar=True)),
            title="Stock",
        ),
    ),
    events=(
        EventType(TopUp, rules.top_up, press="t"),
        EventType(AddItem, rules.add_item, press="a"),
        EventType(Order, rules.order, press="o"),
        EventType(TopUpV0, upcast=older.top_up, name="TopUp", encoding="msgpack"),
        EventType(AddItemV0, older.add_unpriced, name="AddItem", encoding="msgpack"),
        EventType(OrderTypeV0, upcast=older.order, name="OrderType", encoding="msgpack"),
        EventType(OrderV0, upcast=older.order, name="Order", encoding="msgpack"),
    ),
    reasons={
        "invalid_amount": "A top-up of nothing: the amount is 0.",
        "overflow": "The balance or the stock would grow past the largest number that fits.",
        "price_required": "The item was new, and a new item needs a price.",
        "empty_order": "The order has no lines.",
        "invalid_quantity": "A line of the order asks for 0 pieces.",
        "unknown_user": "Nobody had topped this user up before.",
        "unknown_item": "A line names an item that was never added.",
        "out_of_stock": "More pieces were ordered than remained of an item.",
        "insufficient_funds": "The order cost more than the user's balance.",
    },
    describe=describe,
    sample=sample,
    fast=True,
)
