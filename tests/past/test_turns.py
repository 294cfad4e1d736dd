"""When a condition begins to hold and ceases to, by the track, is what a plain replay says."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from esdash.engine.invariants.conditions import holds
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State
from esdash.past.numbers.turns import Search, Turn, turns
from esdash.query.conditions import OPERATORS, Comparison, Condition, read_condition
from esdash.query.numbers import FUNCTIONS, Aggregate, Cell, Number
from esdash.query.trees import All, Either, Negated
from esdash.words.asked import schema_of
from tests.engine import test_conditions
from tests.engine.asked import day
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded

Values = list[Any]


def value_of(fold: Fold, state: State, number: Number) -> Any:
    """What a number is, looked at plainly."""
    table, places = fold.storage.places[number.table]
    if isinstance(number, Cell):
        return fold.cell(state, number.table, number.key, number.column)
    names = [column.name for column in table.columns]
    cells = list(state.cells[places[names.index(number.column) if number.column else 0]].values())
    if number.function == "count":
        return len(cells)
    if number.function == "sum":
        return sum(cells)
    return (min if number.function == "min" else max)(cells, default=None)


def numbers_in(fold: Fold, entries: Sequence[Entry]) -> list[tuple[Number, type]]:
    """Cells that were there once, some that never were, and all that can be asked over tables; with their kinds."""
    state = fold.empty()
    changes = [change for entry in entries for change in fold.explain(state, entry)[1].changes]
    found: dict[Number, type] = {}
    for table, _ in fold.storage.places.values():
        keys = {change.key for change in changes if change.table == table.name}
        keys.add(0 if table.key is int else "never there")
        for column in table.columns:
            found |= {Cell(table.name, key, column.name): column.kind for key in keys}
            if column.kind is int:
                found |= {Aggregate(name, table.name, column.name): int for name in FUNCTIONS[1:]}
        found[Aggregate("count", table.name, "")] = int
    return list(found.items())


def history(fold: Fold, entries: Sequence[Entry], numbers: Sequence[Number]) -> list[dict[Number, Any]]:
    """What numbers are before the first entry and after each."""
    state = fold.empty()
    found = [{number: value_of(fold, state, number) for number in numbers}]
    for entry in entries:
        fold.explain(state, entry)
        found.append({number: value_of(fold, state, number) for number in numbers})
    return found


def conditions(numbers: Sequence[tuple[Number, type]], found: Sequence[dict[Number, Any]]) -> SearchStrategy[Condition]:
    """Conditions over numbers that had these values, most of them of values that they had, or nearly."""

    def compared(drawn: tuple[tuple[Number, type], str, int, int]) -> Comparison:
        (number, kind), operator, place, more = drawn
        values = [each[number] for each in found if each[number] is not None] or [kind()]
        others = [other for other, its_kind in numbers if its_kind is kind]
        operator = operator if kind is not bool else ("=", "!=")[place % 2]
        if more > 2:
            return Comparison(number, operator, "", other=others[place % len(others)])
        low = values[place % len(values)]
        if kind is int:
            low = (low + more) * (10**20 if more == 2 else 1)
        return Comparison(number, operator, str(low), low, low + 1 if kind is int and more == 1 else low)

    one = st.tuples(st.sampled_from(numbers), st.sampled_from(OPERATORS), st.integers(0, 10**6), st.integers(-1, 4))
    return st.recursive(
        one.map(compared),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: All(tuple(parts))),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: Either(tuple(parts))),
            inner.map(Negated),
        ),
        max_leaves=5,
    )


def turns_of(holding: Sequence[bool], start: int = 0) -> list[Turn]:
    """The turns where a condition holds so from the moment of an ordinal on; the first there is counts as one."""
    first = start or 1
    found = [Turn(first, holds=True)] if holding[first - start] and (start or holding[0]) else []
    for place in range(1, len(holding)):
        if holding[place] is not holding[place - 1]:
            found.append(Turn(start + place, holding[place]))
    return found


def searched(search: Search) -> int | None:
    """What is found in the end."""
    while search.left(whole=True):
        search.step(whole=True)
    return search.found


@pytest.mark.parametrize("name", DOMAINS)
@settings(tried, max_examples=2 * tried.max_examples)
@given(data=st.data())
def test_turns_are_those_of_a_plain_replay(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries = data.draw(strategy().filter(bool))
    numbers = numbers_in(make(), entries)
    found = history(make(), entries, [number for number, _ in numbers])
    condition = data.draw(conditions(numbers, found))
    holding = [holds(condition, values.__getitem__) for values in found]
    start = data.draw(st.sampled_from([0, 0, 1, len(entries) // 2]))
    projection = Projection(make(), unseen=3)
    if start:
        projection.apply(entries[:start])
    expected = turns_of(holding[start:], start)
    begins = [turn.ordinal for turn in expected if turn.holds]
    sizes = st.integers(1, 9)
    page, segment = data.draw(sizes), data.draw(sizes)
    with recorded(projection.domain, entries[start:], page=page, segment=segment, projection=projection) as reader:
        if not reader.segments:
            return
        assert list(turns(reader, condition)) == expected
        assert searched(Search(reader, condition, None)) == (begins[0] if begins else None)
        for at in data.draw(st.lists(st.integers(start, len(entries)), max_size=3)):
            after, before = [each for each in begins if each > at], [each for each in begins if each < at]
            assert searched(Search(reader, condition, at)) == (after[0] if after else None)
            assert searched(Search(reader, condition, at, back=True)) == (before[-1] if before else None)


@pytest.mark.parametrize(
    ("domain", "text"),
    [each[:2] for each in test_conditions.CONDITIONS],
    ids=[each[1] for each in test_conditions.CONDITIONS],
)
def test_turns_through_a_day(domain: str, text: str) -> None:
    fold, rows, facts = day(domain, 500)
    plain: Callable[[dict[str, Any]], bool] = next(
        plain for its, condition, plain in test_conditions.CONDITIONS if (its, condition) == (domain, text)
    )
    expected = turns_of([plain({}), *(plain(fact.cells) for fact in facts)])
    entries = [(row.entry_id, row.fields) for row in rows]
    with recorded(fold, entries, page=30, segment=30) as reader:
        assert list(turns(reader, read_condition(text, schema_of(fold), 0))) == expected
