"""Pictures of the state for a screen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.engine.domain import Row
from esdash.shop import view as view_module
from esdash.shop.fold import fold
from esdash.shop.outcomes import APPLIED, DUPLICATE
from esdash.shop.state import State
from esdash.shop.view import Balances, ItemRow, LastChange, ShopView, UserRow, Viewer
from tests.strategies import RawEntry, entries, raw_entry, v0_payload
from tests.unit.shop import as_entries, as_sent, event, fold_all, goods, shop, steady

MAX_INT = 2**63 - 1
USERS = {7: 500, 70: 20, 0: 500, 71: 0, 123: 20, MAX_INT: 1, 9: MAX_INT, 700: 500}


def seen(stream: list[RawEntry], viewer: Viewer | None = None, state: State | None = None) -> ShopView:
    """The view after a stream that one viewer has observed."""
    viewer = Viewer() if viewer is None else viewer
    state = State() if state is None else state
    sent = as_entries(stream)
    codes = fold(state, sent)
    viewer.observe(state, [Row(ordinal, *sent[ordinal - 1], codes[ordinal - 1]) for ordinal in range(1, len(sent) + 1)])
    return viewer.view(state)


def balances(users: dict[int, int], changed: list[int] | None = None) -> Balances:
    """Balances, of which some users changed lately, the last one last."""
    viewer = Viewer()
    rows = [as_sent(event("TopUp", user_id=user, amount=1)) for user in changed or []]
    viewer.observe(State(), [Row(place, b"%d-0" % place, fields, APPLIED) for place, fields in enumerate(rows, 1)])
    return viewer.view(shop(users)).balances


def listed(shown: Balances, column: str = "user", descending: bool = False, needle: str = "") -> list[int]:
    """User ids in the order of the screen."""
    return [shown.row(int(number)).user_id for number in shown.order(column, descending, needle)]


class TestTheOrderOfBalances:
    def test_by_user_is_by_number_and_not_by_text(self) -> None:
        expected = [0, 7, 9, 70, 71, 123, 700, MAX_INT]
        assert listed(balances(USERS)) == expected
        assert listed(balances(USERS), "user", True) == expected[::-1]

    def test_by_balance_puts_equal_ones_in_the_order_of_users(self) -> None:
        expected = [71, MAX_INT, 70, 123, 0, 7, 700, 9]
        assert listed(balances(USERS), "balance") == expected
        assert listed(balances(USERS), "balance", True) == expected[::-1]

    def test_by_change_puts_the_newest_last_and_the_unchanged_first(self) -> None:
        shown = balances(USERS, changed=[70, 7, MAX_INT, 70])
        expected = [0, 9, 71, 123, 700, 7, MAX_INT, 70]
        assert listed(shown, "change") == expected
        assert listed(shown, "change", True) == expected[::-1]

    def test_of_nobody_is_empty(self) -> None:
        for column in ("user", "balance", "change"):
            assert listed(balances({}), column) == []
            assert listed(balances({}), column, True, "7") == []
        assert len(balances({})) == 0

    @steady(36)
    @given(st.dictionaries(st.integers(0, 50) | st.integers(0, MAX_INT), st.integers(0, 3) | st.integers(0, MAX_INT)))
    def test_is_that_of_a_plain_sort(self, users: dict[int, int]) -> None:
        shown = balances(users)
        assert len(shown) == len(users)
        assert listed(shown) == sorted(users)
        assert listed(shown, "balance") == sorted(users, key=lambda user: (users[user], user))

    def test_rows_hold_plain_integers(self) -> None:
        shown = balances({MAX_INT: MAX_INT})
        row = shown.row(0)
        assert row == UserRow(MAX_INT, MAX_INT, None)
        assert type(row.user_id) is type(row.balance) is int


class TestTheFilterOfBalances:
    @pytest.mark.parametrize(
        ("needle", "found"),
        [
            ("", [0, 7, 9, 70, 71, 123, 700, MAX_INT]),
            ("7", [7, 70, 71, 700]),
            ("70", [70, 700]),
            ("0", [0]),
            ("1", [123]),
            ("9", [9, MAX_INT]),
            ("922337203685477580", [MAX_INT]),
            ("9223372036854775807", [MAX_INT]),
            ("9223372036854775808", []),
            ("9999999999999999999", []),
            ("92233720368547758070", []),
            ("9" * 5_000, []),
            ("00", []),
            ("07", []),
            ("8", []),
            ("x", []),
            ("7x", []),
            ("-7", []),
            (" 7", []),
            ("7.0", []),
            ("٧", []),
            ("²", []),
            ("７", []),
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_shows_users_whose_number_begins_with_the_digits(self, needle: str, found: list[int]) -> None:
        assert listed(balances(USERS), needle=needle) == found
        assert listed(balances(USERS), "user", True, needle) == found[::-1]
        assert sorted(listed(balances(USERS, changed=[70, 7]), "change", needle=needle)) == found
        assert sorted(listed(balances(USERS), "balance", needle=needle)) == found

    @steady(60)
    @given(
        st.sets(st.integers(0, 300) | st.integers(0, MAX_INT) | st.integers(MAX_INT - 300, MAX_INT)),
        st.integers(0, 400).map(str) | st.text("0123456789", max_size=20) | st.integers(0, MAX_INT).map(str),
    )
    def test_is_that_of_plain_text(self, users: set[int], needle: str) -> None:
        shown = balances(dict.fromkeys(users, 0))
        assert listed(shown, needle=needle) == sorted(user for user in users if str(user).startswith(needle))


class TestAView:
    @steady(36)
    @given(entries())
    def test_shows_the_state(self, stream: list[RawEntry]) -> None:
        state, _ = fold_all(stream)
        users, items = goods(state)
        shown = Viewer().view(state)
        assert {row.user_id: row.balance for row in map(shown.balances.row, range(len(shown.balances)))} == users
        assert [(row.item_id, (row.price, row.remain)) for row in shown.items] == sorted(items.items())
        assert shown.counts == tuple(state.counts)
        assert shown.keys == len(state.key_order)
        assert shown.latest is state

    def test_does_not_change_with_the_state(self) -> None:
        viewer, state = Viewer(), State()
        opening = [event("TopUp", b"a", user_id=7, amount=5), event("AddItem", item_id="hdd", count=1, price=2)]
        shown = seen(opening, viewer, state)
        seen([event("TopUp", b"b", user_id=7, amount=5), event("TopUp", user_id=8, amount=1)], viewer, state)
        seen([event("AddItem", item_id="hdd", count=1)], viewer, state)
        assert shown.balances.row(0) == UserRow(7, 5, LastChange("1575032026828-1", 5))
        assert len(shown.balances) == 1
        assert shown.items == (ItemRow("hdd", 2, 1, LastChange("1575032026829-0", 1)),)
        assert (sum(shown.counts), shown.keys) == (2, 1)


def users_of(shown: ShopView) -> list[UserRow]:
    """All of a view's."""
    return [shown.balances.row(number) for number in range(len(shown.balances))]


