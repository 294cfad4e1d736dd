"""What nobody should write: entries and headers of bad faith."""

from __future__ import annotations

import hashlib
import json
import random
from typing import Any

from tests.strategies import RawEntry, nested_json, nested_messagepack


def hostile_entry(chance: random.Random) -> RawEntry:
    """Random bytes, huge, deep, of wrong types, with keys of odd lengths."""
    kind = chance.randrange(9)
    wire_type = chance.choice((b"TopUp", b"Order", b"AddItem", b"OrderType"))
    if kind == 0:
        return [(chance.randbytes(chance.randrange(9)), chance.randbytes(chance.randrange(60))) for _ in range(3)]
    if kind == 1:
        return [(b"type", wire_type), (b"data", chance.randbytes(chance.randrange(80)))]
    if kind == 2:
        return [(b"type", wire_type), (b"data", b"{" + b" " * chance.choice((65_534, 65_536, 300_000)) + b"}")]
    if kind == 3:
        deep = nested_json if chance.random() < 0.5 else nested_messagepack
        return [(b"type", wire_type), (b"data", deep(chance.choice((500, 511, 512, 513, 5000))))]
    if kind == 4:
        key = chance.randbytes(chance.choice((0, 1, 127, 128, 129, 1000)))
        return [(b"type", b"TopUp"), (b"data", b'{"user_id":1,"amount":100}'), (b"key", key)]
    if kind == 5:
        value = chance.choice((b"true", b"1.0", b"-1", b"9223372036854775808", b"null", b'"1"', b"[1]", b"1e3", b"NaN"))
        return [(b"type", b"TopUp"), (b"data", b'{"user_id":1,"amount":%b}' % value)]
    if kind == 6:
        return [(b"type", b"TopUp"), (b"data", b'{"user_id":1,"amount":100}'), (b"type", wire_type), (b"v", b"2")]
    if kind == 7:
        return [(b"type", chance.randbytes(300)), (b"data", b"{}"), (b"", b"")]
    item = chance.choice(("\u202eabc", "\u200b", "[red]", "\\", "\x1b[2J", "y" * 64, "y" * 65)).encode()
    return [(b"type", b"AddItem"), (b"data", b'{"item_id":"%b","count":3,"price":100}' % item)]


def damaged(how: int, header: bytes, chance: random.Random) -> bytes | None:
    """A header that is not what it was: a flipped bit, cut short, or forged under a checksum that fits.

    None for what is done to something else.
    """
    if how in (0, 1):
        bits = bytearray(header)
        bits[chance.randrange(len(bits))] ^= 1 << chance.randrange(8)
        return bytes(bits)
    if how == 2:
        return header[: chance.randrange(len(header))]
    if how in (3, 4, 5):
        return _forged(header, chance)
    return None


def _forged(header: bytes, chance: random.Random) -> bytes:
    try:
        values: dict[str, Any] = json.loads(header[16:])
    except ValueError:
        return b"?"
    name, value = chance.choice(
        (
            ("last_event_id", "1_0-1"),
            ("last_event_id", "5-"),
            ("last_event_id", f"{2**64}-{2**64}"),
            ("last_event_id", "-1-0"),
            ("last_event_id", "\u0661-0"),
            ("last_event_id", ""),
            ("ordinal", -1),
            ("ordinal", 2**70),
            ("unseen", 10**30),
            ("chunks", -1),
            ("chunks", 10**9),
            ("format", 99),
            ("format", None),
            ("snapshot_id", "another"),
            ("anchor", "x"),
            ("created_ms", 10**30),
            ("seconds", "soon"),
        )
    )
    raw = json.dumps(values | {name: value}).encode()
    return hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw
