"""What a consumer is told about the log it follows: continuous, a gap, another history, or unknown."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from esdash.log.continuity import Continuity, Standing, Verdict, check, judge, unseen_before
from esdash.log.servers.server import Server
from esdash.log.stream import START, Entry, Evidence, Stream, StreamFacts, anchor_of
from esdash.log.transactions import read_facts
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = pytest.mark.every_generation

STREAM = "orders"


class Reader:
    """A consumer as far as continuity is concerned: how far it has read and what the last entry was."""

    def __init__(self, log: Stream) -> None:
        self.log = log
        self.position = START
        self.ordinal = 0
        self.anchor: str | None = None
        self.unseen = unseen_before(log.facts())

    def read(self, count: int = 1_000_000) -> list[bytes]:
        """Consume the next entries; their ids."""
        entries = self.log.page(self.position, count=count)
        if entries:
            self.position = entries[-1][0]
            self.ordinal += len(entries)
            self.anchor = anchor_of(entries[-1])
        return [entry_id for entry_id, _ in entries]

    def check(self, *, exact: bool = False) -> Continuity:
        """What continuity says about this position now."""
        return check(self.log, Standing(self.position, self.ordinal, self.unseen, self.anchor), exact=exact)

    @property
    def verdict(self) -> str:
        """`CONTINUOUS`, `GAP 2`, `DIVERGED`, `UNKNOWN`."""
        return str(self.check())


milliseconds = itertools.count(1_700_000_000_000)


def add(client: redis.Redis, count: int) -> list[bytes]:
    """Append entries whose ids were never given before, whatever the clock says; the ids."""
    with client.pipeline(transaction=False) as pipeline:
        for _ in range(count):
            pipeline.xadd(STREAM, {"value": "x"}, id=f"{next(milliseconds)}-0")
        added: list[bytes] = pipeline.execute()
    return added


def save(client: redis.Redis) -> bytes:
    """The stream as it is, for `lose_what_followed`."""
    saved = client.dump(STREAM)
    assert saved is not None
    return saved


def lose_what_followed(client: redis.Redis, saved: bytes) -> None:
    """Put the stream back to what it was, as a failover to a replica that lacks the tail does."""
    client.restore(STREAM, 0, saved, replace=True)


def ids_of(log: Stream) -> list[bytes]:
    return [entry_id for entry_id, _ in log.page(START, count=1_000_000)]


def add_at(client: redis.Redis, *ids: str, value: str = "x") -> None:
    for entry_id in ids:
        client.xadd(STREAM, {"value": value}, id=entry_id)


def keep_newest(client: redis.Redis, count: int) -> None:
    client.xtrim(STREAM, maxlen=count, approximate=False)


class TestAnUntouchedLog:
    def test_is_continuous_before_the_first_entry(self, log: Stream) -> None:
        assert Reader(log).check() == Continuity(Verdict.CONTINUOUS)

    @pytest.mark.counts_entries
    def test_is_continuous_wherever_the_reader_stands(self, log: Stream, client: redis.Redis) -> None:
        add(client, 250)
        reader = Reader(log)
        for _ in range(6):
            assert reader.check() == Continuity(Verdict.CONTINUOUS)
            assert reader.check(exact=True) == Continuity(Verdict.CONTINUOUS)
            reader.read(50)
        assert reader.ordinal == 250

    @pytest.mark.counts_entries
    def test_is_continuous_when_the_server_creates_the_stream_after_the_reader_came(
        self, log: Stream, client: redis.Redis
    ) -> None:
        reader = Reader(log)
        add(client, 3)
        assert reader.verdict == "CONTINUOUS"

    @pytest.mark.counts_entries
    def test_a_wrong_ordinal_is_noticed(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read(5)
        reader.ordinal -= 1
        assert reader.verdict == "GAP 1"
        reader.ordinal += 2
        assert reader.verdict == "DIVERGED"


@pytest.mark.counts_entries
class TestATrimmedLog:
    def test_trimmed_exactly_to_the_position_is_continuous(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read(6)
        keep_newest(client, 4)
        assert reader.check() == Continuity(Verdict.CONTINUOUS)

    def test_trimmed_short_of_the_position_is_continuous(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read(6)
        keep_newest(client, 7)
        assert reader.check() == Continuity(Verdict.CONTINUOUS)

    def test_two_unread_entries_trimmed_are_a_gap_of_two_between_named_ids(
        self, log: Stream, client: redis.Redis
    ) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(6)
        keep_newest(client, 2)
        found = reader.check()
        assert str(found) == "GAP 2"
        assert (found.missing, found.after, found.before) == (2, ids[5].decode(), ids[8].decode())
        assert ids[5].decode() in found.explanation

    def test_trimmed_to_nothing_behind_the_reader_is_continuous(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read()
        keep_newest(client, 0)
        assert reader.verdict == "CONTINUOUS"
        add(client, 3)
        assert reader.verdict == "CONTINUOUS"

    def test_trimmed_to_nothing_before_the_reader_is_a_gap_with_an_open_end(
        self, log: Stream, client: redis.Redis
    ) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(7)
        keep_newest(client, 0)
        found = reader.check()
        assert (str(found), found.after, found.before) == ("GAP 3", ids[6].decode(), None)

    def test_a_gap_from_the_very_beginning_is_told_in_words(self, log: Stream, client: redis.Redis) -> None:
        add(client, 5)
        reader = Reader(log)
        keep_newest(client, 4)
        found = reader.check()
        assert str(found) == "GAP 1"
        assert "1 entry vanished unread after the beginning" in found.explanation

    def test_a_stream_that_is_capped_by_its_producer_is_continuous_for_a_reader_who_keeps_up(
        self, log: Stream, client: redis.Redis
    ) -> None:
        reader = Reader(log)
        for _ in range(30):
            for _ in range(7):
                client.xadd(STREAM, {"value": "x"}, maxlen=10, approximate=False)
            assert reader.verdict == "CONTINUOUS"
            reader.read()
        assert reader.ordinal == 210
        for _ in range(13):
            client.xadd(STREAM, {"value": "x"}, maxlen=10, approximate=False)
        assert reader.verdict == "GAP 3"


@pytest.mark.counts_entries
class TestDeletedEntries:
    def test_each_unread_entry_deleted_makes_the_gap_one_wider(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(4)
        for gone, entry_id in enumerate((ids[7], ids[5], ids[4], ids[9]), 1):
            client.xdel(STREAM, entry_id)
            assert reader.verdict == f"GAP {gone}"

    def test_a_gap_ends_before_the_first_entry_after_the_newest_deleted_one(
        self, log: Stream, client: redis.Redis
    ) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(4)
        client.xdel(STREAM, ids[6])
        found = reader.check()
        assert (found.after, found.before) == (ids[3].decode(), ids[7].decode())

    def test_a_deleted_newest_entry_leaves_the_gap_open(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(4)
        client.xdel(STREAM, ids[9])
        assert (str(reader.check()), reader.check().before) == ("GAP 1", None)

    def test_deleted_behind_the_position_is_continuous(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(6)
        client.xdel(STREAM, *ids[1:4])
        assert reader.verdict == "CONTINUOUS"

    def test_the_entry_at_the_position_may_be_deleted(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        reader.read(6)
        client.xdel(STREAM, ids[5])
        assert reader.verdict == "CONTINUOUS"
        client.xdel(STREAM, ids[6])
        assert reader.verdict == "GAP 1"

    def test_deleted_and_trimmed_ones_add_up(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 20)
        reader = Reader(log)
        reader.read(5)
        client.xdel(STREAM, ids[1], ids[12], ids[15])
        client.xtrim(STREAM, minid=ids[8], approximate=False)
        assert reader.verdict == "GAP 5"


@pytest.mark.counts_entries
class TestLongTails:
    """Where the tail is longer than what one check reads, entries are counted only when it matters."""

    def test_a_long_tail_is_continuous(self, log: Stream, client: redis.Redis) -> None:
        add(client, 1500)
        reader = Reader(log)
        reader.read(10)
        assert reader.verdict == "CONTINUOUS"
        assert str(reader.check(exact=True)) == "CONTINUOUS"

    @pytest.mark.parametrize("tail", [100, 101, 102, 1001])
    def test_a_deletion_far_ahead_is_a_gap(self, log: Stream, client: redis.Redis, tail: int) -> None:
        ids = add(client, 20 + tail)
        reader = Reader(log)
        reader.read(20)
        client.xdel(STREAM, ids[-5], ids[-1])
        assert str(reader.check()) == "GAP 2"
        assert str(reader.check(exact=True)) == "GAP 2"

    @pytest.mark.parametrize("tail", [100, 101, 102, 1001])
    def test_a_deletion_behind_is_continuous(self, log: Stream, client: redis.Redis, tail: int) -> None:
        ids = add(client, 20 + tail)
        reader = Reader(log)
        reader.read(20)
        client.xdel(STREAM, ids[2], ids[19])
        assert str(reader.check()) == "CONTINUOUS"
        assert str(reader.check(exact=True)) == "CONTINUOUS"

    def test_trimmed_past_the_position_is_a_gap(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 1500)
        reader = Reader(log)
        reader.read(20)
        keep_newest(client, 1400)
        found = reader.check()
        assert (str(found), found.before) == ("GAP 80", ids[100].decode())


class TestAnotherHistory:
    def test_a_deleted_stream_has_diverged(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read(5)
        client.delete(STREAM)
        found = reader.check()
        assert found.verdict is Verdict.DIVERGED
        assert "is gone" in found.explanation

    @pytest.mark.counts_entries
    @pytest.mark.parametrize("again", [1, 4, 5, 6, 10, 500])
    def test_a_stream_that_was_made_again_has_diverged(self, log: Stream, client: redis.Redis, again: int) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read(5)
        client.delete(STREAM)
        add(client, again)
        assert reader.verdict == "DIVERGED"

    @pytest.mark.counts_entries
    def test_a_stream_made_again_with_greater_ids_and_more_entries_is_never_continuous(
        self, log: Stream, client: redis.Redis
    ) -> None:
        add(client, 10)
        reader = Reader(log)
        reader.read()
        client.delete(STREAM)
        add(client, 25)
        # Nothing but the count tells: 25 entries came after the position, so 10 more than were ever added.
        assert reader.verdict == "DIVERGED"

    def test_an_anchor_with_other_fields_has_diverged(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1")
        reader = Reader(log)
        reader.read(2)
        client.delete(STREAM)
        add_at(client, "1-1")
        add_at(client, "2-1", value="another")
        add_at(client, "3-1")
        found = reader.check()
        assert found.verdict is Verdict.DIVERGED
        assert "2-1 is not the one that was applied" in found.explanation

    def test_a_log_that_lost_its_tail_has_diverged(self, log: Stream, client: redis.Redis) -> None:
        add(client, 8)
        saved = save(client)
        add(client, 3)
        reader = Reader(log)
        reader.read()
        lose_what_followed(client, saved)
        found = reader.check()
        assert found.verdict is Verdict.DIVERGED
        assert "ends at" in found.explanation

    @pytest.mark.counts_entries
    @pytest.mark.parametrize("more", [1, 3, 4, 150])
    def test_a_log_that_lost_its_tail_and_went_on_has_diverged(
        self, log: Stream, client: redis.Redis, more: int
    ) -> None:
        add(client, 8)
        saved = save(client)
        add(client, 3)
        reader = Reader(log)
        reader.read()
        lose_what_followed(client, saved)
        add(client, more)
        assert reader.verdict == "DIVERGED"

    @pytest.mark.counts_entries
    def test_a_reader_behind_the_lost_tail_goes_on(self, log: Stream, client: redis.Redis) -> None:
        add(client, 8)
        saved = save(client)
        reader = Reader(log)
        reader.read()
        add(client, 3)
        lose_what_followed(client, saved)
        add(client, 5)
        assert reader.verdict == "CONTINUOUS"

    @pytest.mark.counts_entries
    def test_as_many_lost_as_deleted_unread_does_not_add_up_to_continuous(
        self, log: Stream, client: redis.Redis
    ) -> None:
        add(client, 8)
        saved = save(client)
        add(client, 1)
        reader = Reader(log)
        reader.read()
        lose_what_followed(client, saved)
        ids = add(client, 4)
        client.xdel(STREAM, ids[2])
        assert reader.verdict == "DIVERGED"


@pytest.mark.counts_entries
class TestAttachingLate:
    def test_a_log_that_was_trimmed_before_is_continuous_and_partial(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        keep_newest(client, 4)
        reader = Reader(log)
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=6)
        reader.read()
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=6)

    def test_what_vanishes_later_is_still_a_gap(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        keep_newest(client, 4)
        reader = Reader(log)
        reader.read(2)
        keep_newest(client, 1)
        found = reader.check()
        assert (str(found), found.unseen_before_start) == ("GAP 1", 6)

    def test_entries_deleted_ahead_before_the_start_are_not_missed(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 300)
        client.xdel(STREAM, ids[250], ids[299])
        reader = Reader(log)
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=2)
        for _ in range(3):
            reader.read(100)
            assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=2)
        client.xdel(STREAM, ids[10])
        assert reader.verdict == "CONTINUOUS"

    def test_a_stream_that_was_emptied_before_is_continuous_and_partial(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        keep_newest(client, 0)
        reader = Reader(log)
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=10)
        add(client, 2)
        assert reader.verdict == "CONTINUOUS"


@pytest.mark.counts_entries
class TestARestartedServer:
    @pytest.mark.parametrize("how", ["append-only file", "snapshot file"])
    def test_keeps_every_verdict(self, new_server: Callable[..., RunningServer], how: str) -> None:
        if how == "append-only file":
            server = new_server(appendonly="yes", appendfsync="always")
        else:
            server = new_server(appendonly="no", save="3600 1")
        with server.client() as client:
            ids = add(client, 30)
            log = Stream(Server(server.url), STREAM)
            readers = {n: Reader(log) for n in (5, 12, 20, 30)}
            for count, reader in readers.items():
                reader.read(count)
            client.xdel(STREAM, ids[3], ids[16], ids[25])
            client.xtrim(STREAM, minid=ids[10], approximate=False)
            before = {count: reader.check() for count, reader in readers.items()}
        server.restart()
        log.server.close()
        assert {count: str(found) for count, found in before.items()} == {
            5: "GAP 7",
            12: "GAP 2",
            20: "GAP 1",
            30: "CONTINUOUS",
        }
        assert {count: reader.check() for count, reader in readers.items()} == before
        log.server.close()

    def test_that_rewrote_its_append_only_file_keeps_every_verdict(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        # A rewritten file recreates a stream by XADD and XSETID.
        server = new_server(appendonly="yes", aof_use_rdb_preamble="no")
        log = Stream(Server(server.url), STREAM)
        with server.client() as client:
            ids = add(client, 30)
            reader, behind = Reader(log), Reader(log)
            reader.read()
            behind.read(20)
            client.xdel(STREAM, ids[24], ids[29])
            client.xtrim(STREAM, minid=ids[10], approximate=False)
            client.bgrewriteaof()
            _wait_for_rewrite(client)
        server.restart()
        log.server.close()
        assert (reader.verdict, behind.verdict) == ("CONTINUOUS", "GAP 2")
        log.server.close()


def _wait_for_rewrite(client: redis.Redis) -> None:
    def done() -> bool:
        persistence = client.info("persistence")
        return not persistence["aof_rewrite_in_progress"] and not persistence["aof_rewrite_scheduled"]

    eventually(done)
    assert client.info("persistence")["aof_last_bgrewrite_status"] == "ok"


class TestIdsSetByHand:
    """XSETID is for servers that copy streams; whoever uses it by hand must not make esdash lie."""

    @pytest.mark.counts_entries
    def test_a_raised_last_id_changes_nothing(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1")
        reader = Reader(log)
        reader.read(2)
        client.execute_command("XSETID", STREAM, "9-9")
        assert reader.verdict == "CONTINUOUS"
        reader.read()
        assert reader.verdict == "CONTINUOUS"

    @pytest.mark.counts_entries
    def test_a_raised_counter_is_a_gap(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1")
        reader = Reader(log)
        reader.read()
        client.execute_command("XSETID", STREAM, "3-1", "ENTRIESADDED", 8)
        found = reader.check()
        assert str(found) == "GAP 5"
        assert "counts 5 entries more than were read up to 3-1" in found.explanation

    @pytest.mark.counts_entries
    def test_a_lowered_counter_has_diverged(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1", "4-1")
        client.xdel(STREAM, "1-1", "2-1")
        reader = Reader(log)
        reader.unseen = 0
        reader.ordinal = 2
        reader.read()
        assert (reader.ordinal, reader.verdict) == (4, "CONTINUOUS")
        client.execute_command("XSETID", STREAM, "4-1", "ENTRIESADDED", 3, "MAXDELETEDID", "2-1")
        assert reader.verdict == "DIVERGED"

    @pytest.mark.counts_entries
    def test_a_counter_that_begins_anew_with_another_server_can_be_set(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1", "4-1", "5-1")
        reader = Reader(log)
        reader.read(3)
        keep_newest(client, 3)
        # What becomes of a stream that a server older than 7.0 has trimmed when a newer one loads it.
        client.execute_command("XSETID", STREAM, "5-1", "ENTRIESADDED", 3, "MAXDELETEDID", "0-0")
        found = reader.check()
        assert found.verdict is Verdict.DIVERGED
        assert "`XSETID <stream> 5-1 ENTRIESADDED 5`" in found.explanation
        client.execute_command("XSETID", STREAM, "5-1", "ENTRIESADDED", 5)
        assert reader.verdict == "CONTINUOUS"

    def test_a_lowered_last_id_has_diverged(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1")
        reader = Reader(log)
        reader.read()
        keep_newest(client, 0)
        client.execute_command("XSETID", STREAM, "1-1")
        assert reader.verdict == "DIVERGED"

    @pytest.mark.counts_entries
    def test_a_new_reader_of_a_stream_with_a_raised_counter_starts_partial(
        self, log: Stream, client: redis.Redis
    ) -> None:
        add_at(client, "1-1", "2-1")
        client.execute_command("XSETID", STREAM, "7-1", "ENTRIESADDED", 9, "MAXDELETEDID", "6-1")
        reader = Reader(log)
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=7)
        reader.read()
        assert reader.check() == Continuity(Verdict.CONTINUOUS, unseen_before_start=7)

    @pytest.mark.counts_entries
    def test_the_greatest_ids_there_are_can_be_compared(self, log: Stream, client: redis.Redis) -> None:
        add_at(client, "0-1", f"{2**64 - 1}-{2**64 - 2}", f"{2**64 - 1}-{2**64 - 1}")
        reader = Reader(log)
        reader.read(2)
        assert reader.verdict == "CONTINUOUS"
        client.xdel(STREAM, f"{2**64 - 1}-{2**64 - 1}")
        assert reader.verdict == "GAP 1"


REDIS_6_2_REPLY = [
    b"length",
    3,
    b"radix-tree-keys",
    1,
    b"radix-tree-nodes",
    2,
    b"last-generated-id",
    b"1700000000003-0",
    b"groups",
    0,
    b"first-entry",
    [b"1700000000001-0", [b"value", b"x"]],
    b"last-entry",
    [b"1700000000003-0", [b"value", b"x"]],
]
"""`XINFO STREAM` as Redis 6.2 answers: it does not count entries."""


class LogOfAnOldServer(Stream):
    """A log whose server answers `XINFO STREAM` like Redis 6.2."""

    def commands(self, commands: object, *, atomic: bool = False) -> list[object]:
        replies = super().commands(commands, atomic=atomic)  # type: ignore[arg-type]
        return [_like_an_old_server(reply) for reply in replies]


def _like_an_old_server(reply: object) -> object:
    if isinstance(reply, list) and reply and reply[0] == b"length":
        pairs = zip(reply[::2], reply[1::2], strict=True)
        kept = (b"length", b"last-generated-id", b"first-entry", b"last-entry")
        return [part for name, value in pairs if name in kept for part in (name, value)]
    return reply


class TestAServerBeforeRedis7:
    def test_does_not_count_entries(self) -> None:
        facts = read_facts(REDIS_6_2_REPLY)
        assert facts.entries_added is None
        assert facts == StreamFacts(3, None, b"1700000000001-0", b"1700000000003-0", START, True)
        assert unseen_before(facts) == 0
        found = judge(Standing(b"1700000000003-0", 3, 0, None), Evidence(facts, None, 0))
        assert found is not None
        assert found.verdict is Verdict.UNKNOWN

    def test_is_unknown_and_says_why(self, url: str, client: redis.Redis) -> None:
        ids = add(client, 5)
        log = LogOfAnOldServer(Server(url), STREAM)
        reader = Reader(log)
        assert reader.verdict == "UNKNOWN"
        reader.read(3)
        client.xdel(STREAM, ids[3])
        found = reader.check()
        assert found.verdict is Verdict.UNKNOWN
        assert "older than Redis 7" in found.explanation
        log.server.close()

    def test_still_shows_that_a_log_is_another_one(self, url: str, client: redis.Redis) -> None:
        add_at(client, "1-1", "2-1", "3-1")
        log = LogOfAnOldServer(Server(url), STREAM)
        reader = Reader(log)
        reader.read()
        client.delete(STREAM)
        assert reader.verdict == "DIVERGED"
        add_at(client, "1-1", "2-1")
        assert reader.verdict == "DIVERGED"
        add_at(client, "3-1", value="another")
        assert reader.verdict == "DIVERGED"
        log.server.close()


def proven(reader: Reader, count: int = 1000) -> str | None:
    """What is proven of a page of so many entries by what was read together with it; None: nothing yet."""
    page = next(reader.log.pages(reader.position, count=count))
    found = judge(Standing(reader.position, reader.ordinal, reader.unseen, reader.anchor), page.evidence)
    return None if found is None else str(found)


class TestWhatAPageProves:
    """`judge` must never call a page sound before which entries are missing, and should where nothing happened."""

    @pytest.mark.counts_entries
    def test_a_page_of_a_log_that_nothing_left(self, log: Stream, client: redis.Redis) -> None:
        add(client, 10)
        reader = Reader(log)
        assert proven(reader, 4) == "CONTINUOUS"
        reader.read(4)
        assert proven(reader, 4) == "CONTINUOUS"

    @pytest.mark.counts_entries
    def test_pages_before_an_entry_that_was_deleted_before_the_start(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        client.xdel(STREAM, ids[8])
        assert proven(Reader(log), 4) == "CONTINUOUS"

    @pytest.mark.counts_entries
    def test_not_a_page_with_a_hole(self, log: Stream, client: redis.Redis) -> None:
        ids = add(client, 10)
        reader = Reader(log)
        client.xdel(STREAM, ids[4])
        reader.read(2)
        client.xdel(STREAM, ids[3])
        assert proven(reader, 4) is None, "the hole may lie in it or after it: only counting can tell"
        assert proven(reader) == "GAP 2"

    @pytest.mark.counts_entries
    def test_not_a_page_that_ends_a_log_with_fewer_entries_than_were_applied(
        self, log: Stream, client: redis.Redis
    ) -> None:
        add(client, 8)
        saved = save(client)
        add(client, 1)
        reader = Reader(log)
        reader.read()
        lose_what_followed(client, saved)
        add(client, 1)
        assert proven(reader) == "DIVERGED"

    @pytest.mark.counts_entries
    def test_not_a_page_of_a_stream_that_was_made_again(self, log: Stream, client: redis.Redis) -> None:
        add(client, 8)
        reader = Reader(log)
        reader.read()
        client.delete(STREAM)
        add(client, 20)
        assert proven(reader, 4) == "DIVERGED"

    def test_an_absent_stream_only_to_who_has_seen_nothing(self, log: Stream) -> None:
        nothing = log.evidence(START)
        assert judge(Standing(START, 0, 0, None), nothing) == Continuity(Verdict.CONTINUOUS)
        for standing in (Standing(b"5-1", 3, 0, None), Standing(START, 0, 3, None)):
            found = judge(standing, nothing)
            assert found is not None
            assert found.verdict is Verdict.DIVERGED

    @pytest.mark.counts_entries
    def test_no_page_of_another_log_with_the_same_counts(self, log: Stream, client: redis.Redis) -> None:
        add(client, 8)
        reader = Reader(log)
        reader.read()
        client.rename(STREAM, "elsewhere")
        add(client, 12)
        assert (log.facts().entries_added, log.facts().length) == (12, 12)
        assert proven(reader) == "DIVERGED"
        assert proven(reader, 4) == "DIVERGED"


@dataclass
class Position:
    """Where a reader stood, and what it had read."""

    reader: Reader
    seen: list[bytes] = field(default_factory=list)


class EverythingThatCanHappen(RuleBasedStateMachine):
    """Random reading, adding, trimming, deleting, losing the tail, against lists that remember every entry."""

    log: Stream
    client: redis.Redis

    def __init__(self) -> None:
        super().__init__()
        self.client.delete(STREAM)
        self.history: list[bytes] = []
        """Every entry that was ever in the present log, oldest first."""
        self.vanished: set[bytes] = set()
        self.saved: tuple[bytes, list[bytes], set[bytes]] | None = None
        self.positions: list[Position] = []

    @initialize(count=st.integers(0, 120), kept=st.integers(0, 120), deleted=st.integers(0, 3))
    def begin_with_a_used_log(self, count: int, kept: int, deleted: int) -> None:
        ids = add(self.client, count)
        if count:
            keep_newest(self.client, kept)
            for entry_id in ids[-kept:][:deleted]:
                self.client.xdel(STREAM, entry_id)
        self.history = ids_of(self.log)
        self.positions = [Position(Reader(self.log))]

    @property
    def position(self) -> Position:
        return self.positions[-1]

    def expected(self, position: Position) -> str:
        """What the bookkeeping says: a gap of so many, or another history."""
        if position.seen != self.history[: len(position.seen)]:
            return "DIVERGED"
        missing = sum(entry_id in self.vanished for entry_id in self.history[len(position.seen) :])
        return f"GAP {missing}" if missing else "CONTINUOUS"

    @rule(count=st.integers(1, 5) | st.just(130))
    def add(self, count: int) -> None:
        self.history += add(self.client, count)

    @rule(count=st.integers(1, 200), keep=st.booleans())
    def read(self, count: int, keep: bool) -> None:
        if self.expected(self.position) != "CONTINUOUS":
            return
        before = self.position
        reader = Reader(self.log)
        vars(reader).update(vars(before.reader))
        after = Position(reader, before.seen + reader.read(count))
        if keep:
            self.positions.append(after)
        else:
            self.positions[-1] = after

    @rule(unread=st.integers(-5, 20))
    def trim_around_the_position(self, unread: int) -> None:
        last = max(0, len(self.position.seen) + unread)
        doomed = self.history[:last]
        if doomed:
            self.client.xtrim(STREAM, minid=_after(doomed[-1]), approximate=False)
            self.vanished.update(doomed)

    @rule(offsets=st.lists(st.integers(-6, 6), max_size=3))
    def delete_around_the_position(self, offsets: list[int]) -> None:
        for offset in offsets:
            place = len(self.position.seen) + offset
            if 0 <= place < len(self.history):
                self.client.xdel(STREAM, self.history[place])
                self.vanished.add(self.history[place])

    @precondition(lambda self: self.history)
    @rule()
    def keep_what_a_replica_has(self) -> None:
        self.saved = (save(self.client), list(self.history), set(self.vanished))

    @precondition(lambda self: self.saved and len(self.saved[1]) < len(self.history))
    @rule(more=st.integers(0, 5))
    def lose_the_tail(self, more: int) -> None:
        assert self.saved is not None
        dump, history, vanished = self.saved
        lose_what_followed(self.client, dump)
        self.history, self.vanished = list(history), set(vanished)
        self.history += add(self.client, more)

    @rule()
    def begin_again_from_what_is_left(self) -> None:
        reader = Reader(self.log)
        self.history = ids_of(self.log)
        self.vanished = set()
        self.saved = None
        self.positions = [Position(reader)]

    @invariant()
    def every_position_is_judged_as_the_books_say(self) -> None:
        facts = self.log.facts()
        for position in self.positions:
            reader = position.reader
            expected = self.expected(position)
            found = str(reader.check())
            if expected != "DIVERGED":
                assert found == str(reader.check(exact=True)) == expected
                assert proven(reader) in (expected, None)
            elif found != "DIVERGED":
                # Lost ones that more vanished ones outweigh look like a smaller gap: never like a sound log,
                # unless everything up to the position was trimmed, when nothing is left to compare with.
                trimmed = facts.first_id is None or _parts(facts.first_id) > _parts(reader.position)
                assert trimmed or found.startswith("GAP")


def _parts(entry_id: bytes) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split(b"-")))


def _after(entry_id: bytes) -> bytes:
    milliseconds, sequence = _parts(entry_id)
    return b"%d-%d" % (milliseconds, sequence + 1)


@pytest.mark.counts_entries
def test_every_verdict_is_what_the_bookkeeping_of_random_days_says(log: Stream, client: redis.Redis) -> None:
    class Days(EverythingThatCanHappen):
        pass

    Days.log, Days.client = log, client
    run_state_machine_as_test(
        Days,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_an_anchor_stands_for_id_and_fields() -> None:
    entry: Entry = (b"1-1", [b"a", b"bc"])
    others: list[Entry] = [(b"1-2", [b"a", b"bc"]), (b"1-1", [b"ab", b"c"]), (b"1-1", [b"a", b"bc", b"", b""])]
    assert len({anchor_of(other) for other in [entry, *others]}) == 4
