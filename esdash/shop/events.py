"""The shop's events, each declared once: the wire, the forms and the commands follow from these.

Money is an integer in minor units (cents). The bounds are checked by msgspec while it decodes
(https://jcristharif.com/msgspec/constraints.html); its strict mode takes no bool and no 1.0 for an integer.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from esdash.domain import COUNT, MONEY, about, shown_as

MAX_INT: Final = 2**63 - 1
"""The largest balance, stock and user id."""
MAX_MONEY: Final = 10**15
"""The largest amount or price of one event, in cents."""
MAX_COUNT: Final = 10**12
"""The largest count or quantity of one event."""
MAX_LINES: Final = 100

UserId = Annotated[int, Meta(ge=0, le=MAX_INT), about("users")]
ItemId = Annotated[str, Meta(min_length=1, max_length=64), about("items")]
Money = Annotated[int, Meta(ge=0, le=MAX_MONEY), shown_as(MONEY)]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT), shown_as(COUNT)]


class TopUp(Struct, frozen=True, gc=False):
    """Add money to a user's balance; an unknown user is created."""

    user_id: UserId
    amount: Money


class AddItem(Struct, frozen=True, gc=False, omit_defaults=True):
    """Add pieces of an item to the stock; a price replaces the old one, and a new item needs one."""

    item_id: ItemId
    count: Count
    price: Money | None = None


class Line(Struct, frozen=True, gc=False):
    """Pieces of one item."""

    item_id: ItemId
    quantity: Count


class Order(Struct, frozen=True, gc=False):
    """Let a user buy pieces of items: all lines, or nothing."""

    user_id: UserId
    lines: Annotated[tuple[Line, ...], Meta(max_length=MAX_LINES)]
