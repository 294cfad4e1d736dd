"""What people type, read back as members of declared events."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel, BeforeValidator, PlainSerializer

from esdash.domain import Column, Domain, EventType, Table
from esdash.fold.cells import MAX_INT, is_name
from esdash.fold.folding import Fold
from esdash.fold.schema import Field, model_of
from esdash.shop.events import MAX_COUNT, MAX_MONEY
from esdash.ui.correct.mending import certain
from esdash.ui.forms.completion import complete_choice
from esdash.visible import visible
from esdash.words.outcomes import GLYPHS, MEANINGS, sentence
from esdash.words.typed import make_event, read_name, read_pairs, read_value, write_name, write_pair_name, write_value
from tests.domains import the_bank, the_depots
from tests.domains.shop import shop


class Measured(Struct, frozen=True):
    """Milli- and mega-, which differ in case alone."""

    unit: Literal["m", "M", "kg"]


NAMES = st.text(min_size=1, max_size=64).filter(is_name)


def field(name: str, fold: Fold | None = None) -> Field:
    """A field by its type and name."""
    kind, _, name = name.partition(".")
    fold = fold or shop()
    for event_type, model in zip(fold.domain.events, fold.models, strict=True):
        if event_type.wire_name == kind and event_type.upcast is None:
            return next(each for each in model.fields if each.name == name)
    raise KeyError(kind)


USER, AMOUNT, ITEM = field("TopUp.user_id"), field("TopUp.amount"), field("AddItem.item_id")
COUNT, LINES = field("AddItem.count"), field("Order.lines")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (USER, " 7 ", 7),
        (USER, "1,234,567", 1_234_567),
        (USER, str(MAX_INT), MAX_INT),
        (COUNT, "1,000", 1000),
        (COUNT, "0", 0),
        (AMOUNT, "12", 1200),
        (AMOUNT, "12.3", 1230),
        (AMOUNT, "1,234.50", 123_450),
        (AMOUNT, "10000000000000", MAX_MONEY),
    ],
)
def test_numbers_are_read_as_people_write_them(field: Field, text: str, value: object) -> None:
    assert read_value(field, text) == value


def test_a_choice_is_the_one_that_is_written_so_else_the_only_one_but_for_its_case() -> None:
    (unit,) = model_of(Measured).fields
    assert [read_value(unit, text) for text in ("m", "M ", "KG")] == ["m", "M", "kg"]
    assert [certain(unit, value) for value in ("M", "KG", "g")] == ["M", "kg", None]
    assert complete_choice(unit.choices, "M").matches[0].written == "M"
    with pytest.raises(ValueError, match="size is one of m, M"):
        read_value(replace(unit, name="size", choices=("m", "M")), "g")


@pytest.mark.parametrize(
    ("field", "text", "sentence_part"),
    [
        (USER, "-1", "user id is from 0"),
        (USER, "1.0", "a whole number"),
        (USER, "1,23", "a whole number"),
        (USER, "٣", "a whole number"),
        (USER, str(MAX_INT + 1), "user id is from 0"),
        (USER, "9" * 5000, "a whole number"),
        (COUNT, str(MAX_COUNT + 1), "from 0 to 1,000,000,000,000"),
        (AMOUNT, "1,5", "written like 12.34"),
        (AMOUNT, "12.345", "written like 12.34"),
        (AMOUNT, "10000000000000.01", "to 10,000,000,000,000.00"),
        (ITEM, " ", "1 to 64 characters"),
        (ITEM, "x" * 65, "1 to 64 characters"),
        (ITEM, r"a\u{1B}", "no control characters"),
        (LINES, "hdd " * 101, "at most 100, and there are 101"),
        (field("Built.climate", the_depots()), "warm", "climate is one of dry, cold"),
        (field("Built.opened", the_depots()), "yesterday", "a time like 2026-11-23 14:03:05"),
        (field("Delivered.kilos", the_depots()), "1.5 kg", "a number like 12.34"),
        (field("Delivered.kilos", the_depots()), "NaN", "a number like 12.34"),
        (field("Delivered.goods", the_depots()), "[", "is written as JSON"),
        (field("Delivered.goods", the_depots()), "[" * 100_000, "is written as JSON"),
        (field("Transferred.amount", the_bank()), "0", "from 0.01 to"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(field: Field, text: str, sentence_part: str) -> None:
    with pytest.raises(ValueError, match=sentence_part):
        read_value(field, text)


@given(NAMES)
def test_every_name_can_be_typed_and_shows_nothing_that_a_terminal_obeys(name: str) -> None:
    written = write_name(name)
    assert read_name(written) == name
    assert visible(written, 1000) == written


@given(st.text(max_size=100).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore").decode() == text))
def test_every_text_can_be_typed(text: str) -> None:
    owner = field("Opened.owner", the_bank())
    written = write_value(owner, text)
    assert read_value(owner, written) == text
    assert visible(written, 10_000) == written


@given(st.lists(st.tuples(NAMES, st.integers(0, 99)), max_size=5))
def test_every_list_of_pairs_can_be_typed(pairs: list[tuple[str, int]]) -> None:
    text = " ".join(f"{write_pair_name(write_name(name))}:{number}" for name, number in pairs)
    assert [(each.name, each.record["quantity"], each.problem) for each in read_pairs(LINES, text)] == [
        (*pair, None) for pair in pairs
    ]
    assert read_value(LINES, write_value(LINES, [{"item_id": n, "quantity": q} for n, q in pairs])) == [
        {"item_id": n, "quantity": q} for n, q in pairs
    ]


@given(st.text(max_size=200))
def test_reading_pairs_never_fails_and_its_places_are_in_the_text(text: str) -> None:
    end = 0
    for each in read_pairs(LINES, text):
        assert end <= each.start <= each.name_end <= each.end <= len(text)
        end = each.end


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("hdd:2 cpu", [("hdd", 2), ("cpu", 1)]),
        ("hdd:2, cpu:1,", [("hdd", 2), ("cpu", 1)]),
        ('"hard disk":3 "a:b"', [("hard disk", 3), ("a:b", 1)]),
        ('"hard di', [("hard di", 1)]),
        ("", []),
    ],
)
def test_pairs_are_typed_in_one_line(text: str, pairs: list[tuple[str, int]]) -> None:
    assert [(each.name, each.record["quantity"]) for each in read_pairs(LINES, text)] == pairs


@pytest.mark.parametrize("text", ["hdd:", "hdd:x", "hdd:1.5", ":2", '"":2', "a:b:2"])
def test_a_pair_that_cannot_be_read_says_why(text: str) -> None:
    (each,) = read_pairs(LINES, text)
    assert each.problem


EVENTS = (
    (the_bank, 'Opened {"account":"A\\u200b 1","owner":"Ann"}'),
    (the_bank, 'Transferred {"source":"A","target":"B","amount":5}'),
    (the_depots, 'Built {"depot":"n","name":"N","opened":"2020-01-01T00:00:00Z","climate":"cold","manager":"M"}'),
    (the_depots, 'Delivered {"depot":"n","goods":[{"sku":"s","pieces":3}],"kilos":"1.50","labels":["a b"]}'),
    (the_depots, 'Withdrawn {"depot":"n","sku":"s","pieces":3}'),
    (the_depots, 'Labelled {"slot":"n/s","batch":null}'),
    (the_depots, 'Weighed {"ticket":-5,"grams":1500}'),
)
"""An event of each type of two domains."""


@pytest.mark.parametrize(("domain", "event"), EVENTS)
def test_every_event_can_be_typed_field_by_field(domain: Callable[[], Fold], event: str) -> None:
    fold = domain()
    name, _, data = event.partition(" ")
    event_type = next(each for each in fold.publishable if each.wire_name == name)
    read, why = fold.decode(event_type, data.encode())
    assert read is not None, why
    members = {
        each.member: read_value(each, write_value(each, value))
        for each in fold.model(read).fields
        if (value := getattr(read, each.name)) is not None
    }
    assert fold.decode(event_type, json.dumps(members).encode())[0] == read


def test_a_decimal_within_json_has_every_digit() -> None:
    class Line(Struct):
        price: Decimal

    class Sold(Struct):
        lines: list[Line]

    sold = EventType(Sold, lambda _, __: None)
    fold = Fold(Domain("any", "1", (Table("t", "row", str, (Column("c"),)),), (sold,)))
    (lines,) = fold.models[0].fields
    value = read_value(lines, '[{"price":12345678901234567.89},{"price":1e400}]')
    prices = [str(line.price) for line in make_event(fold, sold, {"lines": value}).lines]
    assert prices == ["12345678901234567.89", "1E+400"]
    with pytest.raises(ValueError, match="lines is written as JSON: a number is out of range"):
        read_value(lines, '[{"price":1e9999999999999999999999}]')


def test_what_would_be_read_as_another_event_is_not_made() -> None:
    class Doubled(BaseModel):
        number: Annotated[int, BeforeValidator(lambda number: 2 * int(number))] = 0

    class Shown(BaseModel):
        number: Annotated[int, PlainSerializer(lambda number: f"<{number}>")] = 0

    for model in (Doubled, Shown):
        kind = EventType(model, lambda _, __: None)
        fold = Fold(Domain("any", "1", (Table("t", "row", str, (Column("c"),)),), (kind,)))
        assert make_event(fold, kind, {}).number == 0
        with pytest.raises(ValueError, match=f"is read as another event: .* of {model.__name__} differ"):
            make_event(fold, kind, {"number": 1})


@pytest.mark.parametrize("fold", [shop(), the_bank(), the_depots()], ids=lambda fold: fold.name)
def test_every_outcome_has_a_sentence_and_a_glyph(fold: Fold) -> None:
    for outcome in fold.outcomes:
        assert sentence(fold, outcome)
        assert len(GLYPHS[outcome.name]) == 1
        assert MEANINGS[outcome.name]
