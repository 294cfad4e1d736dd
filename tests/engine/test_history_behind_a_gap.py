"""A stream that is capped, or lost an entry that had been read: what can still be told of it is told."""

import pytest
import redis

from esdash.engine.moments.history import BrokenError, History
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import START, Stream
from tests.domains.ways import Present
from tests.engine.running import STREAM, RunningConsumer, document, expected, modelled_rows, publish_more, seen_rows
from tests.engine.running import stored as all_entries

pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture
def history(log: Stream) -> History:
    return History(log, Present())


@pytest.fixture
def ids(url: str, client: redis.Redis) -> list[bytes]:
    """Ninety entries, and a snapshot after each thirty."""
    ids: list[bytes] = []
    for _ in range(3):
        ids += publish_more(client, 30)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
    return ids


def snapshot_at(log: Stream, ordinal: int) -> str:
    return next(header.snapshot_id for header in SnapshotStore(log).headers() if f"{ordinal}-" in header.snapshot_id)


class TestACappedStream:
    def test_is_told_from_the_oldest_snapshot_it_goes_on_from(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        rows = modelled_rows(all_entries(log))
        client.xtrim(STREAM, minid=ids[40], approximate=False)
        for first, left_out in ((START, 20), (ids[10], 20), (ids[45], 15), (ids[59], 1)):
            begun = history.since(first)
            assert (begun.snapshot_id, begun.left_out) == (snapshot_at(log, 60), left_out)
            assert seen_rows(history.explain(begun.projection)) == rows[60:]
        begun = history.since(ids[70])
        assert (begun.snapshot_id, begun.left_out) == (None, 0)
        assert seen_rows(history.explain(begun.projection)) == rows[70:]

    def test_whose_decided_entries_are_gone_leaves_none_out(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        client.xtrim(STREAM, minid=ids[60], approximate=False)
        begun = history.since(START)
        assert (begun.snapshot_id, begun.left_out) == (snapshot_at(log, 60), 0)

    def test_of_which_nothing_that_was_asked_for_can_be_told_is_a_gap(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        client.xtrim(STREAM, minid=ids[40], approximate=False)
        for until in (ids[45], ids[59]):
            with pytest.raises(BrokenError, match=f"can be told is #60, snapshot:{snapshot_at(log, 60)}"):
                history.since(START, until)
        assert history.since(START, ids[60]).left_out == 20

    def test_that_nothing_connects_to_is_a_gap(self, client: redis.Redis, history: History, ids: list[bytes]) -> None:
        ids += publish_more(client, 10)
        client.xtrim(STREAM, maxlen=5, approximate=False)
        with pytest.raises(BrokenError, match="95 entries are gone from the stream, and no snapshot"):
            history.since(START)

    def test_is_not_told_from_a_damaged_snapshot(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        client.xtrim(STREAM, minid=ids[40], approximate=False)
        client.hset(f"esdash:{{orders}}:snapshot:{snapshot_at(log, 60)}", "0", b"rubbish")
        begun = history.since(START)
        assert (begun.snapshot_id, begun.left_out) == (snapshot_at(log, 90), 50)


class TestAnEntryThatWasReadAndDeleted:
    def test_hides_nothing_after_the_next_snapshot(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        rows = modelled_rows(all_entries(log))
        client.xdel(STREAM, ids[44])
        begun = history.since(START)
        assert (begun.snapshot_id, begun.left_out) == (snapshot_at(log, 60), 59)
        assert seen_rows(history.explain(begun.projection)) == rows[60:]
        assert history.since(ids[40]).left_out == 19

    def test_hides_nothing_at_a_snapshot(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        entries = all_entries(log)
        client.xdel(STREAM, ids[44])
        for count in (30, 60, 75, 90):
            projection, continuity = history.at(ids[count - 1])
            assert str(continuity) == "CONTINUOUS"
            assert document(projection) == expected(entries[:count])

    def test_between_snapshots_is_a_gap_with_a_way_on(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        client.xdel(STREAM, ids[44])
        projection, continuity = history.at(ids[50])
        assert (str(continuity), projection.ordinal) == ("GAP 1", 30)
        assert continuity.explanation == (
            "1 entry is gone from the stream. The oldest place that can be told is #60, "
            f"snapshot:{snapshot_at(log, 60)}."
        )

    def test_leaves_details_where_a_snapshot_before_an_entry_connects_and_a_sentence_elsewhere(
        self, client: redis.Redis, log: Stream, history: History, ids: list[bytes]
    ) -> None:
        rows = modelled_rows(all_entries(log))
        client.xdel(STREAM, ids[44])
        for number in (61, 75, 90):
            row = history.details(ids[number - 1])
            assert seen_rows([row]) == [rows[number - 1]]
        for number in (1, 30, 44, 46, 60):
            with pytest.raises(BrokenError, match=r"cannot be told: 1 entry is gone .* can be told is #60"):
                history.details(ids[number - 1])
