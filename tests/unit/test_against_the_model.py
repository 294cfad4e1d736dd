"""The fold against an independent model of the design, over valid, refused, broken, hostile and repeated entries."""

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.decoding import decode
from esdash.shop.events import MAX_INT, AddItem, Order, TopUp, UnpricedItem
from esdash.shop.fold import fold
from esdash.shop.outcomes import APPLIED, OUTCOMES
from esdash.shop.state import State
from esdash.shop.story import document
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
    as_entries,
    as_sent,
    assert_equals_the_model,
    event,
    fold_all,
    goods,
    model_all,
    pages,
    shop,
    steady,
    told,
)

cuts = st.lists(st.integers(0, 40), max_size=4)

RICH_USERS = {0: MAX_INT - 10**15, 1: MAX_INT, 2: 10**17, 3: 0, MAX_INT: 10**12}
RICH_ITEMS = {"cpu": (250, MAX_INT), "ram": (0, MAX_INT - 10**12), "x": (10**15, 10**12), "\U0001f600" * 64: (1, 5)}
"""A shop in which large numbers meet: balances and stocks can overflow, sums pass 64 bits."""


def shuffle(numbers: dict[Any, int], chance: random.Random) -> None:
    """Let the keys of a dict have come in another order."""
    items = list(numbers.items())
    chance.shuffle(items)
    numbers.clear()
    numbers.update(items)


class TestTheSameDecisions:
    @steady(75)
    @given(entries())
    def test_every_entry_is_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(60)
    @given(st.lists(hostile_entries(), min_size=1, max_size=6))
    def test_hostile_entries_are_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(60)
    @given(st.lists(st.sampled_from(BROKEN_REASONS).flatmap(broken_entries), min_size=1, max_size=6))
    def test_broken_entries_are_decided_as_the_design_says(self, stream: list[RawEntry]) -> None:
        state, outcomes = fold_all(stream)
        model, expected = model_all(stream)
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(75)
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
    @steady(54)
    @given(entries(), cuts)
    def test_pages_of_any_size_give_the_same_state(self, stream: list[RawEntry], cuts: list[int]) -> None:
        whole, outcomes = fold_all(stream)
        paged = State()
        in_pages = b"".join(fold(paged, page) for page in pages(as_entries(stream), cuts))
        assert told(in_pages) == outcomes
        assert paged.digest() == whole.digest()
        assert document(paged) == document(whole)
        assert paged.key_order == whole.key_order

    @steady(40)
    @given(entries(max_size=25))
    def test_snapshot_and_tail_equal_a_full_replay_at_every_cut(self, stream: list[RawEntry]) -> None:
        sent = as_entries(stream)
        whole = State()
        outcomes = fold(whole, sent)
        before = State()
        for cut in range(len(sent) + 1):
            restored = State.load(list(before.dump()))
            assert restored.digest() == before.digest()
            assert fold(restored, sent[cut:]) == outcomes[cut:]
            assert restored.digest() == whole.digest()
            assert restored.key_order == whole.key_order
            assert restored.keys == whole.keys
            assert goods(restored) == goods(whole)
            assert restored.counts == whole.counts
            fold(before, sent[cut : cut + 1])

    @steady(45)
    @given(v0_and_v1_pairs())
    def test_a_fact_is_the_same_in_both_schemas(self, pair: tuple[RawEntry, RawEntry]) -> None:
        stock = {"cpu": (1, 10**12), "ram": (7, 100), "x": (0, 5)}
        states = [fold_all([spoken], shop({1: 10**9, 2: 5}, stock)) for spoken in pair]
        assert states[0][1] == states[1][1]
        assert states[0][0].digest() == states[1][0].digest()
        assert "parked" not in states[0][1][0]

    @steady(36)
    @given(entries(), st.randoms(use_true_random=False))
    def test_the_order_in_which_users_and_items_came_does_not_show_in_the_digest(
        self, stream: list[RawEntry], chance: random.Random
    ) -> None:
        state, _ = fold_all(stream)
        shuffled = State.load(list(state.dump()))
        for numbers in (shuffled.users, shuffled.prices, shuffled.stock):
            shuffle(numbers, chance)
        assert shuffled.digest() == state.digest()
        assert State.load(list(shuffled.dump())).digest() == state.digest()

    @steady(36)
    @given(st.permutations(range(12)))
    def test_facts_that_do_not_touch_one_another_may_come_in_any_order(self, order: list[int]) -> None:
        facts = [event("TopUp", user_id=number % 4, amount=1 + number) for number in range(6)]
        facts += [event("AddItem", item_id=f"item {number}", count=number, price=number) for number in range(6)]
        assert fold_all([facts[number] for number in order])[0].digest() == fold_all(facts)[0].digest()

    @steady(42)
    @given(entries(), entries())
    def test_states_have_equal_digests_only_when_they_are_equal(
        self, stream: list[RawEntry], other: list[RawEntry]
    ) -> None:
        first, second = fold_all(stream)[0], fold_all(other)[0]
        equal = document(first) == document(second) and first.key_order == second.key_order
        assert (first.digest() == second.digest()) is equal

    @steady(48)
    @given(entries(), st.integers(0, 39))
    def test_a_lost_entry_is_seen_in_the_digest(self, stream: list[RawEntry], lost: int) -> None:
        if stream:
            del (shorter := list(stream))[lost % len(stream)]
            assert fold_all(shorter)[0].digest() != fold_all(stream)[0].digest()


