"""Entries to test with: valid, refused, broken and hostile, for Hypothesis and from a plain seed.

A raw entry is what Redis returns: a list of (field, value) pairs of bytes.
"""

from __future__ import annotations

import itertools
import json
import random
import string
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

RawEntry = list[tuple[bytes, bytes]]
Event = dict[str, Any]
"""A v1 event: {"type": "TopUp", "data": {"user_id": 7, "amount": 50000}}."""

MAX_INTEGER = 2**63 - 1
MAX_MONEY = 10**15
MAX_QUANTITY = 10**12
MAX_DATA = 64 * 1024

USERS = [1, 2, 3]
ITEMS = ["cpu", "ram", "\u043a\u043e\u0442"]
STRANGE_ITEMS = [
    "x",
    "y" * 64,
    "\U0001f600" * 64,
    "\u202eabc",
    "\u200b",
    " ",
    "e\u0301",
    "\u00e9",
    "[red]",
    '"\\',
]
BROKEN_REASONS = ["missing_field", "unsupported_version", "too_large", "unknown_type", "invalid_data"]


def numbered(entries: Iterable[RawEntry], first_ordinal: int = 1) -> Iterator[tuple[str, RawEntry]]:
    """Give each entry an id that a stream might have given it: increasing, two in each millisecond."""
    for ordinal, fields in enumerate(entries, first_ordinal):
        yield f"{1575032026828 + ordinal // 2}-{ordinal % 2}", fields


def raw_entry(wire_type: str | bytes, data: bytes, key: bytes | None = None, version: bytes | None = None) -> RawEntry:
    """Build the fields of an entry in their usual order."""
    fields = [(b"type", wire_type.encode() if isinstance(wire_type, str) else wire_type), (b"data", data)]
    if key is not None:
        fields.append((b"key", key))
    if version is not None:
        fields.append((b"v", version))
    return fields


def json_bytes(value: Any) -> bytes:
    """Encode as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


# ------------------------------------------------------------------------------------ MessagePack, by hand


def pack_int64(value: int) -> bytes:
    """Encode as Go does an int64 (0xd3)."""
    return b"\xd3" + struct.pack(">q", value)


def pack_uint64(value: int) -> bytes:
    """Encode as Go does a uint64 (0xcf)."""
    return b"\xcf" + struct.pack(">Q", value)


def pack_compact(value: int) -> bytes:
    """Encode an integer of -2**63...2**64-1 in as few bytes as it fits."""
    if -32 <= value <= 127:
        return struct.pack(">b", value)
    unsigned = [(0xCC, "B", 2**8), (0xCD, "H", 2**16), (0xCE, "I", 2**32), (0xCF, "Q", 2**64)]
    signed = [(0xD0, "b", 2**7), (0xD1, "h", 2**15), (0xD2, "i", 2**31), (0xD3, "q", 2**63)]
    for head, layout, limit in unsigned if value >= 0 else signed:
        if -limit <= value < limit:
            return struct.pack(">B" + layout, head, value)
    raise OverflowError(value)


def pack_string(value: str | bytes) -> bytes:
    """Encode text, or bytes that only claim to be text, as a str."""
    content = value.encode() if isinstance(value, str) else value
    length = len(content)
    if length < 32:
        return struct.pack(">B", 0xA0 + length) + content
    if length < 2**8:
        return struct.pack(">BB", 0xD9, length) + content
    return struct.pack(">BH" if length < 2**16 else ">BI", 0xDA if length < 2**16 else 0xDB, length) + content


def pack_array(values: list[bytes]) -> bytes:
    """Join values that are encoded already into an array."""
    count = len(values)
    head = struct.pack(">B", 0x90 + count) if count < 16 else struct.pack(">BH", 0xDC, count)
    return head + b"".join(values)


def pack_map(members: list[tuple[bytes, bytes]], width: int = 0) -> bytes:
    """Join members that are encoded already into a map; width 16 or 32 forces the longer heads."""
    count = len(members)
    if width == 32:
        head = struct.pack(">BI", 0xDF, count)
    elif width == 16 or count > 15:
        head = struct.pack(">BH", 0xDE, count)
    else:
        head = struct.pack(">B", 0x80 + count)
    return head + b"".join(key + value for key, value in members)


def pack_value(value: Any) -> bytes:
    """Encode any nest of dict, list, str, bytes, float, int, bool and None."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_compact(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return struct.pack(">BH", 0xC5, len(value)) + value
    if isinstance(value, str):
        return pack_string(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list):
        return pack_array([pack_value(element) for element in value])
    if isinstance(value, dict):
        return pack_map([(pack_value(key), pack_value(element)) for key, element in value.items()])
    raise TypeError(type(value))


