"""Completeness ranks before age: what once was known of the whole log is not given up for a part of it, unasked."""

import hashlib
import json
import threading
import time
from typing import Any

import pytest
import redis

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Rebuild, TakeSnapshot
from esdash.engine.guard import HaltError
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.shown.view import Phase, Verdict
from esdash.engine.snapshots.snapshot import forgotten, restore
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore, Unreadable
from esdash.log.stream import Stream, StreamFacts
from tests.domains.ways import Present
from tests.engine.running import (
    QUIET,
    STREAM,
    Clock,
    RunningConsumer,
    document,
    expected,
    publish_day,
    publish_more,
    stored,
)

pytestmark = [pytest.mark.two_generations, pytest.mark.counts_entries, pytest.mark.usefixtures("any_domain")]

INDEX = "esdash:{orders}:snapshots"

REBUILD = ConsumerSettings(snapshot_seconds=0, ignore_snapshots=True)


class OtherRules(Present):
    """The same domain, in another version."""

    def __init__(self) -> None:
        super().__init__()
        self.version = "other rules"


def once(log: Stream, domain: Present | None = None, **settings: Any) -> Consumer:
    """A consumer that has caught up, left its farewell snapshot and ended."""
    consumer = Consumer(log, domain or Present(), ConsumerSettings(once=True, **settings))
    consumer.run()
    return consumer


def asked(log: Stream) -> tuple[dict[str, Any], str, int]:
    """What `state` says: document, verdict, unseen."""
    projection, continuity = History(log, Present()).at()
    return document(projection), str(continuity), continuity.unseen_before_start


def stored_header(client: redis.Redis, header: Header) -> bytes:
    raw = client.hget(INDEX, header.snapshot_id)
    assert isinstance(raw, bytes)
    return raw


def flip_a_bit_of_the_header(client: redis.Redis, header: Header) -> None:
    raw = bytearray(stored_header(client, header))
    raw[-5] ^= 1
    client.hset(INDEX, header.snapshot_id, bytes(raw))


def forge(client: redis.Redis, header: Header, **changes: object) -> None:
    """A header that says something else under a checksum that is right."""
    raw = json.dumps(json.loads(stored_header(client, header)[16:]) | changes).encode()
    client.hset(INDEX, header.snapshot_id, hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw)


