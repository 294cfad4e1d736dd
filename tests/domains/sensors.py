# mypy: ignore-errors
"""Sensors whose readings FastStream publishes, with one kind of message in a stream: no header need name it."""

from decimal import Decimal

from msgspec import Struct

from esdash.domain import FASTSTREAM, Column, Domain, EventType, Table, decimal


class Reading(Struct, frozen=True):
    """A sensor was read."""

    sensor: str
    celsius: Decimal
    ok: bool = True


def read(state, event):
    if not event.ok:
        return "out_of_order"
    state.sensors.celsius[event.sensor] = int(event.celsius * 10)
    return None


SENSORS = Domain(
    name="sensors",
    version="1",
    tables=(Table("sensors", "sensor", str, (Column("celsius", int, decimal(1, "°C")),)),),
    events=(EventType(Reading, read),),
    reasons={"out_of_order": "The sensor is out of order."},
    wire=FASTSTREAM.but(only="Reading"),
)
