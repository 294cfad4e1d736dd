"""Values of a broken payload, made what the schema wants where that is certain. No textual."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from esdash import exact
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.schema import Field
from esdash.ui.forms.json_text import escape_json
from esdash.visible import visible
from esdash.words.typed import choice_of, pair_of, write_pair_name, write_value

_WHOLE: Final = re.compile(r"-?\d{1,19}", re.ASCII)


def plain_name(name: str) -> str:
    """A name without what its writers differ in: `AccountID`, `account_id` and `accountId` are one."""
    return re.sub(r"[\W_]", "", name).casefold()


def certain(field: Field, value: Any, *, lenient: bool = False) -> Any:
    """The value as the schema has it, or None when it may mean several things.

    It may still be out of bounds. `lenient`: every value is a text that stands for what the field wants.
    """
    if lenient and isinstance(value, str):
        value = _from_text(field, value)
    if field.kind == "int":
        # Text, or a number with a fraction, may be in the units of people or in those of the log.
        value = mended(value) if is_whole(field) or lenient else value
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if field.kind == "str":
        return value if isinstance(value, str) else None
    if field.kind == "time":
        return value if isinstance(value, str) and not _is_without_zone(value) else None
    if field.kind == "bool":
        return value if isinstance(value, bool) else None
    if field.kind == "decimal":
        number = not isinstance(value, bool) and isinstance(value, int | float | Decimal)
        return str(value) if number or isinstance(value, str) else None
    if field.kind == "choice":
        return choice_of(field, str(value))
    if field.kind == "record":
        return _record(field, value)
    return _list(field, value)


def mended(value: Any) -> Any:
    """A number that was written as text or as 5.0 becomes that number."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < 2**53 and value == value.to_integral_value():
        return int(value)
    return value


def is_whole(field: Field) -> bool:
    """Whether people write a number of this field as it is in the log."""
    try:
        return bool(field.shown.editable(1) == "1")
    except FAILURES as error:  # whatever a format of the domain raises
        raise_signals(error)
        return False


def as_typed(field: Field, value: Any) -> str:
    """What to type for a value that may be out of bounds."""
    pair = pair_of(field)
    try:
        if pair is not None and isinstance(value, list):
            return " ".join(_pair(pair, each) for each in value)
        if field.kind in ("list", "record"):
            return escape_json(exact.write(value).decode())
        return write_value(field, value)
    except FAILURES as error:  # whatever a format of the domain makes of what is out of bounds
        raise_signals(error)
        return visible(str(value), 64)


def _pair(fields: tuple[Field, Field], record: Mapping[str, Any]) -> str:
    first, second = ("" if (value := record.get(field.member)) is None else as_typed(field, value) for field in fields)
    return f"{write_pair_name(first)}:{second}"


def _record(field: Field, value: Any) -> Any:
    """A record with what is certain of it; None for what is none."""
    if field.record is None or not isinstance(value, dict):
        return None
    return {each.member: certain(each, value.get(each.member)) for each in field.record.fields if each.member in value}


def _list(field: Field, value: Any) -> Any:
    """A list of which every element is certain; some of a list would be another one."""
    element, most = field.element, field.bound("max_length")
    if element is None or not isinstance(value, list) or (most is not None and len(value) > most):
        return None
    found = [certain(element, each) for each in value]
    return None if None in found else found


def _is_without_zone(text: str) -> bool:
    """Whether it is a time, but of no zone: it means another moment for each who reads it."""
    try:
        return datetime.fromisoformat(text.strip()).tzinfo is None
    except ValueError:
        return False


def _from_text(field: Field, text: str) -> Any:
    if field.kind == "bool":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.casefold())
    if field.kind in ("record", "list"):
        try:
            return exact.read(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
    return text
