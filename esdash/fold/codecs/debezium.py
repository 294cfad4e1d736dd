"""Changes of a database, as Debezium Server sends them to Redis.

After `RedisStreamChangeConsumer` of debezium/debezium-server: fields `key` and `value`, and headers in capitals
(extended), or one field whose name is the key and whose value is the value (compact). Both are JSON, with
`{"schema", "payload"}` around them unless schemas are off. Where there is no value, after a deletion, it is `default`.

The type is the table's name, for a change is read best by one function of `op`, `before` and `after`. What is no change
of a row is `tombstone`, `transaction`, `schema_change` or `message`. A row alone (Debezium's ExtractNewRecordState) is
of the type that its `__table` says.
"""

from typing import Any, Final

import msgspec

from esdash.fold.codecs.opening import Headers, Members, Opened, UnreadableError, object_of, text_of
from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD

TABLE: Final = b"table"
OP: Final = b"op"
KEY: Final = b"key"

SIGNS: Final = (b"ts_ms", b"__table", b"default")
"""Bytes of which an entry that is recognised holds some."""

_VALUE: Final = b"value"
_NOTHING: Final = frozenset((b"default", b"null", b""))
"""What takes the place of a key or a value that is not there."""

_TOMBSTONE: Final = b"tombstone"


def recognised(members: Members) -> bool:
    """Whether an entry is surely of Debezium: its field names are not rare."""
    found = _key_and_value(members)
    if found is None:
        return False
    key, value = found
    if value == b"default":
        return key[:1] == b"{"
    if value[:1] != b"{" or not (b'"ts_ms"' in value or b'"__table"' in value):
        return False
    try:
        return TABLE in opened(members).headers
    except UnreadableError:
        return False


def opened(members: Members) -> Opened:
    """What is known of a change, and the change itself. Raises UnreadableError."""
    found = _key_and_value(members)
    if found is None:
        raise UnreadableError(MISSING_FIELD)
    key, value = found
    headers = {name: text for name, text in members.items() if name not in (KEY, _VALUE)} if _VALUE in members else {}
    if key not in _NOTHING:
        headers[KEY] = _inner(key) if key[:1] == b"{" else key
    data = b"null" if value in _NOTHING else _inner(value)
    if data == b"null":
        headers[TABLE] = _TOMBSTONE
        return Opened(headers, b'{"key":' + _as_json(headers.get(KEY, b"null")) + b"}")
    event = object_of(data)
    if "op" in event:
        headers[OP] = text_of(event["op"])
        source = object_of(bytes(event.get("source", b"{}")))
        for name in ("db", "schema", "table", "collection"):
            if text := text_of(source.get(name, b"null")):
                headers[TABLE if name == "collection" else name.encode()] = text
        if headers[OP] == b"m":
            headers.setdefault(TABLE, b"message")
    elif "ddl" in event:
        headers[TABLE] = b"schema_change"
    elif "status" in event and "event_count" in event:
        headers[TABLE] = b"transaction"
    else:
        for name in ("__op", "__table"):
            if text := text_of(event.get(name, b"null")):
                headers[name.removeprefix("__").encode()] = text
    return Opened(headers, data)


def written(name: str, headers: Headers, data: bytes) -> list[bytes]:
    """The entry of a change, as far as esdash must read one that it made up: a database decides what changes."""
    try:
        event: Any = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return [KEY, b"default", _VALUE, data]
    if TABLE in headers:
        event = {"op": "c"} | event | {"source": {"table": name}}
    return [KEY, b"default", _VALUE, msgspec.json.encode(event)]


def told(opened: Opened) -> list[tuple[bytes, bytes]]:
    """What happened, then to which row, then the rest."""
    headers = dict(opened.headers)
    headers.pop(TABLE, None)
    members = object_of(opened.data)
    if "op" not in members:
        return [(b"value", opened.data), *headers.items()]
    of_row = ("before", "after", "message", "ts_ms")
    rows = [(name.encode(), bytes(members[name])) for name in of_row if name in members]
    return [(OP, headers.pop(OP)), *rows, *headers.items()]


def _key_and_value(members: Members) -> tuple[bytes, bytes] | None:
    if _VALUE in members:
        return members.get(KEY, b""), members[_VALUE]
    if len(members) == 1:
        ((key, value),) = members.items()
        return key, value
    return None


def _inner(value: bytes) -> bytes:
    """JSON without its schema."""
    if value[:1] != b"{":
        raise UnreadableError(INVALID_DATA)
    members = object_of(value)
    return bytes(members["payload"]) if members.keys() == {"schema", "payload"} else value


def _as_json(text: bytes) -> bytes:
    return text if text[:1] == b"{" or text == b"null" else msgspec.json.encode(text.decode("utf-8", "replace"))
