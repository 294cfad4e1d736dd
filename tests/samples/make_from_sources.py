"""Entries of programs that are not in Python, made as their sources say: `python -m tests.samples.make_from_sources`.

Nothing here was run by those programs. Watermill: `DefaultMarshallerUnmarshaller.Marshal` in
pkg/redisstream/marshaller.go of ThreeDotsLabs/watermill-redisstream (b9bac80), with metadata as vmihailenco/msgpack
writes a map of strings; go-redis sends a Go map's fields in any order. Dapr: `NewCloudEventsEnvelope` in
pubsub/envelope.go and `Publish` in pubsub/redis/redis.go of dapr/components-contrib (c23900d); Go sorts the members of
a map and escapes <, > and &. Debezium: `recordMapFunction` in RedisStreamChangeConsumer.java of
debezium/debezium-server (a2f7135) around the example values of
documentation/modules/ROOT/pages/connectors/postgresql.adoc of debezium/debezium (aad5519), of which the long schemas
are cut to what surrounds them.
"""

import json
from typing import Any

import msgspec

from tests.samples import write


def watermill() -> list[tuple[str, dict[bytes, bytes]]]:
    """Messages as Watermill marshals them; `name` is what its CQRS component sets."""
    placed = b'{"order":"A-1","cents":1250}'
    cqrs = {"name": "orders.Placed", "correlation_id": "7b0c"}
    return [
        ("CQRS", _message(b"5d1a0f0e-4c37-4f0e-9d39-0c9ab0a45d3e", msgspec.msgpack.encode(cqrs), placed)),
        (
            "another order of fields",
            dict(reversed(_message(b"0b1f", msgspec.msgpack.encode({"name": "orders.Closed"}), placed).items())),
        ),
        ("no metadata", _message(b"7c2e", b"", placed)),
        ("no id", _message(b"", msgspec.msgpack.encode(cqrs), placed)),
        ("long metadata", _message(b"9f3a", msgspec.msgpack.encode(cqrs | {"trace": "é" * 200}), placed)),
        ("no JSON", _message(b"1d4b", msgspec.msgpack.encode(cqrs), b"\x00\xff")),
    ]


def _message(uuid: bytes, metadata: bytes, payload: bytes) -> dict[bytes, bytes]:
    return {b"_watermill_message_uuid": uuid, b"metadata": metadata, b"payload": payload}


def dapr() -> list[tuple[str, dict[bytes, bytes]]]:
    """CloudEvents as Dapr's Redis component appends them."""
    event = {
        "datacontenttype": "application/json",
        "id": "5929aaac-a5e2-4ca1-859c-edfe73f11565",
        "pubsubname": "pubsub",
        "source": "checkout",
        "specversion": "1.0",
        "time": "2026-11-26T03:31:25Z",
        "topic": "readings",
        "traceid": "00-113ad9c4e42b27583ae98ba698d54255-e3743e35ff56f219-01",
        "traceparent": "00-113ad9c4e42b27583ae98ba698d54255-e3743e35ff56f219-01",
        "tracestate": "",
        "type": "com.dapr.event.sent",
    }
    return [
        ("JSON", {b"data": _go(event | {"data": {"sensor": "hall", "celsius": "21.5"}})}),
        (
            "metadata",
            {
                b"data": _go(event | {"id": "e-2", "data": {"sensor": "a<b", "celsius": "1"}}),
                b"metadata": _go({"ttlInSeconds": "60"}),
            },
        ),
        ("text", {b"data": _go(event | {"id": "e-3", "datacontenttype": "text/plain", "data": "warm"})}),
        (
            "bytes",
            {b"data": _go(event | {"id": "e-4", "datacontenttype": "application/octet-stream", "data_base64": "AP8="})},
        ),
        ("raw payload", {b"data": b'{"sensor":"hall","celsius":"21.5"}', b"metadata": _go({"rawPayload": "true"})}),
    ]


