"""Conditions and numbers beside a state that moves on: they are what the whole state says, looked at anew each time."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.engine.invariants.conditions import StandingCondition
from esdash.engine.invariants.numbers import Numbers
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.query.conditions import read_condition
from esdash.query.numbers import read_number
from esdash.words.asked import schema_of
from tests.domains.shop import shop
from tests.engine.asked import cells_of, day

Cells = dict[str, Any]


def column(cells: Cells, table: str, name: str) -> list[Any]:
    return [value for cell, value in cells.items() if cell.startswith(f"{table}:") and cell.rpartition(".")[2] == name]


CONDITIONS: list[tuple[str, str, Callable[[Cells], bool]]] = [
    ("shop", "users:7.balance < 500", lambda cells: cells.get("users:7.balance", 10**9) < 50_000),
    ("shop", "not users:7.balance < 500", lambda cells: cells.get("users:7.balance", 10**9) >= 50_000),
    (
        "shop",
        "users:7.balance != 0 or count(items) = 3",
        lambda cells: bool(cells.get("users:7.balance")) or len(column(cells, "items", "price")) == 3,
    ),
    (
        "shop",
        "sum(users.balance) >= 10,000 and users:1.balance > users:2.balance",
        lambda cells: (
            sum(column(cells, "users", "balance")) >= 10**6
            and cells.get("users:1.balance", -1) > cells.get("users:2.balance", 10**9)
        ),
    ),
    ("shop", "max(users.balance) > 1,500", lambda cells: max(column(cells, "users", "balance"), default=0) > 150_000),
    ("shop", "min(items.price) < 20", lambda cells: min(column(cells, "items", "price"), default=10**9) < 2000),
    ("bank", 'accounts:"A-4 é".owner = "Bob"', lambda cells: cells.get("accounts:A-4 é.owner") == "Bob"),
    ("bank", "count(accounts) > 10", lambda cells: len(column(cells, "accounts", "balance")) > 10),
    ("depots", "depots:d4.cold = yes", lambda cells: cells.get("depots:d4.cold") is True),
    ("depots", "not depots:d4.cold = yes", lambda cells: cells.get("depots:d4.cold") is not True),
    (
        "depots",
        'slots:"d3/s2".pieces > 10 or max(slots.pieces) > 150',
        lambda cells: cells.get("slots:d3/s2.pieces", 0) > 10 or max(column(cells, "slots", "pieces"), default=0) > 150,
    ),
    (
        "depots",
        "count(depots) <= 3 and count(slots) > 0",
        lambda cells: len(column(cells, "depots", "name")) <= 3 and column(cells, "slots", "pieces") != [],
    ),
    (
        "depots",
        "sum(depots.pieces) > max(tickets.times)",
        lambda cells: (
            bool(column(cells, "tickets", "times"))
            and sum(column(cells, "depots", "pieces")) > max(column(cells, "tickets", "times"))
        ),
    ),
    (
        "depots",
        "depots:d1.opened < 2026-01-15T00:00Z",
        lambda cells: cells.get("depots:d1.opened", 10**18) < 1768435200000,
    ),
]


@pytest.mark.parametrize(("domain", "condition", "plain"), CONDITIONS, ids=[each[1] for each in CONDITIONS])
def test_a_condition_holds_where_the_whole_state_says_so(
    domain: str, condition: str, plain: Callable[[Cells], bool]
) -> None:
    fold, rows, facts = day(domain, 500)
    standing = StandingCondition(fold, fold.empty(), read_condition(condition, schema_of(fold), 0))
    found = [standing.see(row.told.changes if row.told is not None else ()) for row in rows]
    expected = [plain(fact.cells) for fact in facts]
    assert found == expected
    assert len(set(expected)) == 2, "it should hold at times, and not at others"


NUMBERS = [
    ("shop", ["users:7.balance", "count(users)", "sum(users.balance)", "min(items.price)", "max(users.balance)"]),
    ("bank", ['accounts:"A-4 é".owner', "count(accounts)", "min(accounts.balance)", "max(accounts.balance)"]),
    ("depots", ["count(depots)", "sum(depots.pieces)", "min(depots.last)", "max(slots.pieces)", "depots:d1.manager"]),
]


@pytest.mark.parametrize(("domain", "names"), NUMBERS)
def test_numbers_that_are_kept_are_those_of_the_state(domain: str, names: list[str]) -> None:
    fold, rows, _ = day(domain, 500)
    numbers = [read_number(name, schema_of(fold)) for name in names]
    state = fold.empty()
    kept = Numbers(fold, state, numbers)
    for row in rows:
        before = [kept.value(number) for number in numbers]
        assert row.told is not None
        touched = kept.see(row.told.changes)
        fold.explain(state, (row.entry_id, row.fields))
        after = [Numbers(fold, state, [number]).value(number) for number in numbers]
        assert [kept.value(number) for number in numbers] == after
        assert touched or before == after


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(-3, 3)), max_size=60), st.integers(0, 2))
def test_a_least_and_a_greatest_value_follow_every_change(written: list[tuple[int, int | None]], repeated: int) -> None:
    fold: Fold = shop()
    numbers = [read_number(f"{name}(users.balance)", schema_of(fold)) for name in ("min", "max", "sum")]
    kept = Numbers(fold, fold.empty(), numbers)
    cells: dict[int, int] = {}
    # More old values than are kept.
    for key, after in written * (1 + 40 * repeated):
        change = Change("users", key, "balance", cells.pop(key, None), after)
        if after is not None:
            cells[key] = after
        kept.see([change])
        values = list(cells.values())
        expected = [min(values, default=None), max(values, default=None), sum(values)]
        assert [kept.value(number) for number in numbers] == expected


def test_the_cells_of_an_empty_state_are_none() -> None:
    assert cells_of(shop(), shop().empty()) == {}
