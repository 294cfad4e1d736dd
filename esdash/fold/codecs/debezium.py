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

from esdash.fold.codecs.opening import Headers, Members, Names, Opened, UnreadableError, object_of, read_json
from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD

TABLE: Final = b"table"
OP: Final = b"op"
KEY: Final = b"key"

VALUE: Final = b"value"
_NOTHING: Final = frozenset((b"default", b"null", b""))
"""What takes the place of a key or a value that is not there."""

_TOMBSTONE: Final = b"tombstone"


class _Source(msgspec.Struct, gc=False):
    """Where a change happened."""

    db: str | None = None
    schema: str | None = None
    table: str | None = None
    collection: str | None = None
    """MongoDB's word for a table."""


class _Change(msgspec.Struct, gc=False):
    """What tells one kind of event from another."""

    op: str | None = None
    source: _Source | None = None
    ddl: str | None = None
    status: str | None = None
    event_count: int | msgspec.UnsetType | None = msgspec.UNSET
    row_op: str | None = msgspec.field(name="__op", default=None)
    row_table: str | None = msgspec.field(name="__table", default=None)


_CHANGE: Final = msgspec.json.Decoder(_Change)


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
        return TABLE in opened(members, frozenset((TABLE,))).headers
    except UnreadableError:
        return False


def opened(members: Members, names: Names = None) -> Opened:
    """What is known of a change, and the change itself. Raises UnreadableError."""
    found = _key_and_value(members)
    if found is None:
        raise UnreadableError(MISSING_FIELD)
    key, value = found
    headers: Headers = {}
    if VALUE in members:
        headers = {name: text for name, text in members.items() if name not in (KEY, VALUE)}
    data = b"null" if value in _NOTHING else _inner(value)
    if key not in _NOTHING and (names is None or data == b"null" or KEY in names):
        headers[KEY] = _inner(key) if key[:1] == b"{" else key
    if data == b"null":
        headers[TABLE] = _TOMBSTONE
        return Opened(headers, b'{"key":' + _as_json(headers.get(KEY, b"null")) + b"}")
    change = read_json(_CHANGE, data)
    if change.op is not None:
        source = change.source or _Source()
        headers[OP] = change.op.encode()
        said = {TABLE: source.table or source.collection, b"db": source.db, b"schema": source.schema}
        headers |= {name: text.encode() for name, text in said.items() if text}
        if change.op == "m":
            headers.setdefault(TABLE, b"message")
    elif change.ddl is not None:
        headers[TABLE] = b"schema_change"
    elif change.status is not None and change.event_count is not msgspec.UNSET:
        headers[TABLE] = b"transaction"
    else:
        said = {OP: change.row_op, TABLE: change.row_table}
        headers |= {name: text.encode() for name, text in said.items() if text}
    return Opened(headers, data)


def written(name: str, headers: Headers, data: bytes) -> list[bytes]:
    """The entry of a change, as far as esdash must read one that it made up: a database decides what changes."""
    try:
        event: Any = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return [KEY, b"default", VALUE, data]
    if TABLE in headers:
        event = {"op": "c"} | event | {"source": {"table": name}}
    return [KEY, b"default", VALUE, msgspec.json.encode(event)]


def told(opened: Opened) -> list[tuple[bytes, bytes]]:
    """What happened, then to which row, then the rest."""
    headers = dict(opened.headers)
    headers.pop(TABLE, None)
    try:
        members = object_of(opened.data)
    except UnreadableError:  # a member that nobody asked for
        members = {}
    if OP not in headers or "op" not in members:
        return [(b"value", opened.data), *headers.items()]
    of_row = ("before", "after", "message", "ts_ms")
    rows = [(name.encode(), bytes(members[name])) for name in of_row if name in members]
    return [(OP, headers.pop(OP)), *rows, *headers.items()]


def _key_and_value(members: Members) -> tuple[bytes, bytes] | None:
    if VALUE in members:
        return members.get(KEY, b""), members[VALUE]
    if len(members) == 1:
        ((key, value),) = members.items()
        return key, value
    return None


def _inner(value: bytes) -> bytes:
    """JSON without its schema."""
    if value[:1] != b"{":
        raise UnreadableError(INVALID_DATA)
    if b'"payload"' in value:
        members = object_of(value)
        if members.keys() == {"schema", "payload"}:
            return bytes(members["payload"])
    return value


def _as_json(text: bytes) -> bytes:
    """A key as JSON. Raises UnreadableError."""
    if text[:1] == b"{":
        object_of(text)
        return text
    return text if text == b"null" else msgspec.json.encode(text.decode("utf-8", "replace"))
