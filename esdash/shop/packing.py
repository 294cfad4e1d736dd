"""A page of entries sorted for a fast fold, and its bytes for another process.

Most entries look alike: `type`, `data`, perhaps `key`. Their payloads are grouped by type, so that one call decodes
a group. Nothing is decided here: an entry that is anything but ordinary is handed on whole, as `odd`.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

import msgspec
from msgspec import Struct

from esdash.shop.decoding import MAX_DEPTH, V0_FIRST_BYTES, Fields
from esdash.shop.events import MAX_KEY

TOP_UP, ADD_ITEM, ORDER, TOP_UP_V0, ADD_ITEM_V0, ORDER_V0, ODD = range(7)
"""Kinds of entries; the first six are groups."""

NAMES: Final = (b"TopUp", b"AddItem", b"Order", b"TopUp", b"AddItem", b"OrderType")
"""The `type` of each group."""

_V1_KINDS: Final = {b"TopUp": TOP_UP, b"AddItem": ADD_ITEM, b"Order": ORDER}
_V0_KINDS: Final = {b"TopUp": TOP_UP_V0, b"AddItem": ADD_ITEM_V0, b"OrderType": ORDER_V0}
_OPENING_BRACE: Final = ord("{")
_last_byte: Final = itemgetter(-1)


class Packed(Struct, frozen=True, array_like=True, gc=False):
    """A page of entries, sorted."""

    kinds: bytes
    """The kind of each entry, in order."""
    groups: tuple[bytes | list[bytes], ...]
    """The payloads of each kind, in order. Bytes for a group of JSON of which each line is surely one payload."""
    odd: list[list[bytes]]
    """The fields of those that are not ordinary."""
    keys: list[bytes | None]
    """The idempotency key of each entry; empty when none has one."""


def pack(entries: Sequence[tuple[bytes, Fields]]) -> Packed:
    """Sort a page. An odd entry's key is left to its fields."""
    kinds = bytearray()
    groups: tuple[list[bytes], ...] = ([], [], [], [], [], [])
    odd: list[list[bytes]] = []
    keyed = 0
    # Bound once: this loop is a sixth of a replay.
    note, take = kinds.append, [group.append for group in groups]
    kind_of_v1, kind_of_v0 = _V1_KINDS.get, _V0_KINDS.get
    for _, fields in entries:
        kind = ODD
        size = len(fields)
        data = b""
        if size == 4:
            first, name, second, data = fields
            if first != b"type" or second != b"data":
                if first == b"data" and second == b"type":
                    name, data = data, name
                else:
                    data = b""
        elif size == 6:
            first, name, second, data, third, key = fields
            if first != b"type" or second != b"data" or third != b"key" or not 0 < len(key) <= MAX_KEY:
                data = b""
        if 0 < len(data) <= MAX_DEPTH:
            start = data[0]
            if start == _OPENING_BRACE:
                kind = kind_of_v1(name, ODD)
            elif start in V0_FIRST_BYTES:
                kind = kind_of_v0(name, ODD)
        note(kind)
        if kind == ODD:
            odd.append(list(fields))
        else:
            take[kind](data)
            if size == 6:
                keyed += 1
    keys: list[bytes | None] = []
    if keyed:
        keys = [
            fields[5] if kind != ODD and len(fields) == 6 else None
            for kind, (_, fields) in zip(kinds, entries, strict=True)
        ]
    return Packed(bytes(kinds), (*map(_lines, groups[:TOP_UP_V0]), *groups[TOP_UP_V0:]), odd, keys)


def _lines(payloads: list[bytes]) -> bytes | list[bytes]:
    """JSON payloads, each of which begins with {, as lines, when that is safe.

    Each line begins with { and ends with }, so no value spans two of them: after a } inside a value comes no {. And
    with neither escapes nor bytes above 0x7e, no text in them is invalid and no item id holds a control character.
    """
    joined = b"".join(payloads)
    if (
        joined.isascii()
        and b"\n" not in joined
        and b"\\" not in joined
        and b"\x7f" not in joined
        and not bytes(map(_last_byte, payloads)).strip(b"}")
    ):
        return b"\n".join(payloads)
    return payloads


def unpacked(packed: Packed) -> list[list[bytes]]:
    """The fields of each entry, in order; those of ordinary ones as `type`, `data`, `key`."""
    groups = [iter(group.split(b"\n") if isinstance(group, bytes) else group) for group in packed.groups]
    odd = iter(packed.odd)
    entries: list[list[bytes]] = []
    for place, kind in enumerate(packed.kinds):
        if kind == ODD:
            entries.append(next(odd))
            continue
        fields = [b"type", NAMES[kind], b"data", next(groups[kind])]
        key = packed.keys[place] if packed.keys else None
        entries.append(fields if key is None else [*fields, b"key", key])
    return entries


_encode = msgspec.msgpack.Encoder().encode


def pack_bytes(entries: Sequence[tuple[bytes, Fields]]) -> bytes:
    """A page for another process; `from_bytes` reads it."""
    return _encode(pack(entries))


from_bytes = msgspec.msgpack.Decoder(Packed).decode
"""What `pack_bytes` made."""
