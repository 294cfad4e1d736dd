"""Every moment that a track shows is the one that a plain replay to it makes."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject, SearchStrategy

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.fold.tables import Change
from esdash.past.cursor import Cursor
from tests import strategies
from tests.domains import the_bank, the_depots
from tests.domains.shop import Shop
from tests.domains.streams import bank_entries, depot_entries
from tests.past.recording import recorded


def shop_entries() -> SearchStrategy[list[Entry]]:
    """Entries of the shop, most of them sound."""

    def numbered(raw: list[strategies.RawEntry]) -> list[Entry]:
        return [
            (entry_id.encode(), [part for field in fields for part in field])
            for entry_id, fields in strategies.numbered(raw)
        ]

    return strategies.entries().map(numbered)


DOMAINS = {
    "shop": (Shop, shop_entries),
    "bank": (the_bank, bank_entries),
    "depots": (the_depots, depot_entries),
}


def told(fold: Fold, entries: Sequence[Entry]) -> tuple[list[str], list[list[int]], list[set[Change]]]:
    """Digests and counts after each entry (and before the first), and what each changed."""
    state = fold.empty()
    digests, counts, changes = [fold.digest(state)], [list(state.counts)], [set[Change]()]
    for entry in entries:
        _, found = fold.explain(state, entry)
        digests.append(fold.digest(state))
        counts.append(list(state.counts))
        changes.append(set(found.changes))
    return digests, counts, changes


@pytest.mark.parametrize("name", DOMAINS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_moment_in_any_order_is_that_of_a_plain_replay(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    digests, counts, changes = told(fold, entries)
    sizes = st.integers(1, 9)
    with recorded(make(), entries, page=data.draw(sizes), segment=data.draw(sizes)) as reader:
        cursor = Cursor(reader)
        assert (reader.shown_from, reader.built_to) == (0, len(entries))
        moments = st.lists(st.integers(0, len(entries)), min_size=1, max_size=8)
        for ordinal in data.draw(moments) if entries else []:
            cursor.seek(ordinal)
            assert fold.digest(cursor.state()) == digests[ordinal]
            assert cursor.counts() == counts[ordinal]
            assert set(cursor.changes()) == changes[ordinal]


@pytest.mark.parametrize("name", DOMAINS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_track_may_begin_at_any_snapshot(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    fold = make()
    entries = data.draw(strategy())
    digests, _, _ = told(fold, entries)
    start = data.draw(st.integers(0, len(entries)))
    projection = Projection(make(), unseen=3)
    if start:
        projection.apply(entries[:start])
    with recorded(projection.domain, entries[start:], page=2, segment=4, projection=projection) as reader:
        cursor = Cursor(reader)
        assert (reader.shown_from, reader.built_to) == (start, len(entries))
        for ordinal in data.draw(st.permutations(range(start, len(entries) + 1))) if start < len(entries) else []:
            cursor.seek(ordinal)
            assert fold.digest(cursor.state()) == digests[ordinal]
