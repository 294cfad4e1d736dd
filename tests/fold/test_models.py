"""Models of events: what a payload becomes, what is no event, what a model may not hold, what is published."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct
from pydantic import BaseModel, ConfigDict, Field

from esdash.domain import MONEY, EventType, about, shown_as
from esdash.fold.decoding import Decoder
from esdash.fold.folding import Fold
from esdash.fold.schema import model_of
from tests.domains import the_depots
from tests.fold.trying import folding, in_words


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 9


class Line(Struct, frozen=True):
    thing: Annotated[str, about("things")]
    amount: Annotated[int, Meta(ge=0), shown_as(MONEY)] = 0


class Everything(Struct, frozen=True, rename="camel"):
    """All kinds of fields."""

    whole: int
    text: str
    flag: bool
    price: Decimal
    moment: datetime
    colour: Colour
    level: Level
    size: Literal["s", "m", 7]
    one_line: Line
    some_lines: list[Line]
    names: tuple[str, ...]
    perhaps: int | None
    later: str | None = None
    given: str | None = "x"


@dataclass(frozen=True)
class Plain:
    """A dataclass."""

    thing: Annotated[str, about("things")]
    price: Decimal | None = None
    lines: tuple[Line, ...] | None = None
    note: str | None = None


class Strict(BaseModel):
    """One of pydantic's."""

    model_config = ConfigDict(extra="forbid", strict=True)
    thing: Annotated[str, about("things")] = Field(alias="the-thing")
    whole: Annotated[int, Field(gt=0)] = 1
    price: Decimal | None = None


class Lax(BaseModel):
    """One of pydantic's that takes a text for a number."""

    whole: int
    moment: datetime | None = None


class Packed(BaseModel):
    """One of pydantic's that is strict, over MessagePack."""

    model_config = ConfigDict(strict=True)
    whole: int
    price: Decimal
    moment: datetime
    colour: Colour
    names: tuple[str, ...]


class Forbidding(Struct, frozen=True, forbid_unknown_fields=True):
    """Takes no member more."""

    whole: int


FOLD: Fold = folding(
    lambda *_: None, *(EventType(model, lambda *_: None) for model in (Everything, Plain, Strict, Lax, Forbidding))
)
MEMBERS: dict[str, Any] = {
    "whole": 1,
    "text": "é",
    "flag": True,
    "price": "12.50",
    "moment": "2026-01-02T03:04:05Z",
    "colour": "red",
    "level": 9,
    "size": 7,
    "oneLine": {"thing": "a", "amount": 5},
    "someLines": [{"thing": "b"}],
    "names": ["x", "y"],
    "perhaps": None,
}
EVERYTHING = Everything(
    1,
    "é",
    True,
    Decimal("12.50"),
    datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    Colour.RED,
    Level.HIGH,
    7,
    Line("a", 5),
    [Line("b")],
    ("x", "y"),
    None,
)


def read(name: str, members: Any) -> Any:
    """The event; None where it is invalid."""
    data = members if isinstance(members, bytes) else msgspec.json.encode(members)
    found = FOLD.read([b"type", name.encode(), b"data", data])
    assert found.code is None or in_words(FOLD, [found.code]) == ["parked:invalid_data"]
    return found.event