IntegerPacker = Callable[[int], bytes]


def v0_members(
    name: str,
    data: dict[str, Any],
    signed: IntegerPacker = pack_int64,
    unsigned: IntegerPacker = pack_uint64,
) -> list[tuple[bytes, bytes]]:
    """Return the encoded members of the reference program's structs, in the order of their declaration.

    `data` has the Go names: UserID and Amount, ItemID and Count, or UserID, ItemIDs and ItemQuantities.
    """
    members = [("ID", pack_string("")), ("Type", pack_string(name))]
    for member, value in data.items():
        if member == "UserID":
            packed = signed(value)
        elif isinstance(value, int):
            packed = unsigned(value)
        elif isinstance(value, str):
            packed = pack_string(value)
        else:
            packed = pack_array([unsigned(v) if isinstance(v, int) else pack_string(v) for v in value])
        members.append((member, packed))
    return [(pack_string(member), packed) for member, packed in members]


def v0_payload(name: str, data: dict[str, Any]) -> bytes:
    """Encode exactly as the reference program does; the name of an order is `OrderType`."""
    return pack_map(v0_members(name, data))


# ------------------------------------------------------------------------------------------- valid events

_user_ids = st.sampled_from([*USERS, *USERS, 0, MAX_INTEGER]) | st.integers(0, MAX_INTEGER)
_money = st.sampled_from([0, 1, MAX_MONEY]) | st.integers(1, 100_000) | st.integers(0, MAX_MONEY)
_quantities = st.sampled_from([0, 1, MAX_QUANTITY]) | st.integers(1, 50) | st.integers(0, MAX_QUANTITY)
_item_ids = st.sampled_from([*ITEMS, *ITEMS, *STRANGE_ITEMS]) | st.text(
    st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64
)


def _event(
    name: str,
    members: dict[str, SearchStrategy[Any]],
    optional: dict[str, SearchStrategy[Any]] | None = None,
) -> SearchStrategy[Event]:
    data = st.fixed_dictionaries(members, optional=optional or {})
    return st.fixed_dictionaries({"type": st.just(name), "data": data})


def _line(items: SearchStrategy[str], quantities: SearchStrategy[int]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"item_id": items, "quantity": quantities})


_valid_line = _line(_item_ids, _quantities)
_valid_lines = st.lists(_valid_line, max_size=4) | _valid_line.map(lambda line: [line] * 100)
_valid_top_ups = _event("TopUp", {"user_id": _user_ids, "amount": _money})
_valid_add_items = _event("AddItem", {"item_id": _item_ids, "count": _quantities}, {"price": st.none() | _money})
_valid_orders = _event("Order", {"user_id": _user_ids, "lines": _valid_lines})
_valid_events = st.one_of(_valid_top_ups, _valid_add_items, _valid_orders)


def valid_events() -> SearchStrategy[Event]:
    """Draw v1 events that keep every bound of the schema, often barely; the fold may still refuse them."""
    return _valid_events


_shop_users = st.sampled_from([*USERS, *USERS, 4])
_shop_items = st.sampled_from([*ITEMS, *ITEMS, "gpu"])
_shop_line = _line(_shop_items, st.sampled_from([1, 1, 1, 2, 2, 3, 5, 20, 0]))
_shop_amounts = st.sampled_from([10_000, 5_000, 200, 1, 0, MAX_MONEY])
_shop_top_ups = _event("TopUp", {"user_id": _shop_users, "amount": _shop_amounts})
_shop_add_items = _event(
    "AddItem",
    {"item_id": _shop_items, "count": st.sampled_from([10, 5, 1, 0, MAX_QUANTITY])},
    {"price": st.sampled_from([100, 250, 9_999, 0, None])},
)
_shop_orders = _event("Order", {"user_id": _shop_users, "lines": st.lists(_shop_line, max_size=4)})
_shop_events = st.one_of(
    _shop_top_ups, _shop_top_ups, _shop_add_items, _shop_add_items, _shop_orders, _shop_orders, _shop_orders
)


