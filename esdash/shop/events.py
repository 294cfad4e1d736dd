"""The shop's events, schema v1, each declared once: the wire, the forms and the commands use these.

Money is an integer in minor units (cents). The bounds are checked by msgspec while it decodes
(https://jcristharif.com/msgspec/constraints.html); its strict mode takes no bool and no 1.0 for an integer.
"""

import unicodedata
from typing import Annotated, Final, final

from msgspec import Meta, Struct

MAX_INT: Final = 2**63 - 1
"""The largest balance, stock and user id."""
MAX_MONEY: Final = 10**15
"""The largest amount or price of one event, in cents."""
MAX_COUNT: Final = 10**12
"""The largest count or quantity of one event."""
MAX_LINES: Final = 100
MAX_ITEM_ID: Final = 64
"""Code points in an item id."""
MAX_DATA: Final = 64 * 1024
"""Bytes of an entry's `data`."""
MAX_KEY: Final = 128
"""Bytes of an idempotency key."""

UserId = Annotated[int, Meta(ge=0, le=MAX_INT)]
ItemId = Annotated[str, Meta(min_length=1, max_length=MAX_ITEM_ID)]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Key = Annotated[bytes, Meta(min_length=1, max_length=MAX_KEY)]


@final
class TopUp(Struct, frozen=True, gc=False):
    """Money comes in: `amount` cents for `user_id`; an unknown user is created."""

    user_id: UserId
    amount: Money


@final
class AddItem(Struct, frozen=True, gc=False, omit_defaults=True):
    """Goods come in: `count` pieces of `item_id`; `price` in cents replaces the old one when given."""

    item_id: ItemId
    count: Count
    price: Money | None = None


@final
class Line(Struct, frozen=True, gc=False):
    """One line of an order."""

    item_id: ItemId
    quantity: Count


@final
class Order(Struct, frozen=True, gc=False):
    """`user_id` buys every line, or nothing."""

    user_id: UserId
    lines: Annotated[tuple[Line, ...], Meta(max_length=MAX_LINES)]


@final
class UnpricedItem(Struct, frozen=True, gc=False):
    """An `AddItem` of schema v0, which had no prices: an item new to the state gets one made from its name."""

    item_id: ItemId
    count: Count


Event = TopUp | AddItem | Order | UnpricedItem

EVENT_TYPES: Final[dict[str, type[TopUp] | type[AddItem] | type[Order]]] = {
    "TopUp": TopUp,
    "AddItem": AddItem,
    "Order": Order,
}
"""The `type` field of schema v1 → the event."""


def is_item_id(item_id: str) -> bool:
    """Whether the text may name an item: 1…64 code points, none of category Cc, encodable as UTF-8."""
    return (
        0 < len(item_id) <= MAX_ITEM_ID
        and (item_id.isprintable() or not any(unicodedata.category(char) in ("Cc", "Cs") for char in item_id))
    )  # fmt: skip
