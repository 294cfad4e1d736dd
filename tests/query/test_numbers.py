"""Numbers: what can be typed, and that whatever names one elsewhere can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.cells import MAX_INT, MIN_INT, is_name
from esdash.fold.stored import number_name
from esdash.query.errors import QueryError
from esdash.query.numbers import Aggregate, Cell, Number, column_of, read_number
from tests.query.asking import of_bank, of_depots, of_shop, texts, tried


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("users:7.balance", Cell("users", 7, "balance")),
        ("user:7.balance", Cell("users", 7, "balance")),
        ("users:-7.balance", Cell("users", -7, "balance")),
        ('items:"two words".remain', Cell("items", "two words", "remain")),
        (r'items:"a\"b\\.c".price', Cell("items", 'a"b\\.c', "price")),
        ("items:a.b.remain", Cell("items", "a.b", "remain")),
        (" items:日本.remain ", Cell("items", "日本", "remain")),
        ("count(users)", Aggregate("count", "users", "")),
        ("count( user )", Aggregate("count", "users", "")),
        ("sum(users.balance)", Aggregate("sum", "users", "balance")),
        ("min( items.price )", Aggregate("min", "items", "price")),
        ("max(items.price)", Aggregate("max", "items", "price")),
    ],
)
def test_a_number_can_be_typed(text: str, number: Number) -> None:
    assert read_number(text, of_shop()) == number
    assert read_number(str(number), of_shop()) == number


@pytest.mark.parametrize(
    ("text", "pointed", "said"),
    [
        ("", "", "Expected a number, like users:7.balance or sum(users.balance)"),
        ("users", "users", "Expected a number"),
        ("usrs:7.balance", "usrs", "Did you mean users?"),
        ("users:7", "", "Expected a . and a column behind the key: balance"),
        ('items:"a"', "", "Expected a . and a column: price or remain"),
        ("users:7.", "", "Expected a column: balance"),
        ("users:7.balanc", "balanc", "Did you mean balance?"),
        ("users:x.balance", "x", "whole numbers"),
        ("users:.balance", "", "Expected a key of users"),
        ('items:"".price', '""', "is not empty"),
        ('items:"a.price', '"', "that ends this text"),
        ("users:7.balance x", "x", "nothing more"),
        ("mean(users)", "mean", "Expected count, sum, min or max"),
        ("count(user.balance)", ".", "counts the rows"),
        ("sum(users)", "", "Expected a . and a column: balance"),
        ("sum()", "", "Expected a table: users or items"),
        ("sum(users.balance", "", "Expected a )"),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, pointed: str, said: str) -> None:
    with pytest.raises(QueryError) as error:
        read_number(text, of_shop())
    assert said in str(error.value)
    assert text[slice(*error.value.span)] == pointed


def test_only_numbers_are_summed() -> None:
    with pytest.raises(QueryError, match=r"owner holds no numbers. Expected balance"):
        read_number("sum(accounts.owner)", of_bank())
    assert read_number("min(depots.opened)", of_depots()) == Aggregate("min", "depots", "opened")


def test_a_text_and_a_truth_value_are_cells_as_well() -> None:
    for text, kind in (("depots:d.name", "str"), ("depots:d.cold", "bool"), ("depots:d.opened", "time")):
        column = column_of(read_number(text, of_depots()), of_depots())
        assert column is not None
        assert column.values.kind == kind
    assert column_of(read_number("count(depots)", of_depots()), of_depots()) is None


@given(st.text(max_size=20).filter(is_name), st.integers(MIN_INT, MAX_INT))
def test_every_cell_is_called_what_it_is_called_elsewhere(name: str, key: int) -> None:
    for cell in (Cell("items", name, "price"), Cell("users", key, "balance")):
        assert str(cell) == number_name(cell.table, cell.key, cell.column)
        assert read_number(str(cell), of_shop()) == cell


@given(texts())
def test_any_text_is_a_number_or_is_pointed_at(text: str) -> None:
    number, error = tried(lambda: read_number(text, of_shop()))
    if error is None:
        assert read_number(str(number), of_shop()) == number
    else:
        assert error.pointed()
