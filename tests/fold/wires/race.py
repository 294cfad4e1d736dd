# mypy: ignore-errors
"""A bicycle race: the members of the only event are the fields of an entry.

Entries as redis/docs appends them by hand: content/develop/data-types/streams/_index.md (`XADD race:france * rider
Castilla speed 30.2 position 1 location_id 1`).
"""

from decimal import Decimal

from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table, Wire, decimal


class Passed(Struct, frozen=True):
    """A rider passed a place of measurement."""

    rider: str
    speed: Decimal
    position: int
    location_id: int


def passed(state, event):
    state.riders.position[event.rider] = event.position
    state.riders.speed[event.rider] = int(event.speed * 10)


RACE = Domain(
    name="race",
    version="1",
    tables=(Table("riders", "rider", str, (Column("position"), Column("speed", int, decimal(1, "km/h")))),),
    events=(EventType(Passed, passed),),
    wire=Wire(data="", key="", v="", only="Passed"),
)
