"""Entries that vanished unread: nothing after them is applied until a person has chosen, and nobody forgets it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, Rebuild, Stay, TakeSnapshot
from esdash.engine.guard import HaltError
from esdash.engine.moments.history import History
from esdash.engine.shown.view import Phase, Verdict, View
from esdash.fold.folding import Entry, Told
from esdash.fold.state import State
from esdash.log.servers.server import Server
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from tests.domains.ways import Present
from tests.engine.running import (
    QUIET,
    STREAM,
    RunningConsumer,
    document,
    expected,
    modelled_rows,
    publish_day,
    publish_more,
    seen_rows,
    sound,
    stored,
)

pytestmark = [pytest.mark.two_generations, pytest.mark.usefixtures("any_domain")]


def caught_up(url: str) -> RunningConsumer:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
    return consumer


def vanish(client: redis.Redis, count: int, *, appended: int, kept: int) -> None:
    """Append entries and trim the stream in one transaction: nobody can read what was trimmed."""
    with client.pipeline(transaction=True) as pipeline:
        for _ in range(appended):
            pipeline.xadd(STREAM, sound())
        pipeline.xtrim(STREAM, maxlen=kept, approximate=False)
        pipeline.execute()
    assert appended - kept == count


def gap_of(view: View) -> tuple[int, str | None, str | None]:
    continuity = view.continuity
    assert continuity is not None
    assert continuity.verdict is Verdict.GAP
    return continuity.missing, continuity.after, continuity.before


@pytest.mark.counts_entries
class TestWhileTheConsumerWasAway:
    def test_nothing_after_a_gap_is_applied(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 120)
        good = caught_up(url)
        ids = publish_more(client, 30)
        client.xtrim(STREAM, minid=ids[5], approximate=False)
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.HALTED)
            assert gap_of(view) == (5, good.view.position.last_event_id, ids[5].decode())
            assert "5 entries vanished unread" in view.phase_note
            assert view.position == good.view.position
            assert view.state is not None, "the last good state stays on the screen"
            publish_more(client, 10)
        assert all(view.position.ordinal in (0, 120) for view in consumer.views)
        assert consumer.document == good.document
        assert consumer.digest == good.digest

    def test_deleted_entries_are_a_gap_like_trimmed_ones(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 120)
        good = caught_up(url)
        ids = publish_more(client, 30)
        client.xdel(STREAM, ids[7], ids[12])
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.HALTED)
            assert gap_of(view) == (2, good.view.position.last_event_id, ids[13].decode())
        assert consumer.document == good.document

    def test_what_was_trimmed_or_deleted_after_it_was_consumed_is_none(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        ids = publish_day(client, 120)
        entries = stored(log)
        caught_up(url)
        client.xtrim(STREAM, minid=ids[60], approximate=False)
        client.xdel(STREAM, ids[80], ids[119])
        last = publish_more(client, 30)[-1]
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(last)
            assert view.continuity is not None
            assert view.continuity.verdict is Verdict.CONTINUOUS
        assert consumer.document == expected(entries + stored(log)[-30:])

    def test_leaving_a_halted_consumer_takes_no_snapshot(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 120)
        caught_up(url)
        before = SnapshotStore(log).headers()
        ids = publish_more(client, 30)
        client.xdel(STREAM, ids[7])
        with RunningConsumer(url) as consumer:
            consumer.until_phase(Phase.HALTED)
            consumer.ask(TakeSnapshot())
            view = consumer.until(lambda view: view.notices)
            assert "halted" in view.notices[-1].text
        assert SnapshotStore(log).headers() == before

    def test_once_ends_with_the_gap(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 20)
        good = caught_up(url)
        client.xdel(STREAM, publish_more(client, 3)[1])
        consumer = Consumer(log, Present(), ConsumerSettings(once=True))
        with pytest.raises(HaltError, match="1 entry vanished unread") as caught:
            consumer.run()
        assert str(caught.value.continuity) == "GAP 1"
        assert consumer.projection is not None
        assert document(consumer.projection) == good.document


class TestWhileTheConsumerIsLive:
    @pytest.mark.counts_entries
    def test_nothing_after_a_gap_is_applied(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 120)[-1]
        before = expected(log)
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            vanish(client, 3, appended=8, kept=5)
            view = consumer.until_phase(Phase.HALTED)
            assert gap_of(view) == (3, last.decode(), stored(log)[0][0].decode())
            assert view.position.ordinal == 120
        assert max(view.position.ordinal for view in consumer.views) == 120
        assert consumer.document == before

    @pytest.mark.counts_entries
    def test_a_gap_with_nothing_behind_it_is_noticed(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 20)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            vanish(client, 4, appended=4, kept=0)
            assert gap_of(consumer.until_phase(Phase.HALTED)) == (4, last.decode(), None)

    @pytest.mark.counts_entries
    def test_an_entry_deleted_before_it_could_be_read_is_noticed(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 20)[-1]
        milliseconds = int(last.split(b"-")[0]) + 1000
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            with client.pipeline(transaction=True) as pipeline:
                for sequence in (1, 2, 3):
                    pipeline.xadd(STREAM, sound(), id=f"{milliseconds}-{sequence}")
                pipeline.xdel(STREAM, f"{milliseconds}-2")
                pipeline.execute()
            assert gap_of(consumer.until_phase(Phase.HALTED)) == (1, last.decode(), f"{milliseconds}-3")
        assert max(view.position.ordinal for view in consumer.views) == 20

    def test_trimming_and_deleting_behind_the_consumer_is_none(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        ids = publish_day(client, 500)
        entries = stored(log)
        with RunningConsumer(url) as consumer:
            consumer.until_live(ids[-1])
            for round_number in range(5):
                client.xtrim(STREAM, maxlen=100 - 10 * round_number, approximate=False)
                client.xdel(STREAM, stored(log)[round_number][0])
                added = publish_more(client, 20)
                consumer.until_live(added[-1])
                entries += stored(log)[-20:]
            client.xtrim(STREAM, maxlen=0, approximate=False)
            last = publish_more(client, 1)[-1]
            view = consumer.until_live(last)
            entries += stored(log)
            assert seen_rows(view.rows) == modelled_rows(entries)
        assert consumer.document == expected(entries)

    def test_a_stream_that_its_producer_caps_is_followed_without_a_gap(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            for number in range(300):
                last = client.xadd(STREAM, sound(number), maxlen=50, approximate=False)
                if number % 40 == 39:
                    consumer.until_live(last)
            view = consumer.until_live(last)
            assert view.position.ordinal == 300


class TrimmingFold(Present):
    """Does something to the stream when the first page is folded."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._act: Callable[[], object] | None = act

    def _once(self) -> None:
        act, self._act = self._act, None
        if act:
            act()

    def fold(self, state: State, entries: Sequence[Entry], tell: list[Told] | None = None) -> bytes:
        codes = super().fold(state, entries, tell)
        self._once()
        return codes

    def fold_packed(self, state: State, packed: bytes) -> bytes:
        codes = super().fold_packed(state, packed)
        self._once()
        return codes


