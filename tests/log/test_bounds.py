"""Pages are bounded in bytes, as large as can be had, and no process that stopped is waited for."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
import redis

from esdash.engine.console import EngineError
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.verification.verify import verify
from esdash.log.bounded import MOST, NOT_ENOUGH, BoundedReader
from esdash.log.errors import ClosedError, LogError, TooMuchError, UnreachableError, UnreadableReplyError
from esdash.log.paging import BYTES, FIRST, PAGE, PATIENCE, PageSize
from esdash.log.reading import readahead
from esdash.log.reading.readahead import read_ahead
from esdash.log.servers.server import Server
from esdash.log.shapes import TooLargeError, UnreadableError
from esdash.log.stream import START, Stream
from tests.domains.shop import Shop
from tests.log.beside import Process, at_each_start, until_ready
from tests.log.packing import PACKING
from tests.servers import RunningServer

STREAM = "orders"
LIMIT = "normal 1mb 0 0 replica 0 0 0 pubsub 0 0 0"


def fill(client: redis.Redis, count: int, size: int) -> list[bytes]:
    """Entries that are parked for their size, or applied when they are small."""
    with client.pipeline(transaction=False) as pipeline:
        for _ in range(count):
            pipeline.execute_command("XADD", STREAM, "*", "type", "Note", "data", b"x" * size)
        ids: list[bytes] = pipeline.execute()
    return ids


def lose(paging: PageSize, times: int) -> None:
    """The connection ends instead of a page."""
    for _ in range(times):
        paging.shrink(ClosedError("No connection."))


class TestThePageSize:
    def test_is_what_fits_into_so_many_bytes(self) -> None:
        paging = PageSize()
        assert paging.count == FIRST
        paging.had(10, 10 * 1024 * 1024)
        assert paging.count == BYTES // (1024 * 1024)
        paging.had(10, 2000)
        assert paging.count == PAGE

    def test_is_halved_where_a_page_cannot_be_had_twice_and_grows_back(self) -> None:
        paging = PageSize()
        paging.had(100, 10_000)
        lose(paging, 2)
        assert paging.count == PAGE // 2
        for _ in range(100):
            paging.had(100, 10_000)
        assert paging.count == PAGE

    def test_is_not_to_blame_for_connections_that_are_lost_now_and_then(self) -> None:
        paging = PageSize()
        for _ in range(100):
            paging.had(100, 10_000)
            lose(paging, 1)
            assert paging.count == PAGE

    def test_is_not_to_blame_where_nobody_answers_at_all(self) -> None:
        paging = PageSize()
        paging.had(100, 10_000)
        with pytest.raises(UnreachableError):
            lose(paging, 100)
        assert paging.count == PAGE

    def test_grows_quickly_up_to_what_could_not_be_had_and_slowly_beyond(self) -> None:
        paging = PageSize()
        paging.had(100, 10_000)
        for _ in range(20):
            # 700 can be had, 1,000 cannot.
            while paging.count < PAGE:
                paging.had(paging.count, 100 * paging.count)
            lose(paging, 2)
        assert paging.count == PAGE // 2
        # Now only a few.
        lose(paging, 12)
        few = paging.count
        assert few == 7
        pages = 0
        while paging.count < PAGE:
            paging.had(paging.count, 100 * paging.count)
            pages += 1
        assert pages < 2 * PATIENCE[1]

    @pytest.mark.parametrize(
        ("error", "kind", "hint"),
        [
            (ClosedError("No connection."), UnreachableError, "client-output-buffer-limit"),
            (TooMuchError("It sent more than is read."), UnreadableReplyError, "too large"),
        ],
    )
    def test_of_one_is_the_end_and_says_what_to_look_at(
        self, error: ClosedError | TooMuchError, kind: type[LogError], hint: str
    ) -> None:
        paging = PageSize()
        while paging.count > 1:
            paging.shrink(error)
        paging.had(1, 1)
        if isinstance(error, ClosedError):
            paging.shrink(error)
        with pytest.raises(kind, match=hint):
            paging.shrink(error)


class TestAServerThatLimitsItsReplies:
    @pytest.fixture
    def limited(self, new_server: Callable[..., RunningServer]) -> Iterator[Stream]:
        """A log of 1,200 entries of 3 KB on a server that closes connections to which it owes a megabyte."""
        server = new_server(port=True, client_output_buffer_limit=LIMIT)
        with server.client() as client:
            fill(client, 1200, 3000)
        log = Stream(Server(server.url), STREAM)
        log.paging.had(PAGE, PAGE)  # as if all entries before had been small
        yield log
        log.server.close()

    def test_is_read_in_smaller_pages(self, limited: Stream) -> None:
        assert sum(page.count for page in limited.pages(START)) == 1200
        assert limited.paging.count < 400
        assert len(limited.page(START, count=1200)) == 1200
        assert len(limited.newest(count=1200)) == 1200

    def test_is_read_ahead_in_smaller_pages(self, limited: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
        at_each_start(monkeypatch, until_ready)
        assert sum(page.count for page in read_ahead(limited, START, b"+", PACKING)) == 1200

    def test_is_consumed_and_verified(self, limited: Stream) -> None:
        consumer = Consumer(limited, Shop(), ConsumerSettings(once=True))
        consumer.run()
        assert consumer.projection is not None
        assert consumer.projection.ordinal == 1200
        assert verify(limited, Shop()).entries == 1200


def test_large_entries_are_read_in_pages_of_few(client: redis.Redis, url: str) -> None:
    fill(client, 130, 1024 * 1024)
    log = Stream(Server(url), STREAM)
    counts = [page.count for page in log.pages(START)]
    log.server.close()
    assert sum(counts) == 130
    assert max(counts) * 1024 * 1024 < MOST
    assert counts[-2] <= BYTES // (1024 * 1024)


def read(parts: Sequence[bytes]) -> list[object]:
    """The replies in what arrives in these parts."""
    reader = BoundedReader()
    found: list[object] = []
    for part in parts:
        reader.feed(part)
        while (reply := reader.gets()) is not NOT_ENOUGH:
            found.append(reply)
    return found


class TestAReply:
    @pytest.mark.parametrize(
        "parts",
        [
            [b"-ERR ", *[b"x" * 60_000] * 2],
            [b"$80000000\r\n", *[b"x" * 1_000_000] * 70],
            [b"*2147483647\r\n"],
            [b"*2\r\n*2147483647\r\n"],
            [b"+OK\r\n+QUEUED\r\n*2147483647\r\n"],
        ],
        ids=["endless error", "huge text", "huge list", "huge list in a list", "huge list in a transaction"],
    )
    def test_that_is_too_large_is_refused(self, parts: list[bytes]) -> None:
        with pytest.raises(TooLargeError):
            read(parts)

    def test_may_hold_anything_in_its_texts_whichever_way_it_arrives(self) -> None:
        text = b"*99999999\r\n-ERR x\r\n:5\r\n" * 5000
        reply = b"+OK\r\n*2\r\n$%d\r\n%b\r\n$1\r\na\r\n" % (len(text), text)
        for size in (1, 7, 64, 4096, len(reply)):
            step = max(size, len(reply) // 3000)
            found = read([reply[start : start + step] for start in range(0, len(reply), step)])
            assert found == [b"OK", [text, b"a"]]

    @pytest.mark.parametrize("nonsense", [b"$-5\r\n", b"*4294967295\r\n:1\r\n", b">1\r\n:1\r\n", b"%1\r\n*0\r\n:1\r\n"])
    def test_that_is_none_is_unreadable(self, nonsense: bytes) -> None:
        with pytest.raises(UnreadableError):
            read([nonsense])


class TestAProcessThatIsStopped:
    def test_while_it_reads_ahead_is_given_up(
        self, client: redis.Redis, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(readahead, "SILENCE", 0.5)
        self._stop_each_at_once(monkeypatch)
        fill(client, 3 * PAGE, 10)
        log = Stream(Server(url, timeout=0.5), STREAM)
        with pytest.raises(LogError, match="does nothing any more"):
            list(read_ahead(log, START, b"+", PACKING))
        log.server.close()

    def test_is_not_waited_for_by_who_has_something_else_to_do(
        self, client: redis.Redis, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._stop_each_at_once(monkeypatch)
        fill(client, 3 * PAGE, 10)
        log = Stream(Server(url), STREAM)
        begun = time.monotonic()
        assert list(read_ahead(log, START, b"+", PACKING, interrupted=lambda: True)) == []
        assert time.monotonic() - begun < log.server.timeout
        log.server.close()

    def test_while_it_verifies_is_given_up_when_told_to_stop(
        self, client: redis.Redis, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fill(client, 10, 10)
        stop = threading.Event()

        def stopped(process: Process) -> None:
            os.kill(process.pid, signal.SIGSTOP)
            stop.set()

        at_each_start(monkeypatch, stopped)
        log = Stream(Server(url), STREAM)
        with pytest.raises(EngineError, match="was stopped"):
            verify(log, Shop(), stop=stop)
        log.server.close()

    def _stop_each_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def stop(process: Process) -> None:
            until_ready(process)
            os.kill(process.pid, signal.SIGSTOP)

        at_each_start(monkeypatch, stop)
