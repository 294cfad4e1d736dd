"""Meters that are read: a domain whose rules refuse nothing, so that its invariants can be broken."""

from typing import Annotated, Any

from msgspec import Struct

from esdash.domain import COUNT, Column, Domain, EventType, Invariant, Table, about


class Read(Struct, frozen=True):
    """What a meter shows now."""

    meter: Annotated[str, about("meters")]
    shown: int


def read(state: Any, event: Read) -> None:
    state.meters.shown[event.meter] = event.shown


def below_hundred(state: Any) -> bool:
    return all(state.meters.shown[meter] < 100 for meter in state.meters.shown)


METERS = Domain(
    name="meters",
    version="1",
    tables=(Table("meters", "meter", str, (Column("shown", int, COUNT),)),),
    events=(EventType(Read, read),),
    invariants=(Invariant("none_below_zero", "not min(meters.shown) < 0"), below_hundred),
)
