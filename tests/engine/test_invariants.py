"""The invariants of a domain, watched while its entries are folded."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import redis

from esdash.domain import Invariant
from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.invariants.conditions import holds
from esdash.engine.invariants.turning import CLOSELY, Stopwatch
from esdash.engine.invariants.watching import InvariantWatch, sentence
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Phase, View
from esdash.fold.cells import MAX_INT
from esdash.fold.folding import Entry, Fold, Told
from esdash.query.conditions import read_condition
from esdash.query.numbers import Cell, Number
from esdash.words.asked import schema_of
from tests.domains.meters import METERS, below_hundred
from tests.engine.asked import day
from tests.engine.running import STREAM, RunningConsumer
from tests.engine.test_conditions import CONDITIONS
from tests.waiting import eventually

ONCE = ConsumerSettings(snapshot_seconds=0, watched=False, once=True)


def read(client: redis.Redis, values: Sequence[int], first: int = 1) -> None:
    """Append what the meter `a` shows; the entries have the ids 1-0, 2-0, …"""
    with client.pipeline(transaction=False) as pipeline:
        for number, shown in enumerate(values, first):
            pipeline.xadd(STREAM, {"type": "Read", "data": f'{{"meter":"a","shown":{shown}}}'}, id=f"{number}-0")
        pipeline.execute()


def meters(*invariants: Invariant | Callable[[Any], Any]) -> Fold:
    """The domain, perhaps with other invariants."""
    return Fold(replace(METERS, invariants=invariants) if invariants else METERS)


def stand(view: View) -> dict[str, tuple[bool, str]]:
    """Of each invariant, whether it holds, and the sentence about it."""
    return {each.name: (each.holds, sentence(each)) for each in view.invariants}


def after_a_replay(url: str, fold: Fold | None = None) -> dict[str, tuple[bool, str]]:
    with RunningConsumer(url, ONCE, domain=fold or meters()) as consumer:
        return stand(consumer.until(lambda view: view.phase is Phase.STOPPED or not consumer.running))


class TestInAReplay:
    def test_the_entry_within_a_page_that_broke_one_is_named(self, url: str, client: redis.Redis) -> None:
        read(client, [1, 2, 3, -1, -2, 200])
        assert after_a_replay(url) == {
            "none_below_zero": (
                True,
                "The invariant none_below_zero holds again since #6 Read. #4 Read broke it.",
            ),
            "below_hundred": (False, "The invariant below_hundred is broken. #6 Read broke it."),
        }

    def test_a_break_that_is_mended_within_the_page_is_found(self, url: str, client: redis.Redis) -> None:
        read(client, [1, -1, 1, -1, 5])
        assert after_a_replay(url)["none_below_zero"] == (
            True,
            "The invariant none_below_zero holds again since #5 Read. #4 Read broke it, 2 times in all.",
        )

    def test_what_never_broke_holds(self, url: str, client: redis.Redis) -> None:
        read(client, [1, 2])
        assert set(after_a_replay(url).values()) == {
            (True, "The invariant none_below_zero holds."),
            (True, "The invariant below_hundred holds."),
        }

    def test_a_page_of_many_entries_is_searched_by_halves(self, url: str, client: redis.Redis) -> None:
        read(client, [1] * 700 + [100] * 55)
        assert after_a_replay(url)["below_hundred"] == (
            False,
            "The invariant below_hundred is broken. #701 Read broke it.",
        )

    def test_a_page_that_another_process_packed_tells_its_entries_as_well(
        self, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replaying, "FAR", 4000)
        count = 6000
        read(client, [1] * (count - 900) + [-7] * 100 + [1] * 799 + [500])
        assert after_a_replay(url) == {
            "none_below_zero": (
                True,
                f"The invariant none_below_zero holds again since #{count - 799:,} Read. "
                f"#{count - 899:,} Read broke it.",
            ),
            "below_hundred": (False, f"The invariant below_hundred is broken. #{count:,} Read broke it."),
        }


def test_a_live_consumer_says_at_once_which_entry_broke_one_and_when_it_holds_again(
    url: str, client: redis.Redis
) -> None:
    read(client, [1])
    with RunningConsumer(url, domain=meters()) as consumer:
        assert all(each.holds for each in consumer.until_live("1-0").invariants)
        read(client, [-5], first=2)
        view = consumer.until_live("2-0")
        (broken,) = [each for each in view.invariants if not each.holds]
        assert broken.broken is not None
        assert (broken.name, broken.broken.position.last_event_id) == ("none_below_zero", "2-0")
        told = "The invariant none_below_zero is broken. #2 Read broke it."
        assert told in [notice.text for notice in consumer.until(lambda view: view.notices).notices]
        read(client, [6], first=3)
        view = consumer.until_live("3-0")
        assert all(each.holds for each in view.invariants)
        assert view.phase is Phase.LIVE


def test_one_that_is_broken_in_a_snapshot_is_said_to_be_broken_already(url: str, client: redis.Redis) -> None:
    read(client, [1, -1, 300])
    with RunningConsumer(url, domain=meters()) as consumer:
        consumer.until_live("3-0")
    read(client, [2], first=4)
    read(client, [3], first=5)
    with RunningConsumer(url, domain=meters()) as consumer:
        last = consumer.until_live("5-0")
        first = next(view for view in consumer.views if view.invariants)
        assert stand(first)["below_hundred"] == (
            False,
            "The invariant below_hundred is broken. It was already at #3, the snapshot.",
        )
        assert stand(last)["below_hundred"] == (
            True,
            "The invariant below_hundred holds again since #4 Read. It was already at #3, the snapshot.",
        )


class TestAFunctionThatFails:
    def test_is_watched_no_more_and_halts_nothing(self, url: str, client: redis.Redis) -> None:
        def raises(state: Any) -> bool:
            return bool(1 // (state.meters.shown["a"] - 2))

        def writes(state: Any) -> bool:
            state.meters.shown["b"] = 1
            return True

        def says_nothing(_: Any) -> None:
            """It lacks its return."""

        def asks_for_the_entry(state: Any) -> bool:
            return int(state.entry.time) > 0

        def takes_none() -> bool:
            return True

        functions: Any = raises, writes, says_nothing, asks_for_the_entry, takes_none, below_hundred
        read(client, [1, 2, 3])
        found = after_a_replay(url, meters(*functions))
        assert {name: told.partition(": ")[2] for name, (_, told) in found.items()} == {
            "raises": f"test_invariants.py:{raises.__code__.co_firstlineno + 1}: ZeroDivisionError: integer division "
            "or modulo by zero.",
            "writes": "it writes the state.",
            "says_nothing": "it returned None, neither True nor False.",
            "asks_for_the_entry": f"test_invariants.py:{asks_for_the_entry.__code__.co_firstlineno + 1}: "
            "state.entry is that of a rule, and here is none: an invariant is about the state alone.",
            "takes_none": f"test_invariants.py:{takes_none.__code__.co_firstlineno}: TypeError: "
            "TestAFunctionThatFails.test_is_watched_no_more_and_halts_nothing.<locals>.takes_none() takes 0 positional "
            "arguments but 1 was given.",
            "below_hundred": "",
        }
        with RunningConsumer(url, ONCE, domain=meters()) as consumer:
            consumer.until(lambda _: not consumer.running)
            assert consumer.projection.domain.cell(consumer.projection.state, "meters", "b", "shown") is None

    def test_that_does_not_come_back_is_left_behind(self) -> None:
        def forever(state: Any) -> bool:
            while state is not None:
                pass
            return True

        beside = Beside(meters(forever), patience=0.05)
        beside.page([1])
        assert beside.told == "The invariant forever is watched no more: it takes longer than 0.05 s."
        eventually(lambda: all(thread.name != "patience" for thread in threading.enumerate()))
        beside.page([2])
        assert beside.told.startswith("The invariant forever is watched no more")


class Beside:
    """A watch beside a projection, both moved on by hand."""

    def __init__(self, fold: Fold, **options: Any) -> None:
        self.projection = Projection(fold)
        self.watch = InvariantWatch(self.projection, **options)

    def page(self, values: Sequence[int]) -> None:
        """Apply one page."""
        first = self.projection.ordinal + 1
        page: list[Entry] = [
            (b"%d-0" % number, [b"type", b"Read", b"data", b'{"meter":"a","shown":%d}' % shown])
            for number, shown in enumerate(values, first)
        ]
        told: list[Told] = []
        self.projection.apply(page, told)
        self.watch.see(self.projection, told, page.__getitem__)

    @property
    def told(self) -> str:
        """The sentence about the first."""
        return sentence(self.watch.now[0])


def number_in(fold: Fold, state: Any, number: Number) -> Any:
    """A number, as a function of a domain reads it."""
    table = getattr(state, number.table)
    if isinstance(number, Cell):
        return getattr(table, number.column).get(number.key)
    cells = getattr(table, number.column or fold.storage.places[number.table][0].columns[0].name)
    values = [cells[key] for key in cells]
    if number.function in ("count", "sum"):
        return len(values) if number.function == "count" else sum(values)
    return (min if number.function == "min" else max)(values, default=None)


@pytest.mark.parametrize(("domain", "condition", "plain"), CONDITIONS, ids=[each[1] for each in CONDITIONS])
@pytest.mark.parametrize("by", ["a condition", "a function"])
def test_of_any_domain_it_is_said_where_it_was_broken_last(
    domain: str, condition: str, plain: Callable[[dict[str, Any]], bool], by: str
) -> None:
    fold, rows, facts = day(domain, 500)
    of_the_state = read_condition(condition, schema_of(fold), 0)

    def asked(state: Any) -> bool:
        return holds(of_the_state, lambda number: number_in(fold, state, number))

    invariant = Invariant("it", condition if by == "a condition" else asked)
    projection = Projection(Fold(replace(fold.domain, invariants=(invariant,))))
    watch = InvariantWatch(projection, stopwatch=Stopwatch(lambda: 0.0, lambda: 0.0))
    for start in range(0, len(rows), CLOSELY):
        page: list[Entry] = [(row.entry_id, row.fields) for row in rows[start : start + CLOSELY]]
        told: list[Told] = []
        projection.apply(page, told)
        watch.see(projection, told, page.__getitem__)
    held = [plain(fact.cells) for fact in facts]
    broken = [place for place, (now, before) in enumerate(zip(held, [True, *held], strict=False), 1) if before > now]
    (now,) = watch.now
    assert now.holds is held[-1]
    assert now.times == len(broken)
    assert now.broken is not None
    assert now.broken.position.ordinal == broken[-1]


class TestAFunctionThatTakesLong:
    def test_is_asked_now_and_then_and_the_break_lies_between_two_places(self) -> None:
        now = [0.0]

        def slow(state: Any) -> bool:
            now[0] += 1
            return below_hundred(state)

        beside = Beside(meters(slow), stopwatch=Stopwatch(lambda: now[0], lambda: now[0]))
        beside.page([1])
        beside.page([2, 300])
        beside.page([4, 300])
        assert beside.told == "The invariant slow holds."
        beside.watch.catch_up(beside.projection)
        assert now[0] == 1
        now[0] += 20
        beside.watch.catch_up(beside.projection)
        assert beside.told == "The invariant slow is broken. It was broken after #1, up to #5."

    def test_is_asked_in_any_case_when_a_replay_ends(self) -> None:
        now = [0.0]

        def slow(state: Any) -> bool:
            now[0] += 1
            return below_hundred(state)

        beside = Beside(meters(slow), stopwatch=Stopwatch(lambda: now[0], lambda: now[0]))
        beside.page([1])
        beside.page([300])
        beside.watch.catch_up(beside.projection, force=True)
        assert not beside.watch.now[0].holds


def test_one_that_holds_nowhere_is_broken_by_the_first_entry() -> None:
    beside = Beside(meters(Invariant("some", "count(meters) > 1")))
    assert beside.told == "The invariant some holds."
    beside.page([1])
    assert beside.told == "The invariant some is broken. #1 Read broke it."


def test_news_of_one_that_turns_all_the_time_is_told_now_and_then() -> None:
    now = [0.0]
    beside = Beside(meters(below_hundred), stopwatch=Stopwatch(lambda: now[0], lambda: now[0]))
    told = []
    for number in range(50):
        now[0] += 1.0
        beside.page([100 * (number % 2)])
        told += list(beside.watch.news())
    assert len(told) == 5
    assert told[0] == ("warning", "The invariant below_hundred is broken. #2 Read broke it.")


def test_entries_before_one_that_the_domain_fails_on_are_watched(url: str, client: redis.Redis) -> None:
    read(client, [1, -1, MAX_INT, 1])

    def fails(state: Any, event: Any) -> None:
        state.meters.shown[event.meter] = event.shown if event.shown < MAX_INT else None

    (event_type,) = METERS.events
    fold = Fold(replace(METERS, events=(replace(event_type, apply=fails),)))
    with RunningConsumer(url, domain=fold) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert stand(view)["none_below_zero"][1].endswith("#2 Read broke it.")