def cut_in_two(payload: bytes, place: int) -> list[bytes]:
    return [payload[:place], payload[place:]]


ONE = b'{"user_id":1,"amount":100}'
TWO = b'{"user_id":2,"amount":200}'
PAGE_BREAKERS: list[list[bytes]] = [
    [ONE + TWO],
    [ONE + b"\n" + TWO],
    [ONE + b"," + TWO],
    [b"[" + ONE, TWO + b"]"],
    [b'{"user_id":1,"amount":100,"x":{"y":1}', TWO],
    [b'{"user_id":1,"amount":100,"x":{"y":1}', b"}", TWO],
    [b'{"user_id":1,"amount":100,"x":"}', b'{"}'],
    [b'{"user_id":1,"amount":100,"x":"}', b'{","user_id":2}'],
    [b'{"user_id":1,"amount":100,"x":[{}', b"{}]}"],
    [b'{"user_id":1,"amount":100}\n', b"\n" + TWO],
    [b'{"user_id":1,"amount":100 ', b"}", TWO],
    [b'{"user_id":1,"amount":100}]', b"[" + TWO],
    [b'{"user_id":1,"amount":100}}', b"{" + TWO],
    [b"{}", ONE, b"{}"],
    [b"{", b"}", ONE],
    [b"", ONE, b""],
    [ONE, b"\n", TWO],
    [ONE, b"null", TWO],
    [b'{"user_id":1,"amount":100,"x":"\\"}', b'{"}', TWO],
    [b'{"user_id":1,"amount":100,"x":"\xff"}', ONE, TWO],
    [b'{"user_id":1,"amount":100,"x":"\xc3"}', b'{"\xa9":1}', TWO],
    [b'{"user_id":1,"amount":100,"x":"\\ud800"}', ONE, b'{"user_id":1,"amount":0}', TWO],
    [b"\xef\xbb\xbf" + ONE, TWO],
    [b"\x82\xa6UserID\x01\xa6Amount\x05" * 2],
    *(cut_in_two(ONE, place) for place in range(len(ONE) + 1)),
    *(cut_in_two(b"\x82\xa6UserID\x01\xa6Amount\x05", place) for place in range(17)),
]


