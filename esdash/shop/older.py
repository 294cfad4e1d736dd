"""Schema v0: the events of the reference program, MessagePack with Go's field names; amounts in whole units."""

import zlib
from typing import Annotated, Literal

from msgspec import Meta, Struct

from esdash.shop.events import MAX_INT, MAX_LINES, MAX_MONEY, Count, ItemId, Line, Order, TopUp, UserId
from esdash.shop.rules import State


class TopUpV0(Struct, frozen=True, gc=False, tag_field="Type", tag="TopUp"):
    """The reference program's `TopUp`."""

    UserID: UserId
    Amount: Annotated[int, Meta(ge=0, le=MAX_MONEY // 100)]


class AddItemV0(Struct, frozen=True, gc=False, tag_field="Type", tag="AddItem"):
    """The reference program's `AddItem`; it knew no prices."""

    ItemID: ItemId
    Count: Count


class OrderV0(Struct, frozen=True, gc=False):
    """The reference program's order, called `OrderType` or `Order`."""

    UserID: UserId
    # Go writes a slice that was never made as nil.
    ItemIDs: Annotated[list[ItemId], Meta(max_length=MAX_LINES)] | None
    ItemQuantities: Annotated[list[Count], Meta(max_length=MAX_LINES)] | None
    Type: Literal["OrderType", "Order"] = "OrderType"


class OrderTypeV0(OrderV0, frozen=True, gc=False):
    """The same, under its other name."""


def top_up(old: TopUpV0) -> TopUp:
    """Whole units to cents."""
    return TopUp(old.UserID, old.Amount * 100)


def order(old: OrderV0) -> Order:
    """Two lists to lines. Raises ValueError where they differ in length."""
    items, quantities = old.ItemIDs or (), old.ItemQuantities or ()
    if len(items) != len(quantities):
        raise ValueError("an order has as many quantities as items")
    return Order(old.UserID, tuple(map(Line, items, quantities)))


def add_unpriced(state: State, event: AddItemV0) -> str | None:
    """Goods come in; an item that is new gets a price made from its name."""
    price, remain = state.items.price, state.items.remain
    before = remain.get(event.ItemID)
    if before is None:
        price[event.ItemID] = first_price(event.ItemID)
        remain[event.ItemID] = event.Count
        return None
    if before + event.Count > MAX_INT:
        return "overflow"
    remain[event.ItemID] = before + event.Count
    return None


def first_price(item_id: str) -> int:
    """The price in cents, 1.00 … 100.00, of an item that schema v0 names first."""
    return (1 + zlib.crc32(item_id.encode()) % 100) * 100
