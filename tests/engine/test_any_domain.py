"""What a consumer does, for domains of every kind: nothing of it depends on what events mean."""

from functools import partial

import pytest
import redis
from msgspec.structs import astuple

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, TakeSnapshot
from esdash.engine.moments.history import History
from esdash.engine.shown.picture import CHANGE
from esdash.engine.shown.view import Phase, Verdict, View
from esdash.engine.verification.verify import verify
from esdash.fold.folding import Fold
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.domains.days import DOMAINS, entries
from tests.engine.running import STREAM, RunningConsumer, folded, rows, shown, stored

pytestmark = pytest.mark.usefixtures("any_domain")


@pytest.fixture
def fold(any_domain: str) -> Fold:
    """The present domain."""
    return DOMAINS[any_domain]()


def is_of(count: int, view: View) -> bool:
    """Whether a view shows the state of so many entries."""
    return view.state_position.ordinal == count


def test_it_lives_crashes_and_comes_back(any_domain: str, fold: Fold, url: str, log: Stream) -> None:
    log.append_many(entries(any_domain, 700, 1))
    with RunningConsumer(url, domain=fold) as consumer:
        consumer.until_live(log.facts().last_id)
        log.append_many(entries(any_domain, 300, 2))
        consumer.until_live(log.facts().last_id)
        view = consumer.until(lambda view: view.state_position.ordinal == 1000)
        expected = folded(log)
        assert shown(view.state) == rows(expected)
        assert view.state is not None
        assert list(view.state.counts) == expected.counts
        consumer.ask(TakeSnapshot())
        consumer.until(lambda view: view.snapshot is not None and view.snapshot.position.ordinal == 1000)
        log.append_many(entries(any_domain, 50, 3))
        consumer.until_live(log.facts().last_id)
        consumer.ask(Crash())
        view = consumer.until(lambda view: view.restored is not None and view.restored.replayed == 50)
        assert view.restored is not None
        assert view.restored.position.ordinal == 1000
        view = consumer.until(lambda view: view.phase is Phase.LIVE and view.state_position.ordinal == 1050)
        assert shown(view.state) == rows(folded(log))
    headers = SnapshotStore(log).headers()
    assert [header.ordinal for header in headers if isinstance(header, Header)] == [1050, 1000]
    found = verify(log, fold)
    assert found.holds
    assert found.entries == 1050


def test_a_picture_that_is_kept_up_is_the_one_that_is_made_anew(
    any_domain: str, fold: Fold, url: str, log: Stream
) -> None:
    log.append_many(entries(any_domain, 100, 1))
    with RunningConsumer(url, domain=fold) as consumer:
        for seed in range(2, 12):
            log.append_many(entries(any_domain, 37, seed))
            consumer.until_live(log.facts().last_id)
            view = consumer.until(partial(is_of, log.facts().length))
            state = folded(log)
            assert shown(view.state) == rows(state)
            assert view.state is not None
            for table in view.state.tables.values():
                for column in ("", CHANGE, *(each.name for each in table.table.columns)):
                    there = sorted(table.order(column).tolist())
                    assert there == list(range(len(table))), "each row once, whatever the order"
                for number in range(len(table)):
                    assert table.number(table.row(number).key) == number


def test_the_changes_that_are_told_lead_from_one_state_to_the_next(any_domain: str, fold: Fold, log: Stream) -> None:
    log.append_many(entries(any_domain, 400, 4))
    state = fold.empty()
    before = rows(state)
    history = History(log, fold)
    for entry, row in zip(stored(log), history.explain(history.before(b"0-1")), strict=True):
        fold.fold(state, [entry])
        after = rows(state)
        places = {table.name: [column.name for column in table.columns] for table in fold.domain.tables}
        expected = {
            (table, key, column, old, new)
            for table, columns in places.items()
            for key in before[table].keys() | after[table].keys()
            for column, old, new in zip(
                columns,
                before[table].get(key, (None,) * len(columns)),
                after[table].get(key, (None,) * len(columns)),
                strict=True,
            )
            if old != new
        }
        assert row.told is not None
        assert set(map(astuple, row.told.changes)) == expected
        before = after


def test_the_past_is_told_from_any_snapshot(any_domain: str, fold: Fold, log: Stream) -> None:
    for seed in range(1, 4):
        log.append_many(entries(any_domain, 100, seed))
        Consumer(log, fold, ConsumerSettings(once=True)).run()
    ids = [entry_id for entry_id, _ in stored(log)]
    for count in (1, 99, 100, 101, 250, 300):
        projection, continuity = History(log, fold).at(ids[count - 1])
        assert continuity.verdict is not Verdict.GAP
        assert fold.digest(projection.state) == fold.digest(folded(log, count))


@pytest.mark.one_generation
def test_a_long_way_is_read_ahead_by_another_process(
    any_domain: str, fold: Fold, log: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "FAR", 4000)
    for seed in range(10):
        log.append_many(entries(any_domain, 1000, seed))
    consumer = Consumer(log, fold, ConsumerSettings(once=True, watched=False))
    consumer.run()
    assert consumer.projection is not None
    state = fold.empty()
    for page in log.pages(b"0-0"):
        fold.fold(state, page.entries)
    assert fold.digest(consumer.projection.state) == fold.digest(state)


@pytest.mark.counts_entries
def test_a_gap_halts_it(any_domain: str, fold: Fold, url: str, log: Stream, client: redis.Redis) -> None:
    log.append_many(entries(any_domain, 100, 1))
    Consumer(log, fold, ConsumerSettings(once=True)).run()
    log.append_many(entries(any_domain, 100, 2))
    client.xtrim(STREAM, maxlen=50, approximate=False)
    with RunningConsumer(url, domain=fold) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert str(view.continuity) == "GAP 50"
        assert shown(view.state) is not None
        assert view.position.ordinal == 100
