"""What is kept of entries for a screen is bounded in bytes, and a cut entry is known as cut."""

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import pytest
import redis

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.consumer.requests import TakeSnapshot
from esdash.engine.shown import kept, parked, rows
from esdash.engine.shown.kept import MOST_FIELDS, MOST_OF_A_FIELD, MOST_OF_AN_ENTRY, is_same, row_of, size_of
from esdash.engine.shown.parked import Mark, ParkedEntries
from esdash.engine.shown.row import Row
from esdash.engine.shown.rows import BYTES, RecentRows
from esdash.engine.snapshots.snapshot import load
from esdash.fold.folding import Entry
from esdash.fold.keys import Keys
from esdash.fold.outcomes import APPLIED, TOO_LARGE
from esdash.log.headers import Header
from esdash.log.servers.server import Server
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from tests.domains.ways import Present
from tests.engine.running import STREAM, RunningConsumer, sound

MEGABYTE: Final = 1024 * 1024


def top_up(number: int, *more: bytes) -> Entry:
    return b"%d-0" % number, [b"type", b"TopUp", b"data", b'{"user_id":7,"amount":%d}' % number, *more]


def large(number: int, size: int = MEGABYTE) -> Entry:
    return b"%d-0" % number, [b"type", b"TopUp", b"data", b"x" * size]


def bytes_of(kept_rows: Sequence[Row]) -> int:
    return sum(len(value) for row in kept_rows for value in row.fields)


@pytest.fixture
def held() -> Iterator[Callable[[], int]]:
    """Bytes allocated since the test began and not given back."""
    tracemalloc.start()
    yield lambda: tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()


class TestOneEntry:
    def test_is_kept_whole_when_it_is_small(self) -> None:
        assert row_of(3, top_up(3), APPLIED) == Row(3, *top_up(3), APPLIED)

    def test_that_is_large_is_cut_and_says_so(self) -> None:
        row = row_of(3, large(3), TOO_LARGE)
        assert row.fields == [b"type", b"TopUp", b"data", b"x" * MOST_OF_A_FIELD]
        assert row.sizes == (4, 5, 4, MEGABYTE)
        assert row.size == MEGABYTE + 13
        assert row.mark is not None

    def test_keeps_a_payload_that_is_not_too_large_beside_a_field_that_is(self) -> None:
        entry = top_up(3, b"trace", b"t" * MEGABYTE)
        assert list(row_of(3, entry, APPLIED).fields[:4]) == list(entry[1][:4])

    def test_of_many_large_fields_is_bounded_altogether(self) -> None:
        row = row_of(1, (b"1-0", [b"n", b"x" * 60_000] * 400), TOO_LARGE)
        assert bytes_of([row]) <= MOST_OF_AN_ENTRY

    def test_of_very_many_fields_keeps_the_first(self) -> None:
        row = row_of(1, (b"1-0", [b"n", b"v"] * 10_000), TOO_LARGE)
        assert len(row.fields) == MOST_FIELDS
        assert row.size == 20_000

    def test_is_told_from_another_one_although_it_was_cut(self) -> None:
        row, (entry_id, fields) = row_of(3, large(3), TOO_LARGE), large(3)
        assert is_same(row, (entry_id, fields))
        assert not is_same(row, (entry_id, [*fields[:3], fields[3][:-1] + b"y"]))
        assert not is_same(row, (b"4-0", fields))


class TestTheNewestEntries:
    def test_take_a_bounded_number_of_bytes_while_nobody_looks(self, held: Callable[[], int]) -> None:
        recent = RecentRows()
        for first in range(1, 5001, 10):
            recent.add(first, [large(first + place, 100_000) for place in range(10)], bytes(10))
            assert held() <= BYTES + 10 * size_of(row_of(1, large(1), 0))

    def test_take_a_bounded_number_of_bytes_when_somebody_looked(self, held: Callable[[], int]) -> None:
        recent = RecentRows()
        for number in range(1, 2001):
            recent.add(number, [large(number, 100_000)], bytes(1))
            recent.settle()
            assert held() <= BYTES
        assert [row.ordinal for row in recent.window()][-300:] == list(range(1701, 2001))

    def test_are_as_many_as_ever_when_they_are_small(self) -> None:
        recent = RecentRows()
        for first in range(1, 30_001, 1000):
            recent.add(first, [top_up(first + place) for place in range(1000)], bytes(1000))
            recent.settle()
        assert len(recent.window()) == rows.ROWS

    def test_hold_no_payload_when_nobody_watches(self, held: Callable[[], int]) -> None:
        recent = RecentRows(only=Keys())
        recent.add(1, [large(1), large(2)], b"\1\2")
        assert recent.waiting
        assert held() < 10_000
        recent.settle()
        assert [(row.ordinal, row.entry_id, row.code) for row in recent.window()] == [(1, b"1-0", 1), (2, b"2-0", 2)]
        assert is_same(recent.window()[0], large(1))
        assert not is_same(recent.window()[0], large(1, 100))


@pytest.mark.usefixtures("any_domain")
class TestParkedEntries:
    def test_take_a_bounded_number_of_bytes(self) -> None:
        found = ParkedEntries(Present())
        for number in range(1, 1001):
            found.add(number, [large(number)], bytes((TOO_LARGE,)))
            assert bytes_of(found.rows()) <= parked.BYTES
        assert found.rows()[-1].ordinal == 1000

    def test_hold_no_payload_when_nobody_watches(self) -> None:
        found = ParkedEntries(Present(), payloads=False)
        found.add(1, [top_up(1), large(2)], bytes((APPLIED, TOO_LARGE)))
        assert bytes_of(found.rows()) == 0
        assert found.marks() == [Mark(b"2-0", 2, TOO_LARGE)]


@pytest.mark.usefixtures("any_domain")
def test_a_consumer_that_nobody_watches_remembers_without_payloads(client: redis.Redis, url: str) -> None:
    for number in range(3):
        client.xadd(STREAM, sound(number))
        client.xadd(STREAM, {"type": "Refund", "data": b"x" * MEGABYTE})
    log = Stream(Server(url), STREAM)
    journals = {}
    for _ in range(2):
        with RunningConsumer(url, ConsumerSettings(snapshot_seconds=0, watched=False)) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.notices)
            assert bytes_of([*view.rows, *view.parked]) == 0
        header = SnapshotStore(log).headers()[0]
        assert isinstance(header, Header)
        journals[header.snapshot_id] = load(header, SnapshotStore(log), Present())[1]
    log.server.close()
    replayed, restored = journals.values()
    assert replayed == restored, "what was restored from the snapshot's journal is what the next one has to remember"
    assert len(restored.recent) == 6
    assert [mark.ordinal for mark in restored.parked] == [2, 4, 6]


def test_what_is_kept_for_a_screen_is_at_most_64_mb() -> None:
    assert rows.BYTES + parked.BYTES <= 64 * MEGABYTE
    assert kept.MOST_OF_A_FIELD <= 64 * 1024 + 1
