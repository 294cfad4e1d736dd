"""Appending many entries in one round trip, beside the client library's own way."""

from collections.abc import Callable

import hiredis
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from esdash.log.appending import SLICE, pack, plain_ids
from esdash.log.errors import LogError, RefusedError, UnreachableError
from esdash.log.servers.server import Server
from esdash.log.shapes import entry_id
from esdash.log.stream import START, Stream
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.every_generation

words = st.binary(max_size=30) | st.sampled_from([b"%d", b"%", b"\r\n", b"*1\r\n$4\r\nPING\r\n", b""])
entry = st.integers(1, 4).flatmap(lambda pairs: st.lists(words, min_size=2 * pairs, max_size=2 * pairs))


@given(words, st.lists(entry, max_size=20))
def test_the_commands_are_those_that_the_client_library_makes(key: bytes, entries: list[list[bytes]]) -> None:
    made: list[tuple[bytes, ...]] = [(b"XADD", key, b"*", *fields) for fields in entries]
    assert pack(key, entries) == b"".join(map(hiredis.pack_command, made))  # type: ignore[arg-type]


numbers = st.integers(0, 10**19 - 1).map(lambda number: b"%d" % number)
ids = st.tuples(numbers, numbers).map(b"-".join)
bulk = (ids | words | st.sampled_from([b"1-1,2-2", b"1-1\n2-2", b"1-", b"-1"])).map(
    lambda text: b"$%d\r\n%b\r\n" % (len(text), text)
)
reply = bulk | st.sampled_from([b"-ERR no\r\n", b"$-1\r\n", b":1\r\n", b"$4\r\n1-1\r\n", b"$3\r\n1-12\r\n", b"\r\n"])


@given(st.lists(ids, min_size=1, max_size=20))
def test_replies_that_are_ids_are_read_at_once(expected: list[bytes]) -> None:
    received = b"".join(b"$%d\r\n%b\r\n" % (len(each), each) for each in expected)
    assert plain_ids(received) == expected
    assert plain_ids(received[:-1]) == plain_ids(received + b"$") == []


@given(st.lists(reply, max_size=6).map(b"".join), st.integers(0, 100))
def test_what_is_read_at_once_is_what_a_reader_reads(received: bytes, cut: int) -> None:
    received = received[: max(0, len(received) - cut)]
    if found := plain_ids(received):
        reader = hiredis.Reader()
        reader.feed(received)
        assert [entry_id(reader.gets()) for _ in found] == found
        assert not reader.has_data()


@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1, 1000])
def test_ids_are_those_of_the_entries_in_their_order(url: str, count: int) -> None:
    entries = [[b"n", b"%d" % number] for number in range(count)]
    ids = Stream(Server(url), "orders").append_many(entries)
    assert [(entry_id, list(fields)) for entry_id, fields in Stream(Server(url), "orders").page(START)] == list(
        zip(ids, entries, strict=True)
    )


def test_entries_larger_than_a_sockets_buffer_arrive_whole(url: str) -> None:
    entries = [[b"data", bytes([number]) * 65_536] for number in range(200)]
    Stream(Server(url), "orders").append_many(entries)
    assert [fields for _, fields in Stream(Server(url), "orders").page(START)] == entries


def test_a_refused_entry_is_told_and_the_connection_is_still_good(url: str, client: redis.Redis) -> None:
    log = Stream(Server(url), "orders")
    client.set("orders", "no stream")
    with pytest.raises(RefusedError, match="not a stream"):
        log.append_many([[b"a", b"b"]] * 300)
    client.delete("orders")
    assert len(log.append_many([[b"a", b"b"]] * 300)) == 300


def test_a_full_server_is_told_as_such(new_server: Callable[..., RunningServer]) -> None:
    server = new_server(maxmemory="3mb", appendonly="no")
    with pytest.raises(LogError, match=r"memory.* of 1,000 entries were appended") as caught:
        Stream(Server(server.url), "orders").append_many([[b"data", b"x" * 10_000]] * 1000)
    assert not isinstance(caught.value, RefusedError), "some of them are in the log"


def fill_until_refused(server: RunningServer) -> bool:
    """Whether not one entry was taken in; what connections held may have room for one."""
    try:
        Stream(Server(server.url), "orders").append_many([[b"data", b"x" * 10_000]] * 10)
    except RefusedError as error:
        return "memory" in str(error)
    except LogError:
        return False
    return False


def test_a_full_server_that_takes_nothing_refuses(new_server: Callable[..., RunningServer]) -> None:
    server = new_server(maxmemory="3mb", appendonly="no")
    with pytest.raises(LogError, match="memory"):
        Stream(Server(server.url), "orders").append_many([[b"data", b"x" * 10_000]] * 1000)
    eventually(lambda: fill_until_refused(server))


def test_a_server_that_dies_meanwhile_is_unreachable(new_server: Callable[..., RunningServer]) -> None:
    server = new_server(appendonly="no")
    log = Stream(Server(server.url), "orders")
    log.append_many([[b"a", b"b"]])
    server.kill()
    with pytest.raises(UnreachableError):
        log.append_many([[b"a", b"b"]] * 300)
