"""Publishing over a bad network: applied once, or the publisher is told that it may not be."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
import redis

from esdash.engine.console import EngineError
from esdash.engine.publishing.publisher import ATTEMPTS, Publisher
from esdash.log.durability import Durability
from esdash.log.errors import UnreachableError
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.domains.ways import present
from tests.engine.running import STREAM, RunningConsumer, expected, modelled_rows, stored
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


def event(number: int = 1, key: str | None = None) -> tuple[str, bytes, str | None]:
    """What is published: type, payload, key."""
    name, members = present().sound(number, 100)
    return name, json.dumps(members).encode(), key


@pytest.fixture
def proxy(new_server: Callable[..., RunningServer]) -> Iterator[Proxy]:
    with Proxy(new_server()) as proxy:
        yield proxy


@pytest.fixture
def far(proxy: Proxy) -> Iterator[Stream]:
    """The stream as seen through the proxy."""
    log = Stream(Server(proxy.url, timeout=2), STREAM)
    log.command("PING")
    yield log
    log.server.close()


def by_outcome(log: Stream) -> Counter[str]:
    """How many entries in the stream come to what."""
    return Counter(outcome for _, _, (outcome, _) in modelled_rows(stored(log)))


def lose_the_reply(proxy: Proxy) -> None:
    """What is published next arrives, its reply does not, and from then on nobody is let in."""
    proxy.refusing = True
    proxy.cut_reply_to(b"XADD")


def test_an_event_is_stored_as_the_wire_format_says(log: Stream) -> None:
    name, data, key = event(key="k1")
    published = Publisher(log).publish(name, data, key)
    assert (published.event_type, published.key) == (name, "k1")
    ((entry_id, fields),) = stored(log)
    assert entry_id.decode() == published.entry_id
    assert fields == [b"type", name.encode(), b"data", data, b"key", b"k1"]


def test_every_event_has_a_key_of_its_own(log: Stream) -> None:
    publisher = Publisher(log)
    keys = {publisher.publish(*event()).key for _ in range(50)}
    keys |= {published.key for published in publisher.publish_many([event()] * 50)}
    assert len(keys) == 100
    assert all(1 <= len(key.encode()) <= 128 for key in keys)


@pytest.mark.parametrize("after", [0, 1, 10])
def test_a_lost_reply_and_a_retry_apply_the_event_once(proxy: Proxy, far: Stream, after: int) -> None:
    """The reply is cut before its first byte, after it, or in the middle of the id."""
    proxy.cut_reply_to(b"XADD", after)
    published = Publisher(far).publish(*event())
    assert proxy.cuts == 1
    first, second = stored(far)
    assert second[0].decode() == published.entry_id
    assert first[1] == second[1]
    assert by_outcome(far) == {"applied": 1, "duplicate": 1}
    with RunningConsumer(proxy.url) as consumer:
        consumer.until_live(second[0])
    assert consumer.document == expected(far)


def test_a_reply_lost_in_the_middle_of_a_batch_applies_every_event_once(proxy: Proxy, far: Stream) -> None:
    events = [event(number) for number in range(2500)]
    proxy.cut_reply_to(b"XADD", 3000)
    published = list(Publisher(far).publish_many(events))
    assert len(published) == 2500
    assert len(stored(far)) > 2500
    assert by_outcome(far)["applied"] == 2500
    by_id = dict(stored(far))
    assert all(by_id[each.entry_id.encode()][-1] == each.key.encode() for each in published)


def test_a_connection_that_was_cut_while_idle_is_no_obstacle(proxy: Proxy, far: Stream) -> None:
    publisher = Publisher(far)
    publisher.publish(*event(1))
    proxy.cut()
    publisher.publish(*event(2))
    assert by_outcome(far) == {"applied": 2}


class TestWhenTheServerStaysAway:
    def test_the_publisher_is_told_that_the_event_may_be_there_and_how_to_go_on(
        self, proxy: Proxy, far: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
        lose_the_reply(proxy)
        with pytest.raises(EngineError) as caught:
            Publisher(far).publish(*event(key="mine"))
        message = str(caught.value)
        assert "may or may not be in the log" in message
        assert "Publishing again with the key mine is safe" in message
        assert isinstance(caught.value.__cause__, UnreachableError)

    def test_it_is_tried_a_few_times(self, proxy: Proxy, far: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
        attempts: list[list[Sequence[bytes]]] = []
        append_many = far.append_many

        def counted(entries: Iterable[Sequence[bytes]], wanted: Durability) -> list[bytes]:
            attempts.append(list(entries))
            return append_many(attempts[-1], wanted)

        monkeypatch.setattr(far, "append_many", counted)
        proxy.refusing = True
        proxy.cut()
        with pytest.raises(EngineError):
            Publisher(far).publish(*event())
        assert len(attempts) == ATTEMPTS
        assert all(attempt == attempts[0] for attempt in attempts), "the same event with the same key each time"

    def test_closing_ends_the_waiting(self, proxy: Proxy, far: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 60.0)
        lose_the_reply(proxy)
        publisher = Publisher(far)
        threading.Timer(0.1, publisher.close).start()
        with pytest.raises(EngineError, match="may or may not"):
            publisher.publish(*event())

    def test_nobody_is_told_to_repeat_a_batch_that_would_count_twice(
        self, proxy: Proxy, far: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
        lose_the_reply(proxy)
        with pytest.raises(EngineError, match="would count twice"):
            list(Publisher(far).publish_many([event()] * 2))
        proxy.refusing = False
        far.command("PING")
        lose_the_reply(proxy)
        with pytest.raises(EngineError, match="with the same keys is safe"):
            list(Publisher(far).publish_many([event(key="a"), event(key="b")]))

    def test_a_publish_that_never_left_is_said_to_be_nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("esdash.engine.publishing.publisher.PAUSE_SECONDS", 0.01)
        log = Stream(Server("redis://127.0.0.1:1"), STREAM)
        with pytest.raises(EngineError, match=r"^No connection to redis://.* Nothing was published\.$") as caught:
            Publisher(log).publish(*event())
        assert isinstance(caught.value.__cause__, UnreachableError)


class TestWhenTheServerRefuses:
    def test_the_publisher_is_told_that_nothing_was_published(self, new_server: Callable[..., RunningServer]) -> None:
        primary = new_server(port=True)
        replica = new_server(replica_of=primary)
        log = Stream(Server(replica.url), STREAM)
        with pytest.raises(EngineError, match=r"replica and takes no writes.* Nothing was published"):
            Publisher(log).publish(*event())
        log.server.close()

    def test_a_node_that_is_not_where_the_stream_is_now_is_asked_again_under_the_same_key(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        primary = new_server(port=True)
        server = new_server(port=True)
        with server.client() as client, Proxy(server) as proxy:
            log = Stream(Server(proxy.url), STREAM)
            log.command("PING")
            client.replicaof("127.0.0.1", str(primary.port))
            turn = threading.Timer(0.3, client.replicaof, ("NO", "ONE"))
            turn.start()
            published = Publisher(log).publish(*event(key="mine"))
            turn.join()
            assert [entry_id.decode() for entry_id, _ in stored(log)] == [published.entry_id]
            log.server.close()

    def test_a_name_that_leads_to_another_server_by_now_is_followed(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        primary = new_server(port=True)
        replica = new_server(port=True, replica_of=primary)
        with Proxy(replica) as proxy:
            log = Stream(Server(proxy.url), STREAM)
            log.command("PING")
            proxy.point_at_next(primary)
            published = Publisher(log).publish(*event())
            assert [entry_id.decode() for entry_id, _ in stored(log)] == [published.entry_id]
            log.server.close()

    def test_a_wrong_key_type_is_told_in_words(self, client: redis.Redis, log: Stream) -> None:
        client.set(STREAM, "text")
        with pytest.raises(EngineError, match=r"not a stream.* Nothing was published"):
            Publisher(log).publish(*event())

    def test_after_a_lost_reply_it_does_not_say_that_nothing_was_published(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        """The append arrived, its reply did not, and the retry meets a server that takes no writes any more."""
        primary = new_server(port=True)
        replica = new_server(port=True, replica_of=primary)
        with Proxy(primary) as proxy:
            log = Stream(Server(proxy.url), STREAM)
            log.command("PING")
            proxy.cut_reply_to(b"XADD")
            proxy.point_at_next(replica)
            with pytest.raises(EngineError) as caught:
                Publisher(log).publish(*event(key="mine"))
            log.server.close()
        assert "takes no writes" in str(caught.value)
        assert "may or may not be in the log" in str(caught.value)
        with primary.client() as client:
            eventually(lambda: client.xlen(STREAM) == 1)

    def test_a_batch_that_filled_the_memory_is_in_doubt(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(appendonly="no")
        log = Stream(Server(server.url), STREAM)
        with server.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", used + 300_000)
        events = [("TopUp", b'{"user_id":1,"amount":100,"padding":"%s"}' % (b"x" * 1000), None)] * 1000
        with pytest.raises(EngineError, match=r"memory limit.* Any of the events may or may not be in the log"):
            list(Publisher(log).publish_many(events))
        assert 0 < len(stored(log)) < 1000
        log.server.close()
