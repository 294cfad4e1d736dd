"""Saved questions: asked by their name, as if they stood there."""

from dataclasses import replace

import pytest

from esdash.query.completing import completions
from esdash.query.errors import QueryError
from esdash.query.questions import MOST_SAVED, read_question
from tests.query.asking import NOW, of_shop

SAVED = {"refused": "outcome:rejected or outcome:parked", "mine": "@refused user:7", "broken": "amount>>"}
SCHEMA = replace(of_shop(), saved=SAVED)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@refused", "outcome:rejected or outcome:parked"),
        ("@refused user:7", "(outcome:rejected or outcome:parked) user:7"),
        ("-@mine hdd", "-((outcome:rejected or outcome:parked) user:7) hdd"),
        ("(@refused) or @mine", "outcome:rejected or outcome:parked or ((outcome:rejected or outcome:parked) user:7)"),
        ('"@refused"', '"@refused"'),
        ("a@refused", "a@refused"),
    ],
)
def test_stand_for_what_was_saved(text: str, same: str) -> None:
    assert str(read_question(text, SCHEMA, NOW)) == str(read_question(same, SCHEMA, NOW))


@pytest.mark.parametrize(
    ("text", "told", "span"),
    [
        ("user:7 @refusd", "There is no saved question refusd. Did you mean refused?", (7, 14)),
        ("@", "Expected the name of a saved question", (0, 1)),
        ("@refused!", "Expected the name of a saved question", (0, 1)),
        ("hdd @broken", "The saved question broken cannot be asked: amount>>: Amount", (4, 11)),
    ],
)
def test_what_is_wrong_is_pointed_at_where_it_was_typed(text: str, told: str, span: tuple[int, int]) -> None:
    with pytest.raises(QueryError, match=told) as error:
        read_question(text, SCHEMA, NOW)
    assert error.value.span == span


@pytest.mark.parametrize(
    "saved",
    [
        {"a": "@a"},
        {"a": "@b", "b": "@a"},
        {"a": "@b", "b": "@c", "c": "@d", "d": "@e", "e": "x"},
        {"a": " ".join(["@b"] * 100), "b": " ".join(["@c"] * 100), "c": "x"},
    ],
)
def test_none_asks_for_others_without_end(saved: dict[str, str]) -> None:
    with pytest.raises(QueryError, match="Too many saved questions"):
        read_question("@a", replace(of_shop(), saved=saved), NOW)
    assert MOST_SAVED


def test_their_names_are_completed() -> None:
    assert [each.text for each in completions("user:7 -@m", 10, SCHEMA)] == ["@mine"]
    assert [each.text for each in completions("", 0, SCHEMA)][:3] == ["@refused", "@mine", "@broken"]
