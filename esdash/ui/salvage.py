"""What is certain of an entry that the shop cannot understand, to begin a corrected event with. No textual.

A type that is not one of the shop's is for a person to choose, and so is every value whose meaning is not certain: an
amount of another schema may be in another unit, a member of another name may be another thing.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from esdash.engine.domain import Fields
from esdash.shop.decoding import MAX_DEPTH, V0_FIRST_BYTES, decode
from esdash.shop.events import EVENT_TYPES, MAX_DATA, MAX_LINES
from esdash.shop.messagepack import MessagePackError, unpack
from esdash.shop.money import plain_money
from esdash.shop.story import payload_of, type_of
from esdash.ui.typed import write_item, write_line_item
from esdash.visible import visible

MOST_TEXT: Final = 4_000
"""Characters of broken text that are searched, and of JSON that is offered for editing."""

_V0_KINDS: Final = {"TopUp": "TopUp", "AddItem": "AddItem", "OrderType": "Order", "Order": "Order"}
_MEMBERS: Final = {
    "TopUp": ("user_id", "amount"),
    "AddItem": ("item_id", "count", "price"),
    "Order": ("user_id", "lines"),
}
_V0_NAMES: Final = {"UserID": "user_id", "Amount": "amount", "ItemID": "item_id", "Count": "count"}
_WHO_AND_WHAT: Final = ("user_id", "item_id")
"""What means the same in an entry of whatever type or version: a name is a name."""
_COMPLETE: Final = re.compile(
    r'"(?P<name>user_id|amount|item_id|count|price)"\s*:\s*(?P<value>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?)\s*[,}]'
)
"""A member in broken JSON that is itself whole."""
_FLAT: Final = re.compile(r"\s*\{[^{\[]*")
"""The beginning of an object, before anything inside it that has members of its own."""


class Salvaged(NamedTuple):
    """What is certain of an entry."""

    kind: str
    """TopUp, AddItem or Order; empty where its type is none of these."""
    members: Mapping[str, Any]
    """By the names of schema v1, amounts in cents. Values may still be out of bounds."""


def members_of(fields: Fields) -> Mapping[str, Any]:
    """The members of its payload by their own names, as far as they can be read."""
    return {str(name): value for name, value in _read(payload_of(fields)).items()}


def kind_of(fields: Fields) -> str:
    """The event that the entry's type names; empty when that is none of the shop's."""
    kind, data = type_of(fields), payload_of(fields)
    if data[:1] and data[0] in V0_FIRST_BYTES:
        return _V0_KINDS.get(kind, "")
    return kind if kind in EVENT_TYPES else ""


def kind_that_is_certain(fields: Fields) -> str:
    """The same, but empty, too, where the entry's schema is another one than those that the shop knows."""
    return kind_of(fields) if _version_of(fields) == b"1" else ""


def salvage(fields: Fields, chosen: str = "") -> Salvaged:
    """What is certain, for the event that its type names, else for the one that a person has chosen."""
    kind = kind_of(fields)
    data = payload_of(fields)
    members = _read(data)
    same_schema = bool(kind_that_is_certain(fields))
    if data[:1] and data[0] in V0_FIRST_BYTES:
        same_schema = same_schema and _V0_KINDS.get(str(members.get("Type", type_of(fields)))) == kind
        members = from_v0(members)
    kind = kind or chosen
    names = _MEMBERS.get(kind, ())
    found = {name: members[name] for name in names if name in members and (same_schema or name in _WHO_AND_WHAT)}
    certain = {name: _certain(name, value) for name, value in found.items()}
    return Salvaged(kind, {name: value for name, value in certain.items() if value is not None})


def as_typed(remains: Salvaged) -> dict[str, str]:
    """What to type into the fields of the form for its kind, by their ids."""
    members = remains.members
    texts: dict[str, str] = {}
    for name, field in (("user_id", "user"), ("count", "count")):
        if name in members:
            texts[field] = _plain(members[name])
    for name in ("amount", "price"):
        if members.get(name) is not None:
            texts[name] = _money(members[name])
    if isinstance(item_id := members.get("item_id"), str):
        texts["item"] = write_item(item_id[:200])
    if isinstance(lines := members.get("lines"), list):
        texts["items"] = " ".join(_line(line) for line in lines if isinstance(line, dict))
    return texts


