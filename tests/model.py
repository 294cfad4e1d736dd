"""The fold once more, as plainly as it can be said.

Tests compare the real decoder and fold with this model. It favours the obvious over the fast, uses nothing
but the standard library and shares no code with the package: two readings of one design should agree.
"""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

RawEntry = list[tuple[bytes, bytes]]

MAX_INTEGER = 2**63 - 1
MAX_MONEY = 10**15
MAX_QUANTITY = 10**12
MAX_ITEM_ID = 64
MAX_LINES = 100
MAX_DATA = 64 * 1024
MAX_KEY = 128
MAX_DEPTH = 512
KEY_WINDOW = 100_000

APPLIED = "applied"
REJECTED = "rejected"
PARKED = "parked"
DUPLICATE = "duplicate"


class ParkedError(Exception):
    """The entry cannot be understood; the argument is the reason."""


class RejectedError(Exception):
    """A business rule refuses the event; the argument is the reason."""


class Model:
    """The shop after any number of entries.

    `users` and `items` may be given to start from somewhere else than nothing, which is the only
    affordable way to bring a stock near 2**63.
    """

    def __init__(self, users: dict[int, int] | None = None, items: dict[str, tuple[int, int]] | None = None) -> None:
        self.users: dict[int, int] = dict(users or {})
        """Balance in cents by user id."""
        self.items: dict[str, tuple[int, int]] = dict(items or {})
        """(price in cents, remaining stock) by item id."""
        self.applied = 0
        self.rejected: dict[str, int] = {}
        self.parked: dict[str, int] = {}
        self.duplicate = 0
        self.keys: dict[bytes, None] = {}
        """The newest distinct keys that were decided, oldest first."""
        self.ordinal = 0
        self.last_event_id = "0-0"

    def apply(self, entry_id: str, fields: RawEntry) -> tuple[str, str | None]:
        """Fold one entry and return (outcome, reason); the reason is None for applied and duplicate."""
        self.ordinal += 1
        self.last_event_id = entry_id

        try:
            name, event, key = decoded(tuple(fields))
        except ParkedError as refusal:
            reason = str(refusal)
            self.parked[reason] = self.parked.get(reason, 0) + 1
            return PARKED, reason

        if key is not None:
            if key in self.keys:
                self.duplicate += 1
                return DUPLICATE, None
            self.keys[key] = None
            if len(self.keys) > KEY_WINDOW:
                oldest = next(iter(self.keys))
                del self.keys[oldest]

        try:
            if name == "TopUp":
                self._top_up(event)
            elif name == "AddItem":
                self._add_item(event)
            else:
                self._order(event)
        except RejectedError as refusal:
            reason = str(refusal)
            self.rejected[reason] = self.rejected.get(reason, 0) + 1
            return REJECTED, reason
        self.applied += 1
        return APPLIED, None

    def document(self) -> dict[str, Any]:
        """What `esdash state --json` says, without the members that are not a function of the entries."""
        return {
            "last_event_id": self.last_event_id,
            "ordinal": self.ordinal,
            "users": {str(user): balance for user, balance in self.users.items()},
            "items": {item: {"price": price, "remain": remain} for item, (price, remain) in self.items.items()},
            "outcomes": {
                "applied": self.applied,
                "rejected": dict(self.rejected),
                "parked": dict(self.parked),
                "duplicate": self.duplicate,
            },
        }

    def _top_up(self, event: dict[str, Any]) -> None:
        user, amount = event["user_id"], event["amount"]
        balance = self.users.get(user, 0)
        if amount == 0:
            raise RejectedError("invalid_amount")
        if balance + amount > MAX_INTEGER:
            raise RejectedError("overflow")
        self.users[user] = balance + amount

    def _add_item(self, event: dict[str, Any]) -> None:
        item, count, price = event["item_id"], event["count"], event["price"]
        if item in self.items:
            old_price, remain = self.items[item]
            if price is None:
                price = old_price
        else:
            remain = 0
            if price is None:
                price = event["first_price"]
            if price is None:
                raise RejectedError("price_required")
        if remain + count > MAX_INTEGER:
            raise RejectedError("overflow")
        self.items[item] = (price, remain + count)

    def _order(self, event: dict[str, Any]) -> None:
        user, lines = event["user_id"], event["lines"]
        if not lines:
            raise RejectedError("empty_order")
        for _, quantity in lines:
            if quantity == 0:
                raise RejectedError("invalid_quantity")
        if user not in self.users:
            raise RejectedError("unknown_user")
        for item, _ in lines:
            if item not in self.items:
                raise RejectedError("unknown_item")
        wanted: dict[str, int] = {}
        for item, quantity in lines:
            wanted[item] = wanted.get(item, 0) + quantity
        for item, quantity in wanted.items():
            _, remain = self.items[item]
            if quantity > remain:
                raise RejectedError("out_of_stock")
        total = 0
        for item, quantity in wanted.items():
            price, _ = self.items[item]
            total += price * quantity
        if total > self.users[user]:
            raise RejectedError("insufficient_funds")
        self.users[user] -= total
        for item, quantity in wanted.items():
            price, remain = self.items[item]
            self.items[item] = (price, remain - quantity)