@pytest.mark.counts_entries
class TestDuringReplay:
    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
    @pytest.mark.parametrize("kept", [500, 0])
    def test_nothing_after_a_gap_is_applied(
        self, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch, far: bool, kept: int
    ) -> None:
        ids = publish_day(client, 30_000 if far else 6000)
        entries = stored(log)
        if far:
            monkeypatch.setattr(replaying, "FAR", 1000)
        fold = TrimmingFold(lambda: client.xtrim(STREAM, maxlen=kept, approximate=False))
        consumer = Consumer(log, fold, ConsumerSettings(once=True))
        with pytest.raises(HaltError) as caught:
            consumer.run()
        projection = consumer.projection
        assert projection is not None
        ordinal = projection.ordinal
        assert 1000 <= ordinal < len(ids) - kept
        found = caught.value.continuity
        assert found.missing == len(ids) - kept - ordinal
        assert found.after == ids[ordinal - 1].decode()
        assert found.before == (ids[-kept].decode() if kept else None)
        assert document(projection) == expected(entries[:ordinal])

    @pytest.mark.parametrize("far", [False, True], ids=["near", "far"])
    def test_deleted_far_ahead_halts_before_it(
        self, client: redis.Redis, log: Stream, monkeypatch: pytest.MonkeyPatch, far: bool
    ) -> None:
        ids = publish_day(client, 30_000 if far else 6000)
        entries = stored(log)
        if far:
            monkeypatch.setattr(replaying, "FAR", 1000)
        consumer = Consumer(log, TrimmingFold(lambda: client.xdel(STREAM, ids[-10])), ConsumerSettings(once=True))
        with pytest.raises(HaltError, match="1 entry vanished") as caught:
            consumer.run()
        assert consumer.projection is not None
        assert document(consumer.projection) == expected(entries[: consumer.projection.ordinal])
        assert caught.value.continuity.before == ids[-9].decode()

    def test_entries_deleted_before_the_first_start_do_not_stop_or_slow_it(
        self, client: redis.Redis, log: Stream
    ) -> None:
        ids = publish_day(client, 5000)
        client.xdel(STREAM, ids[10], ids[4990], ids[4999])
        asked: list[Any] = []

        class CountingLog(Stream):
            def commands(self, commands: Sequence[Sequence[Any]], *, atomic: bool = False) -> list[Any]:
                asked.extend(commands)
                return super().commands(commands, atomic=atomic)

        counting = CountingLog(Server(_url_of(client)), STREAM)
        consumer = Consumer(counting, Present(), ConsumerSettings(once=True, write_snapshots=False))
        consumer.run()
        counting.server.close()
        assert consumer.projection is not None
        assert document(consumer.projection) == expected(stored(log))
        assert consumer.view.continuity is not None
        assert consumer.view.continuity.unseen_before_start == 3
        assert len([command for command in asked if command[0] == "XRANGE"]) < 10, "the tail is not counted each page"


