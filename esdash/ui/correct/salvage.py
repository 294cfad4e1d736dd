"""What is certain of an entry that cannot be understood, to begin a corrected event with. No textual.

A type that is no event of the domain is for a person to choose, and so is every value whose meaning is not certain: a
number of another schema may be in another unit, a member of another name may be another thing. Only the names of rows
mean the same in every schema.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from esdash import exact
from esdash.domain import EventType
from esdash.engine.shown.row import Row
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.folding import Fold
from esdash.fold.outcomes import INVALID_DATA, TOO_LARGE
from esdash.fold.schema import Field
from esdash.fold.sorting import MAX_DATA, MESSAGEPACK, Fields
from esdash.ui.correct.mending import as_typed, certain, plain_name
from esdash.ui.declared import model_of
from esdash.ui.forms.json_text import escape_json
from esdash.visible import visible
from esdash.words.entries import payload_of, type_of

MOST_TEXT: Final = 4_000
"""Characters of broken text that are searched, and of JSON that is offered for editing."""

_COMPLETE: Final = re.compile(
    r'"(?P<name>(?:[^"\\]|\\.)*+)"\s*+:\s*+'
    r'(?P<value>"(?:[^"\\]|\\.)*+"|-?\d++(?:\.\d++)?|true|false)\s*+[,}]'
)
"""A member in broken JSON that is itself whole."""
_FLAT: Final = re.compile(r"\s*\{[^{\[]*")
"""The beginning of an object, before anything inside it that has members of its own."""


class Salvaged(NamedTuple):
    """What is certain of an entry."""

    type: EventType | None
    """None where its type is no event that can be published."""
    members: Mapping[str, Any]
    """By the names of the type's members. Values may still be out of bounds."""


def members_of(fold: Fold, fields: Fields) -> Mapping[str, Any]:
    """The members of its payload by their own names, as far as they can be read."""
    members = {str(name): value for name, value in _read(payload_of(fold, fields)).items()}
    unreadable = _no_texts(fold, fields)
    return {name: value for name, value in members.items() if name not in unreadable}


def _no_texts(fold: Fold, fields: Fields) -> list[str]:
    """The members that are fields themselves and no UTF-8: their text as JSON is another one."""
    found = []
    for name, value in dict(zip(fields[::2], fields[1::2], strict=True)).items() if fold.lenient else ():
        try:
            value.decode()
        except UnicodeDecodeError:
            found.append(name.decode("utf-8", "backslashreplace"))
    return found


def is_packed(fold: Fold, fields: Fields) -> bool:
    """Whether its payload is MessagePack by its first byte."""
    data = payload_of(fold, fields)
    return data[:1] != b"" and data[0] in MESSAGEPACK


def named_type(fold: Fold, fields: Fields) -> EventType | None:
    """The event type that an entry names, of whatever version; of an older one that which it becomes."""
    name = type_of(fold, fields)
    for each in fold.publishable:
        if each.wire_name == name:
            return each
    event = _translated(fold, fields)
    return None if event is None else fold.type_of(event)


def certain_type(fold: Fold, fields: Fields) -> EventType | None:
    """The same, but None, too, where the entry is of a version that is not the type's."""
    found = named_type(fold, fields)
    return found if found is not None and fold.sorter.version_of(fields) in (b"", found.v.encode()) else None


def likely_type(fold: Fold, fields: Fields) -> EventType | None:
    """The type that an entry may have been meant to be: by its name in any case, else by its members; None for none."""
    named = named_type(fold, fields)
    if named is not None:
        return named
    name = plain_name(type_of(fold, fields))
    for each in fold.publishable:
        if name and plain_name(each.wire_name) == name:
            return each
    there = {plain_name(member) for member in members_of(fold, fields)}
    found = sorted(
        ((_fit(fold, each, there), each) for each in fold.publishable), key=lambda pair: pair[0], reverse=True
    )
    if not found or found[0][0] <= (0, 0) or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]


def is_of_same_schema(fold: Fold, fields: Fields, event_type: EventType) -> bool:
    """Whether its members mean what the type says: it has the type's name and version, and is no MessagePack."""
    if type_of(fold, fields) != event_type.wire_name or is_packed(fold, fields):
        return False
    return fold.sorter.version_of(fields) in (b"", event_type.v.encode())


def salvage(fold: Fold, fields: Fields, chosen: EventType | None = None) -> Salvaged:
    """What is certain, for the event that its type names, else for the one that a person has chosen."""
    event_type = named_type(fold, fields) or chosen
    if event_type is None:
        return Salvaged(None, {})
    event = _translated(fold, fields)
    if event is not None and fold.type_of(event) is event_type:
        return Salvaged(event_type, msgspec.json.decode(fold.encode(event)[1]))
    same = is_of_same_schema(fold, fields, event_type)
    members = members_of(fold, fields)
    by_name: dict[str, Any] = {}
    for name, value in members.items():
        plain = plain_name(name)
        by_name[plain] = value if by_name.get(plain, value) == value else None
    found: dict[str, Any] = {}
    for field in model_of(fold, event_type).fields:
        value = members.get(field.member) if same else None
        if field.about and value is None:
            value = by_name.get(plain_name(field.member))
        if value is not None:
            value = certain(field, value, lenient=fold.lenient)
        if value is not None:
            found[field.member] = value
    return Salvaged(event_type, found)


