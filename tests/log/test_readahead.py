"""A second process that reads and packs: what it hands over is what is in the stream, whatever the entries hold."""

from collections.abc import Iterator, Sequence

import pytest
import redis

from esdash.engine.shown.corrections import note, noting
from esdash.log.errors import LogError
from esdash.log.pages import Page
from esdash.log.reading.readahead import read_ahead
from esdash.log.servers.server import Server
from esdash.log.stream import PAGE, START, Stream, anchor_of
from tests.domains.shop import shop
from tests.log.beside import Process, at_each_start, until_ready
from tests.log.packing import PACKING, unpack

pytestmark = pytest.mark.two_generations

NOTING = noting(shop())

STREAM = "orders"

LOOKS_LIKE_AN_ENTRY = b"\r\n*2\r\n$3\r\n1-0\r\n*4\r\n$4\r\ntype\r\n"
LOOKS_LIKE_FACTS = b"*20\r\n$6\r\nlength\r\n:7\r\n"


@pytest.fixture
def log(url: str) -> Iterator[Stream]:
    log = Stream(Server(url), STREAM)
    log.paging.had(PAGE, PAGE)  # as if it knew already that entries are small
    yield log
    log.server.close()


@pytest.fixture(autouse=True)
def handed_over(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the second process has all of the work, or "by and by" what is left when it has started."""
    how: str = getattr(request, "param", "at once")
    if how == "at once":
        at_each_start(monkeypatch, until_ready)
    return how


BY_AND_BY = pytest.mark.parametrize("handed_over", ["by and by"], indirect=True)
BOTH_WAYS = pytest.mark.parametrize("handed_over", ["at once", "by and by"], indirect=True)


def read(log: Stream, until: bytes = b"+", after: bytes = START) -> list[list[bytes]]:
    """The fields of every entry that is handed over."""
    found: list[list[bytes]] = []
    at_start = log.entry(after)
    before = at_start[1] if at_start else []
    for page in read_ahead(log, after, until, PACKING, NOTING):
        fields = [list(entry[1]) for entry in page.entries] if isinstance(page, Page) else unpack(page.packed)
        assert page.count == len(fields)
        assert page.last_entry is not None
        assert list(page.last_entry[1]) == fields[-1]
        assert page.evidence.anchor == (anchor_of((after, before)) if before else None)
        after, before = page.last_entry
        found += fields
    return found


@BOTH_WAYS
@pytest.mark.parametrize("count", [1, PAGE - 1, PAGE, 3 * PAGE + 17])
def test_hands_over_every_entry_once(log: Stream, count: int) -> None:
    sent: list[Sequence[bytes]] = [[b"number", b"%d" % number, b"", b""] for number in range(count)]
    ids = log.append_many(sent)
    assert read(log) == sent
    assert read(log, ids[count // 2]) == sent[: count // 2 + 1]
    assert read(log, after=ids[count // 2]) == sent[count // 2 + 1 :]


@pytest.mark.one_generation
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
def test_is_not_led_astray_by_what_an_entry_holds(log: Stream, hostile: bytes) -> None:
    """The beginning of the next page is guessed from bytes; these make the guess impossible or wrong."""
    sent = [[b"number", b"%d" % number, b"", b""] for number in range(4 * PAGE + 5)]
    for last in range(PAGE - 1, len(sent), PAGE):
        sent[last] = [b"data", hostile, hostile, b""]
    log.append_many(sent)
    assert read(log) == sent


@BY_AND_BY
@pytest.mark.one_generation
def test_goes_on_with_a_second_process_that_started_meanwhile(log: Stream) -> None:
    sent: list[Sequence[bytes]] = [[b"number", b"%d" % number, b"", b""] for number in range(150 * PAGE)]
    log.append_many(sent)
    assert read(log) == sent


@BOTH_WAYS
@pytest.mark.one_generation
def test_begins_anew_where_a_guess_was_wrong(log: Stream, monkeypatch: pytest.MonkeyPatch, handed_over: str) -> None:
    started: list[Process] = []
    at_each_start(monkeypatch, started.append)
    sent = [
        [b"number", b"%d" % number, b"", b""] for number in range((150 if handed_over == "by and by" else 6) * PAGE)
    ]
    for last in range(PAGE - 1, len(sent), PAGE):
        sent[last] = [b"data", LOOKS_LIKE_AN_ENTRY, b"", b""]
    log.append_many(sent)
    assert read(log) == sent
    assert len(started) == 2, "the second one parses everything itself, or it would guess wrongly again"


@pytest.mark.one_generation
@pytest.mark.parametrize("size", [1_000, 2_500, 20_000])
def test_pages_of_a_megabyte_and_more_are_whole(log: Stream, size: int) -> None:
    sent: list[Sequence[bytes]] = [[b"data", b"%d" % number + b"x" * size, b"", b""] for number in range(3 * PAGE + 1)]
    log.append_many(sent)
    assert read(log) == sent


@pytest.mark.parametrize("count", [PAGE, PAGE - 1])
def test_knows_the_end_when_the_facts_look_like_a_page(log: Stream, count: int) -> None:
    """They hold the first and the last entry."""
    hostile = [b"data", LOOKS_LIKE_AN_ENTRY + LOOKS_LIKE_FACTS + b"x" * 20_000, b"", b""]
    sent = [hostile, *([b"number", b"%d" % number, b"", b""] for number in range(count - 2)), hostile]
    log.append_many(sent)
    assert read(log) == sent


def test_says_that_the_server_refuses(log: Stream, client: redis.Redis) -> None:
    client.set(STREAM, "no stream")
    with pytest.raises(LogError, match=r"WRONGTYPE|not a stream"):
        read(log)


def test_entries_that_stand_for_others_are_picked_out(client: redis.Redis, log: Stream) -> None:
    keys = [f"corrects:{number}-0" if number % 7 == 0 else "x" for number in range(2 * PAGE + 20)]
    with client.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.xadd(STREAM, {"type": "TopUp", "data": "{}", "key": key})
        pipeline.execute()
    found: list[str] = []
    for page in read_ahead(log, START, b"+", PACKING, NOTING):
        found += [key.decode() for _, _, key in (note(page.entries) if isinstance(page, Page) else page.noted)]
    assert found == [key for key in keys if key != "x"]