class TestARebuildOfATrimmedStream:
    def test_does_not_touch_the_complete_snapshot(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 1000)
        once(log)
        before = expected(log)
        client.xtrim(STREAM, maxlen=500, approximate=False)
        assert forgotten(log, SnapshotStore(log)) == 500
        rebuilt = once(log, ignore_snapshots=True)
        assert rebuilt.view.continuity is not None
        assert rebuilt.view.continuity.unseen_before_start == 500
        assert any("500 entries more that left the stream" in notice.text for notice in rebuilt.view.notices)
        assert asked(log) == (before, "CONTINUOUS", 0)
        assert once(log).view.position.ordinal == 1000

    def test_is_the_same_after_one_entry_that_was_read_was_deleted(self, client: redis.Redis, log: Stream) -> None:
        ids = publish_day(client, 1000)
        once(log)
        before = expected(log)
        client.xdel(STREAM, ids[500])
        assert forgotten(log, SnapshotStore(log)) == 1
        once(log, ignore_snapshots=True)
        assert asked(log) == (before, "CONTINUOUS", 0)

    def test_says_before_what_will_be_forgotten(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 1000)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            assert consumer.view.forgotten == 0
            client.xtrim(STREAM, maxlen=400, approximate=False)
            consumer.until(lambda view: view.forgotten == 600)
            consumer.ask(Rebuild())
            consumer.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal == 400)
            consumer.until(lambda view: view.forgotten == 0)

    def test_a_partial_consumer_beside_a_complete_one_changes_no_answer(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        entries = []
        publish_day(client, 100)
        entries += stored(log)
        once(log)
        client.xtrim(STREAM, maxlen=50, approximate=False)
        often = ConsumerSettings(snapshot_seconds=0.02)
        with RunningConsumer(url, REBUILD) as partial, RunningConsumer(url, often) as complete:
            partial.until_live()
            complete.until_live()
            for _ in range(5):
                last = publish_more(client, 20)[-1]
                entries += [entry for entry in stored(log) if entry[0] not in {known for known, _ in entries}]
                partial.until_live(last)
                partial.ask(TakeSnapshot())
                complete.until_live(last)
                assert asked(log) == (expected(entries), "CONTINUOUS", 0)
        assert asked(log) == (expected(entries), "CONTINUOUS", 0)

    def test_a_complete_consumer_takes_the_place_of_a_partial_one_whatever_is_stored(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 100)
        entries = stored(log)
        with RunningConsumer(url) as complete:
            complete.until_live(entries[-1][0])
            client.xtrim(STREAM, maxlen=50, approximate=False)
            once(log)
            assert asked(log)[2] == 50
            complete.ask(TakeSnapshot())
            complete.until(lambda view: any("taken in" in notice.text for notice in view.notices))
            assert asked(log) == (expected(entries), "CONTINUOUS", 0)
            last = publish_more(client, 10)[-1]
            complete.until_live(last)
            entries += stored(log)[-10:]
        assert asked(log) == (expected(entries), "CONTINUOUS", 0)


class TestAGapBehindACompleteSnapshot:
    def test_halts_until_a_person_agrees_and_is_left_behind_then(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 50)
        once(log)
        publish_more(client, 50)
        client.xtrim(STREAM, maxlen=30, approximate=False)
        with pytest.raises(HaltError):
            once(log)
        rebuilt = once(log, ignore_snapshots=True)
        assert rebuilt.projection is not None
        header = SnapshotStore(log).newest()
        assert header is not None
        assert (header.unseen, header.confirmed, header.ordinal) == (70, 70, 30)
        with RunningConsumer(url, QUIET) as again:
            view = again.until_live()
            assert view.restored is not None
            assert view.restored.snapshot_id == header.snapshot_id
        publish_more(client, 5)
        kept = once(log)
        assert kept.projection is not None
        assert kept.projection.confirmed == 70

    def test_once_agreed_to_hides_nothing_of_what_the_stream_holds(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 50)
        once(log)
        publish_more(client, 50)
        client.xtrim(STREAM, maxlen=30, approximate=False)
        first, tenth = (stored(log)[place][0] for place in (0, 9))
        history = History(log, Present())
        assert str(history.at(tenth)[1]) == "GAP 20"
        with pytest.raises(BrokenError):
            history.since(b"0-1")
        once(log, ignore_snapshots=True)
        for place, ordinal in ((first, 1), (tenth, 10)):
            projection, continuity = history.at(place)
            assert (projection.ordinal, str(continuity), projection.unseen) == (ordinal, "CONTINUOUS", 70)
        beginning = history.since(b"0-1")
        assert [row.ordinal for row in history.explain(beginning.projection)] == list(range(1, 31))

    def test_is_not_left_behind_for_a_partial_one_that_nobody_agreed_to(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 50)
        once(log)
        (complete,) = SnapshotStore(log).headers()
        raw = client.hget(INDEX, complete.snapshot_id)
        client.delete(INDEX)
        publish_more(client, 50)
        client.xtrim(STREAM, maxlen=30, approximate=False)
        once(log)
        client.hset(INDEX, complete.snapshot_id, raw or b"")
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.HALTED)
            assert view.position.ordinal == 50
            assert view.continuity is not None
            assert view.continuity.missing == 20


class TestASnapshotThatCannotBeRead:
    def test_of_what_the_stream_no_longer_holds_is_a_gap_and_no_first_visit(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 100)
        once(log)
        (header,) = SnapshotStore(log).headers()
        assert isinstance(header, Header)
        client.xtrim(STREAM, maxlen=40, approximate=False)
        flip_a_bit_of_the_header(client, header)
        assert asked(log)[1] == "GAP 60"
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.HALTED)
            assert "60 entries are gone from the stream" in view.phase_note
            assert view.lag == log.facts().length
            assert [rung.reason for rung in view.restored.rungs] == ["its header is damaged", None]  # type: ignore[union-attr]
            consumer.ask(Rebuild())
            consumer.until_live()
        assert asked(log)[1:] == ("CONTINUOUS", 60)
        newest = SnapshotStore(log).newest()
        assert newest is not None
        assert newest.confirmed == 60

    def test_is_not_left_behind_for_a_partial_one_either(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 100)
        with RunningConsumer(url) as complete:
            complete.until_live(stored(log)[-1][0])
            client.xtrim(STREAM, maxlen=40, approximate=False)
            once(log)
        newest = SnapshotStore(log).newest()
        assert newest is not None
        assert newest.unseen == 0
        assert len(SnapshotStore(log).headers()) == 2
        client.delete(f"esdash:{{orders}}:snapshot:{newest.snapshot_id}")
        assert asked(log)[1] == "GAP 60"

    def test_costs_nothing_while_the_stream_holds_everything(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 100)
        once(log)
        (header,) = SnapshotStore(log).headers()
        assert isinstance(header, Header)
        flip_a_bit_of_the_header(client, header)
        assert asked(log) == (expected(log), "CONTINUOUS", 0)

    @pytest.mark.parametrize("entry_id", ["1_0-1", "5-", "-5", "", "5", f"{2**64}-0", f"1-{2**64}"])
    def test_because_it_names_an_id_that_cannot_be_is_a_rung_that_failed(
        self, url: str, client: redis.Redis, log: Stream, entry_id: str
    ) -> None:
        publish_day(client, 20)
        once(log)
        publish_more(client, 20)
        once(log)
        newest = SnapshotStore(log).newest()
        assert newest is not None
        forge(client, newest, last_event_id=entry_id)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.restored is not None
            assert view.restored.position.ordinal == 20
        assert consumer.document == expected(log)