def contents(shown: ShopView) -> tuple[object, ...]:
    """All numbers of a view."""
    return users_of(shown), shown.items, shown.counts, shown.keys


class TestViewsOneAfterAnother:
    @steady(30)
    @given(st.lists(st.tuples(entries(), st.sampled_from(["seen", "seen", "unseen", "fork", "join"])), max_size=8))
    def test_show_what_a_first_one_would(self, parts: list[tuple[list[RawEntry], str]]) -> None:
        """Whether entries were observed or went by, and whether a snapshot is being written meanwhile."""
        viewer, state, ordinal = Viewer(), State(), 0
        fork: State | None = None
        for stream, happens in parts:
            sent = as_entries(stream)
            codes = fold(state, sent)
            rows = [Row(ordinal + place, *sent[place - 1], codes[place - 1]) for place in range(1, len(sent) + 1)]
            ordinal += len(rows)
            if happens != "unseen":
                viewer.observe(state, rows)
            if happens == "fork" and fork is None:
                fork = state.fork()
            elif happens == "join" and fork is not None:
                state.join(fork)
                fork = None
            shown = viewer.view(state)
            expected = Viewer().view(state)
            assert [user[:2] for user in users_of(shown)] == [user[:2] for user in users_of(expected)]
            assert [item[:3] for item in shown.items] == [item[:3] for item in expected.items]
            assert (shown.counts, shown.keys) == (expected.counts, expected.keys)

    @steady(36)
    @given(st.lists(entries(), min_size=1, max_size=6))
    def test_stay_as_they_were(self, parts: list[list[RawEntry]]) -> None:
        viewer, state, ordinal = Viewer(), State(), 0
        views, before = [], []
        for stream in parts:
            sent = as_entries(stream)
            codes = fold(state, sent)
            viewer.observe(
                state,
                [Row(ordinal + at, *one, code) for at, (one, code) in enumerate(zip(sent, codes, strict=True), 1)],
            )
            ordinal += len(sent)
            views.append(viewer.view(state))
            before.append(contents(views[-1]))
        assert [contents(shown) for shown in views] == before

    def test_share_what_did_not_change(self) -> None:
        viewer, state = Viewer(), State()
        first = seen(
            [event("TopUp", user_id=7, amount=5), event("AddItem", item_id="hdd", count=1, price=2)], viewer, state
        )
        sent = as_entries([event("TopUp", user_id=7, amount=5)])
        viewer.observe(state, [Row(3, *sent[0], fold(state, sent)[0])])
        second = viewer.view(state)
        assert second.items is first.items
        assert second.balances.ids is first.balances.ids
        assert second.balances.row(0).balance == 10
        assert viewer.view(state).balances is second.balances

    def test_know_what_an_order_cost_while_a_snapshot_is_written(self) -> None:
        viewer, state = Viewer(), State()
        seen(
            [event("TopUp", user_id=7, amount=1000), event("AddItem", item_id="hdd", count=9, price=30)], viewer, state
        )
        state.fork()
        buy = event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 2}])
        dearer = event("AddItem", item_id="hdd", count=1, price=500)
        sent = as_entries([buy, dearer])
        codes = fold(state, sent)
        viewer.observe(state, [Row(place + 3, *sent[place], codes[place]) for place in range(2)])
        change = viewer.view(state).balances.row(0).change
        assert change is not None
        assert change.delta == -60


