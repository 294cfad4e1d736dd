"""The past: the state at any entry, and what each entry did, as the consumer saw it; or a plain no."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pytest
import redis
from msgspec.structs import replace

from esdash.engine.console import EngineError
from esdash.engine.consumer.requests import Rebuild
from esdash.engine.moments.history import BrokenError, History, id_before
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, Verdict
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import START, Stream
from tests.domains.ways import Present
from tests.engine.running import (
    STREAM,
    RunningConsumer,
    document,
    expected,
    modelled_rows,
    outcome,
    pairs,
    publish_day,
    publish_more,
    seen_rows,
    sound,
    stored,
)
from tests.model import Model

pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture
def history(log: Stream) -> History:
    return History(log, Present())


def caught_up(url: str) -> RunningConsumer:
    with RunningConsumer(url) as consumer:
        consumer.until_live()
    return consumer


def publish_with_snapshots(url: str, client: redis.Redis, counts: Sequence[int]) -> list[bytes]:
    """Append entries, with a snapshot after each of these counts; the ids."""
    ids: list[bytes] = []
    for count in counts:
        ids += publish_more(client, count)
        caught_up(url)
    return ids


def changes_by_the_model(entries: Sequence[tuple[bytes, Sequence[bytes]]]) -> Iterator[dict[str, Any]]:
    """What each entry changed: balances and stock before and after."""
    model = Model()
    for entry_id, fields in entries:
        users, items = dict(model.users), dict(model.items)
        model.apply(entry_id.decode(), pairs(fields))
        before = {f"balance {user}": balance for user, balance in users.items()}
        before |= {f"stock {item}": remain for item, (_, remain) in items.items()}
        after = {f"balance {user}": balance for user, balance in model.users.items()}
        after |= {f"stock {item}": remain for item, (_, remain) in model.items.items()}
        yield {name: (before.get(name), now) for name, now in after.items() if before.get(name) != now}


def changed(row: Row) -> dict[str, Any]:
    """The same of an account; unchanged numbers and prices left out."""
    assert row.told is not None
    names = {"balance": "balance", "remain": "stock"}
    return {
        f"{names[change.column]} {change.key}": (change.before, change.after)
        for change in row.told.changes
        if change.column != "price"
    }


def is_as_seen(told: Row, row: Row) -> bool:
    """Whether an entry is told as the consumer saw it; what one from before a restart did it does not know."""
    return told == row or (row.told is None and replace(told, told=None) == row)


class TestTheStateAtAnEntry:
    @pytest.mark.counts_entries
    def test_is_what_the_model_makes_of_the_entries_up_to_it(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        ids = publish_with_snapshots(url, client, [40, 1, 59])
        ids += publish_more(client, 20)
        entries = stored(log)
        for cut in (1, 2, 39, 40, 41, 42, 99, 100, 101, 119, 120):
            projection, continuity = history.at(ids[cut - 1])
            assert document(projection) == expected(entries[:cut])
            assert str(continuity) == "CONTINUOUS"
        projection, _ = history.at()
        assert document(projection) == expected(entries)

    def test_between_two_entries_is_that_of_the_one_before(
        self, client: redis.Redis, log: Stream, history: History
    ) -> None:
        for number in (5, 10, 15):
            client.xadd(STREAM, sound(number), id=f"{number}-5")
        ordinals = {b"1-0": 0, b"5-4": 0, b"5-5": 1, b"9-0": 1, b"10-5": 2, b"14-18446744073709551615": 2, b"15-5": 3}
        for until, ordinal in ordinals.items():
            projection, _ = history.at(until)
            assert projection.ordinal == ordinal
        assert log.facts().length == 3

    def test_of_a_stream_that_does_not_exist_is_empty(self, history: History) -> None:
        projection, continuity = history.at()
        assert (projection.ordinal, str(continuity)) == (0, "CONTINUOUS")

    def test_needs_no_snapshot_that_is_newer(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_with_snapshots(url, client, [30, 30])
        client.delete(f"esdash:{{orders}}:snapshot:{SnapshotStore(log).headers()[0].snapshot_id}")
        projection, _ = History(log, Present()).at(ids[40])
        assert projection.ordinal == 41

    def test_can_be_replayed_without_snapshots(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        publish_with_snapshots(url, client, [30])
        digests = {Present().digest(history.at(ignore_snapshots=flag)[0].state) for flag in (False, True)}
        assert len(digests) == 1
        assert log.facts().length == 30

    @pytest.mark.counts_entries
    def test_after_a_gap_is_the_last_that_can_be_trusted(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        publish_with_snapshots(url, client, [30])
        entries = stored(log)
        ids = publish_more(client, 10)
        client.xdel(STREAM, ids[4])
        projection, continuity = history.at()
        assert str(continuity) == "GAP 1"
        assert document(projection) == expected(entries)

    @pytest.mark.counts_entries
    def test_that_snapshots_cannot_tell_any_more_is_not_made_up(
        self, url: str, client: redis.Redis, history: History
    ) -> None:
        """What is left of the stream begins after the entry that is asked for, or after some before it."""
        ids = publish_with_snapshots(url, client, [30, 30])
        client.xtrim(STREAM, minid=ids[10], approximate=False)
        projection, continuity = history.at(ids[20])
        assert (str(continuity), projection.ordinal) == ("GAP 10", 0)
        projection, continuity = history.at(ids[40])
        assert (str(continuity), projection.ordinal) == ("CONTINUOUS", 41)

    @pytest.mark.counts_entries
    def test_of_a_stream_that_a_busy_producer_caps_is_no_gap(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 3000)

        class Trimming(Server):
            """Loses its oldest entries between any two questions."""

            def connection(self, key: str = "") -> Any:
                client.xtrim(STREAM, maxlen=client.xlen(STREAM) - 3, approximate=False)
                return super().connection(key)

        path = client.connection_pool.connection_kwargs["path"]
        capped = Stream(Trimming(f"unix://{path}"), STREAM)
        projection, continuity = History(capped, Present()).at()
        capped.server.close()
        assert continuity.verdict is Verdict.CONTINUOUS
        assert document(projection)["ordinal"] == projection.ordinal > 2900
        assert projection.ordinal + projection.unseen == 3000
        assert log.facts().exists


def test_where_the_last_entries_begin(client: redis.Redis, history: History) -> None:
    assert history.last(1) is None
    ids = publish_day(client, 1100)
    for count in (1, 2, 999, 1000, 1001, 1100):
        assert history.last(count) == ids[-count]
    assert history.last(1101) is None
    assert history.last(3, ids[9]) == ids[7]
    assert history.last(3, ids[1]) is None


class TestDetails:
    @pytest.mark.shop_alone
    def test_are_what_the_consumer_saw(self, url: str, client: redis.Redis, log: Stream, history: History) -> None:
        ids = publish_with_snapshots(url, client, [60, 60])
        ids += publish_more(client, 60)
        with RunningConsumer(url) as consumer:
            rows = consumer.until_live(ids[-1]).rows
        entries = stored(log)
        changes = list(changes_by_the_model(entries))
        for row in rows:
            told = history.details(row.entry_id)
            assert is_as_seen(told, row)
            assert changed(told) == changes[row.ordinal - 1]

    def test_of_an_entry_that_is_gone_are_a_plain_no(self, url: str, client: redis.Redis, history: History) -> None:
        ids = publish_with_snapshots(url, client, [20])
        client.xdel(STREAM, ids[5])
        with pytest.raises(EngineError, match="is not in the stream any more"):
            history.details(ids[5])

    def test_of_an_entry_whose_past_was_trimmed_are_a_plain_no(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        ids = publish_with_snapshots(url, client, [60, 60])
        with RunningConsumer(url) as consumer:
            rows = {row.entry_id: row for row in consumer.until_live(ids[-1]).rows}
            client.xtrim(STREAM, minid=ids[30], approximate=False)
            for entry_id in ids[30:60]:
                with pytest.raises(BrokenError, match="cannot be told"):
                    history.details(entry_id)
            for entry_id in ids[60:]:
                assert is_as_seen(history.details(entry_id), rows[entry_id])
            assert consumer.view.phase is Phase.LIVE
        assert log.facts().length == 90

    def test_of_entries_of_a_partial_history_are_what_the_consumer_saw(
        self, url: str, client: redis.Redis, history: History
    ) -> None:
        ids = publish_day(client, 60)
        client.xtrim(STREAM, minid=ids[20], approximate=False)
        with RunningConsumer(url) as consumer:
            for row in consumer.until_live(ids[-1]).rows:
                assert is_as_seen(history.details(row.entry_id), row)


class TestExplaining:
    @pytest.mark.shop_alone
    def test_begins_anywhere_and_says_what_the_consumer_saw(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        ids = publish_with_snapshots(url, client, [50, 1100])
        ids += publish_more(client, 50)
        entries = stored(log)
        rows = modelled_rows(entries)
        changes = list(changes_by_the_model(entries))
        for first in (0, 1, 49, 50, 51, 1149, 1150, 1199):
            told = list(history.explain(history.before(ids[first])))
            assert seen_rows(told) == rows[first:]
            assert [changed(row) for row in told] == changes[first:]

    def test_from_a_time_begins_with_the_first_entry_since(self, client: redis.Redis, history: History) -> None:
        for number in (5, 10, 15):
            client.xadd(STREAM, sound(number), id=f"{number}-5")
        told = list(history.explain(history.before(b"7-0")))
        assert [row.ordinal for row in told] == [2, 3]

    def test_ends_with_a_place(self, client: redis.Redis, history: History) -> None:
        ids = publish_day(client, 1100)
        for until in (0, 500, 1000, 1099):
            projection = history.before(b"0-1")
            assert [row.entry_id for row in history.explain(projection, until=ids[until])] == ids[: until + 1]
            assert projection.last_id == ids[until]

    def test_is_heard_of_page_by_page(self, client: redis.Redis, log: Stream) -> None:
        publish_day(client, 1500)
        heard: list[int] = []
        history = History(log, Present(), on_page=lambda projection: heard.append(projection.ordinal))
        list(history.explain(history.before(b"0-1")))
        assert heard == sorted(heard)
        assert heard[-1] == 1500
        assert len(heard) > 1

    def test_goes_on_with_what_is_appended(self, client: redis.Redis, log: Stream, history: History) -> None:
        publish_day(client, 10)
        told = history.explain(history.before(b"0-1"), follow=True)
        assert [row.ordinal for row in islice(told, 10)] == list(range(1, 11))
        for number in range(11, 15):
            (last,) = publish_more(client, 1)
            row = next(told)
            assert (row.ordinal, row.entry_id) == (number, last)
        assert seen_rows([row]) == modelled_rows(stored(log))[-1:]

    @pytest.mark.counts_entries
    def test_stops_at_a_gap_in_words(self, client: redis.Redis, history: History) -> None:
        publish_day(client, 10)
        told = history.explain(history.before(b"0-1"), follow=True)
        list(islice(told, 10))
        with client.pipeline(transaction=True) as pipeline:
            for _ in range(4):
                pipeline.xadd(STREAM, sound())
            pipeline.xtrim(STREAM, maxlen=2, approximate=False)
            pipeline.execute()
        with pytest.raises(BrokenError, match="2 entries vanished") as caught:
            next(told)
        assert str(caught.value.continuity) == "GAP 2"

    def test_does_not_make_up_outcomes_where_the_past_was_trimmed(
        self, url: str, client: redis.Redis, log: Stream, history: History
    ) -> None:
        ids = publish_with_snapshots(url, client, [60, 60])
        rows = modelled_rows(stored(log))
        client.xtrim(STREAM, minid=ids[30], approximate=False)
        with pytest.raises(BrokenError, match="cannot be told"):
            history.before(ids[40])
        told = list(history.explain(history.before(ids[60])))
        assert seen_rows(told) == rows[60:]


class TestAStateThatOnlySnapshotsKnow:
    """The stream was trimmed behind its snapshots, and then none of them can be used."""

    @pytest.mark.counts_entries
    def test_is_not_replaced_by_what_is_left_without_asking(self, url: str, client: redis.Redis, log: Stream) -> None:
        ids = publish_with_snapshots(url, client, [60])
        client.xtrim(STREAM, minid=ids[50], approximate=False)
        (header,) = SnapshotStore(log).headers()
        assert isinstance(header, Header)
        client.hset(f"esdash:{{orders}}:snapshot:{header.snapshot_id}", "0", b"rubbish")
        with RunningConsumer(url) as consumer:
            view = consumer.until_phase(Phase.HALTED)
            assert str(view.continuity) == "GAP 50"
            assert view.position.ordinal == 0
            assert view.restored is not None
            assert [rung.reason for rung in view.restored.rungs] == ["the checksum is wrong", None]
            consumer.ask(Rebuild())
            view = consumer.until_live(ids[-1])
            assert view.continuity is not None
            assert (str(view.continuity), view.continuity.unseen_before_start) == ("CONTINUOUS", 50)
            publish_more(client, 5)
        with RunningConsumer(url) as again:
            view = again.until_live()
            assert view.continuity is not None
            assert view.continuity.unseen_before_start == 50

    def test_is_not_replaced_when_the_rules_change_either(self, url: str, client: redis.Redis) -> None:
        class ChangedFold(Present):
            def __init__(self) -> None:
                super().__init__()
                self.version = "changed"

        ids = publish_with_snapshots(url, client, [60])
        client.xtrim(STREAM, minid=ids[50], approximate=False)
        with RunningConsumer(url, domain=ChangedFold()) as consumer:
            assert str(consumer.until_phase(Phase.HALTED).continuity) == "GAP 50"


@pytest.mark.parametrize(
    ("entry_id", "before"),
    [
        (b"5-3", b"5-2"),
        (b"5-1", b"5-0"),
        (b"5-0", b"4-18446744073709551615"),
        (b"0-1", b"0-0"),
        (b"0-0", START),
    ],
)
def test_the_id_before_another(entry_id: bytes, before: bytes) -> None:
    assert id_before(entry_id) == before


def test_an_outcome_in_words_is_the_models(client: redis.Redis, log: Stream, history: History) -> None:
    publish_day(client, 800)
    kinds = {row[2]: row for row in modelled_rows(stored(log))}
    assert len(kinds) > 6, "a day with most outcomes"
    for said, (ordinal, entry_id, _) in kinds.items():
        row = history.details(entry_id)
        assert (row.ordinal, outcome(row)) == (ordinal, said)
