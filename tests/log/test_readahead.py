"""A second process that reads and packs: what it hands over is what is in the stream, whatever the entries hold."""

from collections.abc import Iterator, Sequence

import pytest
import redis

from esdash.log.errors import LogError
from esdash.log.readahead import read_ahead
from esdash.log.stream import PAGE, START, Log
from esdash.shop.packing import from_bytes, unpacked

STREAM = "orders"
PACKING = "esdash.shop.packing:pack_bytes"

LOOKS_LIKE_AN_ENTRY = b"\r\n*2\r\n$3\r\n1-0\r\n*4\r\n$4\r\ntype\r\n"
LOOKS_LIKE_FACTS = b"*20\r\n$6\r\nlength\r\n:7\r\n"


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    log = Log(url, STREAM)
    yield log
    log.close()


def read(log: Log, until: bytes = b"+", after: bytes = START) -> list[list[bytes]]:
    """The fields of every entry that is handed over."""
    found: list[list[bytes]] = []
    for frame in read_ahead(log, after, until, PACKING):
        fields = unpacked(from_bytes(frame.packed))
        assert frame.count == len(fields)
        assert frame.last_entry[1] == fields[-1]
        found += fields
    return found


@pytest.mark.parametrize("count", [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 3 * PAGE + 17])
def test_hands_over_every_entry_once(log: Log, count: int) -> None:
    sent: list[Sequence[bytes]] = [[b"number", b"%d" % number] for number in range(count)]
    ids = log.append_many(sent)
    assert read(log) == sent
    assert read(log, ids[count // 2]) == sent[: count // 2 + 1]
    assert read(log, after=ids[count // 2]) == sent[count // 2 + 1 :]


@pytest.mark.parametrize(
    "hostile",
    [
        LOOKS_LIKE_AN_ENTRY,
        LOOKS_LIKE_FACTS,
        LOOKS_LIKE_AN_ENTRY + LOOKS_LIKE_FACTS,
        LOOKS_LIKE_FACTS + LOOKS_LIKE_AN_ENTRY,
        b"\r\n*2\r\n$",
        b"x" * 100_000,
        b"",
    ],
    ids=lambda hostile: repr(hostile)[:40],
)
def test_is_not_led_astray_by_what_an_entry_holds(log: Log, hostile: bytes) -> None:
    """The beginning of the next page is guessed from bytes; these make the guess impossible or wrong."""
    sent = [[b"number", b"%d" % number] for number in range(4 * PAGE + 5)]
    for last in range(PAGE - 1, len(sent), PAGE):
        sent[last] = [b"data", hostile, hostile, b""]
    log.append_many(sent)
    assert read(log) == sent


def test_says_that_the_server_refuses(log: Log, client: redis.Redis) -> None:
    client.set(STREAM, "no stream")
    with pytest.raises(LogError, match="WRONGTYPE"):
        read(log)
