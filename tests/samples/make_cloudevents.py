"""CloudEvents as the Python SDK writes them: `python -m tests.samples.make_cloudevents`.

Needs `cloudevents`, 2.0 or later. The SDK knows no Redis: what is structured stands in the field `data` here, and what
is binary has the attributes of its binding to Kafka as fields.
"""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from tests.samples import write

TIME = datetime(2026, 11, 26, 3, 31, 25, tzinfo=UTC)
ATTRIBUTES = {"id": "e-1", "source": "/sensors", "type": "com.example.reading", "specversion": "1.0", "time": TIME}
READING = {"sensor": "hall", "celsius": "21.5"}

EVENTS: dict[str, CloudEvent] = {
    "JSON": CloudEvent(ATTRIBUTES | {"datacontenttype": "application/json"}, READING),
    "all attributes": CloudEvent(
        ATTRIBUTES
        | {
            "id": "e-2",
            "subject": "hall",
            "datacontenttype": "application/json",
            "dataschema": "https://example.com/reading",
            "room": "кухня",
        },
        READING,
    ),
    "text": CloudEvent(ATTRIBUTES | {"id": "e-3", "datacontenttype": "text/plain"}, "warm"),
    "bytes": CloudEvent(ATTRIBUTES | {"id": "e-4", "datacontenttype": "application/octet-stream"}, b"\x00\xff"),
    "no data": CloudEvent(ATTRIBUTES | {"id": "e-5", "type": "com.example.cleared"}, None),
}


def made() -> list[tuple[str, dict[bytes, bytes]]]:
    """Each event in structured and, but for some, in binary mode."""
    entries: list[tuple[str, dict[bytes, bytes]]] = []
    for what, event in EVENTS.items():
        entries.append((f"structured: {what}", {b"data": JSONFormat().write(event)}))
        if what in ("JSON", "all attributes", "bytes"):
            message: Any = kafka.to_binary(event, JSONFormat())
            headers = {name.encode(): value for name, value in message.headers.items()}
            entries.append((f"binary: {what}", headers | {b"data": message.value}))
    return entries


if __name__ == "__main__":
    write("cloudevents", f"cloudevents {version('cloudevents')}", made())
