"""The stream as it is: pages, ids, facts, appending; and what people are told when the server does not do as asked."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from esdash.log.errors import ForbiddenError, RefusedError, UnreachableError
from esdash.log.reading.follower import Follower
from esdash.log.reading.readahead import read_ahead
from esdash.log.servers.server import Server
from esdash.log.stream import PAGE, START, Evidence, Page, Stream, StreamFacts, anchor_of, id_parts
from tests.generations import Generation
from tests.log.packing import PACKING
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.every_generation

STREAM = "orders"
GREATEST = b"18446744073709551615-18446744073709551615"


def add(client: redis.Redis, count: int, start: int = 1) -> list[bytes]:
    """Entries whose ids tell their number: `7-0` is the seventh."""
    with client.pipeline(transaction=False) as pipeline:
        for number in range(start, start + count):
            pipeline.xadd(STREAM, {"number": number}, id=f"{number}-0")
        ids: list[bytes] = pipeline.execute()
    return ids


class TestIds:
    def test_compare_by_number(self) -> None:
        ids = [b"0-1", b"9-0", b"9-9", b"9-10", b"10-0", GREATEST]
        assert sorted(set(ids), key=id_parts) == ids
        assert id_parts("5-3") == id_parts(b"5-3") == (5, 3)

    def test_may_lack_their_second_half(self) -> None:
        assert id_parts("1700000000000") == (1_700_000_000_000, 0)


class TestReading:
    def test_a_page_begins_after_an_id_and_ends_with_another(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        assert [entry[0] for entry in log.page(START)] == ids
        assert [entry[0] for entry in log.page(ids[2], ids[5])] == ids[3:6]
        assert [entry[0] for entry in log.page(ids[2], count=2)] == ids[3:5]
        assert log.page(ids[-1]) == log.page(GREATEST) == []

    def test_the_newest_come_oldest_first(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        assert [entry[0] for entry in log.newest(count=3)] == ids[7:]
        assert [entry[0] for entry in log.newest(ids[4], count=3)] == ids[2:5]
        assert log.newest(b"0-1") == []

    def test_entries_are_found_by_their_ids(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 1200)
        client.xdel(STREAM, ids[7])
        wanted = [ids[1199], b"5-5", ids[7], ids[0]]
        assert [entry and entry[0] for entry in log.entries(wanted)] == [ids[1199], None, None, ids[0]]
        assert [entry and entry[0] for entry in log.entries(ids)] == [*ids[:7], None, *ids[8:]]
        assert list(log.entries([])) == []
        entry = log.entry(ids[3])
        assert entry is not None
        assert list(entry[1]) == [b"number", b"4"]
        assert log.entry(ids[7]) is None

    @pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE])
    def test_pages_give_every_entry_once(self, log: Stream, client: redis.Redis, count: int) -> None:
        ids = add(client, count)
        seen: list[bytes] = []
        for page in log.pages(START):
            assert page.count <= PAGE
            assert page.evidence.facts.length == count
            seen += [entry[0] for entry in page.entries]
        assert seen == ids

    def test_pages_go_up_to_an_id(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 50)
        seen = [entry[0] for page in log.pages(ids[9], ids[29], count=7) for entry in page.entries]
        assert seen == ids[10:30]

    def test_pages_that_nobody_reads_to_the_end_leave_no_reply_behind(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 5000)
        for _ in range(5):
            next(log.pages(START))
            assert log.page(START, count=1)[0][0] == ids[0]

    def test_bytes_of_any_kind_come_back_as_they_were(self, log: Stream) -> None:
        every = bytes(range(256))
        entry_id = log.append([every, every * 300, b"", b"\r\n$3\r\n", b"type", b"\xff\xfe"])
        entry = log.entry(entry_id)
        assert entry is not None
        assert list(entry[1]) == [every, every * 300, b"", b"\r\n$3\r\n", b"type", b"\xff\xfe"]


class TestFacts:
    def test_of_a_stream_that_does_not_exist_are_those_of_an_empty_one(self, log: Stream) -> None:
        assert log.facts() == StreamFacts()
        assert not log.facts().exists

    @pytest.mark.counts_entries
    def test_tell_what_was_added_trimmed_and_deleted(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        client.xtrim(STREAM, minid="3-0", approximate=False)
        client.xdel(STREAM, "7-0")
        assert log.facts() == StreamFacts(7, 10, b"3-0", b"10-0", b"7-0", True)
        client.xtrim(STREAM, maxlen=0, approximate=False)
        assert log.facts() == StreamFacts(0, 10, None, b"10-0", b"7-0", True)

    def test_tell_the_server(self, log: Stream, generation: Generation) -> None:
        server = log.server.facts()
        assert (server.product, server.role) == (generation.product, "master")
        assert server.version.count(".") == 2
        assert len(server.run_id) == 40


class TestFollowing:
    def test_returns_what_is_there_at_once(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 5)
        with log.connection() as connection:
            page = Follower(log, connection).next(ids[1], 10)
        assert [entry[0] for entry in page.entries] == ids[2:]
        assert page.evidence == log.evidence(ids[1])
        assert (page.evidence.facts.length, page.evidence.after) == (5, 3)

    def test_returns_nothing_when_nothing_comes(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 5)
        with log.connection() as connection:
            page = Follower(log, connection).next(ids[-1], 0.01)
        assert page.entries == []
        assert page.evidence.facts.last_id == ids[-1]
        newest = log.entry(ids[-1])
        assert newest is not None
        assert page.evidence.anchor == anchor_of(newest)

    def test_waits_on_a_stream_that_does_not_exist(self, log: Stream) -> None:
        with log.connection() as connection:
            assert Follower(log, connection).next(START, 0.01) == Page([], Evidence(StreamFacts(), None, 0), full=False)

    def test_returns_a_page_at_a_time(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 2500)
        seen: list[bytes] = []
        with log.connection() as connection:
            follower = Follower(log, connection)
            while len(seen) < 2500:
                page = follower.next(seen[-1] if seen else START, 1)
                assert 0 < page.count <= PAGE
                seen += [entry[0] for entry in page.entries]
        assert seen == ids


class TestAppending:
    def test_one_entry_gets_an_id(self, log: Stream) -> None:
        first, second = log.append([b"a", b"1"]), log.append([b"a", b"2"])
        assert id_parts(first) < id_parts(second)

    @pytest.mark.parametrize("count", [1, 124, 125, 126, 5000])
    def test_many_entries_get_ids_in_their_order(self, log: Stream, count: int) -> None:
        entries = [[b"number", b"%d" % number] for number in range(count)]
        ids = log.append_many(entries)
        assert ids == sorted(ids, key=id_parts)
        stored = [entry for page in log.pages(START) for entry in page.entries]
        assert [entry[0] for entry in stored] == ids
        assert [list(entry[1]) for entry in stored] == entries

    def test_large_entries_do_not_clog_the_pipe(self, log: Stream) -> None:
        assert len(log.append_many([[b"data", bytes(64 * 1024)]] * 500)) == 500

    def test_what_is_refused_in_the_middle_is_told(self, log: Stream, client: redis.Redis) -> None:
        client.xadd(STREAM, {"a": 1}, id=GREATEST)
        with pytest.raises(RefusedError):
            log.append_many([[b"a", b"1"]] * 3)
        assert log.facts().length == 1


class TestCommands:
    def test_a_refused_one_leaves_its_refusal_in_the_list(self, log: Stream) -> None:
        good, bad, last = log.commands([("PING",), ("NOSUCH",), ("PING",)])
        assert (good, last) == (b"PONG", b"PONG")
        assert isinstance(bad, redis.ResponseError)

    def test_a_transaction_that_is_refused_says_what_was_wrong(self, log: Stream) -> None:
        with pytest.raises(RefusedError, match="unknown command"):
            log.commands([("PING",), ("NOSUCH",)], atomic=True)
        assert log.command("PING") == b"PONG"

    def test_a_connection_whose_use_failed_is_not_used_again(self, log: Stream) -> None:
        def fail() -> None:
            with log.connection() as connection:
                connection.send_command("ECHO", "a reply that nobody reads")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert log.command("PING") == b"PONG"


class TestWhatPeopleAreTold:
    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        log = Stream(Server(f"unix://{tmp_path}/none"), "orders")
        with pytest.raises(UnreachableError, match=r"^No connection to unix://.*/none: No such file or directory\.$"):
            log.facts()
        log.server.close()
        log = Stream(Server("redis://127.0.0.1:1"), "orders")
        with pytest.raises(UnreachableError, match=r"^No connection to redis://127.0.0.1:1: Connection refused\.$"):
            log.facts()
        log.server.close()
        log = Stream(Server("redis://no-such-host.invalid"), "orders")
        with pytest.raises(UnreachableError, match=r"^No connection to redis://no-such-host.invalid: "):
            log.facts()
        log.server.close()

    def test_a_server_that_does_not_answer(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server()
        log = Stream(Server(server.url, timeout=0.2), STREAM)
        log.facts()
        server.pause()
        with pytest.raises(UnreachableError, match="does not answer in time"):
            log.facts()
        server.resume()
        assert log.facts() == StreamFacts()
        log.server.close()

    def test_a_server_with_too_many_connections(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(maxclients=3)
        with server.client() as one, server.client() as two, server.client() as three:
            for client in (one, two, three):
                client.ping()
            log = Stream(Server(server.url), STREAM)
            with pytest.raises(UnreachableError):
                log.facts()
            log.server.close()

    def test_a_refusal(self, log: Stream, client: redis.Redis) -> None:
        client.set(STREAM, "text")
        with pytest.raises(RefusedError, match=r"^The stream's key on unix://.* is not a stream\. Choose another with"):
            log.facts()
        with pytest.raises(RefusedError, match="is not a stream"):
            log.evidence(START)
        with pytest.raises(RefusedError, match="is not a stream"):
            list(log.entries([b"1-0"]))
        with pytest.raises(RefusedError, match="is not a stream"):
            list(log.pages(START))

    def test_a_missing_permission(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(port=True)
        with server.client() as client:
            client.execute_command("ACL", "SETUSER", "guest", "on", ">pw", "~*", "+ping")
        log = Stream(Server(f"redis://guest:pw@127.0.0.1:{server.port}"), STREAM)
        with pytest.raises(ForbiddenError, match="does not let this user do that"):
            log.facts()
        assert log.server.facts().product == "a server"
        log.server.close()

    def test_a_disk_that_is_full(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(appendonly="no", save="1 1", enable_protected_configs="yes")
        log = Stream(Server(server.url), STREAM)
        with server.client() as client:
            client.config_set("dir", "/proc")
            log.append([b"a", b"1"])
            client.bgsave()
            eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
            with pytest.raises(RefusedError, match="cannot write to its disk and takes no writes"):
                log.append([b"a", b"1"])
        log.server.close()


class TestALostConnection:
    @pytest.mark.parametrize("after", [0, 1, 7, 50])
    def test_in_the_middle_of_any_reply_is_told_and_the_next_question_is_answered(
        self, new_server: Callable[..., RunningServer], after: int
    ) -> None:
        server = new_server()
        with server.client() as client, Proxy(server) as proxy:
            add(client, 100)
            log = Stream(Server(proxy.url), STREAM)
            questions: dict[bytes, Callable[[], object]] = {b"XINFO": log.facts, b"INFO": log.server.facts}
            for command, ask in questions.items():
                expected = ask()
                proxy.cut_reply_to(command, after)
                with pytest.raises(UnreachableError):
                    ask()
                assert ask() == expected
            log.server.close()
        assert proxy.cuts == len(questions)

    @pytest.mark.parametrize("after", [0, 1, 7, 50])
    def test_in_the_middle_of_a_page_is_asked_for_again(
        self, new_server: Callable[..., RunningServer], after: int
    ) -> None:
        server = new_server()
        with server.client() as client, Proxy(server) as proxy:
            ids = add(client, 100)
            log = Stream(Server(proxy.url), STREAM)
            questions: dict[bytes, Callable[[], object]] = {
                b"XRANGE": lambda: log.page(START),
                b"EXEC": lambda: [entry for page in log.pages(START) for entry in page.entries],
                b"XREVRANGE": log.newest,
                b"XINFO": lambda: log.evidence(ids[90]).anchor,
            }
            for command, ask in questions.items():
                expected = ask()
                before = log.paging.count
                proxy.cut_reply_to(command, after)
                assert ask() == expected
                assert log.paging.count == before
            log.server.close()
        assert proxy.cuts == len(questions)


@pytest.mark.one_generation
class TestEncryption:
    @pytest.fixture
    def tls(self, new_server: Callable[..., RunningServer], certificate: Path) -> Iterator[Proxy]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        with Proxy(new_server(), context) as proxy:
            yield proxy

    def test_works_with_a_certificate_that_is_known(self, tls: Proxy, certificate: Path) -> None:
        log = Stream(Server(f"{tls.url}?ssl_ca_certs={certificate}"), STREAM)
        ids = log.append_many([[b"number", b"%d" % number] for number in range(2500)])
        assert [entry[0] for page in log.pages(START) for entry in page.entries] == ids
        assert list(read_ahead(log, START, ids[-1], PACKING)) == [], "read the pages yourself"
        log.server.close()

    def test_refuses_a_certificate_that_is_not_known(self, tls: Proxy) -> None:
        log = Stream(Server(tls.url), STREAM)
        with pytest.raises(UnreachableError, match=r"(?i)certificate"):
            log.facts()
        log.server.close()