class TestTheLastChange:
    def test_is_unknown_before_anything_was_observed(self) -> None:
        shown = Viewer().view(shop({7: 5}, {"hdd": (1, 2)}))
        assert shown.balances.row(0).change is None
        assert shown.items[0].change is None

    @staticmethod
    def after(*rows: tuple[bytes, RawEntry, int | None]) -> tuple[dict[int, Any], dict[str, Any]]:
        """Changes of user 7 and 8, and of two items, after rows of (id, entry, outcome code)."""
        viewer = Viewer()
        state = shop({7: 5, 8: 5}, {"cpu": (1, 2), "hdd": (1, 2)})
        observed = [Row(place, entry_id, as_sent(raw), code) for place, (entry_id, raw, code) in enumerate(rows, 1)]
        viewer.observe(state, observed)
        shown = viewer.view(state)
        users = {row.user_id: row.change for row in map(shown.balances.row, range(2)) if row.change}
        return users, {row.item_id: row.change for row in shown.items if row.change}

    def test_of_a_balance_is_the_top_up(self) -> None:
        first, second = event("TopUp", user_id=7, amount=100), event("TopUp", user_id=7, amount=250)
        assert self.after((b"1-0", first, APPLIED), (b"2-0", second, APPLIED)) == ({7: LastChange("2-0", 250)}, {})

    def test_of_a_balance_may_be_what_an_order_cost(self) -> None:
        order = event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 2}])
        expected = ({7: LastChange("1-0", -2)}, {"hdd": LastChange("1-0", -2)})
        assert self.after((b"1-0", order, APPLIED)) == expected

    def test_does_not_guess_what_an_order_cost_before_a_new_price(self) -> None:
        order = event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 2}])
        priced = event("AddItem", item_id="hdd", count=1, price=1)
        users, _ = self.after((b"1-0", order, APPLIED), (b"2-0", priced, APPLIED))
        assert users == {7: LastChange("1-0", None)}
        users, _ = self.after((b"1-0", priced, APPLIED), (b"2-0", order, APPLIED))
        assert users == {7: LastChange("2-0", -2)}

    def test_of_a_balance_is_known_before_a_new_price_when_the_old_one_was_seen(self) -> None:
        viewer, state = Viewer(), State()
        goods = [event("TopUp", user_id=7, amount=1000), event("AddItem", item_id="hdd", count=9, price=30)]
        buy = event("Order", user_id=7, lines=[{"item_id": "hdd", "quantity": 2}])
        dearer = event("AddItem", item_id="hdd", count=1, price=500)
        sent = as_entries([*goods, buy, dearer])
        for part in (range(2), range(2, 4)):
            codes = fold(state, [sent[place] for place in part])
            viewer.observe(state, [Row(place + 1, *sent[place], code) for place, code in zip(part, codes, strict=True)])
        change = viewer.view(state).balances.row(0).change
        assert change is not None
        assert change.delta == -60

    def test_of_a_stock_is_the_sum_of_the_lines_of_an_order(self) -> None:
        lines = [
            {"item_id": "hdd", "quantity": 2},
            {"item_id": "cpu", "quantity": 1},
            {"item_id": "hdd", "quantity": 3},
        ]
        _, items = self.after((b"1-0", event("Order", user_id=7, lines=lines), APPLIED))
        assert items == {"hdd": LastChange("1-0", -5), "cpu": LastChange("1-0", -1)}

    def test_of_a_stock_may_be_a_delivery_of_either_schema(self) -> None:
        new = event("AddItem", item_id="hdd", count=4)
        old = raw_entry("AddItem", v0_payload("AddItem", {"ItemID": "cpu", "Count": 3}))
        _, items = self.after((b"1-0", new, APPLIED), (b"2-0", old, APPLIED))
        assert items == {"hdd": LastChange("1-0", 4), "cpu": LastChange("2-0", 3)}

    @pytest.mark.parametrize("code", [None, DUPLICATE, *range(1, DUPLICATE)])
    def test_is_none_of_what_was_not_applied(self, code: int | None) -> None:
        assert self.after((b"1-0", event("TopUp", user_id=7, amount=1), code)) == ({}, {})

    def test_is_forgotten_for_the_longest_unchanged_when_there_are_too_many(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(view_module, "REMEMBERED_CHANGES", 3)
        users = [1, 2, 3, 1, 4, 5]
        shown = balances(dict.fromkeys(range(1, 6), 0), changed=users)
        rows = [shown.row(number) for number in range(len(shown))]
        assert {row.user_id: row.change.entry_id for row in rows if row.change} == {1: "4-0", 4: "5-0", 5: "6-0"}

    @steady(36)
    @given(entries())
    def test_names_an_entry_that_really_changed_the_number(self, stream: list[RawEntry]) -> None:
        shown = seen(stream)
        sent = dict(as_entries(stream))
        for row in map(shown.balances.row, range(len(shown.balances))):
            assert row.change is not None
            assert row.change.entry_id.encode() in sent
        for item in shown.items:
            assert item.change is not None
            assert item.change.entry_id.encode() in sent
            assert item.change.delta is not None
