"""What can still be read of an entry that the shop cannot understand, to begin a corrected event with. No textual.

A guess for a person to check, never more: nothing here decides what an entry means.
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

_KINDS: Final = {"topup": "TopUp", "additem": "AddItem", "order": "Order", "ordertype": "Order"}
_NAMES: Final = {
    "userid": "user_id", "amount": "amount", "itemid": "item_id", "count": "count", "price": "price", "lines": "lines",
    "quantity": "quantity", "itemids": "ItemIDs", "itemquantities": "ItemQuantities",
}  # fmt: skip
_MEMBERS: Final = {
    "TopUp": ("user_id", "amount"),
    "AddItem": ("item_id", "count", "price"),
    "Order": ("user_id", "lines"),
}
_LOOSE: Final = re.compile(
    r'(?P<name>user_?id|amount|item_?id|count|price|quantity)"?\s*[:=]\s*'
    r'(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>-?\d+(?:\.\d+)?))',
    re.IGNORECASE,
)  # fmt: skip


class Salvaged(NamedTuple):
    """The remains of an entry."""

    kind: str
    """TopUp, AddItem or Order; empty when nothing tells."""
    members: Mapping[str, Any]
    """By the names of schema v1, as far as there are any; amounts in cents. Values may still be wrong."""


def salvage(fields: Fields) -> Salvaged:
    """Whatever type and members an entry seems to mean."""
    data = payload_of(fields)
    members = _v1_names(_read(data))
    if data[:1] and data[0] in V0_FIRST_BYTES and isinstance(members.get("amount"), int):
        members["amount"] *= 100
    if "lines" not in members and isinstance(ids := members.pop("ItemIDs", None), list):
        quantities = members.pop("ItemQuantities", None)
        counts = quantities if isinstance(quantities, list) else []
        pairs = zip(ids, [*counts, *[None] * len(ids)], strict=False)
        members["lines"] = [{"item_id": item_id, "quantity": count} for item_id, count in pairs]
    if isinstance(lines := members.get("lines"), list):
        members["lines"] = [_v1_names(line) if isinstance(line, dict) else line for line in lines[:MAX_LINES]]
    kind = _KINDS.get(re.sub(r"[\s_-]", "", type_of(fields)[:64]).casefold(), "") or _guess(members)
    known = {name: _mended(members[name]) for name in _MEMBERS.get(kind, ()) if name in members}
    return Salvaged(kind, known)


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


def _read(data: bytes) -> dict[str, Any]:
    try:
        if data[:1] and data[0] in V0_FIRST_BYTES:
            value = unpack(data[:MAX_DATA], MAX_DEPTH)
        else:
            value = msgspec.json.decode(data[: 16 * MAX_DATA])
    except (msgspec.MsgspecError, MessagePackError, ValueError, RecursionError):
        return _read_loosely(data[:MOST_TEXT].decode("utf-8", "replace"))
    return value if isinstance(value, dict) else {}


def _read_loosely(text: str) -> dict[str, Any]:
    """Whatever looks like `name: value` in text that is no JSON."""
    found: dict[str, list[Any]] = {}
    for match in _LOOSE.finditer(text):
        name = _NAMES[match["name"].casefold().replace("_", "")]
        number = match["number"]
        value = match["text"] if number is None else float(number) if "." in number else int(number)
        found.setdefault(name, []).append(value)
    members = {name: values[0] for name, values in found.items()}
    items, quantities = found.get("item_id", []), found.get("quantity", [])
    if quantities and len(items) == len(quantities):
        members["lines"] = [
            {"item_id": item, "quantity": quantity} for item, quantity in zip(items, quantities, strict=True)
        ]
    return members


def _v1_names(members: Mapping[Any, Any]) -> dict[str, Any]:
    named = {str(name): value for name, value in members.items()}
    for name, value in members.items():
        known = _NAMES.get(str(name)[:64].replace("_", "").casefold())
        if known is not None:
            named.setdefault(known, value)
    return named


def _guess(members: Mapping[str, Any]) -> str:
    if "lines" in members:
        return "Order"
    if "amount" in members:
        return "TopUp"
    return "AddItem" if "item_id" in members else ""


def _mended(value: Any) -> Any:
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
    item_id, quantity = line.get("item_id"), _plain(_mended(line.get("quantity")))
    written = write_line_item(item_id[:200] if isinstance(item_id, str) else "")
    return f"{written}:{quantity}"


def _escaped(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if visible(char) == char:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
