"""A log that is not the one the state was made from: found at once, healed from what still fits, orphans listed."""

from collections.abc import Callable, Sequence

import pytest
import redis
from msgspec.structs import replace

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.shown.view import Phase, Verdict, View
from esdash.fold.folding import Entry, Told
from esdash.fold.state import State
from esdash.log.errors import LogError
from esdash.log.servers.server import Server
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import START, Stream, StreamFacts
from tests.domains.ways import Present
from tests.engine.running import (
    QUIET,
    STREAM,
    RunningConsumer,
    expected,
    modelled_rows,
    publish_day,
    publish_more,
    seen_rows,
    shown,
    sound,
    stored,
)
from tests.proxy import Proxy
from tests.servers import RunningServer
from tests.waiting import eventually

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain")]


def caught_up(url: str) -> RunningConsumer:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
    return consumer


def save(client: redis.Redis) -> bytes:
    saved = client.dump(STREAM)
    assert saved is not None
    return saved


def lose_what_followed(client: redis.Redis, saved: bytes) -> None:
    """Put the stream, and nothing else, back to what it was."""
    client.restore(STREAM, 0, saved, replace=True)


def healed(view: View) -> bool:
    """Whether the consumer is live again after a divergence."""
    return view.phase is Phase.LIVE and any("Going back" in notice.text for notice in view.notices)


class TestAFailoverThatLostTheTail:
    @pytest.mark.counts_entries
    @pytest.mark.domains_in_turn
    def test_heals_from_the_newest_snapshot_and_lists_the_orphans(
        self, new_server: Callable[..., RunningServer]
    ) -> None:
        primary = new_server(port=True)
        with primary.client() as client:
            publish_day(client, 100)
        caught_up(primary.url)
        replica = new_server(port=True, replica_of=primary)
        with (
            Proxy(primary) as proxy,
            RunningConsumer(proxy.url) as consumer,
            primary.client() as client,
            replica.client() as promoted,
        ):
            consumer.until_live()
            publish_more(client, 10)
            eventually(lambda: promoted.xlen(STREAM) == 110)
            promoted.replicaof("NO", "ONE")
            lost = publish_more(client, 20)
            before = consumer.until_live(lost[-1])
            # Ids go on after those of the old primary, wherever its clock stood.
            after = [
                promoted.xadd(STREAM, dict(zip(row.fields[::2], row.fields[1::2], strict=True)))
                for row in before.rows[:7]
            ]
            primary.kill()
            proxy.point_at(replica)
            view = consumer.until(lambda view: healed(view) and view.position.last_event_id == after[-1].decode())
            assert [row.entry_id for row in view.orphans] == lost
            assert list(view.orphans) == list(before.rows[110:]), "with their payload"
            assert view.restored is not None
            assert (view.restored.position.ordinal, view.restored.replayed) == (100, 17)
            assert str(view.continuity) == "CONTINUOUS"
            assert any("20 entries had been applied and are gone" in notice.text for notice in view.notices)
            consumer.stop()
            log = Stream(Server(replica.url), STREAM)
            assert consumer.document == expected(log)
            log.server.close()

    @pytest.mark.domains_in_turn
    def test_heals_from_the_beginning_where_no_snapshot_fits(self, new_server: Callable[..., RunningServer]) -> None:
        primary = new_server(port=True)
        replica = new_server(port=True, replica_of=primary)
        with (
            Proxy(primary) as proxy,
            RunningConsumer(proxy.url) as consumer,
            primary.client() as client,
            replica.client() as promoted,
        ):
            publish_day(client, 10)
            eventually(lambda: promoted.xlen(STREAM) == 10)
            promoted.replicaof("NO", "ONE")
            lost = publish_more(client, 20)
            consumer.until_live(lost[-1])
            proxy.point_at(replica)
            view = consumer.until(healed)
            assert view.position.ordinal == 10
            assert [row.entry_id for row in view.orphans] == lost
            assert view.restored is not None
            assert view.restored.snapshot_id is None


