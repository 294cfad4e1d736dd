"""CloudEvents, in the forms in which they come through a stream.

Structured: one field is the event as JSON, whatever the field is called (`data` with Dapr, which may add `metadata`).
Flat: attributes are fields, `ce_id` or `ce-id` as in the bindings to Kafka and HTTP, or `id`; one field is the data.
"""

import binascii
from typing import Final

import msgspec

from esdash.fold.codecs.opening import Headers, Members, Names, Opened, UnreadableError, object_of, read_json, text_of
from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD
from esdash.fold.sorting import MESSAGEPACK

SOURCE: Final = b"esdash"
"""The source of what is published here: the key is its id alone, for it may be that of an event of another source."""

_SPECVERSION: Final = b"specversion"

QUOTED: Final = b'"specversion"'
"""What a structured event holds."""

_PREFIXES: Final = (b"ce_", b"ce-", b"")
SIGNS: Final = tuple(prefix + _SPECVERSION for prefix in _PREFIXES)
"""Fields of which a flat event has one."""
_PAYLOADS: Final = (b"data", b"event_data", b"value", b"payload", b"body")
"""Fields that hold the data of a flat event, the first of these that there is."""
_NOTHING: Final = msgspec.Raw()
_RECOGNISED_BY: Final = frozenset((_SPECVERSION, b"type"))
_SORTED_BY: Final = frozenset((b"id", b"source", b"type", b""))


class _Event(msgspec.Struct, gc=False):
    """What most pages are sorted by."""

    id: str
    source: str
    type: str
    data: msgspec.Raw = _NOTHING
    data_base64: str | None = None


_EVENT: Final = msgspec.json.Decoder(_Event)


def recognised(members: Members) -> bool:
    """Whether an entry is surely an event."""
    if _prefix(members) is None and _structured(members) is None:
        return False
    try:
        headers = opened(members, _RECOGNISED_BY).headers
    except UnreadableError:
        return False
    return _SPECVERSION in headers and b"type" in headers


def opened(members: Members, names: Names = None) -> Opened:
    """Attributes and data; of an event without data it is `{}`. Raises UnreadableError."""
    field = _structured(members)
    if field is None:
        return _flat(members)
    if names is not None and names <= _SORTED_BY and (found := _quickly(members[field])) is not None:
        return found
    headers: Headers = {}
    data = b"{}"
    for name, value in object_of(members[field]).items():
        if name == "data":
            data = text_of(value) or b"{}"
        elif name == "data_base64":
            data = _unpacked(text_of(value))
        elif names is None or name.encode() in names:
            headers[name.encode()] = text_of(value)
    for other in members:
        if other != field:
            headers.setdefault(other, members[other])
    return Opened(headers, data)


def key(headers: Headers, name: bytes) -> bytes | None:
    """Source and id, which together are an event's identity; or another attribute."""
    value = headers.get(name)
    if name != b"id" or not value:
        return value
    source = headers.get(b"source", b"")
    return value if source in (b"", SOURCE) else source + b" " + value


def written(name: str, headers: Headers, data: bytes) -> list[bytes]:
    """The entry of an event, structured, in the field where Dapr has it."""
    event: dict[str, object] = {"specversion": "1.0", "type": name, "source": SOURCE.decode()}
    event |= {_text(each): _text(value) for each, value in headers.items()}
    if data[:1] and data[0] in MESSAGEPACK:
        event["datacontenttype"] = "application/msgpack"
        event["data_base64"] = binascii.b2a_base64(data, newline=False).decode()
    else:
        event["datacontenttype"] = "application/json"
        event["data"] = msgspec.Raw(data)
    return [b"data", msgspec.json.encode(event)]


def _quickly(value: bytes) -> Opened | None:
    """A structured event of which only the usual is asked for, and that holds nothing unusual; None for any other."""
    try:
        event = read_json(_EVENT, value)
        data = bytes(event.data)
        if data[:1] != b"{" or event.data_base64 is not None:
            return None
        return Opened({b"id": event.id.encode(), b"source": event.source.encode(), b"type": event.type.encode()}, data)
    except (UnreadableError, UnicodeError):
        return None


def _structured(members: Members) -> bytes | None:
    """The field that is an event."""
    value = members.get(b"data", b"")
    if value[:1] == b"{" and QUOTED in value:
        return b"data"
    for name in (b"data", *members):
        value = members.get(name, b"")
        if QUOTED in value and value[:100].lstrip()[:1] == b"{":
            return name
    return None


def _prefix(members: Members) -> bytes | None:
    """That of a flat event's attributes."""
    return next((prefix for prefix, sign in zip(_PREFIXES, SIGNS, strict=True) if sign in members), None)


def _flat(members: Members) -> Opened:
    prefix = _prefix(members)
    if prefix is None:
        raise UnreadableError(MISSING_FIELD)
    headers: Headers = {}
    payload = next((name for name in _PAYLOADS if name in members), None)
    for name, value in members.items():
        if name != payload:
            headers[name.removeprefix(prefix)] = value
    return Opened(headers, b"{}" if payload is None else members[payload])


def _unpacked(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        raise UnreadableError(INVALID_DATA) from None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
