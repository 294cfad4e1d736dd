"""The consumer on a sound log: it restores, replays, follows, and what it shows is what the model computes."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, Rebuild, TakeSnapshot
from esdash.engine.shown.rows import ROWS
from esdash.engine.shown.view import Phase, Verdict, View
from esdash.engine.snapshots import snapshot, taking
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.domains import the_depots
from tests.domains.ways import Present, present
from tests.engine.running import (
    QUIET,
    STREAM,
    Clock,
    RunningConsumer,
    document,
    expected,
    modelled_rows,
    publish_day,
    publish_more,
    said,
    seen_rows,
    sound,
    stored,
)
from tests.generations import Generation
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def headers(log: Stream) -> list[Header]:
    """The readable snapshots, newest first."""
    return [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]


def caught_up(url: str, settings: ConsumerSettings = QUIET) -> RunningConsumer:
    """A consumer that caught up with the stream and ended with a farewell snapshot."""
    with RunningConsumer(url, settings) as consumer:
        consumer.until_live()
    return consumer


class TestStarting:
    def test_goes_through_its_phases_in_order(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
        assert consumer.phases == [
            Phase.CONNECTING,
            Phase.RESTORING,
            Phase.REPLAYING,
            Phase.LIVE,
            Phase.STOPPED,
        ]

    def test_has_something_to_show_before_it_connects(self, url: str) -> None:
        log = Stream(Server(url), STREAM)
        view = Consumer(log, Present()).view
        assert (view.phase, view.stream, len(view.rows)) == (Phase.CONNECTING, STREAM, 0)
        log.server.close()

    def test_is_live_on_a_stream_that_does_not_exist_yet(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.position.ordinal == view.lag == 0
            assert view.continuity is not None
            assert view.continuity.verdict is Verdict.CONTINUOUS
            last = publish_day(client, 3)[-1]
            consumer.until_live(last)

    @pytest.mark.parametrize("count", [1, 999, 1000, 1001, 3500])
    def test_computes_what_the_model_computes(self, url: str, client: redis.Redis, log: Stream, count: int) -> None:
        last = publish_day(client, count)[-1]
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(last)
            assert view.lag == 0
            assert seen_rows(view.rows) == modelled_rows(stored(log))[-ROWS:]
        assert consumer.document == expected(log)

    def test_names_the_server_and_no_password(self, url: str, generation: Generation) -> None:
        with RunningConsumer(url) as consumer:
            assert generation.product in consumer.until_live().server

    def test_every_view_is_newer_than_the_one_before(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 1500)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            publish_more(client, 100)
        numbers = [view.number for view in consumer.views]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        ordinals = [view.position.ordinal for view in consumer.views]
        assert ordinals == sorted(ordinals)


class TestFollowing:
    def test_applies_what_is_appended_once_and_in_order(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 20)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            for _ in range(20):
                last = publish_more(client, 37)[-1]
            view = consumer.until_live(last)
            assert seen_rows(view.rows) == modelled_rows(stored(log))
        assert consumer.document == expected(log)

    def test_shows_no_more_rows_than_it_should(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, ROWS)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            last = publish_more(client, 1234)[-1]
            view = consumer.until_live(last)
            assert len(view.rows) == ROWS
            assert seen_rows(view.rows) == modelled_rows(stored(log))[-ROWS:]

    def test_counts_the_rate(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            publish_day(client, 500)
            consumer.until(lambda view: sum(view.rates) == 500)

    def test_an_entry_with_the_greatest_id_of_all_is_followed_too(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            greatest = f"{2**64 - 1}-{2**64 - 1}"
            client.xadd(STREAM, sound(), id=greatest)
            consumer.until_live(greatest)
            consumer.begin_anew(Crash())
            consumer.until_live(greatest)

    def test_what_a_view_shows_never_changes(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 400)[-1]
        with RunningConsumer(url) as consumer:
            old = consumer.until_live(last)
            before = picture(old)
            for _ in range(5):
                last = publish_more(client, 3000)[-1]
                consumer.until_live(last)
                assert picture(old) == before
            consumer.begin_anew(Crash())
            consumer.until_live(last)
        assert picture(old) == before


def shown(consumer: RunningConsumer, last: bytes) -> View:
    """The first view whose state is that after an entry; it may follow the one that tells of the entry."""
    wanted = last.decode()
    return consumer.until(lambda view: view.position.last_event_id == view.state_position.last_event_id == wanted)


def picture(view: View) -> list[object]:
    """A copy of what a screen would draw of a view."""
    assert view.state is not None
    return [
        list(view.rows),
        [[table.row(number) for number in table.order()] for table in view.state.tables.values()],
        list(view.state.counts),
        view.position,
        view.state_position,
        view.rates,
    ]


class TestRestoring:
    def test_replays_only_the_tail(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 1200)
        caught_up(url)
        last = publish_more(client, 77)[-1]
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(last)
        restored = view.restored
        assert restored is not None
        (header,) = headers(log)[1:]
        assert restored.snapshot_id == header.snapshot_id
        assert (restored.position.ordinal, restored.replayed, restored.done) == (1200, 77, True)
        assert consumer.document == expected(log)

    @pytest.mark.parametrize("cut", [1, 2, 500, 1000, 1001, 1499])
    def test_a_snapshot_and_the_tail_make_what_a_full_replay_makes(
        self, url: str, client: redis.Redis, log: Stream, cut: int
    ) -> None:
        ids = publish_day(client, cut)
        caught_up(url)
        ids += publish_more(client, 1500 - cut)
        from_snapshot = caught_up(url)
        from_start = caught_up(url, ConsumerSettings(ignore_snapshots=True))
        assert from_snapshot.view.restored is not None
        assert from_snapshot.view.restored.position.ordinal == cut
        assert from_start.view.restored is not None
        assert from_start.view.restored.position.ordinal == 0
        assert from_snapshot.digest == from_start.digest
        assert from_snapshot.document == from_start.document == expected(log)

    def test_the_rows_before_the_snapshot_are_back_with_their_outcomes(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 2500)
        caught_up(url)
        last = publish_more(client, 10)[-1]
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(last)
            assert len(view.rows) == 1010
            assert seen_rows(view.rows) == modelled_rows(stored(log))[-1010:]

    def test_rows_go_back_to_the_first_entry_that_is_gone(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 300)
        rows = modelled_rows(stored(log))
        caught_up(url)
        client.xdel(STREAM, ids[100], ids[50])
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(ids[-1])
            assert seen_rows(view.rows) == rows[101:]
            last = publish_more(client, 5)[-1]
            view = consumer.until_live(last)
            assert [row.ordinal for row in view.rows] == list(range(102, 306))

    def test_rows_are_back_when_the_last_entry_was_deleted(self, url: str, client: redis.Redis) -> None:
        ids = publish_day(client, 30)
        caught_up(url)
        client.xdel(STREAM, ids[-1])
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(ids[-1])
            assert len(view.rows) == 0
            last = publish_more(client, 5)[-1]
            view = consumer.until_live(last)
            assert [row.ordinal for row in view.rows] == [31, 32, 33, 34, 35]

    def test_last_changes_are_known_after_a_restart(self, url: str, client: redis.Redis) -> None:
        client.xadd(STREAM, sound(7, 300), id="5-0")
        caught_up(url)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live("5-0")
            assert view.state is not None
            table, key, _, value = present().cell(7, 300)
            row = view.state.tables[table].get(key)
            assert row is not None
            assert row.change is not None
            assert value in row.cells
            assert row.change.entry_id == "5-0"

    def test_a_number_that_moved_further_than_a_number_is_large_is_in_the_snapshot(
        self, url: str, client: redis.Redis
    ) -> None:
        for grams in (MAX_INT, MIN_INT):
            client.xadd(STREAM, said(("Weighed", {"ticket": 7, "grams": grams}), None))
        for replayed in (2, 0):
            with RunningConsumer(url, domain=the_depots()) as consumer:
                view = consumer.until(lambda view: view.phase is Phase.LIVE and view.state_position.ordinal == 2)
                assert view.state is not None
                assert view.state.cell("tickets", 7, "grams") == MIN_INT
                assert view.restored is not None
                assert view.restored.replayed == replayed

    def test_a_consumer_told_to_begin_at_the_start_does(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 40)
        caught_up(url)
        consumer = caught_up(url, ConsumerSettings(ignore_snapshots=True))
        restored = consumer.view.restored
        assert restored is not None
        assert (restored.snapshot_id, restored.replayed) == (None, 40)


class TestCrashing:
    def test_the_state_dies_and_comes_back_the_same(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 700)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            taken = consumer.until(lambda view: view.snapshot).snapshot
            assert taken is not None
            last = publish_more(client, 60)[-1]
            number = consumer.until_live(last).number
            consumer.begin_anew(Crash())
            view = consumer.until_live(last)
            assert view.restored is not None
            assert (view.restored.snapshot_id, view.restored.replayed) == (taken.snapshot_id, 60)
        memory_lost = [view for view in consumer.views if view.number > number and view.state is None]
        assert memory_lost, "the screen shows that the state is gone"
        assert consumer.document == expected(log)
        assert len(headers(log)) == 2, "crashing takes no snapshot, leaving does"

    def test_a_crash_without_a_snapshot_replays_everything(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 300)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            consumer.begin_anew(Crash())
            view = consumer.until_live(last)
            assert view.restored is not None
            assert view.restored.replayed == 300

    def test_rebuilding_begins_at_the_start_although_there_are_snapshots(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        last = publish_day(client, 300)[-1]
        caught_up(url)
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            consumer.begin_anew(Rebuild())
            view = consumer.until_live(last)
            assert view.restored is not None
            assert (view.restored.snapshot_id, view.restored.replayed) == (None, 300)
            assert view.snapshot is not None, "stored snapshots stay"
            consumer.begin_anew(Crash())
            view = consumer.until_live(last)
            assert view.restored is not None
            assert view.restored.replayed == 0, "only the rebuild itself ignores them"
        assert consumer.document == expected(log)

    def test_crashing_again_and_again_changes_nothing(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 200)
        with RunningConsumer(url) as consumer:
            for _ in range(10):
                consumer.ask(Crash())
                consumer.ask(TakeSnapshot())
                last = publish_more(client, 20)[-1]
            consumer.until_live(last)
        assert consumer.document == expected(log)


class TestSnapshots:
    def test_leaving_takes_one_when_something_changed(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 90)
        consumer = caught_up(url)
        (header,) = headers(log)
        assert (header.last_event_id, header.ordinal) == (ids[-1].decode(), 90)
        assert header.digest == consumer.digest
        assert consumer.view.snapshot == snapshot.info(header)
        caught_up(url)
        assert headers(log) == [header]

    @pytest.mark.parametrize(
        "settings", [ConsumerSettings(readonly=True), ConsumerSettings(write_snapshots=False)], ids=["readonly", "none"]
    )
    def test_none_is_written_where_none_may_be(self, url: str, client: redis.Redis, settings: ConsumerSettings) -> None:
        publish_day(client, 90)
        clock = Clock()
        with RunningConsumer(url, settings, clock=clock) as consumer:
            consumer.until_live()
            clock.ahead += 100
            publish_more(client, 10)
            consumer.until(lambda view: view.position.ordinal == 100)
        assert client.keys("*") == [STREAM.encode()]

    def test_one_is_taken_every_thirty_seconds_when_something_changed(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        clock = Clock()
        with RunningConsumer(url, ConsumerSettings(), clock=clock) as consumer:
            consumer.until_live()
            last = publish_day(client, 10)[-1]
            consumer.until_live(last)
            clock.ahead += 29
            consumer.until(lambda view: view.number > 0)
            assert headers(log) == []
            clock.ahead += 1.5
            view = consumer.until(lambda view: view.snapshot)
            assert view.snapshot is not None
            assert view.snapshot.position.last_event_id == last.decode()
            last = publish_more(client, 10)[-1]
            consumer.until_live(last)
            clock.ahead += 31
            consumer.until(lambda view: view.snapshot and view.snapshot.position.ordinal == 20)
        assert [header.ordinal for header in headers(log)] == [20, 10]

    def test_one_is_taken_when_a_person_asks(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 10)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.snapshot)
            assert view.snapshot is not None
            (notice,) = consumer.until(lambda view: view.notices).notices
            assert notice.severity == "information"
            assert view.snapshot.snapshot_id in notice.text
        assert len(headers(log)) == 1

    def test_of_an_empty_stream_are_not_taken(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            (notice,) = consumer.until(lambda view: view.notices).notices
            assert notice.text == "No snapshot: nothing has happened yet."
        assert client.keys("*") == []

    def test_in_a_readonly_consumer_are_declined_in_words(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 10)
        with RunningConsumer(url, ConsumerSettings(readonly=True)) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            (notice,) = consumer.until(lambda view: view.notices).notices
            assert notice.text.startswith("No snapshot")

    def test_an_older_one_is_refused_and_the_consumer_goes_on(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            (header,) = newer = [_take_elsewhere(url, client)]
            consumer.until_live()
            assert headers(log) == newer
            last = publish_more(client, 5)[-1]
            consumer.until_live(last)
        assert headers(log)[0].ordinal == 56
        assert headers(log)[1] == header


def _take_elsewhere(url: str, client: redis.Redis) -> Header:
    """Another process appends an entry and takes a snapshot."""
    client.xadd(STREAM, sound())
    other = caught_up(url)
    (header,) = headers(other.log)
    return header


@pytest.fixture
def process_of_thread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Let consumers in threads of one process pass for consumers in processes of their own."""

    def name() -> str:
        return f"here:{threading.get_ident()}"

    monkeypatch.setattr(taking, "process_name", name)
    return name


