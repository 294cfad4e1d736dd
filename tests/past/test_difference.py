"""The difference of two moments is that of the states that a plain replay to them makes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.fold.cells import Change
from esdash.fold.folding import Entry
from esdash.fold.outcomes import Outcome
from esdash.fold.stored import number_name
from esdash.past.numbers.difference import Between, differences
from esdash.words.changes import column_of, is_amount
from tests.domains import the_depots
from tests.domains.shop import Shop
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded


def size(change: Change) -> int:
    return abs(int(change.after or 0) - int(change.before or 0))


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_numbers_are_those_on_which_the_two_states_do_not_agree(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    first, second = data.draw(st.tuples(*[st.integers(0, len(entries))] * 2))
    states = [fold.empty(), fold.empty()]
    for state, ordinal in zip(states, (first, second), strict=True):
        if ordinal:
            fold.fold(state, entries[:ordinal])
    named = tuple(f"{table.name}:" for table in fold.domain.tables)
    expected = {
        each.number: (each.first, each.second)
        for each in fold.differences(states[0], states[1], 10_000)
        if each.number.startswith(named)
    }
    with recorded(make(), entries, page=4, segment=data.draw(st.integers(1, 9))) as reader:
        found = differences(reader, first, second, reader.fold.domain.tables)
        changes = list(found)
    assert len(found) == len(changes)
    assert {number_name(each.table, each.key, each.column): (each.before, each.after) for each in changes} == expected
    columns = [column_of(fold, each.table, each.column)[1] for each in changes]
    for change, column in zip(changes, columns, strict=True):
        assert {type(change.before), type(change.after)} <= {column.kind, type(None)}
    amounts = [each for each, column in zip(changes, columns, strict=True) if is_amount(column)]
    assert changes[: len(amounts)] == amounts, "what is no amount comes last"
    assert [size(each) for each in amounts] == sorted(map(size, amounts), reverse=True)


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_the_entries_between_are_counted_by_type_and_outcome(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    first, second = data.draw(st.tuples(*[st.integers(0, len(entries))] * 2))
    expected: Counter[tuple[str, Outcome]] = Counter()
    state = fold.empty()
    for ordinal, entry in enumerate(entries, 1):
        outcome = fold.outcomes[fold.explain(state, entry)[0]]
        if min(first, second) < ordinal <= max(first, second):
            expected["" if outcome.name == "parked" else fold.sorter.type_of(entry[1]), outcome] += 1
    with recorded(make(), entries, page=4, segment=data.draw(st.integers(1, 9))) as reader:
        between = Between(reader, first, second)
        while not between.done:
            between.take(reader)
        found = between.came()
    assert [each.count for each in found] == sorted((each.count for each in found), reverse=True)
    counted: Counter[tuple[str, Outcome]] = Counter()
    for each in found:
        # Of what could not be understood the type is kept only where there is one.
        assert each.type or each.outcome.name == "parked"
        counted["" if each.outcome.name == "parked" else each.type, each.outcome] += each.count
    assert counted == expected


def weighed(number: int, ticket: int, grams: int) -> Entry:
    data = b'{"ticket":%d,"grams":%d}' % (ticket, grams)
    return b"%d-0" % number, [b"type", b"Weighed", b"data", data]


def test_the_two_ends_of_the_numbers_lie_furthest_apart() -> None:
    most = 2**63 - 1
    entries = [
        weighed(1, 1, -(2**63)), weighed(2, 2, 5), weighed(3, 3, 0),
        weighed(4, 1, most), weighed(5, 2, most), weighed(6, 4, -(2**63)), weighed(7, 3, 1),
    ]  # fmt: skip
    fold = the_depots()
    tickets = [table for table in fold.domain.tables if table.name == "tickets"]
    with recorded(fold, entries) as reader:
        grams = [each for each in differences(reader, 3, 7, tickets) if each.column == "grams"]
    assert [(each.key, each.before, each.after) for each in grams] == [
        (1, -(2**63), most), (4, None, -(2**63)), (2, 5, most), (3, 0, 1),
    ]  # fmt: skip


def test_a_hundred_thousand_rows_alike_are_not_looked_at_one_by_one() -> None:
    entries: list[Entry] = [
        (b"%d-0" % number, [b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":7}' % number])
        for number in range(1, 20_001)
    ]
    entries.append((b"20001-0", [b"type", b"TopUp", b"data", b'{"user_id":9,"amount":7}']))
    with recorded(Shop(), entries, segment=5_000) as reader:
        found = differences(reader, 20_000, 20_001, reader.fold.domain.tables)
        assert list(found) == [Change("users", 9, "balance", 7, 14)]
        assert len(differences(reader, 0, 20_001, reader.fold.domain.tables)) == 20_000