class TestEntriesOfOnePageDoNotTouchOneAnother:
    @pytest.mark.parametrize("payloads", PAGE_BREAKERS, ids=range(len(PAGE_BREAKERS)))
    def test_payloads_that_only_make_sense_together_are_parked(self, payloads: list[bytes]) -> None:
        for before, after in (([], []), ([ONE], [TWO]), ([ONE, b"{}"], [b"\x82\xa6UserID\x01\xa6Amount\x05", ONE])):
            stream = [raw_entry("TopUp", payload) for payload in (*before, *payloads, *after)]
            state, outcomes = fold_all(stream)
            model, expected = model_all(stream)
            assert outcomes == expected
            assert_equals_the_model(state, model)

    @steady(45)
    @given(st.lists(valid_events(), min_size=1, max_size=5), st.data())
    def test_a_page_of_fragments_is_decided_entry_by_entry(
        self, events: list[dict[str, Any]], chance: st.DataObject
    ) -> None:
        name = chance.draw(st.sampled_from(["TopUp", "AddItem", "Order"]))
        text = b"\n".join(json_bytes(drawn["data"]) for drawn in events if drawn["type"] == name) or ONE
        joints = [0, *sorted(chance.draw(st.lists(st.integers(0, len(text)), max_size=4))), len(text)]
        stream = [raw_entry(name, text[start:end]) for start, end in itertools.pairwise(joints)]
        state, outcomes = fold_all(stream, shop(RICH_USERS, RICH_ITEMS))
        model, expected = model_all(stream, Model(RICH_USERS, RICH_ITEMS))
        assert outcomes == expected
        assert_equals_the_model(state, model)

    @steady(36)
    @given(entries(), st.randoms(use_true_random=False))
    def test_a_large_page_is_decided_like_its_entries_one_by_one(
        self, stream: list[RawEntry], chance: random.Random
    ) -> None:
        busy = [*seeded_entries(len(stream), 60), *stream]
        chance.shuffle(busy)
        state, outcomes = fold_all(busy)
        alone = State()
        assert [told(fold(alone, [entry])) for entry in as_entries(busy)] == [[outcome] for outcome in outcomes]
        assert alone.digest() == state.digest()
        assert alone.key_order == state.key_order

    @pytest.mark.parametrize("keys", [[b"a", b"a"], [b"a", b"b", b"a"], [b"a", None, b"a"], [None, b"a", b"a", b"b"]])
    def test_a_key_repeated_within_a_page_is_a_duplicate(self, keys: list[bytes | None]) -> None:
        stream = [event("TopUp", key, user_id=1, amount=1) for key in keys]
        state, outcomes = fold_all(stream)
        assert outcomes == ["duplicate" if key and key in keys[:place] else "applied" for place, key in enumerate(keys)]
        assert state.users == {1: outcomes.count("applied")}

    def test_an_order_that_fails_at_its_last_line_gives_everything_back(self) -> None:
        lines = [{"item_id": "cpu", "quantity": 3}, {"item_id": "ram", "quantity": 2}]
        stream = [
            event("TopUp", user_id=1, amount=1_000),
            event("AddItem", item_id="cpu", count=5, price=10),
            event("AddItem", item_id="ram", count=5, price=10),
            event("Order", user_id=1, lines=[*lines, {"item_id": "gpu", "quantity": 1}]),
            event("Order", user_id=1, lines=[*lines, {"item_id": "ram", "quantity": 4}]),
            event("Order", user_id=1, lines=[*lines, {"item_id": "ram", "quantity": 0}]),
            event("Order", user_id=1, lines=[*lines, *lines]),
            event("Order", user_id=1, lines=lines),
        ]
        reasons = ["unknown_item", "out_of_stock", "invalid_quantity", "out_of_stock"]
        for state, outcomes in (fold_all(stream), fold_all([*stream, event("TopUp", user_id=1, amount=0)])):
            assert outcomes[3:8] == [*(f"rejected:{reason}" for reason in reasons), "applied"]
            assert goods(state) == ({1: 950}, {"cpu": (10, 2), "ram": (10, 3)})


class TestWhatAlwaysHolds:
    @steady(39)
    @given(entries())
    def test_money_and_goods_are_conserved(self, stream: list[RawEntry]) -> None:
        state = State()
        paid_in = spent = 0
        delivered: dict[str, int] = {}
        for entry in as_entries(stream):
            prices = dict(state.prices)
            if fold(state, [entry]) != bytes([APPLIED]):
                continue
            match decode(entry[1]):
                case TopUp(_, amount):
                    paid_in += amount
                case AddItem(item_id, count) | UnpricedItem(item_id, count):
                    delivered[item_id] = delivered.get(item_id, 0) + count
                case Order(_, lines):
                    for line in lines:
                        spent += prices[line.item_id] * line.quantity
                        delivered[line.item_id] -= line.quantity
            assert sum(state.users.values()) == paid_in - spent
            assert state.stock == delivered
            assert min(state.users.values(), default=0) >= 0
            assert min(state.stock.values(), default=0) >= 0

    @steady(39)
    @given(entries())
    def test_what_is_not_applied_changes_nothing_but_the_counters(self, stream: list[RawEntry]) -> None:
        state = State()
        for entry in as_entries(stream):
            before, counts, keys = goods(state), list(state.counts), list(state.key_order)
            (code,) = fold(state, [entry])
            counts[code] += 1
            assert state.counts == counts
            outcome = OUTCOMES[code].name
            if outcome != "applied":
                assert goods(state) == before
            if outcome in ("parked", "duplicate"):
                assert list(state.key_order) == keys

    @steady(50)
    @given(entries(max_size=20))
    def test_publishing_everything_twice_changes_the_state_once(self, stream: list[RawEntry]) -> None:
        keyed = [
            [*((name, value) for name, value in raw if name != b"key"), (b"key", b"%d" % number)]
            for number, raw in enumerate(stream)
        ]
        once, outcomes = fold_all(keyed)
        twice, repeated = fold_all([*keyed, *keyed])
        assert goods(once) == goods(twice)
        assert once.key_order == twice.key_order
        assert repeated[: len(keyed)] == outcomes
        for first, second in zip(outcomes, repeated[len(keyed) :], strict=True):
            assert second == (first if first.startswith("parked") else "duplicate")

    def test_fields_may_come_as_a_list_or_a_tuple(self) -> None:
        raw = event("TopUp", b"k", user_id=7, amount=5)
        first, second = State(), State()
        fold(first, [(b"1-0", as_sent(raw))])
        fold(second, [(b"1-0", tuple(as_sent(raw)))])
        assert first.digest() == second.digest()
