"""The work that is measured: entries in the reference program's format and in JSON, from a seed.

50 % TopUp over `users` users, 20 % AddItem over `items` items, 30 % Order of one to three lines.
"""

import json
import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from esdash.fold.state import State
from esdash.log.stream import Stream
from tests.domains.shop import shop

BATCH: Final = 1000


def _pack_text(text: str) -> bytes:
    raw = text.encode()
    return (bytes([0xA0 | len(raw)]) if len(raw) < 32 else b"\xd9" + bytes([len(raw)])) + raw


def _pack(members: dict[str, object]) -> bytes:
    """MessagePack as the Go program writes it: user ids as int64, other numbers as uint64."""
    parts = [bytes([0x80 | len(members)])]
    for name, value in members.items():
        parts.append(_pack_text(name))
        if isinstance(value, str):
            parts.append(_pack_text(value))
        elif isinstance(value, int):
            parts.append((b"\xd3" if name == "UserID" else b"\xcf") + value.to_bytes(8, "big"))
        elif isinstance(value, list):
            parts.append(bytes([0x90 | len(value)]))
            for element in value:
                parts.append(_pack_text(element) if isinstance(element, str) else b"\xcf" + element.to_bytes(8, "big"))
    return b"".join(parts)


def entries(count: int, *, v0: bool, users: int = 10_000, items: int = 1_000, seed: int = 1) -> Iterator[list[bytes]]:
    """Entries as lists of fields: name, value, …"""
    rnd = random.Random(seed)
    for _ in range(count):
        kind = rnd.random()
        if kind < 0.5:
            user, amount = rnd.randrange(users), rnd.randrange(1, 1000)
            if v0:
                data = _pack({"ID": "", "Type": "TopUp", "UserID": user, "Amount": amount})
            else:
                data = json.dumps({"user_id": user, "amount": amount * 100}, separators=(",", ":")).encode()
            yield [b"type", b"TopUp", b"data", data]
        elif kind < 0.7:
            item, added = f"item-{rnd.randrange(items)}", rnd.randrange(1, 100)
            if v0:
                data = _pack({"ID": "", "Type": "AddItem", "ItemID": item, "Count": added})
            else:
                document = {"item_id": item, "count": added, "price": 100 + rnd.randrange(100) * 100}
                data = json.dumps(document, separators=(",", ":")).encode()
            yield [b"type", b"AddItem", b"data", data]
        else:
            lines = [(f"item-{rnd.randrange(items)}", rnd.randrange(1, 5)) for _ in range(rnd.randrange(1, 4))]
            user = rnd.randrange(users)
            if v0:
                names, quantities = [item for item, _ in lines], [quantity for _, quantity in lines]
                order = {"ID": "", "Type": "OrderType", "UserID": user, "ItemIDs": names, "ItemQuantities": quantities}
                yield [b"data", _pack(order), b"type", b"OrderType"]
            else:
                bought = [{"item_id": item, "quantity": quantity} for item, quantity in lines]
                data = json.dumps({"user_id": user, "lines": bought}, separators=(",", ":")).encode()
                yield [b"type", b"Order", b"data", data]


def crowd(users: int, items: int, seed: int = 2) -> Iterator[list[bytes]]:
    """Every item added and every user topped up once, in no order."""
    rnd = random.Random(seed)
    for number in range(items):
        yield [b"type", b"AddItem", b"data", b'{"item_id":"item-%d","count":100000,"price":100}' % number]
    numbers = list(range(users))
    rnd.shuffle(numbers)
    for number in numbers:
        yield [b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":%d}' % (number, rnd.randrange(1, 100_000_000))]


def fill(log: Stream, count: int, *, v0: bool, users: int = 10_000, items: int = 1_000, seed: int = 1) -> str:
    """Append the work to an empty stream; the digest of the state that it leads to, by the plain rules."""
    return shop().digest(append(log, entries(count, v0=v0, users=users, items=items, seed=seed)))


def append(log: Stream, entries: Iterable[list[bytes]], state: State | None = None) -> State:
    """Append entries to a stream that led to `state`; the state that it leads to now, entry by entry."""
    state = state or shop().empty()
    remaining = iter(entries)
    while batch := list(islice(remaining, BATCH)):
        log.append_many(batch)
        for fields in batch:
            shop().fold(state, [(b"1-0", fields)])
    return state


def command(*words: bytes) -> bytes:
    """A command as it is sent to the server."""
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)