def _url_of(client: redis.Redis) -> str:
    path: str | Path = client.connection_pool.connection_kwargs["path"]
    return f"unix://{path}"


@pytest.mark.counts_entries
class TestTheLastGoodState:
    def test_survives_a_crash_although_its_entries_are_gone(self, url: str, client: redis.Redis, log: Stream) -> None:
        last = publish_day(client, 50)[-1]
        before = expected(log)
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.begin_anew(Crash())
            view = consumer.until_phase(Phase.HALTED)
            assert gap_of(view) == (3, last.decode(), stored(log)[0][0].decode())
        assert consumer.document == before
        with RunningConsumer(url) as again:
            view = again.until_phase(Phase.HALTED)
            assert gap_of(view) == (3, last.decode(), stored(log)[0][0].decode())
        assert again.document == before

    def test_is_not_stored_where_nothing_may_be_written(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url, ConsumerSettings(readonly=True)) as consumer:
            consumer.until_live(last)
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
        assert client.keys("*") == [STREAM.encode()]


@pytest.mark.counts_entries
class TestChoosing:
    def test_staying_keeps_the_last_good_state(self, url: str, client: redis.Redis) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.ask(Stay())
            view = consumer.until(lambda view: view.notices)
            assert "last good state" in view.notices[-1].text
            assert (view.phase, view.position.ordinal) == (Phase.HALTED, 50)
            publish_more(client, 10)
        assert consumer.document["ordinal"] == 50

    def test_crashing_does_not_get_past_the_gap(self, url: str, client: redis.Redis) -> None:
        publish_day(client, 50)
        caught_up(url)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.begin_anew(Crash())
            view = consumer.until_phase(Phase.HALTED)
            assert view.position.ordinal == 50

    def test_a_rebuild_goes_on_with_what_is_left_and_is_partial_everywhere(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        last = publish_day(client, 50)[-1]
        with RunningConsumer(url) as consumer:
            consumer.until_live(last)
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.ask(Rebuild())
            last = stored(log)[-1][0]
            view = consumer.until_live(last)
            self._assert_partial(view)
            last = publish_more(client, 20)[-1]
            view = consumer.until_live(last)
            self._assert_partial(view)
        assert consumer.document == expected(stored(log))
        header = SnapshotStore(log).newest()
        assert header is not None
        assert (header.unseen, header.confirmed, header.ordinal) == (53, 53, 25)
        with RunningConsumer(url, QUIET) as again:
            view = again.until_live(last)
            self._assert_partial(view)
            assert view.restored is not None
            assert view.restored.snapshot_id == header.snapshot_id
        assert again.document == consumer.document
        projection, continuity = History(log, Present()).at()
        assert (str(continuity), continuity.unseen_before_start) == ("CONTINUOUS", 53)
        assert document(projection) == consumer.document

    @staticmethod
    def _assert_partial(view: View) -> None:
        assert view.continuity is not None
        assert (str(view.continuity), view.continuity.unseen_before_start) == ("CONTINUOUS", 53)

    def test_a_rebuilt_snapshot_survives_beside_five_of_before_the_gap(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        for _ in range(5):
            publish_more(client, 10)
            caught_up(url)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.ask(Rebuild())
            consumer.until_live(stored(log)[-1][0])
        with RunningConsumer(url) as again:
            view = again.until_live()
            assert view.position.ordinal == 5

    def test_a_rebuild_is_not_undone_by_a_crash(self, url: str, client: redis.Redis) -> None:
        with RunningConsumer(url) as consumer:
            consumer.until_live(publish_more(client, 10)[-1])
            consumer.ask(TakeSnapshot())
            consumer.until(lambda view: view.snapshot is not None)
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.ask(Rebuild())
            consumer.until(lambda view: view.snapshot is not None and view.snapshot.position.ordinal == 5)
            consumer.begin_anew(Crash())
            view = consumer.until(lambda view: view.phase in (Phase.LIVE, Phase.HALTED))
            assert (view.phase, view.position.ordinal) == (Phase.LIVE, 5)

    def test_a_second_gap_after_a_rebuild_is_found_too(self, url: str, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 50)
        with RunningConsumer(url) as consumer:
            consumer.until_live()
            vanish(client, 3, appended=8, kept=5)
            consumer.until_phase(Phase.HALTED)
            consumer.ask(Rebuild())
            last = stored(log)[-1][0]
            consumer.until_live(last)
            vanish(client, 2, appended=4, kept=2)
            view = consumer.until_phase(Phase.HALTED)
            assert gap_of(view) == (2, last.decode(), stored(log)[0][0].decode())
            assert view.lag == 2


@pytest.mark.counts_entries
class TestAttachingLate:
    def test_a_stream_that_was_trimmed_before_is_partial_not_broken(
        self, url: str, client: redis.Redis, log: Stream
    ) -> None:
        ids = publish_day(client, 100)
        client.xtrim(STREAM, minid=ids[40], approximate=False)
        client.xdel(STREAM, ids[70])
        with RunningConsumer(url) as consumer:
            view = consumer.until_live(ids[-1])
            assert view.continuity is not None
            assert (str(view.continuity), view.continuity.unseen_before_start) == ("CONTINUOUS", 41)
            assert view.position.ordinal == 59
            assert view.lag == 0
        assert consumer.document == expected(stored(log))

    def test_a_stream_that_is_being_trimmed_is_attached_to_without_a_gap(self, client: redis.Redis) -> None:
        publish_day(client, 3000)

        class TrimmedWhileAttaching(Server):
            """Loses its oldest entries between any two questions, as a stream that a busy producer caps."""

            def connection(self, key: str = "") -> Any:
                oldest = client.xrange(STREAM, count=3)
                assert oldest
                client.xdel(STREAM, *(entry[0] for entry in oldest if entry[0]))
                return super().connection(key)

        capped = Stream(TrimmedWhileAttaching(_url_of(client)), STREAM)
        consumer = Consumer(capped, Present(), ConsumerSettings(once=True, write_snapshots=False))
        consumer.run()
        capped.server.close()
        assert str(consumer.view.continuity) == "CONTINUOUS"