def shop_events() -> SearchStrategy[Event]:
    """Draw valid events over few users and items with small numbers, so that they meet one another."""
    return _shop_events


_ways_to_write = st.sampled_from([(",", ":"), (", ", ": "), ("\t,\r\n", " :")])
_extra_members: SearchStrategy[tuple[str, Any] | None] = st.sampled_from(
    [None, None, None, None, ("note", "\U0001f600"), ("deep", [[{}]]), ("big", 10**40), ("half", 0.5)]
)


@st.composite
def v1_payloads(draw: DrawFn, event: Event) -> bytes:
    """Encode one v1 event in one of the many ways that JSON allows."""
    members = list(event["data"].items())
    extra = draw(_extra_members)
    if extra is not None:
        members.insert(draw(st.integers(0, len(members))), extra)
    if draw(st.booleans()):
        members.reverse()
    escaped = extra is not None or draw(st.booleans())
    payload = json.dumps(dict(members), separators=draw(_ways_to_write), ensure_ascii=escaped).encode()
    return payload if len(payload) <= MAX_DATA else json_bytes(event["data"])


def to_v0(event: Event) -> tuple[str, dict[str, Any]] | None:
    """Say the same in the reference program's words, as far as it has them: whole amounts, no prices."""
    data = event["data"]
    if event["type"] == "TopUp":
        if data["amount"] % 100 != 0:
            return None
        return "TopUp", {"UserID": data["user_id"], "Amount": data["amount"] // 100}
    if event["type"] == "AddItem":
        if "price" in data:
            return None
        return "AddItem", {"ItemID": data["item_id"], "Count": data["count"]}
    return "OrderType", {
        "UserID": data["user_id"],
        "ItemIDs": [line["item_id"] for line in data["lines"]],
        "ItemQuantities": [line["quantity"] for line in data["lines"]],
    }


_extra_v0_members: SearchStrategy[tuple[bytes, bytes] | None] = st.sampled_from(
    [
        None,
        None,
        (pack_string("Note"), pack_value([{}, b"\xff", 1.5])),
        (pack_string("amount"), pack_value(b"7")),
        (pack_string(""), b"\xd4\x01\x00"),
        (pack_string("Note"), pack_string(b"\xff")),
    ]
)
_map_widths = st.sampled_from([0, 16, 32])


@st.composite
def v0_entries(draw: DrawFn, name: str, data: dict[str, Any]) -> RawEntry:
    """Encode as the reference program does, or as another MessagePack encoder might."""
    if draw(st.booleans()):
        return raw_entry(name, v0_payload(name, data))
    members = v0_members(name, data, pack_compact, pack_compact if draw(st.booleans()) else pack_uint64)
    members = members[draw(st.integers(0, 2)) :]  # ID and Type may be absent
    if data.get("ItemIDs") == [] and draw(st.booleans()):  # a nil slice
        members[-2:] = [(pack_string(slice_name), b"\xc0") for slice_name in ("ItemIDs", "ItemQuantities")]
    extra = draw(_extra_v0_members)
    if extra is not None:
        members.insert(draw(st.integers(0, len(members))), extra)
    if draw(st.booleans()):
        members.reverse()
    wire_type = "Order" if name == "OrderType" and draw(st.booleans()) else name
    return raw_entry(wire_type, pack_map(members, draw(_map_widths)))


_facts_of_both_schemas = st.one_of(_valid_top_ups, _valid_orders)


@st.composite
def v0_and_v1_pairs(draw: DrawFn) -> tuple[RawEntry, RawEntry]:
    """Draw the same fact twice, as (v0, v1) entries: the fold must not tell one from the other.

    Only of top-ups and orders: an AddItem of v0 that creates an item prices it, one of v1 does not.
    """
    event = draw(_facts_of_both_schemas)
    if event["type"] == "TopUp":
        event["data"]["amount"] -= event["data"]["amount"] % 100
    spoken = to_v0(event)
    assert spoken is not None
    return draw(v0_entries(*spoken)), raw_entry(event["type"], draw(v1_payloads(event)))


# --------------------------------------------------------------------------------------------- bad entries

_WRONG_VALUES: list[Any] = [
    -1,
    2**63,
    2**64,
    10**30,
    True,
    1.0,
    1e2,
    "1",
    "",
    None,
    [],
    {},
    [[]],
    "\ud800",
    "a\n",
    "\x85",
]
_wrong_values = st.sampled_from([*_WRONG_VALUES, "x" * 65, [{"item_id": "cpu", "quantity": 1}] * 101])


@st.composite
def _wrong_member(draw: DrawFn) -> tuple[str, bytes]:
    """Draw (type, data) of a v1 event with one member that is gone or has another value."""
    event = draw(_shop_events)
    data = dict(event["data"])
    member = draw(st.sampled_from(sorted(data)))
    target = data
    if data.get("lines") and draw(st.booleans()):
        target = dict(data["lines"][0])
        member = draw(st.sampled_from(sorted(target)))
        data["lines"] = [target, *data["lines"][1:]]
    if draw(st.booleans()):
        del target[member]
    else:
        target[member] = draw(_wrong_values)
    return event["type"], json.dumps(data).encode()


def _handwritten() -> list[tuple[str, bytes]]:
    """Return (type, data) with syntax or structure that is invalid in a way of its own."""
    top_up = b'{"user_id":1,"amount":500}'
    go_top_up = v0_payload("TopUp", {"UserID": 1, "Amount": 5})
    user_id = (pack_string("UserID"), pack_int64(1))
    amount = pack_string("Amount")

    def order(items: list[str], quantities: list[int]) -> bytes:
        return v0_payload("OrderType", {"UserID": 1, "ItemIDs": items, "ItemQuantities": quantities})

    return [
        ("TopUp", b""),
        ("TopUp", b"null"),
        ("TopUp", b"[" + top_up + b"]"),
        ("TopUp", top_up[:-1]),
        ("TopUp", top_up + b","),
        ("TopUp", top_up * 2),
        ("TopUp", b"\xef\xbb\xbf" + top_up),
        ("TopUp", top_up.decode().encode("utf-16")),
        ("TopUp", b"\xa0" + top_up),
        ("TopUp", b'{"user_id":1,"amount":500,"x":NaN}'),
        ("TopUp", b'{"user_id":1,"amount":500,"x":-Infinity}'),
        ("TopUp", b'{"user_id":1,"amount":500,"x":"\xff"}'),
        ("TopUp", b'{"user_id":1,"amount":500,"x":"\n"}'),
        ("TopUp", b'{"user_id":1,"amount":0500}'),
        ("TopUp", b'{"user_id":1,"amount":+500}'),
        ("TopUp", b'{"user_id":1,"amount":500.0}'),
        ("TopUp", b'{"user_id":1,"amount":5e2}'),
        ("TopUp", b'{"user_id":1,"amount":5,"amount":"5"}'),
        ("TopUp", b"{'user_id':1,'amount':500}"),
        ("TopUp", b'{"UserID":1,"Amount":500}'),
        ("TopUp", b'{"user_id":1,"amount":' + b"9" * 5000 + b"}"),
        ("TopUp", nested_json(513)),
        ("TopUp", nested_messagepack(513)),
        ("AddItem", b'{"item_id":"\\udc00","count":1,"price":1}'),
        ("AddItem", b'{"item_id":"\\u0000","count":1,"price":1}'),
        ("AddItem", b'{"item_id":"\x7f","count":1,"price":1}'),
        ("TopUp", go_top_up[:-1]),
        ("TopUp", go_top_up + b"\x00"),
        ("TopUp", v0_payload("AddItem", {"UserID": 1, "Amount": 5})),
        ("TopUp", pack_map([user_id, (amount, pack_uint64(MAX_MONEY // 100 + 1))])),
        ("TopUp", pack_map([user_id, (amount, pack_value(5.0))])),
        ("TopUp", pack_map([user_id, (amount, pack_value(True))])),
        ("TopUp", pack_map([user_id, (amount, pack_int64(-1))])),
        ("TopUp", pack_map([user_id, (pack_value(b"Amount"), pack_uint64(5))])),
        ("TopUp", pack_map([user_id, (amount, pack_uint64(5)), (pack_string("Type"), b"\xc0")])),
        ("TopUp", pack_map([user_id])),
        ("TopUp", b"\xdf\xff\xff\xff\xff"),
        ("TopUp", b"\x81\xa1x\xc1"),
        (
            "AddItem",
            pack_map([(pack_string("ItemID"), pack_string(b"\xff")), (pack_string("Count"), b"\x01")]),
        ),
        ("AddItem", pack_map([(pack_string("ItemID"), pack_value(b"cpu")), (pack_string("Count"), b"\x01")])),
        ("OrderType", order(["cpu"], [])),
        ("OrderType", order(["cpu"], [1, 2])),
        ("OrderType", order(["cpu"] * 101, [1] * 101)),
        ("Order", order([""], [1])),
    ]


def nested_json(depth: int) -> bytes:
    """Return a top-up whose ignored member makes it `depth` deep: valid up to 512."""
    inside = depth - 1
    return b'{"user_id":1,"amount":500,"x":' + b"[" * inside + b"]" * inside + b"}"


def nested_messagepack(depth: int) -> bytes:
    """Return a v0 top-up whose ignored member makes it `depth` deep: valid up to 512."""
    inside = b"\x91" * (depth - 2) + b"\x90"
    members = v0_members("TopUp", {"UserID": 1, "Amount": 5})
    return pack_map([*members, (pack_string("x"), inside)])


_HANDWRITTEN = _handwritten()
_REFUSED = [
    ("TopUp", b'{"user_id":1,"amount":500,"x":"\\ud800"}'),
    ("TopUp", b'{"user_id":1,"amount":500,"\\udfff":1}'),
    ("TopUp", b'{"user_id":1,"amount":-5,"amount":5}'),
    ("Order", b'{"user_id":1,"lines":[{}],"lines":[]}'),
    ("TopUp", pack_map([(pack_string("UserID"), b"\x01"), (pack_string("Amount"), b"\x05"), (b"\xc4\x01x", b"\xc0")])),
    ("TopUp", pack_map([(b"\x07", b"\x07"), (pack_string("UserID"), b"\x01"), (pack_string("Amount"), b"\x05")])),
]
"""(type, data) that another decoder might let pass."""
_handwritten_payloads = st.sampled_from([*_HANDWRITTEN, *_REFUSED])
_halves = st.sampled_from([b"type", b"data", b"key"])
_other_versions = st.sampled_from([b"2", b"0", b"", b"01", b"1.0", b" 1", b"v1", b"\xff"])
_other_types = st.sampled_from([b"", b"topup", b"TopUp ", b"OrderType", b"Refund", b"\xff", b"Top\x00Up"])
_excesses = st.sampled_from([1, 2, MAX_DATA])
_wrong_keys = st.sampled_from([b"", b"k" * 129])


@st.composite
def broken_entries(draw: DrawFn, reason: str) -> RawEntry:
    """Draw an entry that will be parked, nearly always for this reason.

    A wrong member is sometimes right by chance, and then its entry is valid.
    """
    if reason == "invalid_data" and draw(st.booleans()):
        name, data = draw(_wrong_member())
        return raw_entry(name, data)
    if reason == "invalid_data" and draw(st.integers(0, 4)) > 0:
        name, data = draw(_handwritten_payloads)
        return raw_entry(name, data)

    event = draw(_shop_events)
    name, data = event["type"], draw(v1_payloads(event))
    if reason == "missing_field":
        half = draw(_halves)
        return [(half, dict(raw_entry(name, data, key=b"k1"))[half])]
    if reason == "unsupported_version":
        return raw_entry(name, data, version=draw(_other_versions))
    if reason == "too_large":
        return raw_entry(draw(st.sampled_from([name, "Nonsense"])), data.ljust(MAX_DATA + draw(_excesses)))
    if reason == "unknown_type":
        return raw_entry(draw(_other_types), draw(st.sampled_from([data, b"", b"nonsense"])))
    return raw_entry(name, data, key=draw(_wrong_keys))


# ------------------------------------------------------------------------------------------ hostile bytes

_json_values: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*_WRONG_VALUES, *STRANGE_ITEMS]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
_messagepack_values: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(-9, 9), inner),
    max_leaves=10,
)
_MEMBER_NAMES = ["user_id", "amount", "item_id", "count", "price", "lines", "quantity"]
_GO_NAMES = ["ID", "Type", "UserID", "Amount", "ItemID", "Count", "ItemIDs", "ItemQuantities"]
_FRAGMENTS = [
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\x00",
    b"\xef\xbb\xbf",
    b"NaN",
    b"1e999",
    b"9" * 400,
    b'"',
    b"\\ud800",
]
_FRAGMENTS += [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xc1",
    b"\xdf",
    b"\xdd\xff\xff\xff\xff",
    b"\xdb\x7f\xff\xff\xff",
    b"\xd3",
]
_FRAGMENTS += ["\u202e\u2066".encode(), "\u0085\u009b31m".encode(), b"\x1b[2J", b"\\u001b", b"-0", b"-1"]


@st.composite
def _mutated_payloads(draw: DrawFn) -> bytes:
    event = draw(_valid_events)
    spoken = to_v0(event)
    if spoken is not None and draw(st.booleans()):
        payload = dict(draw(v0_entries(*spoken)))[b"data"]
    else:
        payload = draw(v1_payloads(event))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(payload)))
        end = min(len(payload), start + draw(st.integers(0, 4)))
        between = draw(st.sampled_from(_FRAGMENTS) | st.binary(max_size=3))
        payload = payload[:start] + between + payload[end:]
    return payload


@st.composite
def _duplicate_members(draw: DrawFn) -> bytes:
    """Write the members of an event several times over, in JSON or in MessagePack."""
    if draw(st.booleans()):
        values = st.sampled_from([1, 0, 500, "cpu", "TopUp", None, ["cpu"], [1], [], -1])
        pairs = draw(st.lists(st.tuples(st.sampled_from(_GO_NAMES), values), max_size=12))
        return pack_map([(pack_string(name), pack_value(value)) for name, value in pairs])
    values = st.sampled_from([1, 0, 500, "cpu", None, [{"item_id": "cpu", "quantity": 1}], -1, 1.0, "\ud800"])
    pairs = draw(st.lists(st.tuples(st.sampled_from(_MEMBER_NAMES), values), max_size=12))
    return b"{" + b",".join(f'"{name}":{json.dumps(value)}'.encode() for name, value in pairs) + b"}"


@st.composite
def _deep_payloads(draw: DrawFn) -> bytes:
    depth = draw(st.sampled_from([2, 511, 512, 513, 1_000, 5_000, 30_000]))
    shape = draw(st.integers(0, 5))
    if shape == 0:
        return nested_json(depth)
    if shape == 1:
        return nested_messagepack(depth)
    if shape == 2:
        return b'{"a":' * depth + b"1" + b"}" * depth
    if shape == 3:
        return draw(st.sampled_from([b"[", b"{", b'{"a":[', b"\x81\x81", b"\x81\xa0\x91"])) * depth
    if shape == 4:
        return b'{"user_id":1,"amount":500,"x":"' + b'[{\\"' * depth + b'"}'
    return b"\x81\xa1a" * depth + b"\xc0"


@st.composite
def _strange_text(draw: DrawFn) -> bytes:
    """Put text that may disturb a screen or a parser where an item id, a number or a name belongs."""
    text = draw(st.text(st.characters() | st.sampled_from("\u202e\u2066\u200f\x00\x1b\x7f\x9b\ud800\udc00\ufeff")))
    members: dict[str, Any] = {"user_id": 1, "amount": 500, "item_id": text, "count": 1, "price": 1}
    if draw(st.booleans()):
        members[text] = text
    if draw(st.booleans()):
        return json.dumps(members, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return pack_value({"ItemID": text, "Count": 1, "UserID": 1, "Amount": 5, text: text})


@st.composite
def _strange_numbers(draw: DrawFn) -> bytes:
    number = draw(
        st.sampled_from(["NaN", "Infinity", "-Infinity", "-0", "0", "00", "1e2", "1E400", "1.0", "-0.0", ".5", "0x1"])
        | st.sampled_from(["9" * 19, "9" * 400, "9" * 5_000, "-" + "9" * 5_000, "1" + "0" * 60_000, "1e", "--1"])
        | st.integers(2**63 - 2, 2**64 + 2).map(str)
        | st.integers(10**15 - 2, 10**15 + 2).map(str)
        | st.integers(10**12 - 2, 10**12 + 2).map(str)
    )
    member = draw(st.sampled_from([*_MEMBER_NAMES, "ignored"]))
    lines = '[{"item_id":"cpu","quantity":1}]'
    members = {
        "user_id": "1",
        "amount": "500",
        "item_id": '"cpu"',
        "count": "1",
        "price": "1",
        "lines": lines,
    }
    members[member] = number
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()


_hostile_bytes: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    _handwritten_payloads.map(lambda payload: payload[1]),
    _json_values.map(lambda value: json.dumps(value).encode()),
    _messagepack_values.map(pack_value),
    st.dictionaries(st.sampled_from(_MEMBER_NAMES), _json_values).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(_GO_NAMES), _messagepack_values).map(pack_value),
    _mutated_payloads(),
    _duplicate_members(),
    _deep_payloads(),
    _strange_text(),
    _strange_numbers(),
)
_hostile_entries = st.builds(
    raw_entry, st.sampled_from([b"TopUp", b"AddItem", b"Order", b"OrderType"]) | st.binary(max_size=12), _hostile_bytes
)