@lru_cache(20_000)
def decoded(fields: tuple[tuple[bytes, bytes], ...]) -> tuple[str, dict[str, Any], bytes | None]:
    """What `decode` returns, to read only: many tests apply the same day."""
    return decode(list(fields))


def decode(fields: RawEntry) -> tuple[str, dict[str, Any], bytes | None]:
    """Return (event name, its members, its key) or raise ParkedError.

    An `AddItem` has one member that is not on the wire: `first_price`, what an item costs that no one has
    priced. Only schema v0 has one.

    Of a member given twice each must be right: a plain decoder checks what it passes.
    """
    entry = dict(fields)  # of a repeated field, the last one

    if b"type" not in entry or b"data" not in entry:
        raise ParkedError("missing_field")
    wire_type, data = entry[b"type"], entry[b"data"]
    if wire_type in NAMES and entry.get(b"v", b"1") != b"1":
        raise ParkedError("unsupported_version")
    if len(data) > MAX_DATA:
        raise ParkedError("too_large")

    is_v0 = len(data) > 0 and (0x80 <= data[0] <= 0x8F or data[0] in (0xDE, 0xDF))
    if wire_type not in NAMES or entry.get(b"v", b"1") != b"1" or (wire_type == b"OrderType" and not is_v0):
        raise ParkedError("unknown_type")
    name = NAMES[wire_type]

    try:
        event = upcast(name, parse_messagepack(data)) if is_v0 else check(name, parse_json(data))
        for item in [event["item_id"]] if name == "AddItem" else [item for item, _ in event.get("lines", [])]:
            no_controls(item)
    except (ValueError, KeyError, struct.error) as error:
        raise ParkedError("invalid_data") from error

    key = entry.get(b"key")
    if key is not None and not 1 <= len(key) <= MAX_KEY:
        raise ParkedError("invalid_data")
    return name, event, key


NAMES = {b"TopUp": "TopUp", b"AddItem": "AddItem", b"Order": "Order", b"OrderType": "Order"}
"""What `type` may say, and which event that is."""


class Pairs(list[Any]):
    """An object or a map as key, value, key, value...: keys may come twice, and may be anything in MessagePack."""


def member(pairs: Any, name: str, read: Callable[[Any], Any]) -> Any:
    """Return the member of that name, as it is read; of one given twice each must be right, and the last counts.

    Raises KeyError for one that is missing and ValueError for one that is wrong.
    """
    if type(pairs) is not Pairs:
        raise ValueError("object")
    values = [read(value) for key, value in zip(pairs[0::2], pairs[1::2], strict=True) if key == name]
    if not values:
        raise KeyError(name)
    return values[-1]


def optional(pairs: Pairs, name: str, read: Callable[[Any], Any]) -> Any:
    """Return the member of that name; None where there is none, or where it is null."""
    return member(pairs, name, lambda value: None if value is None else read(value)) if name in pairs[0::2] else None


