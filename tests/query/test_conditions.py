"""Conditions: numbers beside values, joined."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.query.conditions import Comparison, Condition, compare, read_condition
from esdash.query.errors import QueryError
from esdash.query.numbers import Aggregate, Cell
from esdash.query.schema import Schema
from esdash.query.trees import All, Either, Negated, terms_of
from tests.query.asking import NOW, joined, of_bank, of_depots, of_shop, texts, tried


def read(text: str, schema: Schema | None = None) -> Condition:
    return read_condition(text, schema or of_shop(), NOW)


def meant(text: str, schema: Schema | None = None) -> tuple[str, Any, Any]:
    """The operator of a comparison, and what the number is compared with."""
    (term,) = terms_of(read(text, schema))
    return term.operator, term.low, term.high


class TestComparisons:
    def test_values_are_written_as_people_read_them(self) -> None:
        assert meant("users:7.balance < 12.34") == ("<", 1234, 1234)
        assert meant("users:7.balance>=-1,234.5") == (">=", -123_450, -123_450)
        assert meant("sum(users.balance) != 1") == ("!=", 100, 100)
        assert meant("count(users) <= 1,000") == ("<=", 1000, 1000)
        assert meant("items:hdd.remain == 3") == ("=", 3, 3)
        assert meant('accounts:A.owner = "Ann B"', of_bank()) == ("=", "Ann B", "Ann B")
        assert meant("accounts:A.owner = 'Ann B'", of_bank()) == ("=", "Ann B", "Ann B")
        assert meant("depots:d.cold = yes", of_depots()) == ("=", True, True)
        assert meant('tickets:1.grams > "1.5 kg"', of_depots()) == (">", 1500, 1500)
        assert meant("depots:d.opened > 2026-01-02T00:00Z", of_depots()) == (">", 1767312000000, 1767312059999)

    def test_a_number_beside_a_number(self) -> None:
        condition = read("users:7.balance > max(items.price)")
        assert condition == Comparison(Cell("users", 7, "balance"), ">", "", other=Aggregate("max", "items", "price"))

    def test_they_know_where_they_stand(self) -> None:
        text = 'users:7.balance<1 or not (items:"a b".remain  =  0)'
        assert [text[slice(*term.span)] for term in terms_of(read(text))] == [
            "users:7.balance<1",
            'items:"a b".remain  =  0',
        ]

    def test_what_is_not_there_is_nothing(self) -> None:
        for operator in ("=", "!=", "<", "<=", ">", ">="):
            assert not compare(None, operator, 1, 1)
            assert not compare(1, operator, None, None)

    @given(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 3))
    def test_a_stretch_is_all_that_it_names(self, value: int, low: int, length: int) -> None:
        high = low + length
        found = {operator: compare(value, operator, low, high) for operator in ("=", "!=", "<", "<=", ">", ">=")}
        assert found["="] is (value in range(low, high + 1))
        assert found["!="] is not found["="]
        assert found["<"] + found["="] + found[">"] == 1
        assert found["<="] is (found["<"] or found["="])
        assert found[">="] is (found[">"] or found["="])


class TestJoining:
    A, B, C = "users:1.balance = 1.00", "users:2.balance = 2.00", "users:3.balance = 3.00"

    def test_and_binds_more_than_or_and_not_binds_most(self) -> None:
        a, b, c = map(read, (self.A, self.B, self.C))
        assert read(f"{self.A} and {self.B} or {self.C}") == Either((All((a, b)), c))
        assert read(f"{self.A} and ({self.B} or {self.C})") == All((a, Either((b, c))))
        assert read(f"not {self.A} and {self.B}") == All((Negated(a), b))
        assert read(f"NOT ({self.A} AND {self.B})") == Negated(All((a, b)))


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("text", "pointed", "said"),
        [
            ("", "", "Expected a number, like users:7.balance"),
            ("users:7.balance", "", "Expected =, !=, <, <=, > or >= behind users:7.balance"),
            ("users:7.balance <", "", "Expected a value behind the <"),
            ("users:7.balance < x", "x", "an amount is written like 12.34"),
            ("count(users) < x", "x", "a whole number"),
            ("5 < users:7.balance", "5", "Expected a number"),
            ("users:7.bal < 3", "bal", "Expected balance"),
            ("users:7.balance<1 users:7.balance<2", "users:7.balance<2", "Expected and, or, or the end"),
            ("users:7.balance<1 and", "", "Expected a number"),
            ("(users:7.balance<1", "(", "Expected a ) to this ("),
            ("users:7.balance<1)", ")", "There is no ( to this )"),
            ("users:7.balance<1(", "(", "Expected a space"),
            ('items:a.price = "1', '"', "that ends this text"),
        ],
    )
    def test_is_pointed_at(self, text: str, pointed: str, said: str) -> None:
        with pytest.raises(QueryError) as error:
            read(text)
        assert said.casefold() in str(error.value).casefold()
        assert text[slice(*error.value.span)] == pointed

    def test_kinds_that_do_not_go_together(self) -> None:
        with pytest.raises(QueryError, match="of different kinds"):
            read("accounts:A.owner = accounts:B.balance", of_bank())
        with pytest.raises(QueryError, match="expected = or !="):
            read("depots:d.cold < yes", of_depots())
        with pytest.raises(QueryError, match="is yes or no"):
            read("depots:d.cold = 1.5", of_depots())


TERMS = [
    *("users:7.balance<1", 'items:"a b".remain != 3', "count(items)>=3", "max(items.price)<min(users.balance)"),
    *("sum(users.balance) = -1,234.50", r'items:"a\"b".remain=items:x.remain', "user:7.balance > users:-7.balance"),
]


@given(joined(TERMS))
def test_what_a_tree_writes_is_read_as_the_same(text: str) -> None:
    tree = read(text)
    assert read(str(tree)) == tree


@given(texts(), st.sampled_from([of_shop, of_bank, of_depots]))
def test_any_text_is_a_condition_or_is_pointed_at(text: str, schema: Callable[[], Schema]) -> None:
    tree, error = tried(lambda: read(text, schema()))
    if error is None:
        assert read(str(tree), schema()) == tree
    else:
        assert error.pointed()


def test_a_text_that_looks_like_a_number_is_written_in_quotes() -> None:
    from esdash.query.numbers import Cell

    condition = Comparison(Cell("accounts", "a", "owner"), "=", "accounts:7.balance")
    assert str(condition) == 'accounts:a.owner = "accounts:7.balance"'


def test_choices_of_several_kinds_are_the_same_or_not() -> None:
    assert compare("a", "=", "a", "a")
    assert not compare("a", "=", 1, 1)
    assert compare("a", "!=", 1, 1)
    assert not compare(None, "!=", 1, 1)
