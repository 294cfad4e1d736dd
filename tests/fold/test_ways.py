"""The same entries give the same state, in whatever pages they come and by whatever way the state came about."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from esdash.fold import sorting
from esdash.fold.cells import Change
from esdash.fold.folding import Entry, Fold, Told
from esdash.fold.state import State
from tests.domains import the_bank, the_depots
from tests.domains.streams import bank_entries, depot_entries
from tests.fold.trying import rows
from tests.strategies import entries as shop_entries
from tests.unit.shop import SHOP, as_entries, steady

DOMAINS: dict[str, tuple[Fold, SearchStrategy[list[Entry]]]] = {
    "shop": (SHOP, shop_entries(30).map(as_entries)),
    "bank": (the_bank(), bank_entries()),
    "depot": (the_depots(), depot_entries()),
}

Way = Callable[[Fold, State, list[Entry]], tuple[bytes, State]]


def plainly(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    return fold.fold(state, entries), state


def packed(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    module, _, call = fold.packing.partition(":")
    name, _, kinds = call.partition("(")
    assert (module, name) == ("esdash.fold.sorting", "packer")
    return fold.fold_packed(state, sorting.packer(kinds[:-1])(entries)), state


def told(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    heard: list[Told] = []
    codes = fold.fold(state, entries, heard)
    assert len(heard) == len(entries)
    return codes, state


def restored(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    codes = fold.fold(state, entries)
    return codes, fold.load(list(fold.dump(state)))


def forked(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    digest, chunks = fold.digest(state), list(fold.dump(state))
    fork = state.fork()
    codes = fold.fold(state, entries)
    assert fold.digest(fork) == digest
    assert list(fold.dump(fork)) == chunks
    return codes, state


def joined(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    codes, state = forked(fold, state, entries)
    state.join()
    return codes, state


def over(fold: Fold, state: State, entries: list[Entry]) -> tuple[bytes, State]:
    digest = fold.digest(state)
    trial = state.over()
    codes = fold.fold(trial, entries)
    assert fold.digest(state) == digest
    return codes, trial


WAYS = [plainly, packed, told, restored, forked, joined, over]


@pytest.mark.parametrize("name", DOMAINS)
class TestTheSameState:
    @steady(20)
    @given(st.data())
    def test_in_pages_of_any_size(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        entries = chance.draw(streams)
        whole, alone = fold.empty(), fold.empty()
        codes = fold.fold(whole, entries)
        assert b"".join(fold.fold(alone, [entry]) for entry in entries) == codes
        assert fold.digest(alone) == fold.digest(whole)
        size = chance.draw(st.integers(2, max(2, len(entries))))
        paged = fold.empty()
        parts = [entries[at : at + size] for at in range(0, len(entries), size)]
        assert b"".join(fold.fold(paged, part) for part in parts) == codes
        assert fold.digest(paged) == fold.digest(whole)
        assert fold.differences(paged, whole, 9) == []

    @steady(30)
    @given(st.data())
    def test_by_any_ways_at_any_cuts(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        entries = chance.draw(streams)
        whole, state = fold.empty(), fold.empty()
        codes, found, start = fold.fold(whole, entries), b"", 0
        steps = chance.draw(st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 12)), max_size=6))
        for way, size in [*steps, (plainly, len(entries))]:
            some, state = way(fold, state, entries[start : start + size])
            found += some
            start += size
        assert found == codes
        assert fold.digest(state) == fold.digest(whole)
        assert rows(fold, state) == rows(fold, whole)
        assert fold.differences(state, whole, 9) == []
        assert state.counts == whole.counts
        assert list(state.key_order) == list(whole.key_order)
        assert state.keys == whole.keys
        assert fold.digest(fold.load(list(fold.dump(state)))) == fold.digest(whole)
        assert fold.size(state) == fold.size(whole)

    @steady(20)
    @given(st.data())
    def test_whether_it_is_watched_or_not(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        careful = Fold(fold.domain)
        careful.careful = True
        entries = chance.draw(streams)
        states = [each.empty() for each in (fold, careful)]
        assert fold.fold(states[0], entries) == careful.fold(states[1], entries)
        assert fold.digest(states[0]) == careful.digest(states[1])

    @steady(20)
    @given(st.data())
    def test_whatever_the_order_of_insertion(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        state = fold.empty()
        fold.fold(state, chance.draw(streams))
        shuffled = fold.load(list(fold.dump(state)))
        for cells in shuffled.cells:
            items = chance.draw(st.permutations(list(cells.items())))
            cells.clear()
            cells.update(items)
        assert fold.digest(shuffled) == fold.digest(state)
        assert fold.digest(fold.load(list(fold.dump(shuffled)))) == fold.digest(state)

    @steady(20)
    @given(st.data())
    def test_never_of_other_rows(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        first, second = fold.empty(), fold.empty()
        fold.fold(first, chance.draw(streams))
        fold.fold(second, chance.draw(streams))
        equal = rows(fold, first) == rows(fold, second) and first.counts == second.counts
        equal = equal and first.key_order == second.key_order
        assert (fold.digest(first) == fold.digest(second)) is equal
        assert (fold.differences(first, second, 9) == []) is equal


def flat(fold: Fold, state: State) -> dict[tuple[str, Any, str], Any]:
    """Every cell of a state."""
    return {
        (table, key, column): value
        for table, found in rows(fold, state).items()
        for key, row in found.items()
        for column, value in row.items()
    }


@pytest.mark.parametrize("name", DOMAINS)
class TestWhatIsTold:
    @steady(25)
    @given(st.data())
    def test_changes_are_exactly_what_differs_before_and_after(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        state = fold.empty()
        for entry in chance.draw(streams):
            before = flat(fold, state)
            code, heard = fold.explain(state, entry)
            after = flat(fold, state)
            names = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
            changes = {
                (change.table, change.key, change.column): (change.before, change.after) for change in heard.changes
            }
            assert changes == {place: (before.get(place), after.get(place)) for place in names}
            assert len(heard.changes) == len(changes)
            assert all(isinstance(change, Change) for change in heard.changes)
            if fold.outcomes[code].name != "applied":
                assert not heard.changes

    @steady(25)
    @given(st.data())
    def test_a_preview_promises_what_the_fold_then_does(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        state = fold.empty()
        if chance.draw(st.booleans()):
            state.fork()
        for entry_id, fields in chance.draw(streams):
            read = fold.read(fields)
            key = dict(zip(fields[::2], fields[1::2], strict=True)).get(b"key")
            if read.code is None and type(read.event) is read.type.model:  # type: ignore[union-attr]
                before, cells = fold.digest(state), flat(fold, state)
                promised = fold.decide(state, read.event, entry_id, key)
                assert (fold.digest(state), flat(fold, state)) == (before, cells)
                assert fold.explain(state, (entry_id, fields)) == promised
            else:
                fold.fold(state, [(entry_id, fields)])


class TestForksOfForks:
    @pytest.mark.parametrize("name", DOMAINS)
    @steady(15)
    @given(st.data())
    def test_each_stays_as_it_was(self, name: str, chance: st.DataObject) -> None:
        fold, streams = DOMAINS[name]
        state, plain = fold.empty(), fold.empty()
        forks: list[tuple[State, str]] = []
        for _ in range(3):
            entries = chance.draw(streams)
            assert fold.fold(state, entries) == fold.fold(plain, entries)
            forks.append((state.fork(), fold.digest(plain)))
        entries = chance.draw(streams)
        assert fold.fold(state, entries) == fold.fold(plain, entries)
        for _ in range(3):
            assert [fold.digest(fork) for fork, _ in forks] == [digest for _, digest in forks]
            assert fold.digest(state) == fold.digest(plain)
            assert rows(fold, state) == rows(fold, plain)
            state.join()
            forks.pop()
        assert fold.digest(state) == fold.digest(plain)
        assert list(fold.dump(fold.load(list(fold.dump(state))))) == list(fold.dump(state))
