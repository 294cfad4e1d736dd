"""What one entry says and does, told for people."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.decoding import decode
from esdash.shop.domain import Shop
from esdash.shop.events import AddItem, Event, Line, Order, TopUp, UnpricedItem
from esdash.shop.fold import fold
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.state import State
from esdash.shop.story import (
    EXCERPT,
    Change,
    describe,
    describe_event,
    document,
    encode,
    explain,
    payload_of,
    preview,
    touched,
    type_of,
)
from tests.strategies import RawEntry, entries, hostile_entries, raw_entry, shop_events, v0_payload, valid_events
from tests.unit.shop import as_entries, as_sent, event, fold_all, goods, shop, steady

MAX_INT = 2**63 - 1


def made(drawn: dict[str, Any]) -> TopUp | AddItem | Order:
    """The event that a drawn one stands for."""
    data = drawn["data"]
    if drawn["type"] == "TopUp":
        return TopUp(**data)
    if drawn["type"] == "AddItem":
        return AddItem(**data)
    return Order(data["user_id"], tuple(Line(**line) for line in data["lines"]))


class TestDescribe:
    @pytest.mark.parametrize(
        ("told", "line"),
        [
            (TopUp(7, 50_000), "user 7 +500.00"),
            (TopUp(MAX_INT, 0), "user 9223372036854775807 +0.00"),
            (AddItem("hdd", 11), "hdd +11"),
            (AddItem("hdd", 1_100, 250_000), "hdd +1,100 at 2,500.00"),
            (AddItem("hdd", 0, 0), "hdd +0 at 0.00"),
            (UnpricedItem("hdd", 11), "hdd +11"),
            (Order(7, (Line("hdd", 2),)), "user 7 buys 2 × hdd"),
            (Order(7, (Line("hdd", 2), Line("cpu", 1_000))), "user 7 buys 2 × hdd, 1,000 × cpu"),
            (Order(7, ()), "user 7 buys nothing"),
            (Order(7, (Line("x", 1),) * 10), "user 7 buys " + ", ".join(["1 × x"] * 10)),
            (Order(7, (Line("x", 1),) * 11), "user 7 buys " + ", ".join(["1 × x"] * 10) + " and 1 more line"),
            (Order(7, (Line("x", 1),) * 100), "user 7 buys " + ", ".join(["1 × x"] * 10) + " and 90 more lines"),
        ],
    )
    def test_an_event_in_one_line(self, told: Event, line: str) -> None:
        assert describe_event(told) == line
        if not isinstance(told, UnpricedItem):
            assert describe(as_sent(raw_entry(*encode(told)))) == line

    def test_an_old_entry_like_a_new_one(self) -> None:
        assert describe(as_sent(raw_entry("TopUp", v0_payload("TopUp", {"UserID": 7, "Amount": 500})))) == (
            "user 7 +500.00"
        )

    def test_a_parked_entry_by_the_beginning_of_its_payload(self) -> None:
        assert describe(as_sent(raw_entry("Refund", b'{"user_id":7}'))) == '{"user_id":7}'
        assert describe(as_sent(raw_entry("TopUp", b"\xff\x00caf\xc3\xa9"))) == "\\xff\x00café"
        assert describe(as_sent(raw_entry("TopUp", b"x" * 70_000))) == "x" * EXCERPT
        assert describe([]) == ""

    @steady(45)
    @given(hostile_entries())
    def test_any_entry(self, raw: RawEntry) -> None:
        line = describe(as_sent(raw))
        assert len(line) < 1_200
        line.encode()
        assert payload_of(as_sent(raw)) == raw[1][1]
        type_of(as_sent(raw)).encode()

    def test_type_and_payload_are_those_that_count(self) -> None:
        fields = [b"type", b"a", b"data", b"1", b"data", b"2", b"type", b"\xffb"]
        assert (type_of(fields), payload_of(fields)) == ("\\xffb", b"2")
        assert (type_of([]), payload_of([])) == ("", b"")
        assert (type_of([b"data", b"type"]), payload_of([b"type", b"data"])) == ("", b"")


class TestTouched:
    def test_users_and_items_that_an_event_is_about(self) -> None:
        assert touched(TopUp(7, 1)) == ((7,), ())
        assert touched(AddItem("hdd", 1)) == ((), ("hdd",))
        assert touched(UnpricedItem("hdd", 1)) == ((), ("hdd",))
        assert touched(Order(7, (Line("b", 1), Line("a", 1), Line("b", 2)))) == ((7,), ("b", "a"))
        assert touched(Order(7, ())) == ((7,), ())
        assert touched(3) == ((), ())

    @steady(42)
    @given(entries())
    def test_no_entry_changes_anything_else(self, stream: list[RawEntry]) -> None:
        state = State()
        for entry in as_entries(stream):
            users, items = goods(state)
            about_users, about_items = touched(decode(entry[1]))
            fold(state, [entry])
            users_after, items_after = goods(state)
            assert {user for user in users_after if users_after[user] != users.get(user)} <= set(about_users)
            assert {item for item in items_after if items_after[item] != items.get(item)} <= set(about_items)


class TestExplain:
    def test_a_top_up(self) -> None:
        state = State()
        (entry,) = as_entries([event("TopUp", user_id=7, amount=5)])
        assert explain(state, entry) == (0, (Change("balance", "7", None, 5),))
        assert explain(state, entry) == (0, (Change("balance", "7", 5, 10),))

    def test_a_new_item(self) -> None:
        (entry,) = as_entries([event("AddItem", item_id="hdd", count=5, price=250)])
        assert explain(State(), entry)[1] == (Change("stock", "hdd", None, 5), Change("price", "hdd", None, 250))

    def test_an_order(self) -> None:
        state = shop({7: 1_000}, {"hdd": (250, 5), "cpu": (100, 5)})
        lines = [
            {"item_id": "hdd", "quantity": 1},
            {"item_id": "cpu", "quantity": 2},
            {"item_id": "hdd", "quantity": 1},
        ]
        (entry,) = as_entries([event("Order", user_id=7, lines=lines)])
        code, changes = explain(state, entry)
        assert OUTCOMES[code].name == "applied"
        assert changes == (
            Change("balance", "7", 1_000, 300),
            Change("stock", "hdd", 5, 3),
            Change("price", "hdd", 250, 250),
            Change("stock", "cpu", 5, 3),
            Change("price", "cpu", 100, 100),
        )

    def test_a_refused_order_shows_the_numbers_that_did_not_change(self) -> None:
        state = shop({7: 1}, {"hdd": (250, 5)})
        (entry,) = as_entries([event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 1}])])
        code, changes = explain(state, entry)
        assert OUTCOMES[code].reason == "insufficient_funds"
        assert changes[:2] == (Change("balance", "7", 1, 1), Change("stock", "hdd", 5, 5))

    def test_a_parked_entry_changes_nothing(self) -> None:
        (entry,) = as_entries([event("Refund", user_id=7)])
        code, changes = Shop().explain(State(), entry)
        assert (OUTCOMES[code].reason, changes) == ("unknown_type", ())

    @steady(42)
    @given(entries())
    def test_explaining_folds(self, stream: list[RawEntry]) -> None:
        explained, folded = State(), State()
        for entry in as_entries(stream):
            before = goods(explained)
            code, changes = explain(explained, entry)
            assert fold(folded, [entry]) == bytes([code])
            after = goods(explained)
            for kind, subject, was, becomes in changes:
                if kind == "balance":
                    assert (was, becomes) == (before[0].get(int(subject)), after[0].get(int(subject)))
                else:
                    place = ("price", "stock").index(kind)
                    nothing = (None, None)
                    assert was == before[1].get(subject, nothing)[place]
                    assert becomes == after[1].get(subject, nothing)[place]
        assert explained.digest() == folded.digest()


class TestPreview:
    @steady(45)
    @given(entries(max_size=20), shop_events() | valid_events())
    def test_promises_what_the_fold_then_does(self, stream: list[RawEntry], drawn: dict[str, Any]) -> None:
        state, _ = fold_all(stream)
        digest = state.digest()
        promised = preview(state, made(drawn))
        assert state.digest() == digest
        entry = (b"9-9", as_sent(raw_entry(*encode(made(drawn)))))
        code, changes = explain(state, entry)
        assert promised.outcome == OUTCOMES[code]
        assert promised.changes == changes

    @steady(45)
    @given(st.lists(shop_events(), min_size=1, max_size=3))
    def test_promises_large_numbers_too(self, events: list[dict[str, Any]]) -> None:
        users = {1: MAX_INT, 2: MAX_INT - 10**15, 3: 0}
        items = {"cpu": (10**15, MAX_INT), "ram": (0, MAX_INT - 10**12), "gpu": (1, 0)}
        state = shop(users, items)
        for drawn in events:
            promised = preview(state, made(drawn))
            assert goods(state) == (users, items)
            code, changes = explain(shop(users, items), (b"1-1", as_sent(raw_entry(*encode(made(drawn))))))
            assert promised == (OUTCOMES[code], changes)

    def test_an_unpriced_item(self) -> None:
        assert preview(State(), UnpricedItem("hdd", 2)).changes[1] == Change("price", "hdd", None, 1_700)

    def test_looks_at_a_state_that_is_being_forked(self) -> None:
        state = shop({7: 5}, {"hdd": (1, 5)})
        fork = state.fork()
        assert preview(state, Order(7, (Line("hdd", 5),))).outcome.name == "applied"
        state.join(fork)
        assert goods(state) == ({7: 5}, {"hdd": (1, 5)})


class TestTheDocument:
    def test_of_nothing(self) -> None:
        assert document(State()) == {
            "users": {},
            "items": {},
            "outcomes": {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0},
        }

    def test_has_sorted_users_and_items_and_only_reasons_that_occurred(self) -> None:
        state = shop({10: 1, 9: 2, 0: 3}, {"b": (1, 2), "a": (3, 4)})
        fold_all([event("TopUp", user_id=7, amount=0), event("Refund")], state)
        shown = document(state)
        assert shown == {
            "users": {"0": 3, "9": 2, "10": 1},
            "items": {"a": {"price": 3, "remain": 4}, "b": {"price": 1, "remain": 2}},
            "outcomes": {
                "applied": 0,
                "rejected": {"invalid_amount": 1},
                "parked": {"unknown_type": 1},
                "duplicate": 0,
            },
        }
        users, items = shown["users"], shown["items"]
        assert isinstance(users, dict)
        assert isinstance(items, dict)
        assert (list(users), list(items)) == (["0", "9", "10"], ["a", "b"])