def test_snapshots_that_are_replaced_while_they_are_tried_are_no_reason_to_begin_anew(
    client: redis.Redis, log: Stream
) -> None:
    publish_day(client, 100)
    once(log)
    client.xtrim(STREAM, maxlen=10, approximate=False)

    class Replacing(SnapshotStore):
        """Sees each snapshot go, and newer ones come, between a look at the headers and one at the chunks."""

        replaced = 0

        def offered(self) -> list[Header | Unreadable]:
            headers = super().offered()
            if self.replaced < 3:
                self.replaced += 1
                publish_more(client, 5)
                once(log)
                for header in headers:
                    self.delete(header.snapshot_id)
            return headers

    found = restore(log, Replacing(log), Present(), clock=time.monotonic)
    assert str(found.continuity) == "CONTINUOUS"
    assert found.projection.position.ordinal == 115


class TestTwoVersionsOfTheRules:
    def test_each_keep_their_snapshots(self, client: redis.Redis, log: Stream) -> None:
        for _ in range(7):
            publish_more(client, 10)
            for domain in (Present(), OtherRules()):
                view = once(log, domain).view
                assert view.restored is not None
                assert view.restored.replayed == 10
        headers = [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]
        for version in (Present().version, "other rules"):
            made = [header.ordinal for header in headers if header.version == version]
            assert made == [70, 60, 50, 40, 30]

    def test_each_are_kept_by_a_consumer_of_their_own_and_no_other_is_shown(
        self, url: str, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("esdash.engine.snapshots.taking.process_name", lambda: f"here:{threading.get_ident()}")
        clock, settings = Clock(), ConsumerSettings(snapshot_seconds=30)
        last = publish_more(client, 10)[-1]
        with (
            RunningConsumer(url, settings, clock=clock) as first,
            RunningConsumer(url, settings, domain=OtherRules(), clock=clock) as second,
        ):
            for consumer in (first, second):
                consumer.until_live(last)
            clock.ahead += 31
            for consumer in (first, second):
                assert consumer.until(lambda view: view.snapshot).snapshot_note == ""
            headers = [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]
            shown = {consumer.view.snapshot.snapshot_id for consumer in (first, second) if consumer.view.snapshot}
            assert shown == {header.snapshot_id for header in headers}
            assert len({header.version for header in headers}) == 2
        assert once(log, Present()).view.snapshot == first.view.snapshot

    def test_each_go_on_although_the_stream_is_trimmed(self, client: redis.Redis, log: Stream) -> None:
        for _ in range(7):
            publish_more(client, 10)
            for domain in (Present(), OtherRules()):
                assert once(log, domain).view.position.ordinal % 10 == 0
            client.xtrim(STREAM, maxlen=3, approximate=False)


def test_a_log_that_comes_back_is_restored_from_its_snapshots(url: str, client: redis.Redis, log: Stream) -> None:
    publish_day(client, 100)
    before = expected(log)
    with RunningConsumer(url) as consumer:
        consumer.until_live(stored(log)[-1][0])
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot)
        client.xtrim(STREAM, maxlen=10, approximate=False)
        client.rename(STREAM, "elsewhere")
        consumer.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal == 0)
        client.rename("elsewhere", STREAM)
        consumer.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal == 100)
    assert consumer.document == before
    assert consumer.view.continuity is not None
    assert consumer.view.continuity.verdict is Verdict.CONTINUOUS


@pytest.mark.every_generation
def test_what_is_appended_while_one_looks_is_not_taken_for_gone(url: str, client: redis.Redis) -> None:
    class Busy(Stream):
        """A log that grows whenever somebody has asked for its facts."""

        def facts(self) -> StreamFacts:
            found = super().facts()
            publish_more(client, 3)
            return found

    publish_day(client, 10)
    log = Busy(Server(url), STREAM)
    once(log)
    assert forgotten(log, SnapshotStore(log)) == 0
    log.server.close()
