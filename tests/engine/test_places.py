"""Places found in real streams: the n-th entry ever added is the same in every history, or a sentence says why not."""

import pytest
import redis
from msgspec.structs import replace

from esdash.engine.moments.places import TOO_OLD, NoPlaceError, begin_of, end_of, id_after
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream, StreamFacts
from esdash.query.places import GREATEST, End, Numbered, OfSnapshot, read_place
from tests.engine.running import STREAM, RunningConsumer, publish_day, publish_more

pytestmark = pytest.mark.usefixtures("any_domain")


def snapshot(url: str) -> None:
    """A consumer catches up, and leaves a snapshot."""
    with RunningConsumer(url) as consumer:
        consumer.until_live()


def found(log: Stream, number: int) -> bytes:
    at = end_of(log, Numbered(number))
    assert begin_of(log, Numbered(number)) == at
    return at


class Old(Stream):
    """A server before Redis 7: it counts nothing."""

    def facts(self) -> StreamFacts:
        return replace(super().facts(), entries_added=None, max_deleted_id=b"0-0")


class TestTheNthEntryEverAdded:
    def test_is_found_in_a_whole_stream(self, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 2500)
        for number in (1, 2, 999, 1000, 1001, 1002, 1250, 1251, 1500, 1501, 2499, 2500):
            assert found(log, number) == ids[number - 1]

    def test_is_the_same_when_the_stream_was_trimmed(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 60)
        client.xtrim(STREAM, minid=ids[20], approximate=False)
        for number in range(21, 61):
            assert found(log, number) == ids[number - 1]
        snapshot(url)
        ids += publish_more(client, 40)
        snapshot(url)
        client.xtrim(STREAM, minid=ids[80], approximate=False)
        for number in (60, *range(81, 101)):
            assert found(log, number) == ids[number - 1]

    def test_is_the_same_beside_entries_that_were_deleted(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids: list[bytes] = []
        for _ in range(3):
            ids += publish_more(client, 20)
            snapshot(url)
        client.xdel(STREAM, ids[29])
        for number in (*range(1, 21), *range(31, 61)):
            assert found(log, number) == ids[number - 1]
        for number in (25, 30):
            with pytest.raises(NoPlaceError, match=f"Which entry is #{number} cannot be told: between #20 and #40"):
                found(log, number)

    def test_is_what_a_first_reader_counts(self, client: redis.Redis, log: Stream) -> None:
        """Of a stream that nobody read before, what was deleted counts as gone before its beginning."""
        ids = publish_day(client, 20)
        client.xdel(STREAM, ids[9])
        assert found(log, 2) == ids[0]
        assert found(log, 20) == ids[19]

    def test_of_an_entry_that_a_snapshot_stands_at_is_known_when_it_is_gone(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        ids = publish_day(client, 20)
        snapshot(url)
        publish_more(client, 20)
        client.xtrim(STREAM, maxlen=5, approximate=False)
        assert found(log, 20) == ids[19]

    def test_that_is_gone_is_a_sentence_with_what_there_is(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 60)
        client.xtrim(STREAM, minid=ids[20], approximate=False)
        with pytest.raises(NoPlaceError, match=r"#20 is gone, .*: the stream holds #21 to #60\.$"):
            found(log, 20)
        snapshot(url)
        with pytest.raises(NoPlaceError, match=r"#1 is gone, .*: the stream holds #21 to #60\.$"):
            found(log, 1)
        client.xdel(STREAM, ids[30])
        with pytest.raises(NoPlaceError, match=f"the stream holds entries from {ids[20].decode()} to #60"):
            found(log, 5)
        client.xtrim(STREAM, maxlen=0, approximate=False)
        with pytest.raises(NoPlaceError, match="the stream is empty"):
            found(log, 5)

    def test_that_is_not_there_yet_is_a_sentence_with_what_there_is(self, client: redis.Redis, log: Stream) -> None:
        with pytest.raises(NoPlaceError, match="#1 is not there yet: the stream has had no entries"):
            found(log, 1)
        publish_day(client, 1200)
        with pytest.raises(NoPlaceError, match=r"#216,924 is not there yet: the newest entry is #1,200\.$"):
            found(log, 216924)

    def test_is_not_that_of_a_stream_that_was_made_again(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 20)
        snapshot(url)
        client.delete(STREAM)
        ids = publish_day(client, 30)
        for number in (5, 20, 30):
            assert found(log, number) == ids[number - 1]

    def test_of_a_stream_that_a_busy_producer_caps_is_right_or_gone(self, url: str, client: redis.Redis) -> None:
        ids = publish_day(client, 3000)

        class Trimming(Server):
            """Loses its oldest entries between any two questions."""

            def connection(self, key: str = ""):  # type: ignore[no-untyped-def]
                client.xtrim(STREAM, maxlen=client.xlen(STREAM) - 3, approximate=False)
                return super().connection(key)

        log = Stream(Trimming(url), STREAM)
        for number in (1100, 1400, 2000, 2990):
            assert found(log, number) == ids[number - 1]
        log.server.close()

    def test_on_an_old_server_says_what_is_assumed(self, url: str, client: redis.Redis) -> None:
        log = Old(Server(url), STREAM)
        ids = publish_day(client, 30)
        notes: list[str] = []
        assert end_of(log, Numbered(7), notes.append) == ids[6]
        assert notes == [TOO_OLD]
        client.xtrim(STREAM, minid=ids[10], approximate=False)
        assert end_of(log, Numbered(7)) == ids[16]
        with pytest.raises(NoPlaceError, match="not there yet: the newest entry is #20"):
            end_of(log, Numbered(21))
        log.server.close()

    def test_on_an_old_server_is_counted_from_snapshots(self, url: str, client: redis.Redis) -> None:
        log = Old(Server(url), STREAM)
        ids = publish_day(client, 30)
        snapshot(url)
        ids += publish_more(client, 10)
        client.xtrim(STREAM, minid=ids[25], approximate=False)
        assert end_of(log, Numbered(30)) == ids[29]
        assert end_of(log, Numbered(37)) == ids[36]
        with pytest.raises(NoPlaceError, match="not there yet: the newest entry is #40"):
            end_of(log, Numbered(41))
        with pytest.raises(NoPlaceError, match="is gone"):
            end_of(log, Numbered(20))
        log.server.close()


class TestOtherPlaces:
    def test_the_ends(self, client: redis.Redis, log: Stream) -> None:
        assert (begin_of(log, End.FIRST), end_of(log, End.FIRST)) == (b"0-0", b"0-0")
        assert (begin_of(log, End.NOW), end_of(log, End.NOW)) == (b"0-1", b"0-0")
        ids = publish_day(client, 5)
        assert begin_of(log, End.FIRST) == end_of(log, End.FIRST) == ids[0]
        assert end_of(log, End.NOW) == ids[-1]
        assert begin_of(log, End.NOW) == id_after(ids[-1])

    def test_a_time_reaches_from_its_first_to_its_last_id(self, log: Stream) -> None:
        minute = read_place("2023-11-14T22:13Z", 0)
        assert begin_of(log, minute) == b"1699999980000-0"
        assert end_of(log, minute) == b"1700000039999-%d" % GREATEST

    def test_a_snapshot_is_the_moment_it_shows(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 20)
        snapshot(url)
        publish_more(client, 5)
        (header,) = SnapshotStore(log).headers()
        place = OfSnapshot(header.snapshot_id)
        assert end_of(log, place) == ids[-1]
        assert begin_of(log, place) == id_after(ids[-1])

    def test_a_snapshot_that_says_nothing_about_this_stream_is_refused(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 20)
        snapshot(url)
        (header,) = SnapshotStore(log).headers()
        assert isinstance(header, Header)
        with pytest.raises(NoPlaceError, match=r"There is no snapshot 5-ab\. `esdash snapshot list`"):
            end_of(log, OfSnapshot("5-ab"))
        client.delete(STREAM)
        publish_more(client, 30)
        with pytest.raises(NoPlaceError, match="is of another history"):
            end_of(log, OfSnapshot(header.snapshot_id))
        client.hset("esdash:{orders}:snapshots", header.snapshot_id, b"rubbish")
        with pytest.raises(NoPlaceError, match="cannot be read"):
            end_of(log, OfSnapshot(header.snapshot_id))


@pytest.mark.parametrize(
    ("entry_id", "after"),
    [
        (b"0-0", b"0-1"),
        (b"5-18446744073709551615", b"6-0"),
        (b"%d-%d" % (GREATEST, GREATEST), b"%d-%d" % (GREATEST, GREATEST)),
    ],
)
def test_the_id_after_another(entry_id: bytes, after: bytes) -> None:
    assert id_after(entry_id) == after
