"""Every rule of the shop, its reason, its bound and its place in the order of rules."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest

from esdash.fold.state import State
from tests.strategies import RawEntry, raw_entry, v0_payload
from tests.unit.shop import SHOP, event, fold_all, goods, shop, told

MAX_INT = 2**63 - 1
Orders = Callable[..., RawEntry]
"""user id, then (item id, quantity) for each line."""
Goods = tuple[dict[int, int], dict[str, tuple[int, int]]]


def decided(entry: RawEntry, state: State) -> str:
    """What becomes of one entry; when it is refused, that it changed nothing but the counters."""
    before = goods(state)
    counts = list(state.counts)
    (outcome,) = fold_all([entry], state)[1]
    if outcome != "applied":
        assert goods(state) == before
    counts[told(range(len(counts))).index(outcome)] += 1
    assert state.counts == counts
    return outcome


def top_up(user_id: int, amount: int) -> RawEntry:
    return event("TopUp", user_id=user_id, amount=amount)


def add_item(item_id: str, count: int, **price: Any) -> RawEntry:
    return event("AddItem", item_id=item_id, count=count, **price)


def new_order(user_id: int, *lines: tuple[str, int]) -> RawEntry:
    return event("Order", user_id=user_id, lines=[{"item_id": item, "quantity": number} for item, number in lines])


def old_order(user_id: int, *lines: tuple[str, int]) -> RawEntry:
    items, quantities = [item for item, _ in lines], [quantity for _, quantity in lines]
    return raw_entry(
        "OrderType",
        v0_payload("OrderType", {"UserID": user_id, "ItemIDs": items, "ItemQuantities": quantities}),
    )


@pytest.fixture(params=[new_order, old_order], ids=["v1", "v0"])
def order(request: pytest.FixtureRequest) -> Orders:
    """Writes an order in either schema."""
    writer: Orders = request.param
    return writer


def old_item(item_id: str, count: int) -> RawEntry:
    return raw_entry("AddItem", v0_payload("AddItem", {"ItemID": item_id, "Count": count}))


class TestTopUp:
    def test_an_unknown_user_is_created(self) -> None:
        state = SHOP.empty()
        assert decided(top_up(7, 50_000), state) == "applied"
        assert goods(state) == ({7: 50_000}, {})

    def test_the_balance_grows(self) -> None:
        state = shop({7: 1, 8: 5})
        assert decided(top_up(7, 99), state) == "applied"
        assert goods(state)[0] == {7: 100, 8: 5}

    def test_nothing_is_not_an_amount_and_creates_no_user(self) -> None:
        for state in (SHOP.empty(), shop({7: 1}), shop({7: MAX_INT})):
            assert decided(top_up(7, 0), state) == "rejected:invalid_amount"

    def test_one_cent_is_an_amount(self) -> None:
        assert decided(top_up(7, 1), SHOP.empty()) == "applied"

    def test_a_balance_reaches_the_largest_integer_and_no_further(self) -> None:
        state = shop({7: MAX_INT - 10**15})
        assert decided(top_up(7, 10**15), state) == "applied"
        assert goods(state)[0] == {7: MAX_INT}
        assert decided(top_up(7, 1), state) == "rejected:overflow"
        state = shop({7: MAX_INT - 10**15 + 1})
        assert decided(top_up(7, 10**15), state) == "rejected:overflow"

    def test_the_smallest_and_the_largest_user_id_are_users_like_others(self) -> None:
        state = SHOP.empty()
        assert decided(top_up(0, 5), state) == decided(top_up(MAX_INT, 6), state) == "applied"
        assert goods(state)[0] == {0: 5, MAX_INT: 6}


class TestAddItem:
    def test_a_new_item_with_a_price_is_created(self) -> None:
        state = SHOP.empty()
        assert decided(add_item("hdd", 11, price=250), state) == "applied"
        assert goods(state) == ({}, {"hdd": (250, 11)})

    def test_a_new_item_without_a_price_is_refused(self) -> None:
        assert decided(add_item("hdd", 11), SHOP.empty()) == "rejected:price_required"
        assert decided(add_item("hdd", 11, price=None), SHOP.empty()) == "rejected:price_required"
        assert decided(add_item("hdd", 0), SHOP.empty()) == "rejected:price_required"

    def test_a_price_of_nothing_is_a_price(self) -> None:
        state = SHOP.empty()
        assert decided(add_item("hdd", 1, price=0), state) == "applied"
        assert goods(state)[1] == {"hdd": (0, 1)}
        assert decided(add_item("hdd", 1), state) == "applied"

    def test_stock_grows_and_the_price_stays_when_none_is_given(self) -> None:
        for more in (add_item("hdd", 4), add_item("hdd", 4, price=None)):
            state = shop(items={"hdd": (250, 11), "cpu": (1, 1)})
            assert decided(more, state) == "applied"
            assert goods(state)[1] == {"hdd": (250, 15), "cpu": (1, 1)}

    def test_a_given_price_replaces_the_old_one(self) -> None:
        state = shop(items={"hdd": (250, 11)})
        assert decided(add_item("hdd", 0, price=99), state) == "applied"
        assert goods(state)[1] == {"hdd": (99, 11)}
        assert decided(add_item("hdd", 0, price=0), state) == "applied"
        assert goods(state)[1] == {"hdd": (0, 11)}

    def test_a_count_of_nothing_creates_an_item_out_of_stock(self) -> None:
        state = SHOP.empty()
        assert decided(add_item("hdd", 0, price=250), state) == "applied"
        assert goods(state)[1] == {"hdd": (250, 0)}

    def test_a_stock_reaches_the_largest_integer_and_no_further(self) -> None:
        state = shop(items={"hdd": (1, MAX_INT - 10**12)})
        assert decided(add_item("hdd", 10**12), state) == "applied"
        assert goods(state)[1] == {"hdd": (1, MAX_INT)}
        assert decided(add_item("hdd", 0, price=2), state) == "applied"
        assert decided(add_item("hdd", 1), state) == "rejected:overflow"

    def test_an_overflow_does_not_change_the_price(self) -> None:
        state = shop(items={"hdd": (1, MAX_INT - 10**12 + 1)})
        assert decided(add_item("hdd", 10**12, price=5), state) == "rejected:overflow"
        assert decided(old_item("hdd", 10**12), state) == "rejected:overflow"

    def test_item_ids_are_told_apart_code_point_by_code_point(self) -> None:
        names = ["é", "e\u0301", "E", "e", " e", "e ", "\u200be", "\u202ee"]
        state, outcomes = fold_all(add_item(name, place, price=1) for place, name in enumerate(names))
        assert outcomes == ["applied"] * len(names)
        assert list(goods(state)[1]) == names


class TestAddItemOfSchemaV0:
    def test_a_new_item_gets_a_price_made_from_its_name(self) -> None:
        state = SHOP.empty()
        assert decided(old_item("hdd", 11), state) == "applied"
        assert goods(state)[1] == {"hdd": (1_700, 11)}

    def test_a_known_item_keeps_its_price(self) -> None:
        state = shop(items={"hdd": (5, 1)})
        assert decided(old_item("hdd", 11), state) == "applied"
        assert goods(state)[1] == {"hdd": (5, 12)}

    def test_an_item_out_of_stock_is_a_known_one(self) -> None:
        state = shop(items={"hdd": (5, 0)})
        assert decided(old_item("hdd", 0), state) == "applied"
        assert goods(state)[1] == {"hdd": (5, 0)}


class TestOrder:
    def test_balance_and_stock_fall(self, order: Orders) -> None:
        state = shop({7: 1_000, 8: 5}, {"hdd": (250, 11), "cpu": (100, 2), "ram": (1, 1)})
        assert decided(order(7, ("hdd", 2), ("cpu", 1)), state) == "applied"
        assert goods(state) == ({7: 400, 8: 5}, {"hdd": (250, 9), "cpu": (100, 1), "ram": (1, 1)})

    def test_without_lines_is_refused(self, order: Orders) -> None:
        assert decided(order(7), shop({7: 1})) == "rejected:empty_order"
        assert decided(order(7), SHOP.empty()) == "rejected:empty_order"

    def test_a_quantity_of_nothing_is_refused(self, order: Orders) -> None:
        stocked = {"hdd": (1, 5), "cpu": (1, 5)}
        for lines in ([("hdd", 0)], [("hdd", 0), ("cpu", 1)], [("hdd", 1), ("cpu", 0)], [("hdd", 1), ("hdd", 0)]):
            assert decided(order(7, *lines), shop({7: 100}, stocked)) == "rejected:invalid_quantity"

    def test_an_unknown_user_is_refused(self, order: Orders) -> None:
        assert decided(order(8, ("hdd", 1)), shop({7: 100}, {"hdd": (1, 5)})) == "rejected:unknown_user"

    def test_an_unknown_user_is_refused_even_what_is_free(self, order: Orders) -> None:
        assert decided(order(8, ("hdd", 1)), shop({7: 100}, {"hdd": (0, 5)})) == "rejected:unknown_user"

    def test_an_unknown_item_is_refused(self, order: Orders) -> None:
        for lines in ([("cpu", 1)], [("hdd", 1), ("cpu", 1)], [("cpu", 1), ("hdd", 1)], [("hdd", 9), ("cpu", 1)]):
            assert decided(order(7, *lines), shop({7: 100}, {"hdd": (1, 5)})) == "rejected:unknown_item"

    def test_the_last_piece_can_be_bought_and_not_one_more(self, order: Orders) -> None:
        state = shop({7: 100}, {"hdd": (1, 5)})
        assert decided(order(7, ("hdd", 6)), state) == "rejected:out_of_stock"
        assert decided(order(7, ("hdd", 5)), state) == "applied"
        assert goods(state) == ({7: 95}, {"hdd": (1, 0)})
        assert decided(order(7, ("hdd", 1)), state) == "rejected:out_of_stock"

    def test_quantities_of_one_item_are_summed_over_the_lines(self, order: Orders) -> None:
        state = shop({7: 100}, {"hdd": (1, 5), "cpu": (1, 5)})
        assert decided(order(7, ("hdd", 3), ("cpu", 1), ("hdd", 3)), state) == "rejected:out_of_stock"
        assert decided(order(7, ("hdd", 3), ("cpu", 1), ("hdd", 2)), state) == "applied"
        assert goods(state) == ({7: 94}, {"hdd": (1, 0), "cpu": (1, 4)})

    def test_an_order_that_costs_the_whole_balance_is_applied(self, order: Orders) -> None:
        state = shop({7: 700}, {"hdd": (250, 5), "cpu": (100, 5)})
        assert decided(order(7, ("hdd", 2), ("cpu", 2)), state) == "applied"
        assert goods(state) == ({7: 0}, {"hdd": (250, 3), "cpu": (100, 3)})

    def test_an_order_that_costs_more_than_the_balance_is_refused_whole(self, order: Orders) -> None:
        state = shop({7: 699}, {"hdd": (250, 5), "cpu": (100, 5)})
        assert decided(order(7, ("hdd", 2), ("cpu", 2)), state) == "rejected:insufficient_funds"
        assert decided(order(7, ("hdd", 1), ("cpu", 1), ("hdd", 1), ("cpu", 1)), state) == "rejected:insufficient_funds"
        assert decided(order(7, ("hdd", 2), ("cpu", 1)), state) == "applied"

    def test_the_price_is_that_of_the_moment(self, order: Orders) -> None:
        state = shop({7: 1_000}, {"hdd": (250, 5)})
        fold_all([order(7, ("hdd", 1)), add_item("hdd", 0, price=1), order(7, ("hdd", 1))], state)
        assert goods(state) == ({7: 749}, {"hdd": (1, 3)})

    def test_who_has_nothing_may_order_what_is_free(self, order: Orders) -> None:
        state = shop({7: 0}, {"hdd": (0, 5)})
        assert decided(order(7, ("hdd", 5)), state) == "applied"
        assert goods(state) == ({7: 0}, {"hdd": (0, 0)})

    def test_a_sum_past_64_bits_is_only_too_expensive(self, order: Orders) -> None:
        state = shop({7: MAX_INT}, {"hdd": (10**15, MAX_INT)})
        assert decided(order(7, *[("hdd", 10**12)] * 100), state) == "rejected:insufficient_funds"
        assert decided(order(7, ("hdd", 9_223)), state) == "applied"
        assert goods(state)[0] == {7: MAX_INT - 9_223 * 10**15}

    def test_the_largest_order_is_applied(self, order: Orders) -> None:
        state = shop({7: 10**14}, {"hdd": (1, 10**14)})
        assert decided(order(7, *[("hdd", 10**12)] * 100), state) == "applied"
        assert goods(state) == ({7: 0}, {"hdd": (1, 0)})

    def test_what_is_bought_can_be_delivered_again(self, order: Orders) -> None:
        state = shop({7: 5}, {"hdd": (1, 5)})
        _, outcomes = fold_all([order(7, ("hdd", 5)), add_item("hdd", 1), top_up(7, 1), order(7, ("hdd", 1))], state)
        assert outcomes == ["applied"] * 4
        assert goods(state) == ({7: 0}, {"hdd": (1, 0)})


FAULTS = ("invalid_quantity", "unknown_user", "unknown_item", "out_of_stock", "insufficient_funds")


class TestOfTwoReasonsTheFirstOfTheTableIsGiven:
    @pytest.mark.parametrize("faults", [found for size in range(1, 6) for found in combinations(FAULTS, size)])
    @pytest.mark.parametrize("backwards", [False, True])
    def test_for_an_order(self, order: Orders, faults: tuple[str, ...], backwards: bool) -> None:
        lines = [("hdd", 1)]
        if "invalid_quantity" in faults:
            lines.append(("hdd", 0))
        if "unknown_item" in faults:
            lines.append(("unheard of", 1))
        if "out_of_stock" in faults:
            lines.append(("rare", 2))
        if "insufficient_funds" in faults:
            lines.append(("dear", 1))
        state = shop({7: 100}, {"hdd": (1, 5), "rare": (1, 1), "dear": (101, 1)})
        user = 8 if "unknown_user" in faults else 7
        assert decided(order(user, *(lines[::-1] if backwards else lines)), state) == f"rejected:{faults[0]}"

    def test_for_a_top_up_of_nothing_that_cannot_overflow(self) -> None:
        assert decided(top_up(7, 0), shop({7: MAX_INT})) == "rejected:invalid_amount"

    def test_for_an_item_a_price_comes_before_the_stock(self) -> None:
        # A new item's stock cannot overflow, so the two reasons never meet: the largest count is not refused for it.
        assert decided(add_item("hdd", 10**12), SHOP.empty()) == "rejected:price_required"
        assert decided(add_item("hdd", 10**12, price=1), SHOP.empty()) == "applied"


class TestKeys:
    @pytest.mark.parametrize(
        ("entry", "outcome"),
        [(top_up(7, 1), "applied"), (top_up(7, 0), "rejected:invalid_amount"), (new_order(9), "rejected:empty_order")],
    )
    def test_the_first_decides_and_the_second_is_a_duplicate(self, entry: RawEntry, outcome: str) -> None:
        keyed = [*entry, (b"key", b"k")]
        state = shop({7: 1})
        assert decided(keyed, state) == outcome
        after = goods(state)
        assert decided(keyed, state) == decided([*top_up(7, 9), (b"key", b"k")], state) == "duplicate"
        assert goods(state) == after

    def test_a_key_belongs_to_the_stream_and_not_to_a_type(self) -> None:
        state, outcomes = fold_all([[*top_up(7, 1), (b"key", b"k")], [*add_item("x", 1, price=1), (b"key", b"k")]])
        assert outcomes == ["applied", "duplicate"]
        assert goods(state) == ({7: 1}, {})

    @pytest.mark.parametrize(
        "parked",
        [
            [(b"type", b"TopUp"), (b"data", b"{}"), (b"key", b"k")],
            [(b"type", b"Refund"), (b"data", b"{}"), (b"key", b"k")],
            [(b"type", b"TopUp"), (b"key", b"k")],
            [(b"type", b"TopUp"), (b"data", b"{}"), (b"key", b"k"), (b"v", b"2")],
            [(b"type", b"TopUp"), (b"data", b" " * 65_537), (b"key", b"k")],
        ],
        ids=["invalid_data", "unknown_type", "missing_field", "unsupported_version", "too_large"],
    )
    def test_a_parked_entry_does_not_take_its_key(self, parked: RawEntry) -> None:
        good = [*top_up(7, 1), (b"key", b"k")]
        _, outcomes = fold_all([parked, good, parked, good])
        assert outcomes[0].startswith("parked:")
        assert outcomes == [outcomes[0], "applied", outcomes[0], "duplicate"]

    def test_entries_without_a_key_are_never_duplicates(self) -> None:
        assert goods(fold_all([top_up(7, 1)] * 3)[0])[0] == {7: 3}

    def test_keys_are_told_apart_byte_by_byte(self) -> None:
        keys = [b"k", b"K", b"k ", b"k\x00", b"\xff", b"\xc3\xbf", b"k" * 127, b"k" * 128]
        assert fold_all([*top_up(7, 1), (b"key", key)] for key in keys)[1] == ["applied"] * len(keys)


class TestEveryOutcome:
    def test_has_a_name_of_its_own(self) -> None:
        assert len(set(SHOP.outcomes)) == len(SHOP.outcomes) == 16
        rejected = {"invalid_amount", "overflow", "price_required", "empty_order", "invalid_quantity", "unknown_user"}
        rejected |= {"unknown_item", "out_of_stock", "insufficient_funds"}
        assert {outcome.reason for outcome in SHOP.outcomes if outcome.name == "rejected"} == rejected
        assert set(SHOP.domain.reasons) == rejected
