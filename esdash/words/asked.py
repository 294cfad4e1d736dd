"""What a domain's names mean to `query`: its tables, types, fields, and how people write their values."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from esdash.domain import TIME, Column
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.folding import Fold
from esdash.fold.schema import Field, Model
from esdash.query.places import PlaceError, read_time
from esdash.query.schema import ColumnOf, FieldOf, Read, Schema, TableOf, TypeOf, Values
from esdash.words.entries import words
from esdash.words.typed import read_value

_GROUPED: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)


def schema_of(fold: Fold, saved: Mapping[str, str] | None = None) -> Schema:
    """What can be asked for in a domain; `saved` are a person's questions by their names."""
    tables = [table for table, _ in fold.storage.places.values()]
    types = [
        (event_type, model)
        for event_type, model in zip(fold.domain.events, fold.models, strict=True)
        if event_type.apply is not None
    ]
    return Schema(
        tables=tuple(
            TableOf(
                table.name, table.one, table.key, tuple(ColumnOf(each.name, _of_column(each)) for each in table.columns)
            )
            for table in tables
        ),
        types=tuple(TypeOf(each.wire_name, model.type, tuple(_fields(model, (), ()))) for each, model in types),
        # A domain that only looks takes the types as they come.
        known_types=() if fold.readonly else tuple(dict.fromkeys(each.wire_name for each in fold.domain.events)),
        outcomes=tuple(dict.fromkeys(outcome.name for outcome in fold.outcomes)),
        reasons=tuple(dict.fromkeys(outcome.reason for outcome in fold.outcomes if outcome.reason is not None)),
        saved={} if saved is None else saved,
    )


def _fields(model: Model, path: tuple[str, ...], members: tuple[str, ...]) -> Iterator[FieldOf]:
    """The fields of a model, those within it as well."""
    for field in model.fields:
        inner = field
        while inner.element is not None:
            inner = replace(inner.element, name=field.name, member=field.member)
        here, there = (*path, field.name), (*members, field.member)
        if inner.record is not None:
            names = tuple(each.name for each in inner.record.fields)
            yield FieldOf(here, there, Values("record", _no_value, names))
            yield from _fields(inner.record, here, there)
        else:
            yield FieldOf(here, there, _of_field(inner))


def _of_column(column: Column) -> Values:
    kind = {int: "int", str: "str", bool: "bool"}[column.kind]
    return _of_field(Field(column.name, column.name, kind, shown=column.shown))


def _of_field(field: Field) -> Values:
    # The bounds of an event are none of a question: whoever asks for less than the least may do so.
    bare = replace(field, meta=(), about="")
    if field.kind == "str":
        return Values("str", _text(bare))
    if field.kind == "time" or (field.kind == "int" and field.shown == TIME):
        return Values("time", _time(bare))
    if field.kind == "decimal":
        return Values("decimal", _decimal(bare))
    if field.kind == "choice":
        choices = tuple(map(str, field.choices))
        if all(type(choice) is int for choice in field.choices):
            return Values("int", _one(replace(bare, kind="int")), choices)
        return Values("choice", _one(bare), choices)
    if field.kind == "bool":
        return Values("bool", _truth(bare), ("yes", "no"))
    return Values(field.kind, _one(bare))


def _no_value(_: str, __: float) -> tuple[Any, Any]:
    raise ValueError("it has no value of its own")


def _by_format(field: Field, text: str) -> Any:
    """What a format makes of a text; None where it makes nothing of it."""
    try:
        return field.shown.read(text)
    except FAILURES as error:  # whatever a format of the domain raises
        raise_signals(error)
        return None


def _text(field: Field) -> Read:
    def read(text: str, _: float) -> tuple[str, str]:
        value = _by_format(field, text)
        value = value if isinstance(value, str) else text
        return value, value

    return read


def _truth(field: Field) -> Read:
    def read(text: str, _: float) -> tuple[bool, bool]:
        value = _by_format(field, text)
        value = value if isinstance(value, bool) else bool(read_value(field, text))
        return value, value

    return read


def _one(field: Field) -> Read:
    def read(text: str, _: float) -> tuple[Any, Any]:
        value = read_value(field, text)
        return value, value

    return read


def _decimal(field: Field) -> Read:
    def read(text: str, _: float) -> tuple[Decimal, Decimal]:
        bare = text.replace(",", "") if _GROUPED.fullmatch(text.strip()) else text
        value = Decimal(read_value(field, bare))
        return value, value

    return read


def _time(field: Field) -> Read:
    def read(text: str, now: float) -> tuple[int, int]:
        try:
            return read_time(text, now)
        except PlaceError:
            pass
        if field.kind == "int":
            try:
                value = read_value(field, text)
            except ValueError:
                pass
            else:
                return value, value
        raise ValueError(f"{words(field.name)} is a time like 2026-11-23 14:03, 14:03 or -5m")

    return read
