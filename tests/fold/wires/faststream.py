# mypy: ignore-errors
"""Readings that FastStream publishes with its JSON format: a message is JSON in a text, beside its headers.

Entries as ag2ai/faststream writes them up to 0.6: faststream/redis/publisher/producer.py (the one field `__data__`) and
`JSONMessageFormat` of faststream/redis/parser (`data` and `headers` in it).
"""

from decimal import Decimal

import msgspec
from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table, Wire, decimal


class Envelope(Struct, frozen=True):
    """Any message of FastStream."""

    data: str


class Reading(Struct, frozen=True):
    """A sensor was read."""

    sensor: str
    celsius: Decimal
    ok: bool = True


def opened(envelope):
    return msgspec.json.decode(envelope.data, type=Reading)


def read(state, event):
    if event.ok:
        state.sensors.celsius[event.sensor] = int(event.celsius * 10)


READINGS = Domain(
    name="readings",
    version="1",
    tables=(Table("sensors", "sensor", str, (Column("celsius", int, decimal(1, "°C")),)),),
    events=(EventType(Reading, read), EventType(Envelope, upcast=opened)),
    wire=Wire(data="__data__", key="", v="", only="Envelope"),
)