def as_json(fields: Fields) -> str:
    """The payload as JSON text to edit on one line: itself where it is JSON, else what was salvaged of it."""
    data = payload_of(fields)
    if 0 < len(data) <= MOST_TEXT and data[0] not in V0_FIRST_BYTES:
        try:
            msgspec.json.decode(data, type=msgspec.Raw)
            return escape_json(data.decode())
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass
    remains = salvage(fields)
    empty = dict.fromkeys(_MEMBERS.get(remains.kind, ()))
    try:
        text = msgspec.json.encode({**empty, **remains.members}).decode()
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        text = msgspec.json.encode(empty).decode()
    return escape_json(text if len(text) <= MOST_TEXT else "{}")


def escape_json(text: str) -> str:
    r"""JSON text with nothing in it that a terminal obeys or hides: such characters become `\u200b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def objection(event_type: str, data: bytes, size: int | None = None) -> str:
    """What exactly is wrong with a payload of a type, as far as the decoder can tell; empty when it can be read.

    `size` is that of the payload in the log, where `data` is only its beginning.
    """
    if not isinstance(decode([b"type", event_type.encode("utf-8", "backslashreplace"), b"data", data]), int):
        return ""
    if (size := size or len(data)) > MAX_DATA:
        return f"{size:,} bytes; at most {MAX_DATA:,} are read"
    if event_type not in EVENT_TYPES or (data[:1] and data[0] in V0_FIRST_BYTES):
        return ""
    try:
        msgspec.json.decode(data, type=EVENT_TYPES[event_type])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return visible(str(error))
    return "an item id with a control character, or values nested too deeply"


def _version_of(fields: Fields) -> bytes:
    version = b"1"
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name == b"v":
            version = value
    return version


def _read(data: bytes) -> dict[str, Any]:
    try:
        if data[:1] and data[0] in V0_FIRST_BYTES:
            value = unpack(data[:MAX_DATA], MAX_DEPTH)
        else:
            value = msgspec.json.decode(data[: 16 * MAX_DATA])
    except (msgspec.MsgspecError, MessagePackError, ValueError, RecursionError):
        return _read_broken(data[:MOST_TEXT].decode("utf-8", "replace"))
    return value if isinstance(value, dict) else {}


def _read_broken(text: str) -> dict[str, Any]:
    """The members of an object that are whole in text that is no JSON any more, and are said only once."""
    flat = _FLAT.match(text)
    if flat is None:
        return {}
    found: dict[str, set[str]] = {}
    inner: set[str] = set()
    for match in _COMPLETE.finditer(text):
        found.setdefault(match["name"], set()).add(match["value"])
        if match.end() > flat.end() + 1:
            inner.add(match["name"])
    members: dict[str, Any] = {}
    for name, values in found.items():
        if len(values) == 1 and name not in inner:
            try:
                members[name] = msgspec.json.decode(values.pop())
            except msgspec.MsgspecError:
                continue
    return members


def from_v0(old: Mapping[Any, Any]) -> dict[str, Any]:
    """By the names of v1; amounts, which were whole units, in cents."""
    members = {name: old[before] for before, name in _V0_NAMES.items() if before in old}
    amount = members.pop("amount", None)
    if isinstance(amount, int) and not isinstance(amount, bool):
        members["amount"] = amount * 100
    if isinstance(items := old.get("ItemIDs"), list):
        counts = old.get("ItemQuantities")
        pieces = counts if isinstance(counts, list) and len(counts) == len(items) else [None] * len(items)
        pairs = zip(items, pieces, strict=True)
        members["lines"] = [{"item_id": item_id, "quantity": count} for item_id, count in pairs]
    return members


def _certain(name: str, value: Any) -> Any:
    """The value as schema v1 has it, or None when it may mean several things."""
    if name in ("amount", "price"):
        # Text, or a number with a fraction, may be in cents or in whole units.
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if name == "item_id":
        return value if isinstance(value, str) else None
    if name == "lines":
        # Some of an order's lines are no order.
        if not isinstance(value, list) or len(value) > MAX_LINES or not all(isinstance(line, dict) for line in value):
            return None
        return [{"item_id": line.get("item_id"), "quantity": mended(line.get("quantity"))} for line in value]
    return mended(value)


def mended(value: Any) -> Any:
    """A number that was written as text or as 5.0 becomes that number."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,19}", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _plain(value: Any) -> str:
    return visible(f"{value}", 64) if isinstance(value, int | float | str) and not isinstance(value, bool) else ""


def _money(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**19:
        return plain_money(value)
    return _plain(value)


def _line(line: Mapping[str, Any]) -> str:
    item_id, quantity = line.get("item_id"), _plain(mended(line.get("quantity")))
    written = write_line_item(item_id[:200] if isinstance(item_id, str) else "")
    return f"{written}:{quantity}"


def _escaped(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if visible(char) == char:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