def check(name: str, pairs: Pairs) -> dict[str, Any]:
    """Return only the members that the event has, all within the bounds of schema v1.

    Raises KeyError for one that is missing and ValueError for one that is wrong.
    """
    if name == "TopUp":
        return {"user_id": member(pairs, "user_id", user_id), "amount": member(pairs, "amount", money)}
    if name == "AddItem":
        return {
            "item_id": member(pairs, "item_id", item_id),
            "count": member(pairs, "count", quantity),
            "price": optional(pairs, "price", money),
            "first_price": None,
        }
    return {"user_id": member(pairs, "user_id", user_id), "lines": member(pairs, "lines", order_lines)}


def order_lines(value: Any) -> list[tuple[str, int]]:
    """Return (item, quantity) of each line."""
    return [(member(line, "item_id", item_id), member(line, "quantity", quantity)) for line in at_most_100(value)]


def at_most_100(value: Any) -> list[Any]:
    """Return the value if it is a list of so many."""
    if type(value) is not list or len(value) > MAX_LINES:
        raise ValueError("list")
    return value


def integer(value: Any, maximum: int) -> int:
    """Return the value if it is an integer of 0...maximum; True and 1.0 are not integers."""
    if type(value) is not int or not 0 <= value <= maximum:
        raise ValueError("integer")
    return value


def user_id(value: Any) -> int:
    """Return the value if it can be a user."""
    return integer(value, MAX_INTEGER)


def money(value: Any) -> int:
    """Return the value if it can be an amount or a price, in cents."""
    return integer(value, MAX_MONEY)


def quantity(value: Any) -> int:
    """Return the value if it can be a number of pieces."""
    return integer(value, MAX_QUANTITY)


def item_id(value: Any) -> str:
    """Return the value if it is text of 1...64 code points."""
    if type(value) is not str or not 1 <= len(value) <= MAX_ITEM_ID:
        raise ValueError("item_id")
    return value


def no_controls(text: str) -> None:
    """Raise ValueError for text with a control character or half of a surrogate pair."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise ValueError("control character")


# ---------------------------------------------------------------------------------------------- schema v1


def parse_json(data: bytes) -> Pairs:
    """Read one JSON object (RFC 8259), in which no text holds half of a surrogate pair, or raise ValueError."""
    text = data.decode("utf-8")
    if json_depth(text) > MAX_DEPTH:
        raise ValueError("too deep")
    value = json.loads(text, parse_int=json_integer, parse_constant=not_json, object_pairs_hook=json_object)
    if type(value) is not Pairs:
        raise ValueError("not an object")
    unread: list[Any] = [value]
    while unread:
        part = unread.pop()
        if isinstance(part, list):
            unread += part
        elif type(part) is str:
            part.encode("utf-8")
    return value


def json_object(members: list[tuple[str, Any]]) -> Pairs:
    """Return an object with all its members, those of the same name too."""
    return Pairs(part for pair in members for part in pair)


def json_depth(text: str) -> int:
    """Return the greatest number of brackets that are open at once, those inside strings not counted."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def json_integer(digits: str) -> int:
    """Python refuses to read thousands of digits; beyond 30 any number is out of every bound anyway."""
    return int(digits[:30])


def not_json(constant: str) -> None:
    """NaN, Infinity and -Infinity: Python reads them, RFC 8259 does not."""
    raise ValueError(constant)


# ---------------------------------------------------------------------------------------------- schema v0


class Other:
    """A MessagePack value that no event can use: float, bin, ext."""


class NoText(Other):
    """A MessagePack str that is not UTF-8."""