def test_two_processes_of_the_same_number_on_hosts_of_the_same_name_have_names_of_their_own() -> None:
    """As in two containers on one network: the first process of each is 1."""
    script = (
        "import os, socket; os.getpid = lambda: 1; socket.gethostname = lambda: 'here'\n"
        "from esdash.engine.snapshots.taking import process_name\n"
        "print(process_name(), process_name())"
    )
    names = [subprocess.check_output([sys.executable, "-c", script], text=True).split() for _ in range(2)]
    assert all(name.startswith("here:1:") for both in names for name in both)
    assert [len(set(both)) for both in names] == [1, 1]
    assert names[0] != names[1]


@pytest.mark.usefixtures("process_of_thread")
class TestTwoConsumers:
    def test_only_one_takes_the_periodic_snapshots(self, url: str, client: redis.Redis, log: Stream) -> None:
        clocks = [Clock(), Clock()]
        settings = ConsumerSettings(snapshot_seconds=30)
        with (
            RunningConsumer(url, settings, clock=clocks[0]) as first,
            RunningConsumer(url, settings, clock=clocks[1]) as second,
        ):
            last = publish_day(client, 10)[-1]
            first.until_live(last)
            second.until_live(last)
            clocks[0].ahead += 31
            first.until(lambda view: view.snapshot)
            holder = SnapshotStore(log).lease_holder(Present().rules)
            clocks[1].ahead += 31
            view = second.until(lambda view: view.snapshot_note)
            assert view.snapshot_note == f"taken by {holder}"
            assert view.snapshot == first.view.snapshot
            assert len(headers(log)) == 1
            assert first.view.snapshot_note == ""

    def test_the_other_takes_over_when_the_lease_was_released(self, url: str, client: redis.Redis, log: Stream) -> None:
        clock = Clock()
        settings = ConsumerSettings(snapshot_seconds=30)
        with RunningConsumer(url, settings, clock=clock) as second:
            with RunningConsumer(url, settings, clock=clock) as first:
                last = publish_day(client, 10)[-1]
                first.until_live(last)
                second.until_live(last)
                clock.ahead += 31
                eventually(lambda: headers(log))
            last = publish_more(client, 10)[-1]
            second.until_live(last)
            clock.ahead += 31
            second.until(lambda view: view.snapshot and view.snapshot.position.ordinal == 20)
            assert second.view.snapshot_note == ""

    def test_the_other_takes_over_when_the_holder_died_without_a_word(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        store = SnapshotStore(log)
        store.hold_lease(Present().rules, "there:1", 60)
        clock = Clock()
        with RunningConsumer(url, ConsumerSettings(snapshot_seconds=30), clock=clock) as consumer:
            last = publish_day(client, 10)[-1]
            consumer.until_live(last)
            clock.ahead += 31
            assert consumer.until(lambda view: view.snapshot_note).snapshot_note == "taken by there:1"
            assert headers(log) == []
            client.pexpire(store.lease_key(Present().rules), 1)  # the time it was taken for is over
            eventually(lambda: store.lease_holder(Present().rules) is None)
            clock.ahead += 31
            consumer.until(lambda view: view.snapshot and not view.snapshot_note)
            assert len(headers(log)) == 1

    def test_agree_on_every_number(self, url: str, client: redis.Redis, log: Stream) -> None:
        with RunningConsumer(url) as first, RunningConsumer(url) as second:
            first.until_live()
            second.until_live()
            for _ in range(5):
                last = publish_more(client, 100)[-1]
                views = [shown(consumer, last) for consumer in (first, second)]
                assert seen_rows(views[0].rows) == seen_rows(views[1].rows)
                assert picture(views[0])[1:4] == picture(views[1])[1:4]
        assert first.document == second.document == expected(log)
        assert first.digest == second.digest


class TestOnce:
    """`once` is what commands use: they want an answer or an error, not patience."""

    @pytest.mark.parametrize("count", [0, 1, 2500])
    def test_returns_when_it_has_caught_up(self, client: redis.Redis, log: Stream, count: int) -> None:
        publish_day(client, count)
        consumer = Consumer(log, Present(), ConsumerSettings(once=True))
        consumer.run()
        assert consumer.projection is not None
        assert document(consumer.projection) == expected(log)
        assert consumer.view.phase is Phase.STOPPED
        assert len(headers(log)) == (1 if count else 0)

    def test_leaves_no_lease_behind(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 5)
        Consumer(log, Present(), ConsumerSettings(once=True)).run()
        assert SnapshotStore(log).lease_holder(Present().rules) is None


def test_pages_of_any_size_make_the_same_state(client: redis.Redis, log: Stream) -> None:
    publish_day(client, 1000)
    digests = set()
    for size in (1, 7, 100, 999, 1000, 5000):
        domain = Present()
        state = domain.empty()
        entries: Sequence[Any] = stored(log)
        for start in range(0, len(entries), size):
            domain.fold(state, entries[start : start + size])
        digests.add(domain.digest(state))
    assert len(digests) == 1


def test_snapshots_are_taken_during_a_long_replay_as_well(client: redis.Redis, log: Stream) -> None:
    publish_more(client, 3000)
    consumer = Consumer(log, Present(), ConsumerSettings(snapshot_seconds=1e-6, once=True))
    consumer.run()
    ordinals = [header.ordinal for header in SnapshotStore(log).headers() if isinstance(header, Header)]
    assert ordinals == [3000, 2100, 1100, 100], "one after each page, of which the first is a short one"
