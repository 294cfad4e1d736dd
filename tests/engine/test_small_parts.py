"""The rate meter, the rows for a screen, and the steady load."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import redis

from esdash.engine.console import Console, NotPublishedError, load_of, publishing_of
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.publishing.load import MAX_RATE, SteadyLoad
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.shown.meter import SECONDS, RateMeter
from esdash.engine.shown.row import Row
from esdash.engine.shown.rows import ROWS, RecentRows
from esdash.fold.cells import Change
from esdash.fold.folding import Entry
from esdash.fold.outcomes import APPLIED
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.domains.ways import Present, present
from tests.engine.running import STREAM, Clock, folded, publish_day, sound, sound_event, stored
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TestTheRateMeter:
    def test_says_how_many_there_were_in_the_last_full_second(self) -> None:
        clock = Hand()
        meter = RateMeter(clock)
        meter.add(5)
        clock.now += 0.9
        meter.add(7)
        assert meter.rate() == 0
        clock.now += 0.1
        assert meter.rate() == 12
        clock.now += 1
        assert meter.rate() == 0

    def test_remembers_a_minute(self) -> None:
        clock = Hand()
        meter = RateMeter(clock)
        for second in range(100):
            meter.add(second)
            clock.now += 1
        assert meter.history() == tuple(map(float, range(40, 100)))

    def test_shows_the_seconds_in_which_nothing_happened(self) -> None:
        clock = Hand()
        meter = RateMeter(clock)
        meter.add(3)
        clock.now += 4
        meter.add(8)
        clock.now += 1
        assert meter.history()[-5:] == (3, 0, 0, 0, 8)

    def test_after_a_long_pause_everything_is_zero(self) -> None:
        clock = Hand()
        meter = RateMeter(clock)
        meter.add(3)
        clock.now += 10_000_000
        assert meter.history() == (0.0,) * SECONDS

    def test_survives_a_clock_that_steps_back(self) -> None:
        clock = Hand()
        meter = RateMeter(clock)
        meter.add(3)
        clock.now -= 50
        meter.add(4)
        assert len(meter.history()) == SECONDS
        clock.now += 51
        assert meter.rate() == 7


def entries(first: int, count: int) -> list[Entry]:
    return [(b"%d-0" % number, [b"n", b"%d" % number]) for number in range(first, first + count)]


class TestTheRows:
    def test_are_consecutive_and_the_newest(self) -> None:
        rows = RecentRows()
        for first in range(1, 30_001, 1000):
            rows.add(first, entries(first, 1000), bytes(1000))
            if first % 3 == 0:
                rows.settle()
        rows.settle()
        assert [row.ordinal for row in rows.window()] == list(range(30_001 - ROWS, 30_001))

    def test_are_made_only_of_what_somebody_could_look_at(self) -> None:
        rows = RecentRows()
        for first in range(1, 100_001, 1000):
            rows.add(first, entries(first, 1000), bytes(1000))
        assert len(rows.settle()) <= ROWS + 1000

    def test_what_was_handed_out_does_not_change(self) -> None:
        rows = RecentRows()
        rows.add(1, entries(1, 5), b"\0\1\2\3\4")
        rows.settle()
        window = rows.window()
        before = list(window)
        for first in range(6, 50_000, 1000):
            rows.add(first, entries(first, 1000), bytes(1000))
            rows.settle()
            assert list(window) == before
        assert before == [Row(n, b"%d-0" % n, [b"n", b"%d" % n], n - 1) for n in range(1, 6)]

    def test_begin_again_where_ordinals_do_not_follow(self) -> None:
        rows = RecentRows()
        rows.add(1, entries(1, 5), bytes(5))
        rows.settle()
        rows.add(100, entries(100, 5), bytes(5))
        rows.settle()
        assert [row.ordinal for row in rows.window()] == [100, 101, 102, 103, 104]

    def test_can_be_indexed_like_a_list(self) -> None:
        rows = RecentRows()
        rows.add(1, entries(1, 20), bytes(20))
        rows.settle()
        window, plain = rows.window(), list(rows.window())
        assert window[-1] == plain[-1]
        assert window[3] == plain[3]
        for cut in (slice(None), slice(-5, None), slice(2, 9, 3), slice(None, None, -1), slice(15, 5, -2), slice(9, 2)):
            assert list(window[cut]) == plain[cut]
        for index in (20, -21):
            with pytest.raises(IndexError):
                window[index]

    def test_are_recalled_as_far_as_journal_and_stream_agree(self) -> None:
        rows = RecentRows()
        kept = [entry for entry in entries(1, 10) if entry[0] != b"6-0"]
        recalled = rows.recall(kept[::-1], [(b"%d-0" % number, number) for number in range(1, 11)], 10)
        assert [(row.ordinal, row.code) for row in recalled] == [(7, 7), (8, 8), (9, 9), (10, 10)]
        assert rows.recall([], [], 10) == []
        assert rows.recall(entries(1, 3)[::-1], [(b"3-0", 0)], 3)[0].ordinal == 3


class Events:
    """An endless source of events, counted; safe to look at from another thread."""

    def __init__(self) -> None:
        self.given = 0
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        while True:
            with self.lock:
                self.given += 1
            yield sound_event(self.given)


@pytest.fixture
def load(log: Stream) -> Iterator[SteadyLoad]:
    load = SteadyLoad(Publisher(log), iter(Events()))
    yield load
    load.stop()


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
class TestTheSteadyLoad:
    def test_appends_at_the_rate_that_is_wanted(self, log: Stream) -> None:
        clock = Hand()
        load = SteadyLoad(Publisher(log), iter(Events()), clock=clock)
        load.start(100)
        eventually(lambda: load.status.running)
        for second in range(1, 4):
            clock.now += 1
            eventually(lambda second=second: load.status.sent == 100 * second)  # type: ignore[misc]
        load.stop()
        assert log.facts().length == 300
        assert folded(log).counts[APPLIED] == 300

    def test_can_be_slower_than_one_a_second(self, log: Stream) -> None:
        clock = Hand()
        load = SteadyLoad(Publisher(log), iter(Events()), clock=clock)
        load.start(0.5)
        clock.now += 2
        eventually(lambda: load.status.sent == 1)
        clock.now += 1
        load.stop()
        assert log.facts().length == 1

    def test_changes_its_rate_while_it_runs(self, load: SteadyLoad) -> None:
        load.start(50)
        eventually(lambda: load.status.sent > 0)
        load.start(2000)
        assert load.status.rate == 2000
        sent = load.status.sent
        eventually(lambda: load.status.sent > sent + 500)

    def test_does_not_make_up_for_what_it_could_not_send(self, log: Stream) -> None:
        clock = Hand()
        load = SteadyLoad(Publisher(log), iter(Events()), clock=clock)
        load.start(10)
        clock.now += 3600
        eventually(lambda: load.status.sent)
        load.stop()
        assert log.facts().length <= 10

    def test_keeps_to_what_a_server_can_bear(self, load: SteadyLoad) -> None:
        load.start(10**9)
        assert load.status.rate == MAX_RATE
        load.start(-5)
        assert 0 < load.status.rate < 1

    def test_stops_and_starts_again_from_nothing(self, load: SteadyLoad) -> None:
        load.start(1000)
        eventually(lambda: load.status.sent > 10)
        load.stop()
        assert not load.status.running
        load.start(1000)
        eventually(lambda: load.status.running and 0 < load.status.sent < 500)
        load.stop()
        assert not load.status.running

    def test_stopping_it_never_waits_and_no_two_of_them_append_at_once(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server()
        log, events = Stream(Server(server.url), STREAM), Events()
        load = SteadyLoad(Publisher(log), iter(events))
        with server.client() as client:
            load.start(1000)
            eventually(lambda: load.status.sent > 10)
            client.client_pause(8_000, all=False)
            eventually(lambda: events.given > load.status.sent)
            begun = time.monotonic()
            for _ in range(20):
                load.stop()
                assert not load.status.running
                load.start(1000)
                assert load.status.running
            assert time.monotonic() - begun < 2, "nobody waited for the append that is on its way"
            assert load.status.sent == 0
            given = events.given
            client.client_unpause()
            eventually(lambda: load.status.sent > 10)
            load.stop()
            eventually(lambda: not [thread for thread in threading.enumerate() if thread.name == "load"])
            assert client.xlen(STREAM) == events.given > given
        log.server.close()

    def test_ends_with_a_word_when_the_server_is_gone(
        self, new_server: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
        with Proxy(new_server()) as proxy:
            log = Stream(Server(proxy.url), STREAM)
            load = SteadyLoad(Publisher(log), iter(Events()))
            load.start(1000)
            eventually(lambda: load.status.sent > 10)
            proxy.refusing = True
            # Cut between two requests, nothing would be in doubt.
            proxy.cut_reply_to(b"XADD")
            eventually(lambda: load.status.error)
            assert not load.status.running
            assert "may or may not be in the log" in load.status.error
            proxy.refusing = False
            load.start(1000)
            eventually(lambda: load.status.sent > 10)
            assert load.status.error == ""
            load.stop()
            log.server.close()


@pytest.mark.usefixtures("any_domain")
class TestTheConsole:
    @pytest.fixture
    def console(self, url: str) -> Iterator[LiveConsole]:
        log = Stream(Server(url), STREAM)
        console: LiveConsole = LiveConsole(
            log,
            Present(),
            ConsumerSettings(snapshot_seconds=0),
            clock=Clock(),
        )
        thread = threading.Thread(target=console.run)
        thread.start()
        eventually(lambda: console.view.phase == "live")
        yield console
        console.close()
        thread.join(20)
        log.server.close()
        assert not thread.is_alive()

    def test_shows_what_it_published(self, console: LiveConsole) -> None:
        assert console.publishing is not None
        published = console.publishing.publish(*sound_event(7, 300))
        eventually(lambda: console.view.position.last_event_id == published.entry_id)
        (row,) = console.view.rows
        details = console.details(row)
        assert details.row == row
        table, key, column, value = present().cell(7, 300)
        assert Change(table, key, column, None, value) in details.told.changes

    def test_refuses_details_of_an_entry_that_is_another_one_now(
        self, console: LiveConsole, client: redis.Redis
    ) -> None:
        client.xadd(STREAM, sound(7, 300), id="5-0")
        row = Row(1, b"5-0", [b"type", sound_event()[0].encode(), b"data", b"other"], 0)
        with pytest.raises(Exception, match="is another one in the stream now"):
            console.details(row)

    def test_publishes_a_batch(self, console: LiveConsole, log: Stream) -> None:
        assert console.publishing is not None
        assert console.publishing.publish_batch(map(sound_event, range(2500))) == 2500
        eventually(lambda: console.view.position.ordinal == 2500)
        assert folded(log).counts[APPLIED] == 2500

    @pytest.mark.shop_alone  # the bank makes no events up
    def test_closing_stops_load_and_consumer(self, console: LiveConsole, log: Stream) -> None:
        publishing = console.publishing
        assert publishing is not None
        publishing.start_load(500)
        eventually(lambda: publishing.load.sent > 20)
        console.close()
        eventually(lambda: console.view.phase == "stopped")
        assert console.view.position.ordinal <= len(stored(log))
        assert not publishing.load.running

    def test_that_is_read_only_has_nothing_that_writes(self, log: Stream) -> None:
        console: Console = LiveConsole(log, Present(), ConsumerSettings(readonly=True))
        assert console.publishing is None
        assert console.storing is None
        with pytest.raises(NotPublishedError, match="read-only"):
            publishing_of(console)
        assert not load_of(console).running


@pytest.mark.usefixtures("any_domain")
def test_a_day_has_every_kind_of_entry(client: redis.Redis, log: Stream) -> None:
    publish_day(client, 2000)
    counts: Counter[str] = Counter()
    for outcome, count in zip(present().fold().outcomes, folded(log).counts, strict=True):
        counts[outcome.name] += count
    # Nobody brings the bank money, so that accounts are opened there and nothing more.
    assert counts["applied"] > 100
    assert min(counts[name] for name in ("duplicate", "parked", "rejected")) > 10
