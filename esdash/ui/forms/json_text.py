r"""JSON as a person types it on one line: harmless to show, and what it looks like for a field. No textual."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from esdash.domain import COUNT, PLAIN
from esdash.fold.schema import Field, Model
from esdash.visible import shown_each
from esdash.words.entries import write

NUMBER: Final = 1234
"""The number that shows how one is written."""

_EXAMPLES: Final = {"int": 1, "str": "text", "bool": True, "decimal": "12.34", "time": "2026-11-23T14:03:05Z"}


def escape_json(text: str) -> str:
    r"""JSON text with nothing in it that a terminal obeys or hides: such characters become `\u200b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text, shown_each(text)))


def _escaped(char: str, shown: str) -> str:
    if char in "\t\n\r":
        return " "
    if shown == char:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def example_of(model: Model) -> str:
    """What the data of an event looks like: its required members, with values that say of what kind they are."""
    return msgspec.json.encode(_record(model)).decode()


def shape_of(model: Model) -> str:
    """The same for a person, who is told what numbers mean: `{"amount":1234}: amount 1234 is 12.34`."""
    units = [f"{field.member} {NUMBER} is {write(field.shown, NUMBER)}" for field in _scaled(model)]
    return example_of(model) + (f": {', '.join(units[:3])}" if units else "")


def example_of_field(field: Field) -> str:
    """The same for one field."""
    return msgspec.json.encode(_value(field)).decode()


def _record(model: Model) -> dict[str, Any]:
    return {field.member: _value(field) for field in model.fields if field.required}


def _value(field: Field) -> Any:
    if field.kind == "list" and field.element is not None:
        return [_value(field.element)]
    if field.kind == "record" and field.record is not None:
        return _record(field.record)
    if field.kind == "choice":
        return field.choices[0]
    return NUMBER if _is_scaled(field) else _EXAMPLES[field.kind]


def _scaled(model: Model) -> Iterator[Field]:
    """Fields whose numbers people write otherwise than the log."""
    for field in model.fields:
        inner = field.element or field
        if inner.record is not None:
            yield from _scaled(inner.record)
        elif _is_scaled(field):
            yield field


def _is_scaled(field: Field) -> bool:
    return field.kind == "int" and field.shown not in (PLAIN, COUNT)
