"""From an entry's fields to an event, or to the reason why it is parked.

The fast way is one msgspec call. What it refuses goes the slow way, which reads the design literally (of members
given twice the last one counts; an ignored member may hold anything), so an entry is parked only when the design
says so, and the answer never depends on which way was taken.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from esdash.shop import jsontext
from esdash.shop.events import (
    MAX_DATA,
    MAX_KEY,
    MAX_LINES,
    MAX_MONEY,
    AddItem,
    Count,
    Event,
    ItemId,
    Line,
    Order,
    TopUp,
    UnpricedItem,
    UserId,
    is_item_id,
)
from esdash.shop.messagepack import may_nest_deeper, unpack
from esdash.shop.outcomes import INVALID_DATA, MISSING_FIELD, TOO_LARGE, UNKNOWN_TYPE, UNSUPPORTED_VERSION

MAX_DEPTH: Final = 512
"""Arrays and objects inside one another. A bound of our own: the parsers' depends on the caller's stack."""

Fields = Sequence[bytes]
"""name, value, name, value, … as the server sends them."""


class TopUpV0(Struct, frozen=True, gc=False, tag_field="Type", tag="TopUp"):
    """The reference program's `TopUp`; amounts in whole units."""

    UserID: UserId
    Amount: Annotated[int, Meta(ge=0, le=MAX_MONEY // 100)]


class AddItemV0(Struct, frozen=True, gc=False, tag_field="Type", tag="AddItem"):
    """The reference program's `AddItem`; it knew no prices."""

    ItemID: ItemId
    Count: Count


class OrderV0(Struct, frozen=True, gc=False, tag_field="Type", tag="OrderType"):
    """The reference program's `OrderType`."""

    UserID: UserId
    # Go writes a slice that was never made as nil.
    ItemIDs: Annotated[list[ItemId], Meta(max_length=MAX_LINES)] | None
    ItemQuantities: Annotated[list[Count], Meta(max_length=MAX_LINES)] | None


EventV0 = TopUpV0 | AddItemV0 | OrderV0

_V1_SHAPES: Final[dict[bytes, type[TopUp] | type[AddItem] | type[Order]]] = {
    b"TopUp": TopUp,
    b"AddItem": AddItem,
    b"Order": Order,
}
_V0_SHAPES: Final[dict[bytes, type[TopUpV0] | type[AddItemV0] | type[OrderV0]]] = {
    b"TopUp": TopUpV0,
    b"AddItem": AddItemV0,
    b"OrderType": OrderV0,
    b"Order": OrderV0,
}
_V1_DECODERS: Final[dict[bytes, Callable[[bytes], Event]]] = {
    name: msgspec.json.Decoder(shape).decode for name, shape in _V1_SHAPES.items()
}
_V0_DECODERS: Final[dict[bytes, Callable[[bytes], EventV0]]] = {
    name: msgspec.msgpack.Decoder(shape).decode for name, shape in _V0_SHAPES.items()
}
_NAMES_INSIDE: Final = {
    b"TopUp": ("TopUp",),
    b"AddItem": ("AddItem",),
    b"OrderType": ("OrderType", "Order"),
    b"Order": ("OrderType", "Order"),
}
"""What `Type` inside a v0 payload may be for each `type` of the entry."""

V0_FIRST_BYTES: Final = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))

_BRACKETS_OUTSIDE_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)


