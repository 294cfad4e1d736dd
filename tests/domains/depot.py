"""Depots and what lies in them: a domain that uses everything a domain may use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from pydantic import BaseModel, Field

from esdash.domain import (
    COUNT,
    TEXT,
    TIME,
    Column,
    Domain,
    EventType,
    Invariant,
    Refusal,
    Table,
    about,
    decimal,
    shown_as,
)

DepotId = Annotated[str, Meta(min_length=1, max_length=20), about("depots")]
Sku = Annotated[str, Meta(min_length=1, max_length=20)]
KILOS = decimal(3, "kg")
CAPACITY = 1_000


class Climate(Enum):
    """How a depot is kept."""

    DRY = "dry"
    COLD = "cold"


class Built(Struct, frozen=True):
    """Build a depot."""

    depot: DepotId
    name: str
    opened: datetime
    climate: Climate = Climate.DRY
    manager: str | None = None


@dataclass(frozen=True)
class Goods:
    """Pieces of one kind."""

    sku: Sku
    pieces: Annotated[int, Meta(gt=0, le=10**6), shown_as(COUNT)]
    care: Literal["normal", "fragile"] = "normal"


@dataclass(frozen=True)
class Delivered:
    """Put goods into a depot: all of them, or none."""

    depot: DepotId
    goods: list[Goods]
    kilos: Decimal
    labels: tuple[str, ...] = field(default_factory=tuple)


class Withdrawn(BaseModel):
    """Take goods of one kind out of a depot."""

    depot: Annotated[str, about("depots"), Field(min_length=1)]
    sku: str
    pieces: Annotated[int, Field(gt=0), shown_as(COUNT)]


class Labelled(Struct, frozen=True):
    """Write a batch on a slot, or take it off."""

    slot: Annotated[str, about("slots")]
    batch: str | None = None


class Closed(Struct, frozen=True):
    """Close a depot and forget what lies in it."""

    depot: DepotId


class Weighed(Struct, frozen=True):
    """Note the weight on a ticket."""

    ticket: Annotated[int, about("tickets")]
    grams: Annotated[int, shown_as(KILOS)]


class DeliveredV1(Struct, frozen=True):
    """One kind of goods at a time, as it was once."""

    depot: str
    sku: str
    pieces: int


def built(state: Any, event: Built) -> str | None:
    if event.depot in state.depots.name:
        return "depot_exists"
    state.depots.name[event.depot] = event.name
    state.depots.cold[event.depot] = event.climate is Climate.COLD
    state.depots.opened[event.depot] = int(event.opened.timestamp() * 1000)
    state.depots.pieces[event.depot] = 0
    if event.manager is not None:
        state.depots.manager[event.depot] = event.manager
    return None


def delivered(state: Any, event: Delivered) -> str | Refusal | None:
    if event.depot not in state.depots.name:
        return "unknown_depot"
    for goods in event.goods:
        slot = f"{event.depot}/{goods.sku}"
        state.slots.pieces[slot] = state.slots.pieces.get(slot, 0) + goods.pieces
        if goods.care == "fragile":
            state.slots.fragile[slot] = True
        state.depots.pieces[event.depot] += goods.pieces
    state.depots.last[event.depot] = state.entry.time
    if state.depots.pieces[event.depot] > CAPACITY:
        return Refusal("too_full", state.depots.pieces[event.depot], CAPACITY, COUNT)
    return "too_light" if event.kilos <= 0 else None


def withdrawn(state: Any, event: Withdrawn) -> str | Refusal | None:
    slot = f"{event.depot}/{event.sku}"
    there = state.slots.pieces.pop(slot, None)
    if there is None:
        return "unknown_slot"
    if there < event.pieces:
        return Refusal("too_few", event.pieces, there, COUNT)
    if there > event.pieces:
        state.slots.pieces[slot] = there - event.pieces
    state.depots.pieces[event.depot] -= event.pieces
    return None


def labelled(state: Any, event: Labelled) -> str | None:
    if event.slot not in state.slots.pieces:
        return "unknown_slot"
    if event.batch is None:
        state.slots.batch.pop(event.slot, None)
    else:
        state.slots.batch[event.slot] = event.batch
    return None


def closed(state: Any, event: Closed) -> str | None:
    if event.depot not in state.depots.name:
        return "unknown_depot"
    state.depots.remove(event.depot)
    for slot in state.slots.pieces:
        if slot.startswith(f"{event.depot}/"):
            state.slots.remove(slot)
    return None


def weighed(state: Any, event: Weighed) -> None:
    state.tickets.grams[event.ticket] = event.grams
    state.tickets.times[event.ticket] = state.tickets.times.get(event.ticket, 0) + 1


def from_v1(old: DeliveredV1) -> Delivered:
    if not 0 < old.pieces <= 10**6:
        raise ValueError("a delivery brings something")
    return Delivered(old.depot, [Goods(old.sku, old.pieces)], Decimal(1))


def nothing_is_negative(state: Any) -> bool:
    return all(state.slots.pieces[slot] > 0 for slot in state.slots.pieces)


def describe(event: Any) -> str:
    return f"{event.pieces} × {event.sku} from {event.depot}"


def sample(seed: int) -> Iterator[Any]:
    for number in range(seed, seed + 20):
        yield Weighed(number, 1_000 * number)


DEPOTS = Domain(
    name="depots",
    version="3",
    tables=(
        Table(
            "depots",
            "depot",
            str,
            (
                Column("name", str, TEXT),
                Column("cold", bool),
                Column("pieces", int, COUNT, bar=True),
                Column("opened", int, TIME),
                Column("last", int, TIME, title="last delivery"),
                Column("manager", str, TEXT),
            ),
        ),
        Table(
            "slots", "slot", str, (Column("pieces"), Column("batch", str, TEXT), Column("fragile", bool)), hidden=True
        ),
        Table("tickets", "ticket", int, (Column("grams", int, KILOS), Column("times", int, COUNT))),
    ),
    events=(
        EventType(Built, built),
        EventType(Delivered, delivered, v="2", press="d"),
        EventType(Withdrawn, withdrawn, press="w"),
        EventType(Labelled, labelled),
        EventType(Closed, closed),
        EventType(Weighed, weighed, press="t"),
        EventType(DeliveredV1, name="Delivered", upcast=from_v1),
    ),
    reasons={
        "depot_exists": "There is such a depot.",
        "unknown_depot": "There is no such depot.",
        "unknown_slot": "Nothing of that kind lies there.",
        "too_few": "Fewer pieces lie there.",
        "too_full": "The depot would hold more than it can.",
        "too_light": "A delivery weighs something.",
    },
    describe=describe,
    sample=sample,
    invariants=(nothing_is_negative, Invariant("no_depot_owes", "not min(depots.pieces) < 0")),
)
