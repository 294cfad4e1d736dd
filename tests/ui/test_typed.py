"""What people type, read back as values of the declared events."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.engine import load
from esdash.shop.events import MAX_COUNT, MAX_INT, MAX_MONEY, is_item_id
from esdash.shop.outcomes import OUTCOMES
from esdash.ui import typed
from esdash.ui.reasons import GLYPHS, MEANINGS, sentence
from esdash.ui.typed import (
    read_count,
    read_item,
    read_lines,
    read_money,
    read_rate,
    read_user,
    write_item,
    write_line_item,
)
from esdash.visible import visible

ITEM_IDS = st.text(min_size=1, max_size=64).filter(is_item_id)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (read_user, " 7 ", 7),
        (read_user, "1,234,567", 1_234_567),
        (read_user, str(MAX_INT), MAX_INT),
        (read_count, "1,000", 1000),
        (read_count, "0", 0),
        (read_money, "12", 1200),
        (read_money, "12.3", 1230),
        (read_money, "1,234.50", 123_450),
        (read_money, "10000000000000", MAX_MONEY),
        (read_rate, "0.5", 0.5),
        (read_rate, "1,000", 1000.0),
    ],
)
def test_numbers_are_read_as_people_write_them(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "sentence_part"),
    [
        (read_user, "-1", "a user is a whole number from 0"),
        (read_user, "1.0", "a user is a whole number"),
        (read_user, "1,23", "a user is a whole number"),
        (read_user, "٣", "a user is a whole number"),
        (read_user, str(MAX_INT + 1), "a user is a whole number"),
        (read_user, "9" * 5000, "a user is a whole number"),
        (read_count, str(MAX_COUNT + 1), "from 0 to 1,000,000,000,000"),
        (read_money, "1,5", "written like 12.34"),
        (read_money, "12.345", "written like 12.34"),
        (read_money, "10000000000000.01", "at most 10,000,000,000,000.00"),
        (read_item, " ", "1 to 64 characters"),
        (read_item, "x" * 65, "1 to 64 characters"),
        (read_item, r"a\u{1B}", "no control characters"),
        (read_rate, "0", "events a second from 0.1"),
        (read_rate, "nan", "events a second"),
        (read_rate, "1e3", "events a second"),
    ],
)
def test_what_cannot_be_read_is_answered_with_a_sentence(
    read: Callable[[str], object], text: str, sentence_part: str
) -> None:
    with pytest.raises(ValueError, match=sentence_part):
        read(text)


@given(ITEM_IDS)
def test_every_item_id_can_be_typed_and_shows_nothing_that_a_terminal_obeys(item_id: str) -> None:
    written = write_item(item_id)
    assert read_item(written) == item_id
    assert visible(written, 1000) == written


@given(st.lists(st.tuples(ITEM_IDS, st.integers(0, 99)), max_size=5))
def test_every_order_can_be_typed(lines: list[tuple[str, int]]) -> None:
    text = " ".join(f"{write_line_item(item_id)}:{quantity}" for item_id, quantity in lines)
    assert [(line.item_id, line.quantity, line.problem) for line in read_lines(text)] == [
        (*line, None) for line in lines
    ]


@given(st.text(max_size=200))
def test_reading_lines_never_fails_and_its_places_are_in_the_text(text: str) -> None:
    end = 0
    for line in read_lines(text):
        assert end <= line.start <= line.item_end <= line.end <= len(text)
        end = line.end


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("hdd:2 cpu", [("hdd", 2), ("cpu", 1)]),
        ("hdd:2, cpu:1,", [("hdd", 2), ("cpu", 1)]),
        ('"hard disk":3 "a:b"', [("hard disk", 3), ("a:b", 1)]),
        ('"hard di', [("hard di", 1)]),
        ("", []),
    ],
)
def test_an_order_is_typed_in_one_line(text: str, lines: list[tuple[str, int]]) -> None:
    assert [(line.item_id, line.quantity) for line in read_lines(text)] == lines


@pytest.mark.parametrize("text", ["hdd:", "hdd:x", "hdd:1.5", ":2", '"":2', "a:b:2"])
def test_a_line_that_cannot_be_ordered_says_why(text: str) -> None:
    (line,) = read_lines(text)
    assert line.problem


def test_every_outcome_has_a_sentence_and_a_glyph() -> None:
    for outcome in OUTCOMES:
        assert sentence(outcome).endswith(".")
        assert len(GLYPHS[outcome.name]) == 1
        assert MEANINGS[outcome.name]
    assert len({sentence(outcome) for outcome in OUTCOMES}) == len(OUTCOMES)


def test_the_bounds_of_a_rate_are_those_of_the_engine() -> None:
    assert typed.MAX_RATE == load.MAX_RATE
