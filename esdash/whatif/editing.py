"""Edits from what a person types."""

from collections.abc import Mapping
from typing import Any

import msgspec

from esdash.fold.folding import Fold
from esdash.fold.schema import Field
from esdash.fold.sorting import Fields
from esdash.words.entries import type_of
from esdash.words.typed import make_event, read_value


def changed(fold: Fold, fields: Fields, members: Mapping[str, str]) -> Fields:
    """An entry whose event has other members: by the name of each what was typed for it, empty for nothing.

    It keeps its key. Raises ValueError with a sentence.
    """
    event = event_of(fold, fields)
    model = fold.model(event)
    there = {each: field for field in model.fields for each in (field.name, field.member, _kebab(field.name))}
    _, data = fold.encode(event)
    said = msgspec.json.decode(data, type=dict[str, object])
    for typed, text in members.items():
        field = there.get(typed)
        if field is None:
            names = ", ".join(field.member for field in model.fields)
            raise ValueError(f"{fold.type_of(event).wire_name} has no {typed!r}; it has {names}")
        _set(said, field, text)
    event = make_event(fold, fold.type_of(event), said)
    return rewritten(fold, fields, *fold.encode(event))


def rewritten(fold: Fold, fields: Fields, name: str, data: bytes) -> Fields:
    """An entry with another type and payload. It keeps its key, or has none."""
    _, __, key = fold.sorter.open(fields)
    return fold.fields(name, data, key)


def event_of(fold: Fold, fields: Fields) -> Any:
    """The event of an entry, where another one can be written in its place. Raises ValueError with a sentence."""
    event = fold.read(fields).event
    if event is None:
        raise ValueError("it cannot be understood, so nothing in it can be changed: leave it out, and insert another")
    if fold.objection:
        raise ValueError(fold.objection)
    if fold.type_of(event) not in fold.publishable:
        name = type_of(fold, fields)
        raise ValueError(f"{name} is an older schema that nobody writes any more: leave it out, and insert another")
    return event


def _set(said: dict[str, object], field: Field, text: str) -> None:
    if text == "" and not field.required:
        said.pop(field.member, None)
    else:
        said[field.member] = read_value(field, text)


def _kebab(name: str) -> str:
    return name.strip("_").replace("_", "-")