class TestALogThatIsPutBack:
    """The stream loses its tail under a consumer that stays connected, as on a replica that changes its primary."""

    @pytest.mark.counts_entries
    def test_is_noticed_before_what_it_got_since_is_applied(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 50)
        saved = save(client)
        lost = publish_more(client, 5)
        with RunningConsumer(url) as consumer:
            consumer.until_live(lost[-1])
            with client.pipeline(transaction=True) as pipeline:
                pipeline.restore(STREAM, 0, saved, replace=True)
                pipeline.execute_command("XADD", STREAM, b"%d-0" % (10**13), "type", "TopUp", "data", "{}")
                pipeline.execute()
            view = consumer.until(lambda view: healed(view) and view.position.ordinal == 51)
            assert [row.entry_id for row in view.orphans] == lost
        assert max(view.position.ordinal for view in consumer.views) == 55, "the new entry was never the 56th"
        assert consumer.document == expected(log)

    def test_the_ladder_names_the_snapshots_that_do_not_fit(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 50)
        caught_up(url)
        saved = save(client)
        for _ in range(2):
            publish_more(client, 10)
            caught_up(url)
        refused = [header.snapshot_id for header in SnapshotStore(log).headers()[:2]]
        lose_what_followed(client, saved)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.restored is not None
            first, second, used = view.restored.rungs
            assert [first.snapshot_id, second.snapshot_id] == refused
            for rung in (first, second):
                assert rung.reason is not None
                assert "had been applied" in rung.reason
            assert (used.reason, used.position.ordinal) == (None, 50)
            assert view.snapshot is not None
            assert view.snapshot.snapshot_id == used.snapshot_id, "a snapshot of another history is not the newest"
        assert consumer.document == expected(log)

    def test_an_orphan_whose_id_was_given_again_is_an_orphan_still(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        publish_day(client, 50)
        saved = save(client)
        (lost,) = publish_more(client, 1)
        with RunningConsumer(url) as consumer:
            before = consumer.until_live(lost).rows[-1]
            with client.pipeline(transaction=True) as pipeline:
                pipeline.restore(STREAM, 0, saved, replace=True)
                pipeline.execute_command("XADD", STREAM, lost, "type", "TopUp", "data", "other")
                pipeline.execute()
            view = consumer.until(healed)
            assert list(view.orphans) == [before]
            view = consumer.until_live(lost)
            assert seen_rows(view.rows) == modelled_rows(stored(log))

    @pytest.mark.counts_entries
    def test_orphans_are_listed_although_a_gap_halts_the_healing(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        caught_up(url)
        ids = publish_more(client, 10)
        saved = save(client)
        lost = publish_more(client, 5)
        with RunningConsumer(url) as consumer:
            consumer.until_live(lost[-1])
            with client.pipeline(transaction=True) as pipeline:
                pipeline.restore(STREAM, 0, saved, replace=True)
                pipeline.xdel(STREAM, ids[3])
                pipeline.execute()
            view = consumer.until_phase(Phase.HALTED)
            assert [row.entry_id for row in view.orphans] == lost, "the deleted one is what the gap tells of"
            assert view.position.ordinal == 50


@pytest.mark.counts_entries
class TestTheNumberOfOrphans:
    """It is that of all entries that had been applied and are gone, whether they can be listed or not."""

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize(("watched", "kept"), [(True, 0), (False, 10), (True, 2_345)])
    def test_is_right_beyond_what_is_remembered(self, url: str, client: redis.Redis, watched: bool, kept: int) -> None:
        saved = b""
        settings = replace(QUIET, watched=watched)
        with RunningConsumer(url, settings) as consumer:
            for number in range(0, 15_000 + kept, 500):
                if number <= kept < number + 500:
                    publish_more(client, kept - number)
                    saved = save(client) if kept else b""
                    publish_more(client, number + 500 - kept)
                else:
                    publish_more(client, 500)
            total = client.xlen(STREAM)
            consumer.until(lambda view: view.phase is Phase.LIVE and view.position.ordinal == total)
            if saved:
                lose_what_followed(client, saved)
            else:
                client.delete(STREAM)
            publish_more(client, 7)
            consumer.until(lambda view: healed(view) and view.position.ordinal == kept + 7)
            assert consumer.view.orphans_gone == total - kept
            assert len(consumer.view.orphans) == 10_000
            said = f"{total - kept:,} entries had been applied and are gone"
            assert any(said in notice.text for notice in consumer.view.notices)

    def test_leaves_out_what_was_trimmed_after_it_was_read(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 100)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            consumer.ask(TakeSnapshot())
            consumer.until(lambda view: view.snapshot)
            client.xtrim(STREAM, maxlen=5, approximate=False)
            saved = save(client)
            lost = publish_more(client, 3)
            consumer.until_live(lost[-1])
            lose_what_followed(client, saved)
            view = consumer.until(healed)
            assert [row.entry_id for row in view.orphans] == lost
            assert view.orphans_gone == 3

    def test_is_told_to_who_was_not_there_by_the_snapshots_that_do_not_fit(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        caught_up(url)
        saved = save(client)
        for _ in range(2):
            publish_more(client, 10)
            caught_up(url)
        lose_what_followed(client, saved)
        publish_more(client, 4)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert (view.orphans_gone, view.orphans) == (20, ())
        with RunningConsumer(url) as again:
            assert again.until_live().orphans_gone == 0, "it was told"


class TestAStreamThatIsMadeAgain:
    @pytest.mark.counts_entries
    @pytest.mark.parametrize("again", [3, 50, 51, 400])
    def test_under_a_live_consumer_is_folded_from_its_beginning(
        self, url: str, client: redis.Redis, log: Stream, again: int
    ) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            client.delete(STREAM)
            last = publish_more(client, again)[-1]
            view = consumer.until(lambda view: healed(view) and view.position.last_event_id == last.decode())
            assert len(view.orphans) == 50
            assert seen_rows(view.rows) == modelled_rows(stored(log))
        assert consumer.document == expected(log)

    @pytest.mark.counts_entries
    def test_leaves_the_orphans_their_numbers(self, url: str, client: redis.Redis) -> None:
        ids = publish_day(client, 50)
        client.xtrim(STREAM, maxlen=30, approximate=False)
        with RunningConsumer(url) as consumer:
            numbers = [consumer.until_live(ids[-1]).nth(row.ordinal) for row in consumer.until_live(ids[-1]).rows]
            client.delete(STREAM)
            publish_more(client, 3)
            view = consumer.until(lambda view: healed(view) and view.position.ordinal == 3)
            assert [view.nth(row.ordinal) for row in view.orphans] == numbers == list(range(21, 51))

    def test_and_stays_away_leaves_nothing(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            client.delete(STREAM)
            view = consumer.until(healed)
            assert view.position.ordinal == 0
            assert len(view.orphans) == 50
            assert not any(shown(view.state).values())

    def test_while_its_snapshots_survived_is_never_shown_as_they_say(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        caught_up(url)
        client.delete(STREAM)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.position.ordinal == 0
            assert view.snapshot is None
            assert view.restored is not None
            refused, used = view.restored.rungs
            assert refused.reason is not None
            assert "is gone" in refused.reason
            assert (used.snapshot_id, used.reason) == (None, None)
            last = publish_more(client, 60)[-1]
            consumer.until_live(last)
        assert all(view.position.ordinal == 0 for view in consumer.views[:3])
        assert consumer.document["ordinal"] == 60

    @pytest.mark.counts_entries
    def test_its_new_snapshots_take_the_place_of_the_old(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 50)
        caught_up(url)
        client.delete(STREAM)
        publish_more(client, 5)
        caught_up(url)
        header = SnapshotStore(log).newest()
        assert header is not None
        assert header.ordinal == 5

    @pytest.mark.counts_entries
    def test_a_rebuild_does_not_show_a_foreign_snapshot_either(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        caught_up(url)
        client.delete(STREAM)
        publish_more(client, 5)
        with RunningConsumer(url, ConsumerSettings(ignore_snapshots=True, snapshot_seconds=0)) as consumer:
            view = consumer.until_live()
            assert view.snapshot is None


@pytest.mark.counts_entries
class TestALogThatIsAnotherOneAtEveryLook:
    """As behind a proxy that points now to one server, now to another."""

    def flickering(self, client: redis.Redis) -> Present:
        class FlickeringFold(Present):
            def fold(self, state: State, entries: Sequence[Entry], tell: list[Told] | None = None) -> bytes:
                client.delete(STREAM)
                publish_more(client, 2500)
                return super().fold(state, entries, tell)

        return FlickeringFold()

    def test_ends_a_command_in_words(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 2500)
        consumer = Consumer(log, self.flickering(client), ConsumerSettings(once=True))
        with pytest.raises(LogError, match=r"were applied|had been applied"):
            consumer.run()

    def test_is_tried_again_with_patience(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 2500)
        with RunningConsumer(url, domain=self.flickering(client)) as consumer:
            view = consumer.until_phase(Phase.DISCONNECTED)
            assert "applied" in view.phase_note
            assert view.retry_at is not None


class TestAServerBeforeRedis7:
    """It does not count entries: what cannot be known is not claimed."""

    @pytest.fixture(autouse=True)
    def old_server(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parse = StreamFacts.parse

        def parse_without_counts(reply: Sequence[object]) -> StreamFacts:
            return replace(parse(reply), entries_added=None, max_deleted_id=START)

        monkeypatch.setattr(StreamFacts, "parse", parse_without_counts)

    def test_is_followed_and_its_continuity_is_unknown(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 1500)
        with RunningConsumer(url) as consumer:
            view = consumer.until_live()
            assert view.continuity is not None
            assert view.continuity.verdict is Verdict.UNKNOWN
            view = consumer.until_live(publish_more(client, 50)[-1])
            assert view.lag == 0
        assert consumer.document == expected(log)
        with RunningConsumer(url) as again:
            view = again.until_live(publish_more(client, 50)[-1])
            assert view.restored is not None
            assert view.restored.position.ordinal == 1550
            assert view.continuity is not None
            assert view.continuity.verdict is Verdict.UNKNOWN
            assert "a gap would not be noticed" in view.continuity.explanation
        assert again.document == expected(log)

    def test_that_was_emptied_is_noticed(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            client.delete(STREAM)
            client.xadd(STREAM, sound(), id="1-1")
            view = consumer.until(lambda view: healed(view) and view.position.last_event_id == "1-1")
            assert len(view.orphans) == 50
        assert consumer.document == expected(log)


@pytest.mark.counts_entries
def test_nothing_but_the_log_decides(url: str, client: redis.Redis, log: Stream) -> None:
    """Two consumers that met different disasters agree in the end."""
    publish_day(client, 50)
    saved = save(client)
    with RunningConsumer(url, QUIET) as first, RunningConsumer(url, QUIET) as second:
        first.until_live()
        lost = publish_more(client, 5)
        first.until_live(lost[-1])
        second.until_live(lost[-1])
        second.ask(Crash())
        lose_what_followed(client, saved)
        last = publish_more(client, 30)[-1]
        first.until_live(last)
        second.until_live(last)
    assert first.digest == second.digest
    assert first.document == second.document == expected(log)
