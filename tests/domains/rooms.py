# mypy: ignore-errors
"""Rooms whose temperatures come as CloudEvents, the types by the names that they have there."""

from decimal import Decimal

from msgspec import Struct

from esdash.domain import CLOUDEVENTS, Column, Domain, EventType, Table, decimal


class Reading(Struct, frozen=True):
    """A sensor was read."""

    sensor: str
    celsius: Decimal


class Cleared(Struct, frozen=True):
    """All that was read counts no more."""


def read(state, event):
    state.sensors.celsius[event.sensor] = int(event.celsius * 10)


def clear(state, _):
    for sensor in list(state.sensors.celsius):
        state.sensors.remove(sensor)


ROOMS = Domain(
    name="rooms",
    version="1",
    tables=(Table("sensors", "sensor", str, (Column("celsius", int, decimal(1, "°C")),)),),
    events=(
        EventType(Reading, read, name="com.example.reading"),
        EventType(Cleared, clear, name="com.example.cleared"),
    ),
    wire=CLOUDEVENTS,
)