def upcast(name: str, pairs: Pairs) -> dict[str, Any]:
    """Turn the reference program's payload into the members of schema v1."""
    for key in pairs[0::2]:
        if type(key) is not str and type(key) is not NoText:
            raise ValueError("a struct's member has a name")

    def the_type(value: Any) -> None:
        allowed = ["Order", "OrderType"] if name == "Order" else [name]
        if type(value) is not str or value not in allowed:
            raise ValueError("another type inside")

    if "Type" in pairs[0::2]:
        member(pairs, "Type", the_type)

    if name == "TopUp":
        amount = member(pairs, "Amount", lambda value: integer(value, MAX_MONEY // 100))
        return {"user_id": member(pairs, "UserID", user_id), "amount": amount * 100}
    if name == "AddItem":
        item = member(pairs, "ItemID", item_id)
        first_price = (1 + zlib.crc32(item.encode("utf-8")) % 100) * 100
        count = member(pairs, "Count", quantity)
        return {"item_id": item, "count": count, "price": None, "first_price": first_price}
    items = member(pairs, "ItemIDs", lambda value: [item_id(item) for item in nil_or_list(value)])
    quantities = member(pairs, "ItemQuantities", lambda value: [quantity(number) for number in nil_or_list(value)])
    if len(items) != len(quantities):
        raise ValueError("lists")
    return {"user_id": member(pairs, "UserID", user_id), "lines": list(zip(items, quantities, strict=True))}


def nil_or_list(value: Any) -> list[Any]:
    """Return a slice as Go writes it: one that was never made is nil."""
    return [] if value is None else at_most_100(value)


def parse_messagepack(data: bytes) -> Pairs:
    """Read one MessagePack map and nothing after it, or raise ValueError or struct.error.

    https://github.com/msgpack/msgpack/blob/master/spec.md
    """
    position = 0
    open_containers: list[tuple[list[Any], int]] = []  # (what it holds so far, how much it shall hold)
    while True:
        value, shall_hold, position = read_value(data, position)
        if isinstance(value, list):
            open_containers.append((value, shall_hold))
            if len(open_containers) > MAX_DEPTH:
                raise ValueError("too deep")
        elif open_containers:
            open_containers[-1][0].append(value)
        while open_containers and len(open_containers[-1][0]) == open_containers[-1][1]:
            value, _ = open_containers.pop()
            if open_containers:
                open_containers[-1][0].append(value)
        if not open_containers:
            break
    if position != len(data):
        raise ValueError("trailing bytes")
    if type(value) is not Pairs:
        raise ValueError("not a map")
    return value


def read_value(data: bytes, position: int) -> tuple[Any, int, int]:
    """Read a scalar or the head of a container: (value, values a container shall hold, next position)."""

    def number(layout: str) -> Any:
        nonlocal position
        (value,) = struct.unpack_from(">" + layout, data, position)
        position += struct.calcsize(">" + layout)
        return value

    def take(length: int) -> bytes:
        nonlocal position
        taken = data[position : position + length]
        if len(taken) < length:
            raise ValueError("truncated")
        position += length
        return taken

    def text(length: int) -> Any:
        try:
            return take(length).decode("utf-8")
        except UnicodeDecodeError:
            return NoText()

    scalar: Any
    head = number("B")
    if head <= 0x7F:
        scalar = head
    elif head <= 0x8F:
        return Pairs(), 2 * (head - 0x80), position
    elif head <= 0x9F:
        return [], head - 0x90, position
    elif head <= 0xBF:
        scalar = text(head - 0xA0)
    elif head == 0xC0:
        scalar = None
    elif head == 0xC1:
        raise ValueError("never used")
    elif head in (0xC2, 0xC3):
        scalar = head == 0xC3
    elif head in (0xC4, 0xC5, 0xC6):  # bin
        take(number("BHI"[head - 0xC4]))
        scalar = Other()
    elif head in (0xC7, 0xC8, 0xC9):  # ext: a length, a type, the bytes
        take(number("BHI"[head - 0xC7]) + 1)
        scalar = Other()
    elif head in (0xCA, 0xCB):  # float
        number("fd"[head - 0xCA])
        scalar = Other()
    elif head <= 0xCF:
        scalar = number("BHIQ"[head - 0xCC])
    elif head <= 0xD3:
        scalar = number("bhiq"[head - 0xD0])
    elif head <= 0xD8:  # fixext: a type and 1, 2, 4, 8 or 16 bytes
        take(1 + 2 ** (head - 0xD4))
        scalar = Other()
    elif head <= 0xDB:
        scalar = text(number("BHI"[head - 0xD9]))
    elif head in (0xDC, 0xDD):
        return [], number("HI"[head - 0xDC]), position
    elif head in (0xDE, 0xDF):
        return Pairs(), 2 * number("HI"[head - 0xDE]), position
    else:
        scalar = head - 0x100
    return scalar, 0, position
