"""The fold's fast way: a packed page whose entries are mostly plain and mostly applied.

It knows by itself only how an entry is applied when nothing speaks against it. Whatever is not plainly so, is given to
the rules (`rules.decide`), so there is one place that refuses. Tests hold it to `rules.fold_one`, entry by entry.
"""

from collections.abc import Callable
from contextlib import suppress
from operator import length_hint
from typing import Any, Final

import msgspec

from esdash.shop.decoding import AddItemV0, OrderV0, TopUpV0, decode, upcast
from esdash.shop.events import MAX_INT, AddItem, Event, Order, TopUp
from esdash.shop.outcomes import INVALID_DATA
from esdash.shop.packing import (
    ADD_ITEM,
    ADD_ITEM_V0,
    NAMES,
    ODD,
    TOP_UP,
    TOP_UP_V0,
    Packed,
)
from esdash.shop.rules import decide, fold_one
from esdash.shop.state import State

_LINES: Final[tuple[Callable[[bytes], list[Any]], ...]] = (
    msgspec.json.Decoder(TopUp).decode_lines,
    msgspec.json.Decoder(AddItem).decode_lines,
    msgspec.json.Decoder(Order).decode_lines,
)
_EACH: Final[tuple[Callable[[bytes], Any], ...]] = (
    msgspec.json.Decoder(TopUp).decode,
    msgspec.json.Decoder(AddItem).decode,
    msgspec.json.Decoder(Order).decode,
    msgspec.msgpack.Decoder(TopUpV0).decode,
    msgspec.msgpack.Decoder(AddItemV0).decode,
    msgspec.msgpack.Decoder(OrderV0).decode,
)


def _never_applied() -> tuple[Any, ...]:
    """For each group, an event that the fast way cannot apply: no amount, no such item, no lines."""
    return TopUp(0, 0), AddItem("", 0), Order(0, ()), TopUpV0(0, 0), AddItemV0("", 0), OrderV0(0, None, None)


def fold_quickly(state: State, packed: Packed) -> bytearray:
    """Apply a packed page; one outcome code an entry. Looks at no keys but those of odd entries; counts nothing."""
    unusual: dict[int, Event | int] = {}
    groups = [_events(kind, group, packed.kinds.count(kind), unusual) for kind, group in enumerate(packed.groups)]
    # Taken from the end of reversed lists: the cheapest way to the next of several.
    next_top_up, next_item, next_order, next_top_up_v0, next_item_v0, next_order_v0, next_odd = (
        group[::-1].pop for group in (*groups, packed.odd)
    )
    users, stock, prices = state.users, state.stock, state.prices
    balance_of, remain_of = users.get, stock.get
    kinds = iter(packed.kinds)
    size = len(packed.kinds)
    codes = bytearray(size)  # zeros: applied
    event: Any
    for kind in kinds:
        if kind < TOP_UP_V0:
            if kind == TOP_UP:
                event = next_top_up()
                if event.amount:
                    user_id = event.user_id
                    balance = balance_of(user_id, 0) + event.amount
                    if balance <= MAX_INT:
                        users[user_id] = balance
                        continue
            elif kind == ADD_ITEM:
                event = next_item()
                item_id = event.item_id
                remain = remain_of(item_id)
                if remain is not None:
                    remain += event.count
                    if remain <= MAX_INT:
                        stock[item_id] = remain
                        if event.price is not None:
                            prices[item_id] = event.price
                        continue
            else:
                event = next_order()
                user_id = event.user_id
                # -1 for an unknown user: one with nothing may still order what is free.
                balance = balance_of(user_id, -1)
                lines = event.lines
                if balance >= 0 and lines:
                    # Line by line, so that quantities of one item add up; undone when a later line or the sum says no.
                    done = 0
                    for line in lines:
                        item_id, quantity = line.item_id, line.quantity
                        remain = remain_of(item_id, 0)
                        if not 0 < quantity <= remain:
                            balance = -1
                            break
                        stock[item_id] = remain - quantity
                        balance -= prices[item_id] * quantity
                        done += 1
                    if balance >= 0:
                        users[user_id] = balance
                        continue
                    for line in lines[:done]:
                        stock[line.item_id] += line.quantity
        elif kind == TOP_UP_V0:
            event = next_top_up_v0()
            if event.Amount:
                user_id = event.UserID
                balance = balance_of(user_id, 0) + event.Amount * 100
                if balance <= MAX_INT:
                    users[user_id] = balance
                    continue
        elif kind == ADD_ITEM_V0:
            event = next_item_v0()
            item_id = event.ItemID
            remain = remain_of(item_id)
            if remain is not None:
                remain += event.Count
                if remain <= MAX_INT:
                    stock[item_id] = remain
                    continue
        elif kind != ODD:
            event = next_order_v0()
            user_id = event.UserID
            balance = balance_of(user_id, -1)
            items, quantities = event.ItemIDs, event.ItemQuantities
            if balance >= 0 and items and quantities and len(items) == len(quantities):
                done = 0
                for item_id, quantity in zip(items, quantities):  # noqa: B905 - equally long
                    remain = remain_of(item_id, 0)
                    if not 0 < quantity <= remain:
                        balance = -1
                        break
                    stock[item_id] = remain - quantity
                    balance -= prices[item_id] * quantity
                    done += 1
                if balance >= 0:
                    users[user_id] = balance
                    continue
                for item_id, quantity in zip(items[:done], quantities):  # noqa: B905
                    stock[item_id] += quantity
        # What is not plainly applied goes by the rules. Its place is told by how many entries are left.
        place = size - length_hint(kinds) - 1
        if kind == ODD:
            codes[place] = fold_one(state, next_odd())
            continue
        judged = unusual.get(id(event)) if unusual else None
        if judged is None:
            judged = _upcast(event) if kind >= TOP_UP_V0 else event
        codes[place] = judged if isinstance(judged, int) else decide(state, judged)
    return codes


def _events(kind: int, group: bytes | list[bytes], size: int, unusual: dict[int, Event | int]) -> list[Any]:
    """A group's payloads, so many of them, decoded, in order.

    In the place of one that the fast decoder refuses stands an event that is never applied; under its identity
    `unusual` holds what the full decoder says.
    """
    if isinstance(group, bytes):
        with suppress(msgspec.MsgspecError, ValueError):
            events = _LINES[kind](group)
            if len(events) == size:
                return events
        payloads = group.split(b"\n")
    else:
        payloads = group
        if kind >= TOP_UP_V0:
            with suppress(msgspec.MsgspecError, ValueError):
                return list(map(_EACH[kind], payloads))
    events = []
    for payload in payloads:
        full = decode((b"type", NAMES[kind], b"data", payload))
        event = None
        if not isinstance(full, int):
            with suppress(msgspec.MsgspecError, ValueError):
                event = _EACH[kind](payload)
        if event is None:
            event = _never_applied()[kind]
            unusual[id(event)] = full
        events.append(event)
    return events


def _upcast(old: Any) -> Event | int:
    try:
        return upcast(old)
    except ValueError:
        return INVALID_DATA