def hostile_bytes() -> SearchStrategy[bytes]:
    """Draw what an attacker, a bug or a disk may put into `data`. Some of it is valid."""
    return _hostile_bytes


def hostile_entries() -> SearchStrategy[RawEntry]:
    """Draw entries whose type is nearly always known and whose data is hostile."""
    return _hostile_entries


# --------------------------------------------------------------------------------------- streams of entries


@st.composite
def _good_entries(draw: DrawFn) -> RawEntry:
    event = draw(_shop_events)
    spoken = to_v0(event)
    if spoken is not None and draw(st.booleans()):
        return draw(v0_entries(*spoken))
    return raw_entry(event["type"], draw(v1_payloads(event)), version=draw(_good_versions))


@st.composite
def _dressed_entries(draw: DrawFn) -> RawEntry:
    """Draw an entry of any kind, its fields in any order among others, its key from so few that they meet."""
    kind = draw(_kinds)
    if kind == "good":
        bare = draw(_good_entries())
    elif kind == "hostile":
        bare = draw(_hostile_entries)
    else:
        bare = draw(broken_entries(kind))

    fields = list(bare)
    if b"key" not in dict(fields):
        key = draw(_keys)
        if key is not None:
            fields.append((b"key", key))
    look = draw(st.integers(0, 7))
    if look == 1:
        fields.append(draw(_extra_fields))
    if look <= 3:
        fields = draw(st.permutations(fields))
    if look == 4:  # an earlier field of the same name, which the later one outdoes
        fields.insert(0, (draw(st.sampled_from(fields))[0], draw(_outdone_values)))
    return fields


