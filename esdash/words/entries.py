"""What one entry says, told for people. The text comes from the stream and is not made harmless here."""

from typing import Any, Final

from esdash.domain import Format
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.folding import EXCERPT, Fold
from esdash.fold.schema import Field
from esdash.fold.sorting import Fields

SEPARATOR: Final = " · "

GONE: Final = "gone from the stream: trimmed or deleted"
"""What is said of an entry that can be read no more."""


def type_of(fold: Fold, fields: Fields) -> str:
    """The entry's type as text, bytes that are not UTF-8 escaped; empty when it has none."""
    return fold.sorter.type_of(fields)


def payload_of(fold: Fold, fields: Fields) -> bytes:
    """The entry's payload; empty when it has none. Fields that are members themselves as JSON."""
    return fold.sorter.payload_of(fields)


def describe(fold: Fold, fields: Fields) -> str:
    """One line about an entry: what its event says, or the beginning of a payload that cannot be understood; of one
    without fields that it can be read no more."""
    if not fields:
        return GONE
    event = fold.read(fields).event
    if event is None:
        return payload_of(fold, fields)[:EXCERPT].decode("utf-8", "backslashreplace")
    return describe_event(fold, event)


def describe_event(fold: Fold, event: Any) -> str:
    """One line about an event: what the domain says of it, else its fields: `account A · amount 12.34`."""
    if fold.domain.describe is not None:
        try:
            told = fold.domain.describe(event)
        except FAILURES as error:  # the default serves then, as the design says
            raise_signals(error)
            told = None
        if isinstance(told, str):
            return told
    return _fields(fold.model(event).fields, event)


def _fields(fields: tuple[Field, ...], event: Any) -> str:
    told = [
        f"{words(field.name)} {_value(field, value)}"
        for field in fields
        if (value := getattr(event, field.name)) is not None
    ]
    return SEPARATOR.join(told)


def _value(field: Field, value: Any) -> str:
    if value is None or (field.kind == "list" and not value):
        return "–"
    if field.kind == "list" and field.element is not None:
        element = field.element
        return ", ".join(_value(element, each) for each in value[:10]) + (
            f" and {len(value) - 10} more" if len(value) > 10 else ""
        )
    if field.kind == "record" and field.record is not None:
        return " ".join(_value(each, getattr(value, each.name)) for each in field.record.fields)
    return write(field.shown, getattr(value, "value", value) if field.kind == "choice" else value)


def write(shown: Format, value: Any) -> str:
    """A value as people read it; a format of the domain that fails is told by the value itself."""
    if value is None:
        return "–"
    try:
        return str(shown.write(value))
    except FAILURES as error:  # whatever a domain's own function raises
        raise_signals(error)
        return str(value)


def words(name: str) -> str:
    """A name as people read it: `user_id` → `user id`."""
    return name.replace("_", " ").strip()
