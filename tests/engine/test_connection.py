"""A server that goes away, comes back, or says no: the consumer waits, says why in words, and applies nothing twice."""

from collections.abc import Callable
from itertools import pairwise

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.lifecycle import RETRY_SECONDS
from esdash.engine.consumer.requests import Stay, TakeSnapshot
from esdash.engine.shown.view import Phase, View
from esdash.fold.state import State
from esdash.log.errors import LogError, RefusedError, UnreachableError
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.domains.ways import Present
from tests.engine.running import (
    STREAM,
    Clock,
    RunningConsumer,
    expected,
    modelled_rows,
    publish_day,
    publish_more,
    seen_rows,
    sound,
    stored,
)
from tests.generations import Generation
from tests.log.beside import Process, at_each_start
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def assert_equals_the_log(consumer: RunningConsumer, url: str) -> None:
    """The consumer has ended; its state is what the model makes of the stream."""
    log = Stream(Server(url), STREAM)
    assert consumer.document == expected(log)
    log.server.close()


class TestAServerThatDies:
    def test_keeps_the_last_state_on_the_screen_and_comes_back(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(appendfsync="always")
        with server.client() as client, RunningConsumer(server.url) as consumer:
            last = publish_day(client, 100)[-1]
            before = consumer.until_live(last)
            server.kill()
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert view.position == before.position
            assert list(view.rows) == list(before.rows)
            assert view.state is not None
            assert view.retry_at is not None
            assert "No connection to unix://" in view.phase_note
            server.start()
            with server.client() as again:
                last = publish_more(again, 50)[-1]
            view = consumer.until_live(last)
            assert view.position.ordinal == 150
            assert view.phase_note == ""
            assert view.retry_at is None
            log = Stream(Server(server.url), STREAM)
            assert seen_rows(view.rows) == modelled_rows(stored(log))
            log.server.close()
        assert_equals_the_log(consumer, server.url)

    def test_is_not_restored_again_when_memory_is_intact(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with server.client() as client, RunningConsumer(server.url) as consumer:
            consumer.until_live(publish_day(client, 100)[-1])
            server.restart()
            consumer.until_phase(Phase.DISCONNECTED)
            consumer.until_live()
        assert consumer.phases.count(Phase.RESTORING) == 1
        assert Phase.REPLAYING in consumer.phases[consumer.phases.index(Phase.DISCONNECTED) :]

    def test_is_tried_again_after_longer_and_longer_pauses(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with RunningConsumer(server.url, chance=lambda: 1.0) as consumer:
            consumer.until_live()
            server.kill()

            def attempts() -> list[float]:
                return sorted({view.retry_at for view in consumer.views if view.retry_at is not None})

            eventually(lambda: len(attempts()) >= 4)
            first = RETRY_SECONDS[0]
            pauses = [later - earlier for earlier, later in pairwise(attempts())]
            for number, pause in enumerate(pauses[:3], 1):
                assert first * 2**number <= pause < first * 2**number + 1.0
            # Asked to stop while waiting, it does not wait until the end.

    def test_the_pause_has_a_limit_and_a_part_drawn_by_lot(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        clock = Clock()
        with RunningConsumer(server.url, clock=clock, chance=lambda: 0.0) as consumer:
            consumer.until_live()
            server.kill()
            pauses: list[float] = []
            for _ in range(12):
                view = consumer.until(lambda view: view.retry_at is not None and view.retry_at > clock())
                assert view.retry_at is not None
                pauses.append(view.retry_at - clock())
                clock.ahead += 20
                consumer.ask(Stay())  # wakes it, changes nothing
        assert max(pauses) <= RETRY_SECONDS[1] / 2
        assert pauses[-1] > RETRY_SECONDS[1] / 2 - 1

    def test_patience_begins_anew_after_a_success(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with RunningConsumer(server.url, chance=lambda: 1.0) as consumer:
            for _ in range(3):
                consumer.until_live()
                with server.client() as client:
                    consumer.until_live(publish_more(client, 1)[-1])
                before = len(consumer.views)
                server.kill()
                consumer.until_phase(Phase.DISCONNECTED)
                first = next(view for view in consumer.views[before:] if view.retry_at is not None)
                assert first.retry_at is not None
                assert first.retry_at - first.phase_since < 2 * RETRY_SECONDS[0]
                server.start()

    def test_while_a_person_wants_something_answers_in_words(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with RunningConsumer(server.url, chance=lambda: 1.0) as consumer:
            consumer.until_live()
            server.kill()
            consumer.until_phase(Phase.DISCONNECTED)
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.notices)
            assert "disconnected" in view.notices[-1].text


class TestAConnectionThatBreaks:
    def test_loses_and_repeats_nothing(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with Proxy(server) as proxy, server.client() as client, RunningConsumer(proxy.url) as consumer:
            consumer.until_live()
            for _ in range(8):
                last = publish_more(client, 50)[-1]
                proxy.cut()
                consumer.until_live(last)
        assert_equals_the_log(consumer, server.url)

    @pytest.mark.parametrize("after", [0, 1, 5, 100, 1000, 5000])
    def test_in_the_middle_of_a_reply_loses_and_repeats_nothing(
        self, new_server: Callable[..., RunningServer], after: int
    ) -> None:
        server = new_server()
        with Proxy(server) as proxy, server.client() as client, RunningConsumer(proxy.url) as consumer:
            consumer.until_live()
            proxy.cut_reply_to(b"XREAD", after)
            last = publish_more(client, 200)[-1]
            consumer.until_live(last)
            eventually(lambda: proxy.cuts)
            last = publish_more(client, 200)[-1]
            consumer.until_live(last)
        assert_equals_the_log(consumer, server.url)

    @pytest.mark.one_generation
    @pytest.mark.parametrize("command", [b"INFO", b"HGETALL", b"HGET", b"XREVRANGE", b"XINFO", b"XRANGE", b"EXEC"])
    def test_while_restoring_or_replaying_is_tried_again(
        self, new_server: Callable[..., RunningServer], command: bytes
    ) -> None:
        server = new_server()
        with server.client() as client:
            publish_day(client, 1200)
            with RunningConsumer(server.url) as earlier:
                earlier.until_live()
            last = publish_more(client, 300)[-1]
        with Proxy(server) as proxy:
            proxy.cut_reply_to(command, 20)
            with RunningConsumer(proxy.url) as consumer:
                view = consumer.until_live(last)
                assert [row.ordinal for row in view.rows] == list(range(201, 1501)), "those before the snapshot, too"
            assert proxy.cuts == 1
        assert_equals_the_log(consumer, server.url)

    def test_in_the_middle_of_a_replay_counts_what_was_replayed_once(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server()
        with server.client() as client:
            last = publish_day(client, 5000)[-1]
        with Proxy(server) as proxy:
            proxy.cut_reply_to(b"XRANGE", 400_000)
            with RunningConsumer(proxy.url) as consumer:
                view = consumer.until_live(last)
            assert proxy.cuts == 1
            assert view.restored is not None
            assert view.restored.replayed == 5000
            assert Phase.DISCONNECTED not in consumer.phases, "the page is asked for again at once, as a smaller one"
        assert_equals_the_log(consumer, server.url)


class TestTheProcessThatReadsAhead:
    def test_may_die_and_the_replay_goes_on(
        self, url: str, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(replaying, "FAR", 1000)
        last = publish_day(client, 20_000)[-1]
        started: list[Process] = []
        at_each_start(monkeypatch, started.append)

        class KillingFold(Present):
            def fold_packed(self, state: State, packed: bytes) -> bytes:
                if len(started) == 1:
                    started[0].kill()
                return super().fold_packed(state, packed)

        with RunningConsumer(url, domain=KillingFold()) as consumer:
            view = consumer.until_live(last)
            assert started, "a second process read for the first"
            assert view.restored is not None
            assert view.restored.replayed == 20_000
        assert consumer.document == expected(log)


class TestAPausedServer:
    def test_is_a_lost_one_until_it_answers(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        with server.client() as client, RunningConsumer(server.url, timeout=0.3) as consumer:
            consumer.until_live(publish_day(client, 100)[-1])
            server.pause()
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert "does not answer in time" in view.phase_note
            server.resume()
            consumer.until_live()
            consumer.until_live(publish_more(client, 100)[-1])
        assert_equals_the_log(consumer, server.url)


class TestAServerThatSaysNo:
    def test_a_key_of_another_type_is_said_in_words_and_tried_again(self, url: str, client: redis.Redis) -> None:
        client.set(STREAM, "text")
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert view.phase_note.startswith("The stream's key on unix://")
            assert "is not a stream. Choose another with --stream." in view.phase_note
            client.delete(STREAM)
            consumer.until_live(publish_day(client, 10)[-1])

    def test_what_is_refused_again_and_again_is_tried_less_and_less(self, url: str, client: redis.Redis) -> None:
        client.set(STREAM, "text")
        with RunningConsumer(url, chance=lambda: 1.0) as consumer:

            def pauses() -> list[float]:
                times = sorted({view.retry_at for view in consumer.views if view.retry_at is not None})
                return [later - earlier for earlier, later in pairwise(times)]

            eventually(lambda: len(pauses()) >= 3)
            assert pauses()[2] > pauses()[1] > pauses()[0] > RETRY_SECONDS[0]

    def test_a_key_that_becomes_another_type_under_a_live_consumer(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live(publish_day(client, 10)[-1])
            client.delete(STREAM)
            client.set(STREAM, "text")
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert "is not a stream" in view.phase_note

    @pytest.mark.parametrize("password", ["wrong", None])
    def test_a_wrong_password_is_said_in_words_and_never_shown(
        self, new_server: Callable[..., RunningServer], password: str | None
    ) -> None:
        server = new_server(port=True, requirepass="s3cret")
        given = f"redis://:{password}-0123@127.0.0.1:{server.port}" if password else f"redis://127.0.0.1:{server.port}"
        with RunningConsumer(given) as consumer:
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert f"redis://127.0.0.1:{server.port}" in view.phase_note
            assert "password" in view.phase_note
            assert "Put them into the URL" in view.phase_note
            assert "-0123" not in repr(consumer.views)
            with server.client() as client:
                client.config_set("requirepass", f"{password}-0123" if password else "")
            consumer.until_live()
            assert "-0123" not in repr(consumer.views)

    def test_a_user_without_permission_is_said_in_words(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(port=True)
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "guest", "on", ">pw", "~other", "+@all")
            with RunningConsumer(f"redis://guest:pw@127.0.0.1:{server.port}") as consumer:
                view = consumer.until_phase(Phase.DISCONNECTED)
                assert "does not let this user do that" in view.phase_note
                client.execute_command("ACL", "SETUSER", "guest", "~*")
                consumer.until_live()

    def test_a_user_who_may_only_read_and_write_streams_and_snapshots_needs_no_more(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server(port=True)
        with server.client() as client:
            client.execute_command(
                *("ACL", "SETUSER", "shop", "on", ">pw", "~orders", "~esdash:{orders}:*"),
                *("+@read", "+@write", "+@connection", "+@transaction", "+eval"),
            )
            last = publish_day(client, 10)[-1]
            url = f"redis://shop:pw@127.0.0.1:{server.port}"
            with RunningConsumer(url) as consumer:
                consumer.until_live(last)
                consumer.ask(TakeSnapshot())
                consumer.until(lambda view: view.snapshot)
        assert Phase.DISCONNECTED not in consumer.phases

    def test_a_replica_is_followed_although_it_takes_no_snapshots(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        primary = new_server(port=True)
        replica = new_server(replica_of=primary)
        clock = Clock()
        with (
            primary.client() as client,
            RunningConsumer(replica.url, ConsumerSettings(snapshot_seconds=30), clock=clock) as consumer,
        ):
            consumer.until_live(publish_day(client, 10)[-1])
            clock.ahead += 31
            view = consumer.until(lambda view: view.snapshot_note)
            assert "replica and takes no writes" in view.snapshot_note
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.notices)
            assert "replica and takes no writes" in view.notices[-1].text
            consumer.until_live(publish_more(client, 10)[-1])
        assert Phase.DISCONNECTED not in consumer.phases
        assert_equals_the_log(consumer, replica.url)

    def test_a_full_memory_is_followed_although_it_takes_no_snapshots(
        self, new_server: Callable[..., RunningServer], generation: Generation
    ) -> None:
        if not generation.reads_when_full:
            pytest.skip("this server refuses reads in a transaction, too, when its memory is full")
        server = new_server(appendonly="no")
        clock = Clock()
        with (
            server.client() as client,
            RunningConsumer(server.url, ConsumerSettings(snapshot_seconds=30), clock=clock) as consumer,
        ):
            consumer.until_live(publish_day(client, 10)[-1])
            client.config_set("maxmemory", "100kb")
            clock.ahead += 31
            view = consumer.until(lambda view: view.snapshot_note)
            assert "memory limit" in view.snapshot_note
            client.config_set("maxmemory", "0")
            consumer.until_live(publish_more(client, 10)[-1])
            clock.ahead += 31
            view = consumer.until(lambda view: view.snapshot)
            assert view.snapshot_note == ""
        assert Phase.DISCONNECTED not in consumer.phases

    def test_a_server_that_is_still_loading_is_waited_for(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(appendonly="no", save="3600 1", key_load_delay="200")
        with server.client() as client:
            last = publish_day(client, 200)[-1]
            with client.pipeline(transaction=False) as pipeline:
                for number in range(5000):
                    pipeline.set(f"key:{number}", "x")
                pipeline.execute()
        server.terminate()
        with RunningConsumer(server.url) as consumer:
            consumer.until_phase(Phase.DISCONNECTED)
            server.start()
            consumer.until_live(last)
        notes = {view.phase_note for view in consumer.views}
        assert not any("Traceback" in note or "Error" in note for note in notes), notes


class TestOnce:
    def test_an_unreachable_server_ends_it(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        log = Stream(Server(server.url), STREAM)
        server.kill()
        with pytest.raises(UnreachableError):
            Consumer(log, Present(), ConsumerSettings(once=True)).run()
        log.server.close()

    def test_a_refusal_ends_it(self, client: redis.Redis, log: Stream) -> None:
        client.set(STREAM, "text")
        with pytest.raises(RefusedError, match="not a stream"):
            Consumer(log, Present(), ConsumerSettings(once=True)).run()

    def test_a_farewell_snapshot_that_cannot_be_taken_is_said(self, new_server: Callable[..., RunningServer]) -> None:
        primary = new_server(port=True)
        replica = new_server(replica_of=primary)
        with primary.client() as client, replica.client() as copy:
            publish_day(client, 10)
            eventually(lambda: copy.xlen(STREAM) == 10)
        log = Stream(Server(replica.url), STREAM)
        consumer = Consumer(log, Present(), ConsumerSettings(once=True))
        consumer.run()
        assert consumer.projection is not None
        assert consumer.projection.ordinal == 10
        assert any("takes no writes" in notice.text for notice in consumer.view.notices)
        log.server.close()


@pytest.mark.parametrize("url", ["", "orders", "http://localhost", "redis://h:port", "redis://localhost:99999999"])
def test_a_url_that_is_none_is_said_in_words(url: str) -> None:
    with pytest.raises(LogError, match="is not a URL of a server"):
        Stream(Server(url), "orders")


def test_an_entry_that_comes_while_the_view_is_made_is_shown_soon(url: str, client: redis.Redis) -> None:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
        shown: list[View] = []
        for _ in range(20):
            last = client.xadd(STREAM, sound())
            shown.append(consumer.until_live(last))
        assert [view.position.ordinal for view in shown] == list(range(1, 21))
