"""A page of entries sorted for a fast fold, and its bytes for another process.

Most entries look alike: `type`, `data`, perhaps `key`. Their payloads are grouped by type, so that one call decodes
a group. Nothing is decided here: an entry that is anything but ordinary is handed on whole, as `odd`.
"""

from collections.abc import Sequence
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
    keys: list[bytes | None] = []
    for _, fields in entries:
        key = name = None
        size = len(fields)
        if size == 4:
            first, name, second, data = fields
            if first != b"type" or second != b"data":
                if first == b"data" and second == b"type":
                    name, data = data, name
                else:
                    name = None
        elif size == 6:
            first, name, second, data, third, key = fields
            if first != b"type" or second != b"data" or third != b"key" or not 0 < len(key) <= MAX_KEY:
                name = None
        kind = ODD
        if name is not None and 0 < len(data) <= MAX_DEPTH:
            start = data[0]
            if start == _OPENING_BRACE:
                kind = _V1_KINDS.get(name, ODD)
            elif start in V0_FIRST_BYTES:
                kind = _V0_KINDS.get(name, ODD)
        kinds.append(kind)
        if kind == ODD:
            key = None
            odd.append(list(fields))
        else:
            groups[kind].append(data)
        if keys:
            keys.append(key)
        elif key is not None:
            keys = [None] * (len(kinds) - 1) + [key]
    return Packed(bytes(kinds), (*map(_lines, groups[:TOP_UP_V0]), *groups[TOP_UP_V0:]), odd, keys)


def _lines(payloads: list[bytes]) -> bytes | list[bytes]:
    """JSON payloads as lines, when that is safe.

    Each line begins with { and ends with }, so no value spans two of them: after a } inside a value comes no {. And
    with neither escapes nor bytes above 0x7e, no text in them is invalid and no item id holds a control character.
    """
    lines = b"\n".join(payloads)
    if (
        lines.isascii()
        and b"\\" not in lines
        and b"\x7f" not in lines
        and (not lines or lines[-1:] == b"}")
        and lines.count(b"}\n{") == lines.count(b"\n") == max(0, len(payloads) - 1)
    ):
        return lines
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
