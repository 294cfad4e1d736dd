"""Snapshots of large states are written in another thread, while the fold goes on, whatever happens meanwhile."""

import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from esdash.engine.console import EngineError
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.shown.view import Phase
from esdash.engine.snapshots import snapshotter
from esdash.engine.snapshots.snapshot import load
from esdash.fold.state import State
from esdash.log.servers.server import Server
from esdash.log.snapshots import DamagedError, Header, SnapshotStore
from esdash.log.stream import Stream
from tests.domains.shop import counts_shown
from tests.domains.ways import Present
from tests.engine.running import (
    STREAM,
    Clock,
    RunningConsumer,
    document,
    expected,
    folded,
    modelled_rows,
    publish_day,
    publish_more,
    rows,
    seen_rows,
    shown,
    sound,
    stored,
)
from tests.servers import RunningServer
from tests.waiting import eventually


class SlowFold(Present):
    """Whose state takes as long to write as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.writing = threading.Event()
        self.go_on = threading.Event()
        self.deadline = 20.0

    def dump(self, state: State) -> Iterator[bytes]:
        for chunk in super().dump(state):
            self.writing.set()
            assert self.go_on.wait(self.deadline)
            yield chunk


pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture(autouse=True)
def every_state_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshotter, "LARGE", 0)


@pytest.fixture
def slow() -> Iterator[SlowFold]:
    slow = SlowFold()
    yield slow
    slow.go_on.set()


def headers(log: Stream) -> list[Header]:
    return [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]


def assert_is_the_state_then(log: Stream, header: Header) -> None:
    """A stored snapshot is what the model makes of the entries up to its position."""
    projection, _ = load(header, SnapshotStore(log), Present())
    assert document(projection) == expected(stored(log)[: header.ordinal])


class TestWhileOneIsWritten:
    def test_the_fold_goes_on(self, url: str, client: redis.Redis, log: Stream, slow: SlowFold) -> None:
        last = publish_day(client, 500)[-1]
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            for _ in range(3):
                last = publish_more(client, 700)[-1]
                view = consumer.until_live(last)
                assert seen_rows(view.rows) == modelled_rows(stored(log))
            assert headers(log) == []
            slow.go_on.set()
            view = consumer.until(lambda view: view.snapshot)
            assert view.snapshot is not None
            assert view.snapshot.position.ordinal == 500
            (header,) = headers(log)
            assert_is_the_state_then(log, header)
            consumer.until(lambda view: view.state_position == view.position)
        assert consumer.document == expected(log)
        for header in headers(log):
            assert_is_the_state_then(log, header)

    def test_the_pictures_of_the_state_go_on(self, url: str, client: redis.Redis, log: Stream, slow: SlowFold) -> None:
        publish_day(client, 500)
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until(lambda view: view.state_position.ordinal == 500)
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            publish_more(client, 100)
            view = consumer.until(lambda view: view.state_position.ordinal == 600)
            assert sum(counts_shown(view.state)) == 600
            assert shown(view.state) == rows(folded(log))
            slow.go_on.set()
        assert log.facts().length == 600

    def test_another_one_is_declined_in_words(self, url: str, client: redis.Redis, slow: SlowFold) -> None:
        publish_day(client, 50)
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.notices)
            assert view.notices[-1].text == "A snapshot is being written already."
            slow.go_on.set()

    def test_a_checkpoint_is_declined_in_words(self, url: str, client: redis.Redis, slow: SlowFold) -> None:
        publish_day(client, 50)
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            with pytest.raises(EngineError, match="Try again in a moment"):
                consumer.consumer.checkpoint().result(10)
            slow.go_on.set()
            eventually(lambda: consumer.view.snapshot)
            position, digest = consumer.consumer.checkpoint().result(10)
            assert position.ordinal == 50
        assert digest == consumer.digest

    def test_leaving_waits_for_it_and_takes_a_last_one(
        self, url: str, client: redis.Redis, log: Stream, slow: SlowFold
    ) -> None:
        publish_day(client, 50)
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            consumer.until_live(publish_more(client, 50)[-1])
            threading.Timer(0.1, slow.go_on.set).start()
        assert [header.ordinal for header in headers(log)] == [100, 50]
        for header in headers(log):
            assert_is_the_state_then(log, header)

    def test_a_crash_forgets_it(self, url: str, client: redis.Redis, log: Stream, slow: SlowFold) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            consumer.begin_anew(Crash())
            consumer.until(lambda view: view.phase is Phase.LIVE and view.lag == 0)
            last = publish_more(client, 50)[-1]
            consumer.until_live(last)
            slow.go_on.set()
            eventually(lambda: headers(log))
            consumer.until_live(publish_more(client, 50)[-1])
        assert consumer.document == expected(log)
        for header in headers(log):
            assert_is_the_state_then(log, header)

    @pytest.mark.counts_entries
    def test_a_gap_halts_with_the_whole_state_on_the_screen(
        self, url: str, client: redis.Redis, log: Stream, slow: SlowFold
    ) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            last = publish_more(client, 50)[-1]
            consumer.until_live(last)
            before = expected(stored(log))
            with client.pipeline(transaction=True) as pipeline:
                for _ in range(5):
                    pipeline.xadd(STREAM, sound())
                pipeline.xtrim(STREAM, maxlen=2, approximate=False)
                pipeline.execute()
            threading.Timer(0.1, slow.go_on.set).start()
            view = consumer.until(lambda view: view.phase is Phase.HALTED and view.state_position == view.position)
            assert sum(counts_shown(view.state)) == view.position.ordinal == 100
        assert consumer.document == before

    @pytest.mark.counts_entries
    def test_a_divergence_heals(self, url: str, client: redis.Redis, log: Stream, slow: SlowFold) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url, domain=slow) as consumer:
            consumer.until_live(last)
            consumer.ask(TakeSnapshot())
            assert slow.writing.wait(10)
            client.delete(STREAM)
            last = publish_more(client, 20)[-1]
            consumer.until_live(last)
            slow.go_on.set()
            consumer.until_live(publish_more(client, 20)[-1])
        assert consumer.document == expected(log)
        assert [header.ordinal for header in headers(log)] == [40], "that of the former history was refused"

    def test_a_lost_server_is_told_and_the_next_one_succeeds(
        self, new_server: Callable[..., RunningServer], slow: SlowFold
    ) -> None:
        server = new_server()
        clock = Clock()
        settings = ConsumerSettings(snapshot_seconds=30)
        with server.client() as client, RunningConsumer(server.url, settings, domain=slow, clock=clock) as consumer:
            consumer.until_live(publish_day(client, 50)[-1])
            clock.ahead += 31
            assert slow.writing.wait(10)
            server.kill()
            consumer.until_phase(Phase.DISCONNECTED)
            slow.go_on.set()
            server.start()
            consumer.until_live()
            last = publish_more(client, 50)[-1]
            consumer.until_live(last)
            clock.ahead += 31
            consumer.until(lambda view: view.snapshot and view.snapshot.position.ordinal == 100)
        log = Stream(Server(server.url), STREAM)
        assert consumer.document == expected(log)
        for header in headers(log):
            assert_is_the_state_then(log, header)
        log.server.close()


@pytest.mark.one_generation
def test_dozens_of_them_beside_a_busy_fold_are_all_right(url: str, client: redis.Redis, log: Stream) -> None:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
        seen: dict[int, Header] = {}
        for number in range(500):
            if number >= 25 and len(seen) > 5:
                break
            last = publish_more(client, 40)[-1]
            consumer.ask(TakeSnapshot())
            for header in headers(log):
                if header.ordinal not in seen:
                    try:
                        assert_is_the_state_then(log, header)
                    except DamagedError:
                        # Newer ones may have taken its place meanwhile.
                        assert header not in headers(log)
                        continue
                    seen[header.ordinal] = header
        consumer.until_live(last)
    assert len(seen) > 5
    assert consumer.document == expected(log)