def _go(value: Any) -> bytes:
    """JSON as Go writes a map."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


ANNE = {"id": 1, "first_name": "Anne", "last_name": "Kretchmar", "email": "annek@noanswer.org"}
MARIE = ANNE | {"first_name": "Anne Marie"}
SOURCE = {
    "version": "3.2.0.Final",
    "connector": "postgresql",
    "name": "PostgreSQL_server",
    "ts_ms": 1559033904863,
    "ts_us": 1559033904863123,
    "ts_ns": 1559033904863123000,
    "snapshot": True,
    "db": "postgres",
    "sequence": '["24023119","24023128"]',
    "schema": "public",
    "table": "customers",
    "txId": 555,
    "lsn": 24023128,
    "xmin": None,
}
KEY_SCHEMA = {
    "type": "struct",
    "name": "PostgreSQL_server.public.customers.Key",
    "optional": False,
    "fields": [{"name": "id", "index": "0", "schema": {"type": "INT32", "optional": "false"}}],
}
SCHEMA = {
    "type": "struct",
    "fields": [
        {"type": "struct", "fields": [], "optional": True, "name": f"PostgreSQL_server.inventory.customers.{name}"}
        for name in ("Value", "Value")
    ],
    "optional": False,
    "name": "PostgreSQL_server.inventory.customers.Envelope",
}


def debezium() -> list[tuple[str, dict[bytes, bytes]]]:
    """Changes as Debezium's example has them, in both forms of its Redis sink, with schemas and without."""
    created = {"before": None, "after": ANNE, "source": SOURCE, **_happened("c")}
    updated = {"before": {"id": 1}, "after": MARIE, "source": SOURCE, **_happened("u")}
    deleted = {"before": {"id": 1}, "after": None, "source": SOURCE, **_happened("d")}
    truncated = {"source": SOURCE, **_happened("t")}
    message = {"source": SOURCE | {"table": ""}, **_happened("m"), "message": {"prefix": "foo", "content": "Ymfy"}}
    key, full_key = _java({"id": 1}), _java({"schema": KEY_SCHEMA, "payload": {"id": 1}})
    return [
        ("compact: created, schema", {full_key: _java({"schema": SCHEMA, "payload": created})}),
        ("compact: updated", {key: _java(updated)}),
        ("compact: deleted", {key: _java(deleted)}),
        ("compact: tombstone", {key: b"default"}),
        ("extended: created, schema", {b"key": full_key, b"value": _java({"schema": SCHEMA, "payload": created})}),
        ("extended: updated", {b"key": key, b"value": _java(updated), b"HEADERKEY": b'{"payload":"headerValue"}'}),
        ("extended: tombstone", {b"key": key, b"value": b"default"}),
        ("extended: truncated", {b"key": b"default", b"value": _java(truncated)}),
        ("extended: message", {b"key": _java({"prefix": "foo"}), b"value": _java(message)}),
        (
            "extended: transaction",
            {
                b"key": _java({"id": "571:53195829"}),
                b"value": _java(
                    {"status": "END", "id": "571:53195832", "ts_ms": 1486500577691, "event_count": 2}
                    | {"data_collections": [{"data_collection": "public.customers", "event_count": 2}]}
                ),
            },
        ),
        ("compact: row alone", {key: _java(MARIE | {"__table": "customers", "__op": "u"})}),
    ]


def _happened(op: str) -> dict[str, Any]:
    return {"op": op, "ts_ms": 1559033904863, "ts_us": 1559033904863841, "ts_ns": 1559033904863841257}


def _java(value: Any) -> bytes:
    """JSON as Kafka Connect's converter writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def made() -> dict[str, list[tuple[str, dict[bytes, bytes]]]]:
    """The entries of each program."""
    return {"watermill": watermill(), "dapr": dapr(), "debezium": debezium()}


if __name__ == "__main__":
    for name, entries in made().items():
        write(name, "the source, not the program", entries)
