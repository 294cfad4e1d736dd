"""The shop's events as people read them, what they are about, and the made-up ones."""

import gc
from itertools import islice
from typing import Any

import pytest
from hypothesis import given

from esdash.fold.cells import Change
from esdash.shop import samples
from esdash.shop.domain import describe
from esdash.shop.events import AddItem, Line, Order, TopUp
from esdash.shop.older import AddItemV0
from tests.fold.reading import MAX_INT
from tests.strategies import RawEntry, entries
from tests.unit.shop import SHOP, as_entries, event, goods, shop, steady, told


class TestDescribe:
    @pytest.mark.parametrize(
        ("said", "line"),
        [
            (TopUp(7, 50_000), "user 7 +500.00"),
            (TopUp(MAX_INT, 0), "user 9223372036854775807 +0.00"),
            (AddItem("hdd", 11), "hdd +11"),
            (AddItem("hdd", 1_100, 250_000), "hdd +1,100 at 2,500.00"),
            (AddItem("hdd", 0, 0), "hdd +0 at 0.00"),
            (AddItemV0("hdd", 11), "hdd +11"),
            (Order(7, (Line("hdd", 2),)), "user 7 buys 2 × hdd"),
            (Order(7, (Line("hdd", 2), Line("cpu", 1_000))), "user 7 buys 2 × hdd, 1,000 × cpu"),
            (Order(7, ()), "user 7 buys nothing"),
            (Order(7, (Line("x", 1),) * 10), "user 7 buys " + ", ".join(["1 × x"] * 10)),
            (Order(7, (Line("x", 1),) * 11), "user 7 buys " + ", ".join(["1 × x"] * 10) + " and 1 more line"),
            (Order(7, (Line("x", 1),) * 100), "user 7 buys " + ", ".join(["1 × x"] * 10) + " and 90 more lines"),
        ],
    )
    def test_an_event_in_one_line(self, said: Any, line: str) -> None:
        assert describe(said) == line


class TestWhatAnEntryIsAbout:
    def test_the_users_and_items_that_it_names(self) -> None:
        def rows(said: Any) -> list[tuple[str, Any]]:
            return list(SHOP.model(said).rows(said))

        assert rows(TopUp(7, 1)) == [("users", 7)]
        assert rows(AddItem("hdd", 1)) == rows(AddItemV0("hdd", 1)) == [("items", "hdd")]
        assert rows(Order(7, (Line("b", 1), Line("a", 1)))) == [("users", 7), ("items", "b"), ("items", "a")]

    @steady(42)
    @given(entries())
    def test_no_entry_changes_anything_else(self, stream: list[RawEntry]) -> None:
        state = SHOP.empty()
        for entry in as_entries(stream):
            _, heard = SHOP.explain(state, entry)
            said = SHOP.read(entry[1]).event
            named = set() if said is None else set(SHOP.model(said).rows(said))
            assert {(change.table, change.key) for change in heard.changes} <= named


class TestWhatIsTold:
    def test_of_an_order(self) -> None:
        state = shop({7: 1_000}, {"hdd": (250, 5), "cpu": (100, 5)})
        lines = [{"item_id": item, "quantity": number} for item, number in (("hdd", 1), ("cpu", 2), ("hdd", 1))]
        (entry,) = as_entries([event("Order", user_id=7, lines=lines)])
        code, heard = SHOP.explain(state, entry)
        assert told([code]) == ["applied"]
        assert set(heard.changes) == {
            Change("users", 7, "balance", 1_000, 300),
            Change("items", "hdd", "remain", 5, 3),
            Change("items", "cpu", "remain", 5, 3),
        }

    def test_what_is_kept_of_each_entry_is_nothing_to_the_garbage_collector(self) -> None:
        """Looking at tens of thousands of them would keep the fold waiting."""
        lines = [{"item_id": "hdd", "quantity": 1}]
        (entry,) = as_entries([event("Order", user_id=7, lines=lines)])
        _, heard = SHOP.explain(shop({7: 1_000}, {"hdd": (250, 5)}), entry)
        assert len(heard.changes) == 2
        assert not any(map(gc.is_tracked, (heard, *heard.changes)))

    @pytest.mark.parametrize(
        ("quantity", "outcome", "needed", "available", "written"),
        [
            (6, "rejected:out_of_stock", 6, 5, "6"),
            (5, "rejected:insufficient_funds", 1_250, 1_000, "12.50"),
        ],
    )
    def test_of_a_refusal_are_the_numbers_that_decided(
        self, quantity: int, outcome: str, needed: int, available: int, written: str
    ) -> None:
        state = shop({7: 1_000}, {"hdd": (250, 5)})
        line = {"item_id": "hdd", "quantity": quantity}
        (entry,) = as_entries([event("Order", user_id=7, lines=[line])])
        code, heard = SHOP.explain(state, entry)
        assert told([code]) == [outcome]
        assert (heard.changes, heard.needed, heard.available) == ((), needed, available)
        assert heard.shown.write(needed) == written
        assert goods(state) == ({7: 1_000}, {"hdd": (250, 5)})


class TestSamples:
    def test_the_same_seed_gives_the_same_events_and_another_others(self) -> None:
        first, again, other = (list(islice(SHOP.samples(seed), 200)) for seed in (1, 1, 2))
        assert first == again != other

    def test_begin_with_a_batch_like_that_of_the_reference(self) -> None:
        events = list(islice(SHOP.samples(3), samples.BATCH))
        assert [type(said) for said in events] == [TopUp] * 10 + [AddItem] * 10 + [Order] * 10
        assert len({said.user_id for said in events[:10]}) == 10

    def test_can_all_be_published_and_most_are_applied(self) -> None:
        state = SHOP.empty()
        fields = [
            SHOP.fields(*SHOP.encode(said), b"k%d" % number)
            for number, said in enumerate(islice(SHOP.samples(5), 1_000))
        ]
        outcomes = told(SHOP.fold(state, [(b"%d-0" % number, sent) for number, sent in enumerate(fields)]))
        assert outcomes.count("applied") > 800
        assert not [outcome for outcome in outcomes if outcome.startswith(("parked", "duplicate"))]

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 31, 100])
    def test_a_batch_has_so_many_events(self, count: int) -> None:
        batch = samples.demo_batch(1, users=4, items=12, count=count)
        kinds = [type(said) for said in batch]
        sizes = [kinds.count(kind) for kind in (TopUp, AddItem, Order)]
        assert sum(sizes) == count
        assert sizes == sorted(sizes, reverse=True)
        assert max(sizes) - min(sizes) <= 1
