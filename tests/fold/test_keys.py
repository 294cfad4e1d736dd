"""Idempotency keys: the first entry with a key is decided, later ones are duplicates, the window has an end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import KEY_WINDOW, State
from tests.fold.trying import Do, entry, folding, in_words
from tests.unit.shop import steady


def count(state: Any, event: Do) -> object:
    """Counts what was applied."""
    if event.n < 0:
        return "no"
    state.marks.n[1] = state.marks.n.get(1, 0) + 1
    if event.n == 13:
        raise RuntimeError("unlucky")
    return None


FOLD = folding(count)


def published(first: int, last: int) -> list[Entry]:
    """Entries with the keys of these numbers."""
    return [entry(number, Do(), b"%d" % number) for number in range(first, last)]


def full(fold: Fold = FOLD) -> State:
    """A state whose window is full."""
    state = fold.empty()
    assert set(in_words(fold, fold.fold(state, published(0, KEY_WINDOW)))) == {"applied"}
    return state


def decided(state: State, *entries: Entry) -> list[str]:
    return in_words(FOLD, FOLD.fold(state, entries))


class TestTheFirstWithAKey:
    @pytest.mark.parametrize("n", [1, -1])
    def test_decides_and_the_next_is_a_duplicate(self, n: int) -> None:
        state = FOLD.empty()
        first = "applied" if n > 0 else "rejected:no"
        assert decided(state, entry(1, Do(n=n), b"k"), entry(2, Do(n=2), b"k")) == [first, "duplicate"]
        assert decided(state, entry(3, Do(n=3), b"k"), entry(4, Do(n=4))) == ["duplicate", "applied"]
        assert list(state.key_order) == [b"k"]

    @pytest.mark.parametrize("field", [b"Nothing", b"Do"])
    def test_is_not_one_that_is_parked(self, field: bytes) -> None:
        state = FOLD.empty()
        parked = (b"1-0", [b"type", field, b"data", b"[]" if field == b"Do" else b"{}", b"key", b"k"])
        outcomes = decided(state, parked, entry(2, Do(), b"k"), parked, entry(3, Do(), b"k"))
        assert outcomes[1::2] == ["applied", "duplicate"]
        assert outcomes[0] == outcomes[2] != "duplicate"
        assert outcomes[0].startswith("parked:")

    def test_keeps_its_key_out_of_the_window_until_it_was_folded(self) -> None:
        state = FOLD.empty()
        with pytest.raises(DomainError) as failed:
            FOLD.fold(state, [entry(1, Do(), b"a"), entry(2, Do(n=13), b"b"), entry(3, Do(), b"c")])
        assert len(failed.value.codes) == 1
        assert list(state.key_order) == [b"a"]
        assert state.keys == {b"a"}
        assert decided(state, entry(2, Do(), b"b")) == ["applied"]

    @pytest.mark.parametrize("size", [1, 128])
    def test_may_have_any_bytes_for_a_key(self, size: int) -> None:
        state = FOLD.empty()
        keys = [byte * size for byte in (b"\x00", b"\xff", b"k", b" ")]
        assert decided(state, *(entry(1, Do(), key) for key in keys)) == ["applied"] * 4
        assert decided(state, *(entry(2, Do(), key) for key in keys)) == ["duplicate"] * 4

    @pytest.mark.parametrize("size", [0, 129, 70_000])
    def test_with_a_key_of_another_size_is_invalid(self, size: int) -> None:
        state = FOLD.empty()
        assert decided(state, entry(1, Do(), b"k" * size)) == ["parked:invalid_data"]
        assert not state.key_order

    @steady(40)
    @given(st.lists(st.sampled_from([None, b"a", b"b", b"c"]), max_size=12), st.integers(1, 12))
    def test_is_the_same_in_pages_of_any_size(self, keys: list[bytes | None], size: int) -> None:
        entries = [entry(number, Do(), key) for number, key in enumerate(keys)]
        state = FOLD.empty()
        outcomes = [each for at in range(0, len(entries), size) for each in decided(state, *entries[at : at + size])]
        expected = ["duplicate" if key and key in keys[:place] else "applied" for place, key in enumerate(keys)]
        assert outcomes == expected
        assert list(state.key_order) == list(dict.fromkeys(key for key in keys if key))


class TestTheWindow:
    @pytest.mark.parametrize("page", [7_777, KEY_WINDOW, KEY_WINDOW + 5])
    def test_holds_the_last_100_000_distinct_keys_and_the_oldest_leaves_first(self, page: int) -> None:
        state = FOLD.empty()
        stream = published(0, KEY_WINDOW + 5)
        for start in range(0, len(stream), page):
            assert set(decided(state, *stream[start : start + page])) == {"applied"}
        assert list(state.key_order) == [b"%d" % number for number in range(5, KEY_WINDOW + 5)]
        assert state.keys == set(state.key_order)
        assert decided(state, *published(5, 6)) == ["duplicate"]
        assert decided(state, *published(4, 5)) == ["applied"]
        assert decided(state, *published(5, 6)) == ["applied"]
        assert len(state.keys) == len(state.key_order) == KEY_WINDOW

    def test_does_not_keep_a_key_for_longer_when_it_comes_again(self) -> None:
        state = full()
        assert decided(state, *published(0, 1)) == ["duplicate"]
        assert decided(state, *published(KEY_WINDOW, KEY_WINDOW + 1)) == ["applied"]
        assert decided(state, *published(0, 1)) == ["applied"]

    def test_comes_back_whole_and_goes_on(self) -> None:
        state = full()
        restored = FOLD.load(list(FOLD.dump(state)))
        assert restored.key_order == state.key_order
        more = [*published(KEY_WINDOW, KEY_WINDOW + 3), *published(0, 5)]
        assert decided(restored, *more) == ["applied"] * 8
        decided(state, *more)
        assert FOLD.digest(restored) == FOLD.digest(state)

    def test_of_a_fork_is_its_own(self) -> None:
        state = FOLD.empty()
        decided(state, *published(0, 3))
        fork = state.fork()
        assert decided(state, *published(2, 5)) == ["duplicate", "applied", "applied"]
        assert list(fork.key_order) == [b"0", b"1", b"2"]
        assert fork.keys == {b"0", b"1", b"2"}

    def test_of_a_state_over_another_is_its_own(self) -> None:
        state = FOLD.empty()
        decided(state, *published(0, 3))
        over = state.over()
        assert decided(over, *published(2, 5)) == ["duplicate", "applied", "applied"]
        assert list(state.key_order) == [b"0", b"1", b"2"]
        assert state.keys == {b"0", b"1", b"2"}
        assert decided(state, *published(3, 4)) == ["applied"]

    def test_a_key_that_leaves_within_a_page_may_come_again_in_it(self) -> None:
        one_by_one, at_once = full(), full()
        page = [*published(0, 2), *published(KEY_WINDOW, KEY_WINDOW + 2), *published(0, 3)]
        expected = [decided(one_by_one, each)[0] for each in page]
        assert expected == ["duplicate"] * 2 + ["applied"] * 5
        assert decided(at_once, *page) == expected
        assert FOLD.digest(at_once) == FOLD.digest(one_by_one)
