"""The restore ladder: a snapshot that cannot be trusted is passed over with its reason, and the next one is used."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import redis

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.shown.view import Position, Rung
from esdash.engine.snapshots import snapshot
from esdash.engine.snapshots.snapshot import Restoration, restore
from esdash.fold.raw import RAW, RawFold
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.domains.ways import WAYS, Present, present
from tests.engine.running import (
    STREAM,
    RunningConsumer,
    document,
    expected,
    publish,
    publish_day,
    publish_more,
    rows,
    sound,
)
from tests.strategies import json_bytes, raw_entry

pytestmark = pytest.mark.usefixtures("any_domain")

INDEX = "esdash:{orders}:snapshots"


def caught_up(url: str) -> RunningConsumer:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
    return consumer


def headers(log: Stream) -> list[Header]:
    return [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]


def climb(log: Stream) -> Restoration:
    return restore(log, SnapshotStore(log), Present(), clock=lambda: 0.0)


def chunks_key(header: Header) -> str:
    return f"esdash:{{orders}}:snapshot:{header.snapshot_id}"


def stored_header(client: redis.Redis, header: Header) -> bytes:
    raw = client.hget(INDEX, header.snapshot_id)
    assert isinstance(raw, bytes)
    return raw


def change_header(client: redis.Redis, header: Header, **changes: Any) -> None:
    """Change a stored header and make its checksum right again."""
    raw = json.dumps(json.loads(stored_header(client, header)[16:]) | changes).encode()
    client.hset(INDEX, header.snapshot_id, hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw)


def change_chunks(client: redis.Redis, header: Header, chunks: Sequence[bytes]) -> None:
    """Replace a stored snapshot's chunks and make every checksum right again."""
    client.delete(chunks_key(header))
    for number, chunk in enumerate(chunks):
        client.hset(chunks_key(header), str(number), chunk)
    change_header(
        client,
        header,
        chunks=len(chunks),
        size=sum(map(len, chunks)),
        checksum=hashlib.blake2b(b"".join(chunks), digest_size=16).hexdigest(),
    )


@pytest.fixture
def two(url: str, client: redis.Redis, log: Stream) -> tuple[Header, Header]:
    """The newer and the older of two small snapshots; some entries follow."""
    publish_day(client, 12)
    caught_up(url)
    client.xadd(STREAM, sound(10**6, 300, "k"))
    caught_up(url)
    client.xadd(STREAM, sound(10**6 + 1, 50, "l"))
    newer, older = headers(log)
    return newer, older


def assert_passed_over(found: Restoration, newer: Header, older: Header, reason: str) -> None:
    """The newer rung failed for the reason, the older one holds."""
    first, second = found.rungs
    assert (first.snapshot_id, second.snapshot_id) == (newer.snapshot_id, older.snapshot_id)
    assert first.reason is not None
    assert reason in first.reason
    assert second == Rung(older.snapshot_id, second.position, None)
    assert found.header == older
    assert found.projection.ordinal == 12


class TestAGoodSnapshot:
    @pytest.mark.counts_entries
    def test_is_the_only_rung(self, log: Stream, two: tuple[Header, Header]) -> None:
        found = climb(log)
        assert found.rungs == (Rung(two[0].snapshot_id, snapshot.info(two[0]).position, None),)
        assert found.header == two[0]
        assert str(found.continuity) == "CONTINUOUS"

    @pytest.mark.one_generation
    @pytest.mark.shop_alone
    def test_of_100_000_rows_comes_back_whole(self, url: str, client: redis.Redis, log: Stream) -> None:
        events = (present().sound(number * 7919, number + 1) for number in range(100_000))
        publish(client, (raw_entry(name, json_bytes(members)) for name, members in events))
        taken = caught_up(url)
        (header,) = headers(log)
        assert header.chunks > 10
        found = climb(log)
        assert found.header == header
        assert Present().digest(found.projection.state) == header.digest == taken.digest
        assert document(found.projection) == taken.document
        table, *_ = present().cell(0, 0)
        assert len(rows(found.projection.state)[table]) == 100_000
        largest = max(client.hstrlen(chunks_key(header), str(number)) for number in range(header.chunks))
        assert largest < 1_000_000, "no single command blocks the server"


