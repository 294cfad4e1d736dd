"""The shop's fold against an independent model of the design: valid, refused, broken, hostile, repeated entries."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model import Model
from tests.strategies import (
    BROKEN_REASONS,
    RawEntry,
    broken_entries,
    entries,
    hostile_entries,
    json_bytes,
    overflowing_entries,
    raw_entry,
    seeded_entries,
    v0_and_v1_pairs,
    valid_events,
)
from tests.unit.shop import (
    RICH_ITEMS,
    RICH_USERS,
    SHOP,
    as_entries,
    assert_equals_the_model,
    event,
    fold_all,
    goods,
    model_all,
    pages,
    shop,
    shuffle,
    steady,
    told,
)

cuts = st.lists(st.integers(0, 40), max_size=4)


class TestTheSameDecisions:
    @steady(37)
    @given(entries())
    def test_every_entry_is_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(30)
    @given(st.lists(hostile_entries(), min_size=1, max_size=6))
    def test_hostile_entries_are_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(30)
    @given(st.lists(st.sampled_from(BROKEN_REASONS).flatmap(broken_entries), min_size=1, max_size=6))
    def test_broken_entries_are_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(37)
    @given(st.lists(valid_events(), min_size=1, max_size=8))
    def test_large_numbers_are_decided_as_the_design_says(self, events: list[dict[str, Any]]) -> None:
        stream = [raw_entry(drawn["type"], json_bytes(drawn["data"])) for drawn in events]
        state, outcomes = fold_all(stream, shop(RICH_USERS, RICH_ITEMS))
        model, expected = model_all(stream, Model(RICH_USERS, RICH_ITEMS))
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_a_busy_day_is_decided_as_the_design_says(self, seed: int) -> None:
        stream = seeded_entries(seed, 5_000)
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)
        assert len(set(outcomes)) == 1 + 8 + 5 + 1  # all but overflow

    def test_the_last_top_up_that_fits_is_followed_by_a_refusal(self) -> None:
        stream = overflowing_entries()
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert outcomes[-1] == "rejected:overflow"
        assert_equals_the_model(state, model)


class TestTheSameStateByEveryWay:
    @steady(27)
    @given(entries(), cuts)
    def test_pages_of_any_size_give_the_same_state(self, stream: list[RawEntry], cuts: list[int]) -> None:
        whole, outcomes = fold_all(stream)
        paged = SHOP.empty()
        in_pages = b"".join(SHOP.fold(paged, page) for page in pages(as_entries(stream), cuts))
        assert told(in_pages) == outcomes
        assert SHOP.digest(paged) == SHOP.digest(whole)
        assert goods(paged) == goods(whole)
        assert paged.key_order == whole.key_order

    @steady(20)
    @given(entries(max_size=25))
    def test_snapshot_and_tail_equal_a_full_replay_at_every_cut(self, stream: list[RawEntry]) -> None:
        sent = as_entries(stream)
        whole = SHOP.empty()
        outcomes = SHOP.fold(whole, sent)
        before = SHOP.empty()
        for cut in range(len(sent) + 1):
            restored = SHOP.load(list(SHOP.dump(before)))
            assert SHOP.digest(restored) == SHOP.digest(before)
            assert SHOP.fold(restored, sent[cut:]) == outcomes[cut:]
            assert SHOP.digest(restored) == SHOP.digest(whole)
            assert restored.key_order == whole.key_order
            assert restored.keys == whole.keys
            assert goods(restored) == goods(whole)
            assert restored.counts == whole.counts
            SHOP.fold(before, sent[cut : cut + 1])

    @steady(22)
    @given(v0_and_v1_pairs())
    def test_a_fact_is_the_same_in_both_schemas(self, pair: tuple[RawEntry, RawEntry]) -> None:
        stock = {"cpu": (1, 10**12), "ram": (7, 100), "x": (0, 5)}
        states = [fold_all([spoken], shop({1: 10**9, 2: 5}, stock)) for spoken in pair]
        assert states[0][1] == states[1][1]
        assert SHOP.digest(states[0][0]) == SHOP.digest(states[1][0])
        assert "parked" not in states[0][1][0]

    @steady(18)
    @given(entries(), st.randoms(use_true_random=False))
    def test_the_order_in_which_users_and_items_came_does_not_show_in_the_digest(
        self, stream: list[RawEntry], chance: random.Random
    ) -> None:
        state, _ = fold_all(stream)
        shuffled = SHOP.load(list(SHOP.dump(state)))
        for numbers in shuffled.cells:
            shuffle(numbers, chance)
        assert SHOP.digest(shuffled) == SHOP.digest(state)
        assert SHOP.digest(SHOP.load(list(SHOP.dump(shuffled)))) == SHOP.digest(state)

    @steady(18)
    @given(st.permutations(range(12)))
    def test_facts_that_do_not_touch_one_another_may_come_in_any_order(self, order: list[int]) -> None:
        facts = [event("TopUp", user_id=number % 4, amount=1 + number) for number in range(6)]
        facts += [event("AddItem", item_id=f"item {number}", count=number, price=number) for number in range(6)]
        assert SHOP.digest(fold_all([facts[number] for number in order])[0]) == SHOP.digest(fold_all(facts)[0])

    @steady(21)
    @given(entries(), entries())
    def test_states_have_equal_digests_only_when_they_are_equal(
        self, stream: list[RawEntry], other: list[RawEntry]
    ) -> None:
        first, second = fold_all(stream)[0], fold_all(other)[0]
        equal = goods(first) == goods(second) and first.counts == second.counts and first.key_order == second.key_order
        assert (SHOP.digest(first) == SHOP.digest(second)) is equal

    @steady(24)
    @given(entries(), st.integers(0, 39))
    def test_a_lost_entry_is_seen_in_the_digest(self, stream: list[RawEntry], lost: int) -> None:
        if stream:
            del (shorter := list(stream))[lost % len(stream)]
            assert SHOP.digest(fold_all(shorter)[0]) != SHOP.digest(fold_all(stream)[0])
