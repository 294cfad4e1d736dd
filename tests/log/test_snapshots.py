"""The snapshot store: whole or absent, never replaced by an older or foreign one, never believed when damaged."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from esdash.log.continuity import Verdict
from esdash.log.errors import LogError, RefusedError, UnreachableError
from esdash.log.keys import key_prefix
from esdash.log.servers.server import Server
from esdash.log.snapshots import KEEP, DamagedError, Draft, Header, SnapshotStore, Unreadable
from esdash.log.stream import Stream, anchor_of
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.every_generation

STREAM = "orders"
RULES = ("shop", "1")
INDEX = "esdash:{orders}:snapshots"
CHUNKS = [b"first chunk", b"second chunk", bytes(range(256))]


@pytest.fixture
def store(log: Stream) -> SnapshotStore:
    return SnapshotStore(log)


def add(client: redis.Redis, count: int, start: int = 1) -> None:
    """Entries whose ids tell their ordinal: `7-0` is the seventh."""
    with client.pipeline(transaction=False) as pipeline:
        for number in range(start, start + count):
            pipeline.xadd(STREAM, {"number": number}, id=f"{number}-0")
        pipeline.execute()


def draft(log: Stream, number: int, *, unseen: int = 0, anchor: str | None = None) -> Draft:
    """A draft as a consumer that has read up to the entry `number` would make it."""
    entry = log.entry(b"%d-0" % number)
    return Draft(
        last_event_id=f"{number}-0",
        ordinal=number - unseen,
        unseen=unseen,
        anchor=anchor or (anchor_of(entry) if entry else ""),
        domain="shop",
        version="rules",
        digest="0" * 32,
        created_ms=1_700_000_000_000 + number,
        owner="here:1",
    )


def draft_at(log: Stream, entry_id: str, ordinal: int, *, created_ms: int = 1) -> Draft:
    """A draft at any entry."""
    entry = log.entry(entry_id.encode())
    assert entry is not None
    return Draft(entry_id, ordinal, 0, anchor_of(entry), "shop", "rules", "0" * 32, created_ms, "here:1")


def write(store: SnapshotStore, drafted: Draft, chunks: Iterable[bytes] = CHUNKS, *, usable: bool = True) -> Header:
    return store.write(drafted, chunks, begun=10.0, clock=lambda: 10.25, usable=lambda _: usable)


def ordinals(store: SnapshotStore) -> list[int]:
    return [header.ordinal for header in store.headers() if isinstance(header, Header)]


def stored_keys(client: redis.Redis) -> set[bytes]:
    return {bytes(key) for key in client.scan_iter("esdash*")}


def read_back(store: SnapshotStore, header: Header) -> bytes:
    return b"".join(store.chunks(header))


def index_value(client: redis.Redis, snapshot_id: str) -> bytes:
    value = client.hget(INDEX, snapshot_id)
    assert isinstance(value, bytes)
    return value


def rewrite_header(client: redis.Redis, snapshot_id: str, **changes: Any) -> None:
    """Change a stored header and make its checksum right again."""
    values = json.loads(index_value(client, snapshot_id)[16:]) | changes
    raw = json.dumps(values).encode()
    client.hset(INDEX, snapshot_id, hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw)


class TestASnapshot:
    def test_comes_back_as_it_was_written(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        assert store.headers() == [header]
        assert list(store.chunks(header)) == CHUNKS
        assert (header.chunks, header.size, header.seconds) == (3, sum(map(len, CHUNKS)), 0.25)
        assert (header.last_event_id, header.ordinal, header.owner) == ("3-0", 3, "here:1")

    def test_never_expires(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 3)
        write(store, draft(log, 3))
        assert {key: client.ttl(key) for key in stored_keys(client)} == dict.fromkeys(stored_keys(client), -1)

    def test_is_there_as_a_whole_or_not_at_all(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 3)

        def dying_writer() -> Iterator[bytes]:
            yield b"first chunk"
            assert store.headers() == []
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(store, draft(log, 3), dying_writer())
        assert store.headers() == []

    def test_leaves_chunks_that_expire_when_its_writer_dies(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)

        def dying_writer() -> Iterator[bytes]:
            yield b"first chunk"
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write(store, draft(log, 3), dying_writer())
        (key,) = stored_keys(client)
        assert 0 < client.ttl(key) <= 600

    def test_whose_chunks_expired_while_it_was_written_is_refused(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)

        def slow_writer() -> Iterator[bytes]:
            yield b"first chunk"
            client.delete(*stored_keys(client))
            yield b"second chunk"

        with pytest.raises(RefusedError, match="its chunks were removed while it was written"):
            write(store, draft(log, 3), slow_writer())
        assert store.headers() == []

    def test_of_many_megabytes_is_never_one_command(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        chunk = bytes(500_000)
        header = write(store, draft(log, 3), [chunk] * 40)
        assert client.hlen(f"esdash:{{orders}}:snapshot:{header.snapshot_id}") == 40
        assert len(read_back(store, header)) == 20_000_000

    def test_can_be_deleted(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        assert store.delete(header.snapshot_id)
        assert not store.delete(header.snapshot_id)
        assert store.headers() == []
        assert stored_keys(client) == set()


class TestTheNewestFive:
    def test_are_kept_and_the_rest_is_gone_with_its_chunks(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        for ordinal in range(1, 10):
            write(store, draft(log, ordinal))
        assert ordinals(store) == [9, 8, 7, 6, 5]
        assert len(stored_keys(client)) == KEEP + 1

    def test_are_listed_with_the_one_that_saw_most_first(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 12)
        for ordinal in (2, 9, 10, 12):
            write(store, draft(log, ordinal))
        assert ordinals(store) == [12, 10, 9, 2]

    def test_an_older_one_does_not_replace_a_newer_one(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        newer = write(store, draft(log, 8))
        with pytest.raises(RefusedError, match="a newer snapshot is there already"):
            write(store, draft(log, 7))
        assert store.headers() == [newer]
        assert len(stored_keys(client)) == 2

    def test_the_check_is_made_when_the_snapshot_is_committed(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)

        def overtaken_writer() -> Iterator[bytes]:
            yield b"first chunk"
            write(store, draft(log, 8))
            yield b"second chunk"

        with pytest.raises(RefusedError, match="newer"):
            write(store, draft(log, 7), overtaken_writer())
        assert ordinals(store) == [8]

    def test_several_of_one_place_do_not_crowd_out_older_places(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        for ordinal in (2, 4, 6):
            write(store, draft(log, ordinal))
        # Five consumers leave at the same place.
        for _ in range(5):
            last = write(store, draft(log, 8))
        assert ordinals(store) == [8, 8, 6, 4, 2]
        assert last in store.headers()
        write(store, draft(log, 9))
        assert ordinals(store) == [9, 8, 6, 4, 2]

    @pytest.mark.counts_entries
    def test_one_of_what_was_left_after_a_gap_takes_the_place_of_those_that_cannot_be_used(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 90)
        for ordinal in (50, 60, 70, 80, 90):
            write(store, draft(log, ordinal))
        add(client, 20, start=91)
        client.xtrim(STREAM, minid="101-0", approximate=False)
        rebuilt = write(store, draft(log, 110, unseen=100), usable=False)
        assert ordinals(store) == [90, 80, 70, 60, 10]
        assert store.newest() == rebuilt
        assert read_back(store, rebuilt) == b"".join(CHUNKS)

    @pytest.mark.parametrize("unseen", [1, 40])
    def test_a_more_partial_one_never_takes_the_place_of_one_that_can_be_used(
        self, log: Stream, store: SnapshotStore, client: redis.Redis, unseen: int
    ) -> None:
        add(client, 90)
        complete = write(store, draft(log, 60))
        client.xtrim(STREAM, maxlen=40, approximate=False)
        with pytest.raises(RefusedError, match=f"has seen {unseen} .* more that left the stream"):
            write(store, draft(log, 90, unseen=unseen))
        assert store.headers() == [complete]
        assert len(stored_keys(client)) == 2, "nothing of it is left"

    def test_a_more_complete_one_is_stored_although_a_partial_one_has_come_further(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 90)
        partial = write(store, draft(log, 90, unseen=40))
        complete = write(store, draft(log, 80))
        assert store.headers() == [complete, partial]
        assert store.newest() == complete

    def test_each_version_has_five_of_its_own(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 30)
        for number in range(1, 31):
            version = f"rules {number % 2}"
            write(store, replace(draft(log, number), version=version))
        kept = [header for header in store.headers() if isinstance(header, Header)]
        for version, ordinals_kept in (("rules 0", [30, 28, 26, 24, 22]), ("rules 1", [29, 27, 25, 23, 21])):
            assert [header.ordinal for header in kept if header.version == version] == ordinals_kept

    def test_writers_side_by_side_leave_the_newest_whole(self, url: str, client: redis.Redis) -> None:
        add(client, 60)
        refused: list[RefusedError] = []

        def writer(first: int) -> None:
            log = Stream(Server(url), STREAM)
            store = SnapshotStore(log)
            for ordinal in range(first, 61, 4):
                try:
                    write(store, draft(log, ordinal))
                except RefusedError as error:
                    refused.append(error)
            log.server.close()

        threads = [threading.Thread(target=writer, args=(first,)) for first in (1, 2, 3, 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        log = Stream(Server(url), STREAM)
        store = SnapshotStore(log)
        assert ordinals(store)[0] == 60
        assert all("newer" in str(error) for error in refused)
        for header in store.headers():
            assert isinstance(header, Header)
            assert read_back(store, header) == b"".join(CHUNKS)
        assert len(stored_keys(client)) == len(store.headers()) + 1
        log.server.close()


class TestAnotherHistory:
    def test_a_snapshot_of_entries_that_the_log_never_had_is_refused(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        drafted = draft(log, 9)
        client.delete(STREAM)
        add(client, 5)
        with pytest.raises(RefusedError, match="does not contain what the state was made from"):
            write(store, drafted)
        assert stored_keys(client) == set()

    def test_a_snapshot_whose_last_entry_is_another_now_is_refused(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        with pytest.raises(RefusedError, match="does not contain"):
            write(store, draft(log, 9, anchor="f" * 40))

    @pytest.mark.counts_entries
    def test_a_snapshot_whose_last_entry_was_lost_is_refused(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 8)
        client.xadd(STREAM, {"number": "other"}, id="9-5")
        with pytest.raises(RefusedError, match="does not contain"):
            write(store, draft(log, 9, anchor="f" * 40))

    def test_a_stream_that_is_gone_takes_no_snapshot(self, log: Stream, store: SnapshotStore) -> None:
        with pytest.raises(RefusedError, match="does not contain"):
            write(store, draft(log, 3))

    def test_snapshots_of_a_former_history_are_set_aside_for_the_present_one(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 90)
        for ordinal in (70, 80, 90):
            write(store, draft(log, ordinal))
        client.delete(STREAM)
        add(client, 5)
        write(store, draft(log, 5))
        assert self.of_this_history(store) == [5]
        assert ordinals(store) == [90, 80, 70, 5]

    @pytest.mark.counts_entries
    def test_snapshots_of_a_former_history_are_used_when_it_comes_back(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 90)
        former = [write(store, draft(log, ordinal)) for ordinal in (70, 80, 90)]
        client.rename(STREAM, "elsewhere")
        add(client, 200, start=100)
        write(store, draft_at(log, "150-0", 51))
        # By its counts alone the one at 70 could be one of a log that was trimmed to what is left of this one.
        client.xtrim(STREAM, minid="290-0", approximate=False)
        assert self.of_this_history(store) == [51]
        client.rename("elsewhere", STREAM)
        assert self.of_this_history(store) == [90, 80, 70]
        add(client, 1, start=91)
        newest = write(store, draft(log, 91))
        client.xtrim(STREAM, maxlen=0, approximate=False)
        assert [header for header in store.headers() if header != newest][:3] == former[::-1]
        assert self.of_this_history(store) == [91, 90, 80, 70]

    @pytest.mark.counts_entries
    def test_no_more_than_five_are_set_aside(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        for round_number in range(1, 9):
            add(client, 3, start=round_number * 10)
            write(store, draft_at(log, f"{round_number * 10 + 2}-0", 3, created_ms=round_number))
            client.delete(STREAM)
        assert len(store.headers()) == KEEP + 1
        assert len(stored_keys(client)) == KEEP + 3

    @staticmethod
    def of_this_history(store: SnapshotStore) -> list[int]:
        """Ordinals of those that are not of another history."""
        return [
            header.ordinal
            for header in store.headers()
            if isinstance(header, Header) and store.continuity(header).verdict is not Verdict.DIVERGED
        ]

    @pytest.mark.counts_entries
    def test_snapshots_of_a_stream_that_was_made_again_with_more_entries_are_set_aside_too(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 90)
        for ordinal in (7, 80, 90):
            write(store, draft(log, ordinal))
        client.delete(STREAM)
        add(client, 200, start=100)
        write(store, draft_at(log, "184-0", 85))
        assert self.of_this_history(store) == [85]

    def test_a_snapshot_whose_last_entry_was_trimmed_or_deleted_stands(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 9)
        trimmed, deleted, newest = draft(log, 4), draft(log, 7), draft(log, 9)
        client.xtrim(STREAM, minid="6-0", approximate=False)
        client.xdel(STREAM, "7-0")
        for drafted in (trimmed, deleted, newest):
            write(store, drafted)
        assert ordinals(store) == [9, 7, 4]

    def test_binary_fields_have_the_same_anchor_here_and_on_the_server(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        client.xadd(STREAM, {bytes(range(256)): b"\x00\xff" * 50, b"": b"", "кот": "😀"}, id="1-0")
        write(store, draft(log, 1))
        assert ordinals(store) == [1]


@pytest.mark.one_generation
class TestDamage:
    def test_every_flipped_byte_of_a_header_is_found(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        good = index_value(client, header.snapshot_id)
        for place in range(len(good)):
            for mask in (0x01, 0x80, 0xFF):
                flipped = bytearray(good)
                flipped[place] ^= mask
                client.hset(INDEX, header.snapshot_id, bytes(flipped))
                assert store.headers() == [Unreadable(header.snapshot_id, "its header is damaged")]
        client.hset(INDEX, header.snapshot_id, good)
        assert store.headers() == [header]

    def test_every_flipped_byte_of_a_chunk_is_found(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        key = f"esdash:{{orders}}:snapshot:{header.snapshot_id}"
        for number, chunk in enumerate(CHUNKS):
            for place in range(len(chunk)):
                flipped = bytearray(chunk)
                flipped[place] ^= 1 << place % 8
                client.hset(key, str(number), bytes(flipped))
                with pytest.raises(DamagedError, match="the checksum is wrong"):
                    read_back(store, header)
            client.hset(key, str(number), chunk)
        assert read_back(store, header) == b"".join(CHUNKS)

    def test_a_truncated_header_is_found_at_every_length(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        good = index_value(client, header.snapshot_id)
        for length in range(len(good)):
            client.hset(INDEX, header.snapshot_id, good[:length])
            (found,) = store.headers()
            assert isinstance(found, Unreadable)

    def test_a_missing_chunk_is_named(self, log: Stream, store: SnapshotStore, client: redis.Redis) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        client.hdel(f"esdash:{{orders}}:snapshot:{header.snapshot_id}", "1")
        with pytest.raises(DamagedError, match="chunk 2 of 3 is missing"):
            read_back(store, header)

    def test_truncated_swapped_and_added_chunks_are_found(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        key = f"esdash:{{orders}}:snapshot:{header.snapshot_id}"
        client.hset(key, "2", CHUNKS[2][:-1])
        with pytest.raises(DamagedError, match="checksum"):
            read_back(store, header)
        client.hset(key, mapping={"0": CHUNKS[1], "1": CHUNKS[0], "2": CHUNKS[2]})
        with pytest.raises(DamagedError, match="checksum"):
            read_back(store, header)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"format": 2}, "it has format 2, this esdash reads 3"),
            ({"ordinal": "three"}, "its header cannot be read"),
            ({"last_event_id": "yesterday"}, "its header cannot be read"),
            ({"unseen": 10**30}, "its header cannot be read"),
            ({"ordinal": 2**64}, "its header cannot be read"),
            ({"surplus": 1}, "its header cannot be read"),
        ],
    )
    def test_a_header_that_makes_no_sense_is_not_believed_even_with_a_right_checksum(
        self, log: Stream, store: SnapshotStore, client: redis.Redis, changes: dict[str, Any], reason: str
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        rewrite_header(client, header.snapshot_id, **changes)
        (found,) = store.headers()
        assert isinstance(found, Unreadable)
        assert found.reason.startswith(reason)

    def test_a_header_stored_under_another_name_is_not_believed(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        header = write(store, draft(log, 3))
        client.hset(INDEX, "other", index_value(client, header.snapshot_id))
        assert store.headers() == [header, Unreadable("other", "its header belongs to another snapshot")]

    def test_rubbish_in_the_index_stands_in_nobodys_way(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 5)
        good = write(store, draft(log, 3))
        for name, value in {
            "": b"",
            "a": b"[]",
            "b": b"0" * 16 + b"{}",
            "c": b"0" * 16 + b"[1,",
            "d": b"\xff" * 300,
            "e": b"0" * 16 + b'{"ordinal":1e400,"unseen":0,"last_event_id":"9-9"}',
            "f": b"0" * 16 + b'{"ordinal":9,"unseen":0,"last_event_id":"9-9\\n"}',
        }.items():
            client.hset(INDEX, name, value)
        first, *others = store.headers()
        assert first == good
        assert all(isinstance(other, Unreadable) for other in others)
        better = write(store, draft(log, 5))
        assert store.headers() == [better, good]


class TestTheLease:
    def test_belongs_to_the_first_who_takes_it(self, store: SnapshotStore) -> None:
        assert store.lease_holder(RULES) is None
        assert store.hold_lease(RULES, "here:1", 30) == "here:1"
        assert store.hold_lease(RULES, "there:2", 30) == "here:1"
        assert store.lease_holder(RULES) == "here:1"

    def test_is_renewed_by_its_holder(self, store: SnapshotStore, client: redis.Redis) -> None:
        store.hold_lease(RULES, "here:1", 5)
        assert store.hold_lease(RULES, "here:1", 60) == "here:1"
        assert 50_000 < client.pttl("esdash:{orders}:lease:shop 1") <= 60_000

    def test_outlives_its_holder_by_no_more_than_its_time(self, store: SnapshotStore) -> None:
        store.hold_lease(RULES, "here:1", 0.05)
        eventually(lambda: store.hold_lease(RULES, "there:2", 30) == "there:2")
        assert store.hold_lease(RULES, "here:1", 30) == "there:2"

    def test_can_be_released_by_its_holder_only(self, store: SnapshotStore) -> None:
        store.hold_lease(RULES, "here:1", 30)
        store.release_lease(RULES, "there:2")
        assert store.lease_holder(RULES) == "here:1"
        store.release_lease(RULES, "here:1")
        assert store.lease_holder(RULES) is None
        assert store.hold_lease(RULES, "there:2", 30) == "there:2"


class TestTheKeys:
    @pytest.mark.parametrize("stream", ["{orders}", "}", "{}orders", "or{ders", "a}b", "{}{x}", ":{orders}", ""])
    def test_of_two_streams_are_never_the_same(self, url: str, client: redis.Redis, stream: str) -> None:
        client.xadd(stream, {"number": 1}, id="1-0")
        add(client, 1)
        server = Server(url)
        log, other = Stream(server, stream), Stream(server, STREAM)
        header = write(SnapshotStore(log), draft(log, 1))
        assert SnapshotStore(log).headers() == [header]
        assert SnapshotStore(other).headers() == []
        assert SnapshotStore(other).lease_holder(RULES) is None
        server.close()


class TestAServerThatSaysNo:
    def test_of_a_strange_key_says_whose_it_is(self, client: redis.Redis, log: Stream, store: SnapshotStore) -> None:
        add(client, 3)
        client.rpush(key_prefix(STREAM) + "snapshots", "no hash")
        client.rpush(store.lease_key(RULES), "no text")
        for ask in (store.headers, lambda: store.lease_holder(RULES), lambda: write(store, draft(log, 3))):
            with pytest.raises(
                RefusedError, match=r"begins with esdash:\{orders\}: holds something that is not esdash's"
            ):
                ask()

    def test_a_full_memory_is_told_in_words_and_leaves_nothing(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(appendonly="no")
        log = Stream(Server(server.url), STREAM)
        store = SnapshotStore(log)
        with server.client() as client:
            add(client, 3)
            client.config_set("maxmemory", "100kb")
            with pytest.raises(RefusedError, match="memory limit"):
                write(store, draft(log, 3))
            assert store.headers() == []
            client.config_set("maxmemory", "0")
            write(store, draft(log, 3))
        log.server.close()

    def test_a_replica_takes_no_snapshot(self, new_server: Callable[..., RunningServer]) -> None:
        primary = new_server(port=True)
        with primary.client() as client:
            add(client, 3)
        replica = new_server(replica_of=primary)
        log = Stream(Server(replica.url), STREAM)
        store = SnapshotStore(log)
        with pytest.raises(RefusedError, match="replica and takes no writes"):
            write(store, draft(log, 3))
        with pytest.raises(RefusedError, match="replica and takes no writes"):
            store.hold_lease(RULES, "here:1", 30)
        assert store.headers() == []
        log.server.close()

    def test_an_index_of_the_wrong_type_is_told_in_words(
        self, log: Stream, store: SnapshotStore, client: redis.Redis
    ) -> None:
        add(client, 3)
        client.set(INDEX, "not a hash")
        with pytest.raises(RefusedError):
            store.headers()
        with pytest.raises(RefusedError):
            write(store, draft(log, 3))

    def test_a_server_that_went_away_is_told_from_one_that_refused(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        server = new_server()
        log = Stream(Server(server.url), STREAM)
        store = SnapshotStore(log)
        with server.client() as client:
            add(client, 3)
        drafted = draft(log, 3)
        server.kill()
        for attempt in (store.headers, lambda: store.lease_holder(RULES), lambda: write(store, drafted)):
            with pytest.raises(UnreachableError):
                attempt()
        assert issubclass(UnreachableError, LogError)
        log.server.close()
