"""What one entry says and does, told for people: the log's lines, details, forms, `esdash events`."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from esdash.shop.decoding import Fields, decode
from esdash.shop.events import AddItem, Event, Order, TopUp
from esdash.shop.money import format_money
from esdash.shop.outcomes import OUTCOMES, Outcome
from esdash.shop.rules import decide, fold_one
from esdash.shop.state import State

EXCERPT: Final = 200
"""Bytes of a parked payload worth telling."""


class Change(NamedTuple):
    """One number before and after an entry; None where there was no such user or item."""

    kind: str
    """`balance` and `price` (cents), or `stock` (pieces)."""
    subject: str
    """The user id as text, or the item id."""
    before: int | None
    after: int | None


class Preview(NamedTuple):
    """What would come of an event if it were the next one."""

    outcome: Outcome
    changes: tuple[Change, ...]


def type_of(fields: Fields) -> str:
    """The entry's `type` as text, bytes that are not UTF-8 escaped; empty when it has none. Not made harmless."""
    return _field(fields, b"type").decode("utf-8", "backslashreplace")


def payload_of(fields: Fields) -> bytes:
    """The entry's `data`; empty when it has none."""
    return _field(fields, b"data")


def describe(fields: Fields) -> str:
    """One line about an entry: `user 7 +500.00`. The text comes from the stream and is not made harmless here."""
    event = decode(fields)
    if isinstance(event, int):
        return payload_of(fields)[:EXCERPT].decode("utf-8", "backslashreplace")
    return describe_event(event)


def describe_event(event: Event) -> str:
    """One line about an event: `user 7 buys 2 × hdd`."""
    if isinstance(event, TopUp):
        return f"user {event.user_id} +{format_money(event.amount)}"
    if isinstance(event, Order):
        bought = ", ".join(f"{line.quantity:,} × {line.item_id}" for line in event.lines[:10])
        unnamed = len(event.lines) - 10
        more = f" and {unnamed} more line{'s' if unnamed > 1 else ''}" if unnamed > 0 else ""
        return f"user {event.user_id} buys {bought or 'nothing'}{more}"
    price = f" at {format_money(event.price)}" if isinstance(event, AddItem) and event.price is not None else ""
    return f"{event.item_id} +{event.count:,}{price}"


def touched(event: Event | int) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The users and the items that an event may change; a parked entry (its code) changes none."""
    if isinstance(event, int):
        return (), ()
    if isinstance(event, TopUp):
        return (event.user_id,), ()
    if isinstance(event, Order):
        return (event.user_id,), tuple(dict.fromkeys(line.item_id for line in event.lines))
    return (), (event.item_id,)


def explain(state: State, entry: tuple[bytes, Fields]) -> tuple[int, tuple[Change, ...]]:
    """Fold one entry into the state; its outcome code, and each number it is about before and after."""
    event = decode(entry[1])
    before = _numbers(state, event)
    code = fold_one(state, entry[1])
    state.counts[code] += 1
    after = _numbers(state, event)
    return code, tuple(Change(*name, before[name], after[name]) for name in before)


def preview(state: State, event: Event) -> Preview:
    """What the state would make of an event now; changes nothing.

    Reads single numbers of a state that another thread may be folding into, and folds a copy of them.
    """
    users, items = touched(event)
    copy = State()
    for user_id in users:
        if (balance := state.users.get(user_id)) is not None:
            copy.users[user_id] = balance
    for item_id in items:
        if (remain := state.stock.get(item_id)) is not None:
            copy.stock[item_id] = remain
            copy.prices[item_id] = state.prices.get(item_id, 0)
    before = _numbers(copy, event)
    code = decide(copy, event)
    after = _numbers(copy, event)
    return Preview(OUTCOMES[code], tuple(Change(*name, before[name], after[name]) for name in before))


def encode(event: TopUp | AddItem | Order) -> tuple[str, bytes]:
    """The event's `type` and `data` on the wire, schema v1."""
    return type(event).__name__, msgspec.json.encode(event)


def document(state: State) -> Mapping[str, object]:
    """The state as `esdash state --json` shows it: users, items, outcomes."""
    outcomes: dict[str, object] = {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0}
    for (name, reason), count in zip(OUTCOMES, state.counts, strict=True):
        reasons = outcomes[name]
        if not isinstance(reasons, dict):
            outcomes[name] = count
        elif count:
            reasons[reason] = count
    return {
        "users": {str(user_id): state.users[user_id] for user_id in sorted(state.users)},
        "items": {
            item_id: {"price": state.prices[item_id], "remain": state.stock[item_id]} for item_id in sorted(state.stock)
        },
        "outcomes": outcomes,
    }


def differences(replayed: State, found: State, limit: int) -> list[tuple[str, str, int | None, int | None]]:
    """The numbers that two states do not agree on: (kind, subject, replayed, found); at most `limit`.

    Kinds are `balance`, `price` (cents), `stock` (pieces), `outcome` (entries) and `keys` (how many are remembered).
    """
    pairs: list[tuple[str, Mapping[Any, int], Mapping[Any, int]]] = [
        ("balance", replayed.users, found.users),
        ("stock", replayed.stock, found.stock),
        ("price", replayed.prices, found.prices),
        ("outcome", _counts(replayed), _counts(found)),
    ]
    differing: list[tuple[str, str, int | None, int | None]] = []
    for kind, ours, theirs in pairs:
        for subject in chain(ours, (subject for subject in theirs if subject not in ours)):
            if ours.get(subject) != theirs.get(subject):
                differing.append((kind, str(subject), ours.get(subject), theirs.get(subject)))
                if len(differing) == limit:
                    return differing
    if replayed.key_order != found.key_order:
        differing.append(("keys", "the window of keys", len(replayed.key_order), len(found.key_order)))
    return differing


def _counts(state: State) -> dict[str, int]:
    names = (" ".join(filter(None, outcome)) for outcome in OUTCOMES)
    return dict(zip(names, state.counts, strict=True))


def _field(fields: Fields, name: bytes) -> bytes:
    for index in range(len(fields) - 2, -1, -2):
        if fields[index] == name:
            return fields[index + 1]
    return b""


def _numbers(state: State, event: Event | int) -> dict[tuple[str, str], int | None]:
    users, items = touched(event)
    numbers: dict[tuple[str, str], int | None] = {}
    for user_id in users:
        numbers["balance", str(user_id)] = state.users.get(user_id)
    for item_id in items:
        numbers["stock", item_id] = state.stock.get(item_id)
        numbers["price", item_id] = state.prices.get(item_id)
    return numbers