class TestAPayload:
    def test_a_number_that_is_a_decimal_has_every_digit(self) -> None:
        class Sold(BaseModel):
            class Line(BaseModel):
                price: Decimal
                whole: int = 0

            lines: list[Line] = []
            price: Decimal | None = Field(None, alias="the-price")

        fold = folding(lambda *_: None, EventType(Sold, lambda *_: None))

        def sold(members: str) -> Any:
            return fold.read([b"type", b"Sold", b"data", members.encode()]).event

        number = "12345678901234567.891234567"
        for price in (number, "1.10", "1e3", "-0.0", "7", f'"{number}"'):
            event = sold(f'{{"the-price":{price},"lines":[{{"price":{price},"whole":1.0}}]}}')
            assert str(event.price) == str(event.lines[0].price) == str(Decimal(price.strip('"')))
        assert sold('{"lines":[{"price":1.5,"whole":1.5}]}') is None
        assert sold('{"lines":[{"price":1.5}') is None
        assert sold('{"the-price":null}').price is None

    def test_becomes_an_event(self) -> None:
        assert read("Everything", MEMBERS) == EVERYTHING
        assert read("Plain", {"thing": "a", "price": 1.5, "lines": [{"thing": "b"}]}) == Plain(
            "a", Decimal("1.5"), (Line("b"),)
        )
        assert read("Strict", {"the-thing": "a"}) == Strict.model_validate({"the-thing": "a"})

    @pytest.mark.parametrize(
        ("member", "value"),
        [
            ("whole", True),
            ("whole", 1.0),
            ("whole", "1"),
            ("text", 1),
            ("text", None),
            ("flag", 1),
            ("flag", "true"),
            ("price", "NaN"),
            ("price", "-Infinity"),
            ("price", "sNaN"),
            ("price", "1,5"),
            ("price", True),
            ("moment", "2026-01-02T03:04:05"),
            ("moment", "2026-01-02"),
            ("moment", 1_700_000_000),
            ("colour", "green"),
            ("colour", "RED"),
            ("level", 2),
            ("level", "9"),
            ("size", "l"),
            ("size", "7"),
            ("oneLine", {"thing": ""}),
            ("oneLine", {"thing": "a", "amount": -1}),
            ("oneLine", ["a", 1]),
            ("oneLine", None),
            ("someLines", [{"thing": "a"}, {"thing": "b\n"}]),
            ("someLines", [None]),
            ("someLines", {}),
            ("names", [1]),
            ("names", "xy"),
            ("perhaps", "1"),
        ],
    )
    def test_with_a_wrong_member_is_none(self, member: str, value: Any) -> None:
        assert read("Everything", {**MEMBERS, member: value}) is None

    @pytest.mark.parametrize("member", MEMBERS)
    def test_without_a_member_is_none(self, member: str) -> None:
        assert read("Everything", {name: value for name, value in MEMBERS.items() if name != member}) is None

    @pytest.mark.parametrize(
        ("member", "value"),
        [("price", 3), ("price", 1.25), ("price", "-0.00"), ("price", "1e5"), ("moment", "2026-01-02T03:04:05+05:30")],
    )
    def test_may_say_a_number_or_a_moment_in_several_ways(self, member: str, value: Any) -> None:
        assert read("Everything", {**MEMBERS, member: value}) is not None

    def test_may_hold_more_unless_the_model_forbids_it(self) -> None:
        assert read("Everything", {**MEMBERS, "more": [{}], "": None}) == EVERYTHING
        assert read("Forbidding", {"whole": 1}) == Forbidding(1)
        assert read("Forbidding", {"whole": 1, "more": 1}) is None
        assert read("Strict", {"the-thing": "a", "more": 1}) is None

    def test_is_as_strict_as_the_model(self) -> None:
        assert read("Lax", {"whole": "7"}) == Lax(whole=7)
        assert read("Strict", {"the-thing": "a", "whole": "7"}) is None
        assert read("Strict", {"the-thing": "a", "whole": 0}) is None

    def test_means_the_same_in_both_encodings_to_a_strict_model(self) -> None:
        model = model_of(Packed)
        members = {name: MEMBERS[name] for name in ("whole", "price", "moment", "colour", "names")}
        packed, plain = (Decoder(model, packed=each, lenient=False) for each in (True, False))
        event = plain.one(msgspec.json.encode(members))
        assert event is not None
        assert packed.one(msgspec.msgpack.encode(members)) == event
        assert packed.one(msgspec.msgpack.encode({**members, "moment": EVERYTHING.moment, "more": b"\xff"})) == event
        for wrong in ({"whole": "1"}, {"whole": 1.0}, {"names": [b"x"]}, {"colour": "?"}):
            assert packed.one(msgspec.msgpack.encode({**members, **wrong})) is None

    @pytest.mark.parametrize(
        ("name", "members"),
        [
            ("Plain", {"thing": "a", "price": "Infinity"}),
            ("Plain", {"thing": "a", "lines": [{"thing": ""}]}),
            ("Plain", {"thing": "a\x7f"}),
            ("Strict", {"the-thing": ""}),
            ("Strict", {"the-thing": "a\n"}),
            ("Strict", {"thing": "a"}),
            ("Strict", {"the-thing": "a", "price": "NaN"}),
            ("Lax", {"whole": 1, "moment": "2026-01-02T03:04:05"}),
            ("Lax", b'{"whole":1,"x":"\xff"}'),
            ("Lax", b'{"whole":1'),
            ("Lax", b"[]"),
            ("Lax", b""),
        ],
    )
    def test_of_any_make_of_model_holds_no_less_than_it_should(self, name: str, members: Any) -> None:
        assert read(name, members) is None

    @pytest.mark.parametrize("lines", [None, [], [{"thing": "a"}, {"thing": "é"}]])
    def test_that_is_absent_names_no_row(self, lines: Any) -> None:
        page = [
            (b"%d-0" % number, [b"type", b"Plain", b"data", msgspec.json.encode({"thing": "a", "lines": each})])
            for number, each in enumerate([lines, [{"thing": "b"}], lines, [{"thing": "\x85"}]])
        ]
        codes = FOLD.fold(FOLD.empty(), page)
        assert in_words(FOLD, codes) == ["applied"] * 3 + ["parked:invalid_data"]


