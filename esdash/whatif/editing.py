"""Edits from what a person types."""

from collections.abc import Mapping

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
    name = type_of(fold, fields)
    event = fold.read(fields).event
    if event is None:
        raise ValueError("it cannot be understood, so nothing in it can be changed: leave it out, and insert another")
    if fold.type_of(event) not in fold.publishable:
        raise ValueError(f"{name} is an older schema that nobody writes any more: leave it out, and insert another")
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
    _, __, key = fold.sorter.open(fields)
    return _entry(fold, event, key)


def _set(said: dict[str, object], field: Field, text: str) -> None:
    if text == "" and not field.required:
        said.pop(field.member, None)
    else:
        said[field.member] = read_value(field, text)


def _entry(fold: Fold, event: object, key: bytes | None) -> Fields:
    fields = fold.fields(*fold.encode(event), key or b"")
    return fields if key is not None or not fold.domain.wire.key else fields[:-2]


def _kebab(name: str) -> str:
    return name.strip("_").replace("_", "-")