def texts_of(fold: Fold, remains: Salvaged) -> dict[str, str]:
    """What to type into the fields of the form for its type, by their names."""
    if remains.type is None:
        return {}
    texts = {
        field.name: as_typed(field, remains.members[field.member])
        for field in model_of(fold, remains.type).fields
        if field.member in remains.members
    }
    # Half of a text would be another one.
    return {name: text for name, text in texts.items() if len(text) <= MOST_TEXT}


def said_of(fold: Fold, fields: Fields, event_type: EventType) -> set[str]:
    """The fields of a type, by their names, of which an entry says something, be it what it may."""
    said = [name for name, value in members_of(fold, fields).items() if value is not None]
    there = set(map(plain_name, [*said, *_no_texts(fold, fields)]))
    return {field.name for field in model_of(fold, event_type).fields if plain_name(field.member) in there}


def as_json(fold: Fold, fields: Fields) -> str:
    """The payload as JSON text to edit on one line: itself where it is JSON, else what was salvaged of it."""
    data = payload_of(fold, fields)
    if 0 < len(data) <= MOST_TEXT and data[0] not in MESSAGEPACK and not _no_texts(fold, fields):
        try:
            msgspec.json.decode(data, type=msgspec.Raw)
            return escape_json(data.decode())
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            pass
    remains = salvage(fold, fields)
    required: tuple[Field, ...] = () if remains.type is None else model_of(fold, remains.type).fields
    empty = {field.member: None for field in required if field.required}
    try:
        text = msgspec.json.encode({**empty, **remains.members}).decode()
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        text = msgspec.json.encode(empty).decode()
    return escape_json(text if len(text) <= MOST_TEXT else "{}")


def objection(fold: Fold, row: Row, size: int) -> str:
    """What exactly is wrong with an entry's payload, as far as can be told; empty when it can be read.

    `size` is that of the payload in the log.
    """
    read = fold.read(row.fields)
    if read.event is not None:
        return ""
    if size > MAX_DATA and (row.code in (None, TOO_LARGE) or not fold.sorter.title):
        return f"{size:,} bytes; at most {MAX_DATA:,} are read"
    if row.mark is not None or read.code != INVALID_DATA:
        return ""
    if fold.sorter.title and fold.sorter.envelope(row.fields) is None:
        return f"it cannot be opened: {fold.sorter.title} writes nothing like it"
    if read.type is None:
        return "its key is empty or longer than 128 bytes, or its values are nested too deeply"
    if unreadable := _no_texts(fold, row.fields):
        return f"{visible(unreadable[0], 40)} is not UTF-8"
    old, why = fold.decode(read.type, payload_of(fold, row.fields))
    if old is not None and read.type.upcast is not None:
        why = str(getattr(fold.reader.upcast(read.type, old), "error", why))
    return visible(why, 300)


def _fit(fold: Fold, event_type: EventType, there: set[str]) -> tuple[int, int]:
    """How well members fit a type: those that it requires, less those that are missing; then all that it knows."""
    fields = model_of(fold, event_type).fields
    required = {plain_name(field.member) for field in fields if field.required}
    known = {plain_name(field.member) for field in fields}
    return len(required & there) - len(required - there), len(known & there)


def _translated(fold: Fold, fields: Fields) -> Any:
    """What an older schema's own `upcast` makes of an entry that is right but for texts for numbers; else None."""
    name, packed, version = type_of(fold, fields), is_packed(fold, fields), fold.sorter.version_of(fields)
    for each in fold.domain.events:
        of_it = each.wire_name == name and version in (b"", each.v.encode())
        if each.upcast is None or not of_it or (each.encoding == "msgpack") is not packed:
            continue
        try:
            old: Any = msgspec.convert(members_of(fold, fields), each.model, strict=False)
            event = fold.reader.upcast(each, old)
            fold.encode(event)
        except FAILURES as error:  # whatever a function of the domain raises: nothing is certain then
            raise_signals(error)
            continue
        return event
    return None


def _read(data: bytes) -> dict[Any, Any]:
    try:
        if data[:1] and data[0] in MESSAGEPACK:
            value = msgspec.msgpack.decode(data[:MAX_DATA])
        else:
            value = exact.read(data[: 16 * MAX_DATA])
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        # What is no UTF-8 can be no value then: a text with a � in place of it would be another one.
        return _read_broken(data[:MOST_TEXT].decode("utf-8", "surrogateescape"))
    return value if isinstance(value, dict) else {}


def _read_broken(text: str) -> dict[str, Any]:
    """The members of an object that are whole in text that is no JSON any more, and are said only once."""
    flat = _FLAT.match(text)
    if flat is None:
        return {}
    found: dict[str, set[str]] = {}
    inner: set[str] = set()
    for match in _COMPLETE.finditer(text):
        found.setdefault(match["name"], set()).add(match["value"])
        if match.end() > flat.end() + 1:
            inner.add(match["name"])
    members: dict[str, Any] = {}
    for name, values in found.items():
        if len(values) == 1 and name not in inner:
            try:
                members[name] = exact.read(values.pop())
            except (msgspec.MsgspecError, ValueError):
                continue
    return members
