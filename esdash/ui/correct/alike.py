"""Correcting several parked entries in one go: what a person changed about one, done to others that need the same.

A change is taken from what a person published, never made up: where each value came from and what was done to it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from esdash import exact
from esdash.domain import EventType
from esdash.engine.shown.row import Row
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.folding import Fold
from esdash.fold.schema import Field
from esdash.fold.sorting import Fields
from esdash.ui.correct.mending import certain, is_whole, mended, plain_name
from esdash.ui.correct.salvage import members_of
from esdash.words.entries import payload_of, type_of

_AS_IT_IS: Final = "as it is"
_MENDED: Final = "as the schema has it"
_AS_WRITTEN: Final = "as people write it"
"""A number in the units that people write is made one in those of the log."""


class Step(NamedTuple):
    """Where one member of the corrected event comes from."""

    name: str
    source: str
    """The member of the parked entry."""
    how: str


class Change(NamedTuple):
    """What makes a corrected event of a parked entry."""

    type: EventType
    steps: tuple[Step, ...]
    payload: bytes | None
    """Only for entries with exactly this payload, since a person made up a value for it; None: for others, too."""
    event: Any
    """What was published for the first one."""


def change_of(fold: Fold, fields: Fields, event: Any) -> Change:
    """What a person did to an entry to make the event of it."""
    before = members_of(fold, fields)
    known = _fields(fold, event)
    steps: list[Step] = []
    made_up = False
    for name, value in msgspec.json.decode(fold.encode(event)[1]).items():
        step = _step(known[name], before, value) if name in known else None
        if step is None:
            made_up = True
        else:
            steps.append(step)
    payload = payload_of(fold, fields) if made_up or not steps else None
    return Change(fold.type_of(event), tuple(steps), payload, event)


def changed(fold: Fold, change: Change, fields: Fields) -> Any:
    """The event that the same change makes of another entry; None where it cannot be done."""
    if change.payload is not None:
        return change.event if payload_of(fold, fields) == change.payload else None
    before = members_of(fold, fields)
    known = _fields(fold, change.event)
    after: dict[str, Any] = {}
    for name, source, how in change.steps:
        if source not in before or (value := _done(known[name], how, before[source])) is None:
            return None
        after[name] = value
    if any(name in before and name not in after for name in known):
        return None
    try:
        payload = exact.write(after)
    except (TypeError, ValueError):
        return None
    return fold.made(change.type, payload)[0]


def alike(fold: Fold, change: Change, first: Row, others: Sequence[Row]) -> Iterator[tuple[Row, Any]]:
    """Those with the reason and type of the first that the change makes an event of, and the event."""
    kind = type_of(fold, first.fields)
    for row in others:
        same = row.entry_id != first.entry_id and row.mark is None and row.code == first.code
        if same and type_of(fold, row.fields) == kind:
            event = changed(fold, change, row.fields)
            if event is not None:
                yield row, event


def _fields(fold: Fold, event: Any) -> dict[str, Field]:
    return {field.member: field for field in fold.model(event).fields}


def _step(field: Field, before: Mapping[str, Any], value: Any) -> Step | None:
    """How a member came about: from the one of its name, else from the only other one that it can have come from."""
    named = [source for source in before if plain_name(source) == plain_name(field.member)]
    for sources in ([field.member], named, list(before)):
        found = [
            Step(field.member, source, how)
            for source in sources
            if source in before
            for how in (_AS_IT_IS, _MENDED, _AS_WRITTEN)
            if _same(_done(field, how, before[source]), value)
        ]
        if found and len({step.source for step in found}) == 1:
            return found[0]
        if found:
            return None
    return None


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _done(field: Field, how: str, value: Any) -> Any:
    """What becomes of a value; None where that cannot be done to it."""
    if value is None:
        return None
    if how == _AS_WRITTEN:
        return _as_written(field, value)
    if how == _MENDED:
        return certain(field, mended(value) if field.kind == "int" else value)
    return value


def _as_written(field: Field, value: Any) -> int | None:
    told = str(value)
    if field.kind != "int" or is_whole(field) or isinstance(value, bool | list | dict) or len(told) > 40:
        return None
    try:
        read = field.shown.read(told)
    except FAILURES as error:  # whatever a format of the domain raises
        raise_signals(error)
        return None
    return read if type(read) is int else None
