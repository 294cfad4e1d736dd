"""Entries of one page do not touch one another, and what always holds of the shop."""

import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.outcomes import APPLIED
from esdash.shop.events import AddItem, Order, TopUp
from esdash.shop.older import AddItemV0
from tests.model import Model
from tests.strategies import (
    RawEntry,
    entries,
    json_bytes,
    raw_entry,
    seeded_entries,
    valid_events,
)
from tests.unit.shop import (
    RICH_ITEMS,
    RICH_USERS,
    SHOP,
    as_entries,
    as_sent,
    assert_equals_the_model,
    event,
    fold_all,
    goods,
    model_all,
    shop,
    steady,
    told,
)


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

    @steady(22)
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

    @steady(18)
    @given(entries(), st.randoms(use_true_random=False))
    def test_a_large_page_is_decided_like_its_entries_one_by_one(
        self, stream: list[RawEntry], chance: random.Random
    ) -> None:
        busy = [*seeded_entries(len(stream), 60), *stream]
        chance.shuffle(busy)
        state, outcomes = fold_all(busy)
        alone = SHOP.empty()
        assert [told(SHOP.fold(alone, [entry])) for entry in as_entries(busy)] == [[outcome] for outcome in outcomes]
        assert SHOP.digest(alone) == SHOP.digest(state)
        assert alone.key_order == state.key_order

    @pytest.mark.parametrize("keys", [[b"a", b"a"], [b"a", b"b", b"a"], [b"a", None, b"a"], [None, b"a", b"a", b"b"]])
    def test_a_key_repeated_within_a_page_is_a_duplicate(self, keys: list[bytes | None]) -> None:
        stream = [event("TopUp", key, user_id=1, amount=1) for key in keys]
        state, outcomes = fold_all(stream)
        assert outcomes == ["duplicate" if key and key in keys[:place] else "applied" for place, key in enumerate(keys)]
        assert goods(state)[0] == {1: outcomes.count("applied")}

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
    @steady(19)
    @given(entries())
    def test_money_and_goods_are_conserved(self, stream: list[RawEntry]) -> None:
        state = SHOP.empty()
        paid_in = spent = 0
        delivered: dict[str, int] = {}
        for entry in as_entries(stream):
            prices = {item_id: price for item_id, (price, _) in goods(state)[1].items()}
            if SHOP.fold(state, [entry]) != bytes([APPLIED]):
                continue
            match SHOP.read(entry[1]).event:
                case TopUp(_, amount):
                    paid_in += amount
                case AddItem(item_id, count) | AddItemV0(item_id, count):
                    delivered[item_id] = delivered.get(item_id, 0) + count
                case Order(_, lines):
                    for line in lines:
                        spent += prices[line.item_id] * line.quantity
                        delivered[line.item_id] -= line.quantity
            balances, items = goods(state)
            assert sum(balances.values()) == paid_in - spent
            assert {item_id: remain for item_id, (_, remain) in items.items()} == delivered
            assert min(balances.values(), default=0) >= 0
            assert min(delivered.values(), default=0) >= 0

    @steady(19)
    @given(entries())
    def test_what_is_not_applied_changes_nothing_but_the_counters(self, stream: list[RawEntry]) -> None:
        state = SHOP.empty()
        for entry in as_entries(stream):
            before, counts, keys = goods(state), list(state.counts), list(state.key_order)
            (code,) = SHOP.fold(state, [entry])
            counts[code] += 1
            assert state.counts == counts
            outcome = SHOP.outcomes[code].name
            if outcome != "applied":
                assert goods(state) == before
            if outcome in ("parked", "duplicate"):
                assert list(state.key_order) == keys

    @steady(25)
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
        first, second = SHOP.empty(), SHOP.empty()
        SHOP.fold(first, [(b"1-0", as_sent(raw))])
        SHOP.fold(second, [(b"1-0", tuple(as_sent(raw)))])
        assert SHOP.digest(first) == SHOP.digest(second)
