"""What the names of a domain mean to questions and conditions, of a domain in which many mean several things."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Annotated, Any

import pytest
from msgspec import Struct
from pydantic import BaseModel, Field

from esdash.domain import TIME, Column, Domain, EventType, Format, Table, about, decimal, shown_as
from esdash.fold.folding import Fold
from esdash.query.conditions import Comparison, read_condition
from esdash.query.errors import QueryError
from esdash.query.questions import read_question
from esdash.query.terms import AboutRow, Compared, OfType
from esdash.words.asked import schema_of


class Level(IntEnum):
    """How urgent it is."""

    LOW = 1
    HIGH = 2


class Size(BaseModel):
    """What a part measures."""

    sku: str
    sides: list[list[int]] = []


OPEN = Format(lambda text: {"open": True, "closed": False}[text], lambda value: "open" if value else "closed")
HEX = Format(lambda text: int(text, 16), lambda value: f"{value:x}")
UPPER = Format(str.upper, str)


class Placed(BaseModel):
    """Place a part."""

    id: Annotated[str, about("parts")]
    type: str = "x"
    level: Level = Level.LOW
    parts: list[Size] = []
    code: Annotated[int, shown_as(HEX)] = 0
    part_of: int = Field(alias="part-of", default=0)


class Renamed(Struct, rename="camel"):
    """Give it another name."""

    new_name: str
    at: Annotated[int, shown_as(TIME)] = 0


def nothing(state: Any, event: Any) -> None:
    """Changes nothing."""


ODD = Fold(
    Domain(
        name="odd",
        version="1",
        tables=(
            Table(
                "parts",
                "Spare part",
                str,
                (Column("open", bool, OPEN), Column("code", int, HEX), Column("kilos", int, decimal(3, "kg"))),
            ),
            Table("names", "new_name", str, (Column("text", str, UPPER), Column("plain", str))),
        ),
        events=(EventType(Placed, nothing, name="part.placed"), EventType(Renamed, nothing, name="part/renamed")),
    )
)
SCHEMA = schema_of(ODD)


def compared(text: str) -> "Iterable[tuple[str, Any]]":
    term = read_question(text, SCHEMA, 0)
    assert isinstance(term, Compared)
    return [(".".join(each.path), each.low) for each in term.meant]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("level>1", [("level", 1)]),
        ("level:2", [("level", 2)]),
        ("code>=ff", [("code", 255)]),
        ("sides>2", [("parts.sides", 2)]),
        ("parts.sides:2", [("parts.sides", 2)]),
        ("part-of:7", [("part_of", 7)]),
        ("part_of=7", [("part_of", 7)]),
        ("newName:c", [("new_name", "c")]),
        ("new_name=c", [("new_name", "c")]),
        ("part.placed.type:x", [("type", "x")]),
        ("part.placed.id!=c", [("id", "c")]),
        ("at:1970-01-01T00:01Z", [("at", 60_000)]),
    ],
)
def test_a_field_by_every_name_it_has(text: str, fields: list[tuple[str, Any]]) -> None:
    assert compared(text) == fields


@pytest.mark.parametrize("word", ['"Spare part"', "Spare-part", "spare_part", '"spare part"', "parts"])
def test_a_row_by_every_word_for_it(word: str) -> None:
    term = read_question(f"{word}:a", SCHEMA, 0)
    assert isinstance(term, AboutRow)
    assert (term.table, term.key) == ("parts", "a")
    assert read_question(str(term), SCHEMA, 0) == term


def test_the_word_for_a_row_goes_before_a_field() -> None:
    assert isinstance(read_question("new_name:c", SCHEMA, 0), AboutRow)
    assert read_question("type:part/renamed", SCHEMA, 0) == OfType("part/renamed")


@pytest.mark.parametrize(
    ("text", "low"),
    [
        ("parts:a.open = open", True),
        ("parts:a.open = no", False),
        ("parts:a.code = ff", 255),
        ('parts:a.kilos >= "1.5 kg"', 1500),
        ("max(parts.kilos) >= 1.5kg", 1500),
        ('names:a.text = "ann"', "ANN"),
        ('names:a.plain = "12"', "12"),
    ],
)
def test_values_are_read_by_the_columns_format(text: str, low: Any) -> None:
    condition = read_condition(text, SCHEMA, 0)
    assert isinstance(condition, Comparison)
    assert condition.low == low
    assert type(condition.low) is type(low)


@pytest.mark.parametrize("text", ["parts:a.code = zz", "parts:a.open = ajar", "parts:a.kilos = much"])
def test_a_format_that_fails_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(QueryError, match=r"\.$") as error:
        read_condition(text, SCHEMA, 0)
    assert text[slice(*error.value.span)] == text.rpartition(" ")[2]
