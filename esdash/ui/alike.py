"""Correcting several parked entries in one go: what a person changed about one, done to others that need the same.

A change is taken from what a person published, never made up: where each value came from and what was done to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

import msgspec

from esdash.engine.domain import Fields, Row
from esdash.shop.decoding import V0_FIRST_BYTES, decode
from esdash.shop.events import AddItem, Order, TopUp
from esdash.shop.story import encode, payload_of, type_of
from esdash.ui.outlook import Publishable
from esdash.ui.salvage import from_v0, members_of, mended

_AS_IT_IS: Final = "as it is"
_AS_NUMBER: Final = "as a number"
_HUNDREDFOLD: Final = "in cents"
_LINES: Final = "line by line"


class Step(NamedTuple):
    """Where one member of the corrected event comes from."""

    name: str
    source: str
    """The member of the parked entry."""
    how: str


class Change(NamedTuple):
    """What makes a corrected event of a parked entry."""

    kind: str
    steps: tuple[Step, ...]
    payload: bytes | None
    """Only for entries with exactly this payload, since a person made up a value for it; None: for others, too."""
    event: Publishable
    """What was published for the first one."""


def change_of(fields: Fields, event: Publishable) -> Change:
    """What a person did to an entry to make the event of it."""
    before = _members(fields)
    steps: list[Step] = []
    made_up = False
    kind, data = encode(event)
    for name, value in msgspec.json.decode(data).items():
        step = _step(before, name, value)
        if step is None:
            made_up = True
        else:
            steps.append(step)
    return Change(kind, tuple(steps), payload_of(fields) if made_up or not steps else None, event)


def changed(change: Change, fields: Fields) -> Publishable | None:
    """The event that the same change makes of another entry; None where it cannot be done."""
    if change.payload is not None:
        return change.event if payload_of(fields) == change.payload else None
    before = _members(fields)
    after: dict[str, Any] = {}
    for name, source, how in change.steps:
        if source not in before or (value := _done(how, before[source])) is None:
            return None
        after[name] = value
    if "price" in before and "price" not in after:
        return None
    event = decode([b"type", change.kind.encode(), b"data", msgspec.json.encode(after)])
    return event if isinstance(event, TopUp | AddItem | Order) else None


def alike(change: Change, first: Row, rows: Sequence[Row]) -> Iterator[tuple[Row, Publishable]]:
    """Of these, the other ones that were parked for the same reason and type as the first and need the same change."""
    kind = type_of(first.fields)
    for row in rows:
        if row.entry_id == first.entry_id or row.code != first.code or row.mark is not None:
            continue
        if type_of(row.fields) == kind and (event := changed(change, row.fields)) is not None:
            yield row, event


def _members(fields: Fields) -> Mapping[str, Any]:
    members, data = members_of(fields), payload_of(fields)
    return {**members, **from_v0(members)} if data[:1] and data[0] in V0_FIRST_BYTES else members


def _step(before: Mapping[str, Any], name: str, value: Any) -> Step | None:
    """How a member came about: from the one of its name, else from the only other one that it can have come from."""
    wanted = name.replace("_", "")
    named = [source for source in before if source.replace("_", "").casefold() == wanted]
    for sources in ([name], named, list(before)):
        found = [
            Step(name, source, how)
            for source in sources
            if source in before
            for how in (_AS_IT_IS, _AS_NUMBER, _HUNDREDFOLD, _LINES)
            if _same(_done(how, before[source]), value) and (how != _HUNDREDFOLD or name in ("amount", "price"))
        ]
        if found and len({step.source for step in found}) == 1:
            return found[0]
        if found:
            return None
    return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _done(how: str, value: Any) -> Any:
    """What becomes of a value; None where that cannot be done to it."""
    if isinstance(value, bool) or value is None:
        return None
    if how == _AS_NUMBER:
        number = mended(value)
        return number if isinstance(number, int) else None
    if how == _HUNDREDFOLD:
        return _hundredfold(value)
    if how == _LINES:
        if not isinstance(value, list) or not all(isinstance(line, dict) for line in value):
            return None
        return [{"item_id": line.get("item_id"), "quantity": mended(line.get("quantity"))} for line in value]
    return value


def _hundredfold(value: Any) -> int | None:
    if not isinstance(value, int | float | str) or len(str(value)) > 40:
        return None
    try:
        cents = Decimal(str(value)) * 100
    except InvalidOperation:
        return None
    return int(cents) if cents.is_finite() and cents == cents.to_integral_value() else None