@pytest.mark.domains_in_turn
@pytest.mark.one_generation
class TestDamage:
    @pytest.mark.shop_alone
    def test_a_flip_of_any_byte_of_the_header_is_passed_over(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        newer, older = two
        good = stored_header(client, newer)
        for place in range(len(good)):
            flipped = bytearray(good)
            flipped[place] ^= 1 << place % 8
            client.hset(INDEX, newer.snapshot_id, bytes(flipped))
            found = climb(log)
            # What cannot be placed is tried last, and so is not reached.
            assert found.header == older
            assert found.projection.ordinal == 12
        client.hset(INDEX, newer.snapshot_id, good)
        assert climb(log).header == newer

    def test_a_flip_of_a_byte_anywhere_in_the_chunks_is_passed_over(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        newer, older = two
        for number, chunk in enumerate(SnapshotStore(log).chunks(newer)):
            for place in {*range(0, len(chunk), 5), len(chunk) - 1}:
                flipped = bytearray(chunk)
                flipped[place] ^= 1 << place % 8
                client.hset(chunks_key(newer), str(number), bytes(flipped))
                assert_passed_over(climb(log), newer, older, "the checksum is wrong")
            client.hset(chunks_key(newer), str(number), chunk)
        assert climb(log).header == newer

    def test_a_flip_of_any_byte_with_the_checksums_fixed_up_never_gives_another_state(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header], any_domain: str
    ) -> None:
        newer, older = two
        chunks = list(SnapshotStore(log).chunks(newer))
        digest = Present().digest(climb(log).projection.state)
        for number, chunk in enumerate(chunks):
            # Each domain has a third of the places.
            for place in range([*WAYS].index(any_domain), len(chunk), len(WAYS)):
                flipped = bytearray(chunk)
                flipped[place] ^= 1 << place % 8
                change_chunks(client, newer, [*chunks[:number], bytes(flipped), *chunks[number + 1 :]])
                found = climb(log)
                if found.header is not None and found.header.snapshot_id == newer.snapshot_id:
                    # Only what a snapshot remembers for people stands outside the digest.
                    assert number == 0
                    assert Present().digest(found.projection.state) == digest
                else:
                    assert found.header == older

    def test_a_missing_chunk_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        client.hdel(chunks_key(newer), "1")
        assert_passed_over(climb(log), newer, older, f"chunk 2 of {newer.chunks} is missing")

    def test_missing_chunks_are_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        client.delete(chunks_key(newer))
        assert_passed_over(climb(log), newer, older, f"chunk 1 of {newer.chunks} is missing")

    def test_a_key_that_holds_something_else_is_passed_over(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        newer, older = two
        client.delete(chunks_key(newer))
        client.set(chunks_key(newer), "no hash")
        assert_passed_over(climb(log), newer, older, f"the key {chunks_key(newer)} holds something else")

    def test_a_truncated_chunk_is_passed_over_at_every_length(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        newer, older = two
        *_, (number, chunk) = enumerate(SnapshotStore(log).chunks(newer))
        for length in range(len(chunk)):
            client.hset(chunks_key(newer), str(number), chunk[:length])
            assert_passed_over(climb(log), newer, older, "the checksum is wrong")

    def test_everything_damaged_leads_to_the_beginning(
        self, url: str, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        for header in two:
            client.hset(chunks_key(header), "0", b"rubbish")
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.restored is not None
            assert [rung.snapshot_id for rung in view.restored.rungs] == [two[0].snapshot_id, two[1].snapshot_id, None]
            assert [rung.reason for rung in view.restored.rungs] == ["the checksum is wrong"] * 2 + [None]
            assert view.restored.replayed == 14
        assert consumer.document == expected(log)


@pytest.mark.domains_in_turn
class TestWhatDoesNotFit:
    def test_another_version_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        change_header(client, newer, version="0")
        assert_passed_over(climb(log), newer, older, f"made by version 0 of the rules, not {Present().version}")

    @pytest.mark.counts_entries
    def test_none_of_the_domain_s_matters_to_who_only_looks(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        client.xtrim(STREAM, maxlen=1, approximate=False)
        found = restore(log, SnapshotStore(log), RawFold(RAW), clock=lambda: 0.0)
        assert found.rungs == (Rung(None, Position(), None),), "nor is it said of them that they could not be used"
        assert (str(found.continuity), found.projection.unseen) == ("CONTINUOUS", two[0].ordinal)

    def test_a_snapshot_of_changed_rules_is_never_continued(self, log: Stream, two: tuple[Header, Header]) -> None:
        class ChangedFold(Present):
            def __init__(self) -> None:
                super().__init__()
                self.version = "changed"

        found = restore(log, SnapshotStore(log), ChangedFold(), clock=lambda: 0.0)
        assert [rung.snapshot_id for rung in found.rungs] == [two[0].snapshot_id, two[1].snapshot_id, None]
        assert found.projection.ordinal == 0

    def test_another_format_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        change_header(client, newer, format=99)
        client.delete(chunks_key(older))
        found = climb(log)
        reasons = {rung.snapshot_id: rung.reason for rung in found.rungs}
        assert reasons[newer.snapshot_id] == "it has format 99, this esdash reads 3"
        assert found.projection.ordinal == 0

    def test_a_wrong_digest_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        change_header(client, newer, digest="f" * 32)
        assert_passed_over(climb(log), newer, older, "the digest of its state is wrong")

    def test_a_cell_that_was_changed_with_every_checksum_fixed_up_is_passed_over(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header]
    ) -> None:
        newer, older = two
        journal, *state = SnapshotStore(log).chunks(newer)
        fold = Present()
        changed = fold.load(state)
        table, key, name, value = present().cell(10**6, 1_000_000)
        places = {each.name: [column.name for column in each.columns] for each in fold.domain.tables}
        fold.cells_of(changed)[table][places[table].index(name)][key] = value
        change_chunks(client, newer, [journal, *fold.dump(changed)])
        assert_passed_over(climb(log), newer, older, "the digest of its state is wrong")

    def test_a_wrong_ordinal_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        publish_more(client, 200)
        change_header(client, newer, ordinal=14)
        assert_passed_over(climb(log), newer, older, "its state is not that of 14 entries")

    def test_another_history_is_passed_over(self, client: redis.Redis, log: Stream, two: tuple[Header, Header]) -> None:
        newer, older = two
        change_header(client, newer, anchor="f" * 40)
        assert_passed_over(climb(log), newer, older, "is not the one that was applied: this is another history")

    @pytest.mark.parametrize("code", [-1, 16, 255, 256, 2**63])
    @pytest.mark.parametrize("part", ["recent", "parked"])
    def test_outcomes_that_do_not_exist_stop_nobody(
        self, url: str, client: redis.Redis, log: Stream, two: tuple[Header, Header], part: str, code: int
    ) -> None:
        newer, _ = two
        _, *state = SnapshotStore(log).chunks(newer)
        last = newer.last_event_id.encode()
        journal = [[(last, code)], []] if part == "recent" else [[], [(last, 3, code)]]
        change_chunks(client, newer, [msgspec.msgpack.encode(journal), *state])
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            outcomes = range(len(Present().outcomes))
            assert all(row.code in outcomes for row in (*view.rows, *view.parked))
        assert consumer.document == expected(log)

    @pytest.mark.parametrize(
        "journal",
        [b"", b"\x90", b"\xc0", b"\xff" * 50, b"\x91" * 5000, msgspec.msgpack.encode([[], [(b"not an id", 1, 1)]])],
    )
    def test_a_journal_that_makes_no_sense_stops_nobody(
        self, url: str, client: redis.Redis, log: Stream, two: tuple[Header, Header], journal: bytes
    ) -> None:
        newer, _ = two
        _, *state = SnapshotStore(log).chunks(newer)
        change_chunks(client, newer, [journal, *state])
        with RunningConsumer(url) as consumer:
            consumer.until_live()
        assert consumer.document == expected(log)

    @pytest.mark.parametrize("changes", [{"chunks": 0}, {"chunks": -1}, {"chunks": 10**15}, {"size": -5}])
    def test_a_header_that_lies_about_its_chunks_stops_nobody(
        self, client: redis.Redis, log: Stream, two: tuple[Header, Header], changes: dict[str, int]
    ) -> None:
        newer, older = two
        change_header(client, newer, **changes)
        assert climb(log).header is not None
        assert older in headers(log)


class TestTheScreen:
    def test_sees_each_rung_as_it_is_tried(self, url: str, client: redis.Redis, two: tuple[Header, Header]) -> None:
        client.hset(chunks_key(two[0]), "0", b"rubbish")
        with RunningConsumer(url) as consumer:
            consumer.until_live()
        tried = [len(view.restored.rungs) for view in consumer.views if view.restored is not None]
        assert tried[:3] == [0, 1, 2]

    def test_says_where_the_state_came_from_until_the_next_restore(
        self, url: str, client: redis.Redis, two: tuple[Header, Header]
    ) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            view = consumer.until_live(publish_more(client, 50)[-1])
            assert view.restored is not None
            assert (view.restored.snapshot_id, view.restored.position.ordinal) == (two[0].snapshot_id, 13)
            assert (view.restored.replayed, view.restored.done) == (1, True)

    @pytest.mark.counts_entries
    def test_a_partial_history_stays_labelled_after_a_restore(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        client.xtrim(STREAM, maxlen=20, approximate=False)
        caught_up(url)
        with RunningConsumer(url, ConsumerSettings(snapshot_seconds=0)) as consumer:
            view = consumer.until_live()
            assert view.restored is not None
            assert view.restored.snapshot_id is not None
            assert view.continuity is not None
            assert view.continuity.unseen_before_start == 30