class TestAnEvent:
    def test_is_published_as_it_is_read(self) -> None:
        strict = Strict.model_validate({"the-thing": "a", "whole": 5})
        given = msgspec.structs.replace(EVERYTHING, given=None, later="z", perhaps=3)
        events: list[Any] = [
            EVERYTHING,
            given,
            strict,
            Plain("a"),
            Plain("a", Decimal("1.50"), (Line("b", 2),)),
            Lax(whole=1),
        ]
        for event in events:
            name, data = FOLD.encode(event)
            assert read(name, data) == event

    def test_is_published_without_what_is_none_by_default(self) -> None:
        assert FOLD.encode(Plain("a"))[1] == b'{"thing":"a"}'
        assert FOLD.encode(Strict.model_validate({"the-thing": "a"}))[1] == b'{"the-thing":"a"}'
        members = msgspec.json.decode(FOLD.encode(EVERYTHING)[1])
        assert members == {
            **MEMBERS,
            "oneLine": {"thing": "a", "amount": 5},
            "given": "x",
            "someLines": [{"thing": "b", "amount": 0}],
        }

    def test_is_about_the_rows_that_its_fields_name(self) -> None:
        assert list(FOLD.model(EVERYTHING).rows(EVERYTHING)) == [("things", "a"), ("things", "b")]
        event = Plain("x", None, (Line("y"), Line("x")))
        assert list(FOLD.model(event).rows(event)) == [("things", "x"), ("things", "y"), ("things", "x")]
        assert list(FOLD.model(Plain("x")).rows(Plain("x"))) == [("things", "x")]

    def test_why_a_payload_is_none_is_told(self) -> None:
        (plain,) = (each for each in FOLD.domain.events if each.model is Plain)
        for payload, why in [
            (b'{"thing":"a","price":"NaN"}', "NaN is no number"),
            (b'{"thing":"a","price":1e4001}', "1E+4001 is too large or too small a number"),
            (b'{"thing":"a","price":"1e-999999999"}', "1E-999999999 is too large or too small a number"),
            (b'{"thing":""}', "'' can be no key of things"),
            (b'{"thing":1}', "Expected `str`, got `int` - at `$.thing`"),
            (b"{}", "Object missing required field `thing`"),
        ]:
            assert FOLD.decode(plain, payload) == (None, why)
        assert FOLD.decode(plain, b'{"thing":"a"}') == (Plain("a"), "")
        for price in ("9e4000", "1e-4000", "0e999999999"):
            assert FOLD.decode(plain, b'{"thing":"a","price":%s}' % price.encode())[1] == ""
        everything = next(each for each in FOLD.domain.events if each.model is Everything)
        for moment, told in [
            ("0001-01-01T00:00:00+14:00", "0001-01-01 00:00:00+14:00 is in no year of UTC"),
            ("2026-11-23T14:03:05", "2026-11-23 14:03:05 has no zone"),
            ("9999-12-31T23:59:59Z", ""),
        ]:
            assert FOLD.decode(everything, msgspec.json.encode({**MEMBERS, "moment": moment}))[1] == told


class TestFields:
    def test_of_a_struct(self) -> None:
        model = model_of(Everything)
        kinds = {field.name: field.kind for field in model.fields}
        assert list(kinds.values())[:8] == ["int", "str", "bool", "decimal", "time", "choice", "choice", "choice"]
        assert list(kinds.values())[8:] == ["record", "list", "list", "int", "str", "str"]
        by_name = {field.name: field for field in model.fields}
        assert by_name["one_line"].member == "oneLine"
        assert by_name["size"].choices == ("s", "m", 7)
        assert by_name["colour"].choices == ("red", "blue")
        assert (by_name["perhaps"].required, by_name["perhaps"].optional) == (True, True)
        assert (by_name["given"].required, by_name["given"].default) == (False, "x")
        line = by_name["some_lines"].element
        assert line is not None
        assert line.record is not None
        assert [(field.about, field.shown) for field in line.record.fields][1] == ("", MONEY)
        assert line.record.fields[0].about == "things"
        assert line.record.fields[1].bound("ge") == 0
        assert model.help == "All kinds of fields."

    def test_of_the_other_makes(self) -> None:
        assert [field.kind for field in model_of(Plain).fields] == ["str", "decimal", "list", "str"]
        strict = model_of(Strict)
        assert [(field.name, field.member, field.required) for field in strict.fields] == [
            ("thing", "the-thing", True),
            ("whole", "whole", False),
            ("price", "price", False),
        ]
        assert strict.fields[0].about == "things"
        assert strict.fields[1].bound("gt") == 0
        assert strict.help == "One of pydantic's."

    def test_of_the_depots(self) -> None:
        helps = {model.type.__name__: model.help for model in the_depots().models}
        assert helps["Delivered"] == "Put goods into a depot: all of them, or none."
        assert helps["Withdrawn"] == "Take goods of one kind out of a depot."
