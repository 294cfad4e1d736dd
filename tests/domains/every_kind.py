"""A domain of which one event has a field of every kind, for what is typed and what is read of broken entries."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from esdash.domain import COUNT, MONEY, TEXT, TIME, Column, Domain, EventType, Table, about, shown_as

Thing = Annotated[str, Meta(min_length=1, max_length=40), about("things")]


class Size(Enum):
    """How large it is."""

    SMALL = "small"
    LARGE = "large"


class Part(Struct, frozen=True):
    """What it is made of."""

    name: str
    grams: int
    tags: tuple[str, ...] = ()


class Piece(Struct, frozen=True):
    """Some of a thing."""

    thing: Thing
    cost: Annotated[int, Meta(ge=0), shown_as(MONEY)]


class Described(Struct, frozen=True):
    """Say everything about a thing."""

    thing: Thing
    pieces: Annotated[int, Meta(gt=0, le=1_000_000), shown_as(COUNT)]
    price: Annotated[int, Meta(ge=0, le=10**12), shown_as(MONEY)]
    ratio: Decimal
    fragile: bool
    size: Size
    care: Literal["normal", 2]
    made: datetime
    seen: Annotated[int, shown_as(TIME)]
    note: str
    part: Part
    holds: tuple[Piece, ...] = ()
    owner: str | None = None
    limit: int | None = 5
    nickname: str = "none"
    first: Part | None = None


class Forgotten(Struct, frozen=True, forbid_unknown_fields=True):
    """Forget a thing."""

    thing: Thing
    wipe: bool = False


class Replaced(Struct, frozen=True):
    """Put one number in place of another."""

    number: Annotated[int, about("numbers")]
    by: Annotated[int, about("numbers")]


class Ticked(Struct, frozen=True):
    """Nothing is to be said."""


def described(state: Any, event: Described) -> str | None:
    """Refuses what weighs nothing."""
    if event.part.grams == 0:
        return "weightless"
    state.things.price[event.thing] = event.price
    state.things.note[event.thing] = event.note
    return None


def forgotten(state: Any, event: Forgotten) -> str | None:
    """Removes the row."""
    if event.thing not in state.things.price:
        return "unknown_thing"
    state.things.remove(event.thing)
    return None


def replaced(state: Any, event: Replaced) -> None:
    """Fails on purpose where both are the same."""
    state.numbers.times[event.by] = 1 // (event.by - event.number) + 1


def ticked(state: Any, event: Ticked) -> None:  # noqa: ARG001 - every such function has two
    """Counts."""
    state.numbers.times[0] = state.numbers.times.get(0, 0) + 1


KINDS = Domain(
    name="kinds",
    version="1",
    tables=(
        Table("things", "thing", str, (Column("price", int, MONEY), Column("note", str, TEXT))),
        Table("numbers", "number", int, (Column("times"),)),
    ),
    events=(
        EventType(Described, described),
        EventType(Forgotten, forgotten),
        EventType(Replaced, replaced),
        EventType(Ticked, ticked),
    ),
    reasons={"weightless": "It weighs nothing.", "unknown_thing": "There is no such thing."},
)