_good_versions = st.sampled_from([None, None, b"1"])
_kinds = st.sampled_from(["good"] * 14 + BROKEN_REASONS + ["hostile"])
_keys = st.sampled_from([None] * 8 + [b"k1", b"k2", b"k3", b"k4", b"k5", b"k6", b"\xff\x00", b"k" * 128])
_extra_fields = st.sampled_from([(b"trace", b"abc"), (b"", b""), (b"Type", b"TopUp"), (b"\xff", b"\xff")])
_outdone_values = st.sampled_from([b"", b"TopUp", b"2", b"k5"])
_OPENING = [raw_entry("TopUp", json_bytes({"user_id": user, "amount": 1_000})) for user in USERS]
_OPENING += [raw_entry("AddItem", json_bytes({"item_id": item, "count": 9, "price": 250}), b"k1") for item in ITEMS[:1]]
_OPENING += [raw_entry("AddItem", json_bytes({"item_id": item, "count": 9, "price": 100})) for item in ITEMS[1:]]


def entries(max_size: int = 40) -> SearchStrategy[list[RawEntry]]:
    """Draw streams in which every outcome happens: few users, few items, few keys, many mistakes.

    Most begin with a shop that is stocked and has customers. `overflow` is the one reason out of reach (it
    takes 9,224 top-ups): see `overflowing_entries`.
    """
    any_length = st.lists(_dressed_entries(), max_size=max_size)
    longer = st.lists(_dressed_entries(), min_size=max_size // 4, max_size=max_size)
    opened = longer.map(lambda drawn: [*map(list, _OPENING), *drawn][:max_size])
    return st.one_of(any_length, opened, opened, opened)


def overflowing_entries() -> list[RawEntry]:
    """Return top-ups of user 1 that are applied but for the last, which is refused as `overflow`."""
    data = json_bytes({"user_id": 1, "amount": MAX_MONEY})
    return [raw_entry("TopUp", data) for _ in range(MAX_INTEGER // MAX_MONEY + 1)]


# ------------------------------------------------------------------------------------------ from a seed

_SEEDED_USERS = 500
_SEEDED_ITEMS = [
    "cpu",
    "ram",
    "ssd",
    "hdd",
    "gpu",
    "psu",
    "fan",
    "\u043c\u044b\u0448\u044c",
    "\U0001f600",
    "case",
]
_SEEDED_TYPES = ["TopUp", "AddItem", "Order"]


def seeded_entries(seed: int, count: int) -> list[RawEntry]:
    """Return a busy day of the shop: the same seed gives the same entries, a smaller count their beginning.

    Of a hundred entries about 3 are parked, 3 repeat a key, 10 are of schema v0, and of the rest some are
    refused by a rule. Most have a key.
    """
    produced, more = _day_of(seed)
    produced += itertools.islice(more, max(0, count - len(produced)))
    return [list(entry) for entry in produced[:count]]


@lru_cache(4)
def _day_of(seed: int) -> tuple[list[RawEntry], Iterator[RawEntry]]:
    """What was made of a day so far, and the rest of it."""
    return [], _seeded(random.Random(seed))


def _seeded(generator: random.Random) -> Iterator[RawEntry]:
    broken = [raw_entry(name, data) for name, data in _HANDWRITTEN]
    broken += [raw_entry(name, b"{}") for name in ("Refund", "OrderType", "")]
    broken += [[(b"type", b"TopUp")], [(b"data", b"{}")], raw_entry("TopUp", b"{}", version=b"2")]
    broken += [raw_entry("TopUp", b" " * (MAX_DATA + 1))]
    keys: list[bytes] = []
    while True:
        chance = generator.random()
        if chance < 0.03:
            yield generator.choice(broken)
            continue
        name, data = _seeded_event(generator)
        entry = raw_entry(name, data)
        if chance < 0.06 and keys:
            recent = generator.random() < 0.8
            entry.append((b"key", generator.choice(keys[-20:]) if recent else generator.choice(keys)))
        elif chance < 0.90:
            key = b"%016x" % generator.getrandbits(64)
            keys.append(key)
            entry.append((b"key", key))
        if chance > 0.5:
            entry.append((b"v", b"1"))
        if chance > 0.97:
            entry.append((b"trace", generator.choice(string.ascii_letters).encode()))
        if chance > 0.8:
            generator.shuffle(entry)
        yield entry


def _seeded_event(generator: random.Random) -> tuple[str, bytes]:
    (name,) = generator.choices(_SEEDED_TYPES, (40, 14, 46))
    user = int(_SEEDED_USERS * generator.random() ** 2)
    item = generator.choice(_SEEDED_ITEMS)
    old = generator.random() < 0.1
    if name == "TopUp":
        units = generator.choice((20, 50, 100, 500, 1000)) if generator.random() > 0.01 else 0
        if old:
            return name, v0_payload(name, {"UserID": user, "Amount": units})
        return name, json_bytes({"user_id": user, "amount": units * 100 + (units and generator.randrange(100))})
    if name == "AddItem":
        added = generator.randrange(60)
        if old:
            return name, v0_payload(name, {"ItemID": item, "Count": added})
        data: dict[str, Any] = {"item_id": item, "count": added}
        if generator.random() < 0.02:
            data["item_id"] = "unpriced"
        elif generator.random() < 0.4:
            data["price"] = generator.randrange(100, 5_000)
        return name, json_bytes(data)
    lines = [
        {"item_id": generator.choice(_SEEDED_ITEMS), "quantity": generator.randrange(1, 9)}
        for _ in range(generator.choice((1, 1, 1, 2, 2, 3)))
    ]
    mistake = generator.random()
    if mistake < 0.01:
        lines.clear()
    elif mistake < 0.02:
        lines[0]["quantity"] = 0
    elif mistake < 0.03:
        lines[0]["item_id"] = "unicorn"
    elif mistake < 0.05:
        lines[0]["quantity"] = 10**9
    event: Event = {"type": "Order", "data": {"user_id": user, "lines": lines}}
    if old:
        spoken = to_v0(event)
        assert spoken is not None
        return spoken[0], v0_payload(*spoken)
    return name, json_bytes(event["data"])