def decode(fields: Fields) -> Event | int:
    """The event that an entry carries, or the outcome code (`parked`) that says why there is none.

    `fields` are those of the entry, in any order; of a repeated one the last counts. Never raises.
    The order of the checks is that of DESIGN.md, The fold.
    """
    if len(fields) == 4 and fields[0] == b"type" and fields[2] == b"data":
        name, data = fields[1], fields[3]
        key_is_valid = True
    else:
        members = dict(zip(fields[::2], fields[1::2], strict=True))
        if b"type" not in members or b"data" not in members:
            return MISSING_FIELD
        if members.get(b"v", b"1") != b"1":
            return UNSUPPORTED_VERSION
        name, data = members[b"type"], members[b"data"]
        key_is_valid = 0 < len(members.get(b"key", b"-")) <= MAX_KEY
    if len(data) > MAX_DATA:
        return TOO_LARGE
    event: Event | int
    if data and data[0] in V0_FIRST_BYTES:
        decode_v0 = _V0_DECODERS.get(name)
        if decode_v0 is None:
            return UNKNOWN_TYPE
        try:
            event = upcast(decode_v0(data))
            if len(data) > MAX_DEPTH and may_nest_deeper(data, MAX_DEPTH):
                unpack(data, MAX_DEPTH)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            event = _decode_v0_slowly(name, data)
    else:
        decode_v1 = _V1_DECODERS.get(name)
        if decode_v1 is None:
            return UNKNOWN_TYPE
        try:
            event = _checked(decode_v1(data))
            if not data.isascii():
                data.decode()
            if len(data) > MAX_DEPTH:
                _check_depth(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            event = _decode_v1_slowly(name, data)
    return event if key_is_valid else INVALID_DATA


def key_of(fields: Fields) -> bytes | None:
    """The entry's idempotency key, or None. Of a repeated field the last counts."""
    for index in range(len(fields) - 2, -1, -2):
        if fields[index] == b"key":
            return fields[index + 1]
    return None


def first_price(item_id: str) -> int:
    """The price in cents, 100…10,000, of an item that schema v0 names first (DESIGN.md, The wire)."""
    return (1 + zlib.crc32(item_id.encode()) % 100) * 100


def _checked(event: Event) -> Event:
    """The event itself. Raises ValueError for an item id with a control character.

    Printable is the common case and costs a tenth of what a pattern in msgspec would.
    """
    kind = type(event)
    if kind is Order:
        for line in event.lines:  # type: ignore[union-attr]
            if not line.item_id.isprintable() and not is_item_id(line.item_id):
                raise ValueError("a control character in an item id")
    elif kind is not TopUp:
        item_id = event.item_id  # type: ignore[union-attr]
        if not item_id.isprintable() and not is_item_id(item_id):
            raise ValueError("a control character in an item id")
    return event


def upcast(old: EventV0) -> Event:
    """Schema v0 → v1. Raises ValueError where v1 cannot hold it."""
    if type(old) is TopUpV0:
        return TopUp(old.UserID, old.Amount * 100)
    if type(old) is AddItemV0:
        return _checked(UnpricedItem(old.ItemID, old.Count))
    assert type(old) is OrderV0
    lines = zip(old.ItemIDs or (), old.ItemQuantities or (), strict=True)
    return _checked(Order(old.UserID, tuple(Line(item_id, quantity) for item_id, quantity in lines)))


def _decode_v0_slowly(name: bytes, data: bytes) -> Event | int:
    shape = _V0_SHAPES[name]
    try:
        members = unpack(data, MAX_DEPTH)
        if isinstance(members, dict) and members.get("Type", name.decode()) not in _NAMES_INSIDE[name]:
            raise ValueError("another type inside")
        return upcast(msgspec.convert(_known(members, shape), shape))
    except (msgspec.MsgspecError, ValueError):
        return INVALID_DATA


def _decode_v1_slowly(name: bytes, data: bytes) -> Event | int:
    shape = _V1_SHAPES[name]
    try:
        members = _known(jsontext.read(data.decode(), MAX_DEPTH), shape)
        if shape is Order and isinstance(lines := members.get("lines"), list):
            members["lines"] = [_known(line, Line) for line in lines]
        return _checked(msgspec.convert(members, shape))
    except (msgspec.MsgspecError, ValueError):
        return INVALID_DATA


def _known(members: object, shape: type[Struct]) -> dict[str, object]:
    """Those members that the shape declares; what else a map holds is nobody's business."""
    if not isinstance(members, dict):
        raise ValueError("not a map")
    return {name: members[name] for name in shape.__struct_fields__ if name in members}


def _check_depth(data: bytes) -> None:
    """Raises ValueError when well-formed JSON is nested more than MAX_DEPTH deep.

    In text that is not well-formed, a string without an end would cost the square of its length.
    """
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS_OUTSIDE_STRINGS.finditer(data):
        if match[1]:
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif match[2]:
            depth -= 1
