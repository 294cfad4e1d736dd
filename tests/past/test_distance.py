"""What differs between two moments is told by a track as folding would tell it, or not at all."""

from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.fold.loading import load
from esdash.fold.outcomes import Outcome
from esdash.past.numbers.distance import distance_by
from tests.domains import PLACED
from tests.domains.streams import placed_entries
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded

ALL = DOMAINS | {"placed": (partial(load, str(PLACED)), placed_entries)}
"""One among them whose entries another program writes."""


@pytest.mark.parametrize("name", ALL)
@tried
@given(data=st.data())
def test_it_is_told_where_every_type_is_known(name: str, data: DataObject) -> None:
    make, strategy = ALL[name]
    fold = make()
    entries = data.draw(strategy().filter(bool))
    first, second = data.draw(st.tuples(*[st.integers(1, len(entries))] * 2))
    state = fold.empty()
    expected: Counter[tuple[str, Outcome]] = Counter()
    for ordinal, entry in enumerate(entries, 1):
        outcome = fold.outcomes[fold.explain(state, entry)[0]]
        if min(first, second) < ordinal <= max(first, second):
            expected[fold.sorter.type_of(entry[1]), outcome] += 1
    with recorded(make(), entries, page=4, segment=data.draw(st.integers(1, 9))) as reader:
        found = distance_by(reader, entries[first - 1][0], entries[second - 1][0])
    if found is None:
        assert any(outcome.name == "parked" for _, outcome in expected)
        return
    assert found.entries == expected
    assert [found.first.ordinal, found.second.ordinal] == [first, second]
    assert [found.first.last_event_id, found.second.last_event_id] == [
        entries[ordinal - 1][0].decode() for ordinal in (first, second)
    ]
    tables = [table.name for table in fold.domain.tables]
    order = [(tables.index(each.table), each.key) for each in found.numbers]
    assert order == sorted(order)
