"""A function of the domain that fails on an entry: the consumer halts before it, and goes on when it was mended."""

from pathlib import Path

import pytest
import redis

from esdash.engine.consumer import Consumer, ConsumerSettings
from esdash.engine.history import FAR, History
from esdash.engine.requests import Reload
from esdash.engine.view import Phase, View
from esdash.fold.failing import DomainError
from esdash.fold.loading import load
from esdash.log.server import Server
from esdash.log.stream import Stream
from tests.engine.running import STREAM, RunningConsumer

COUNTERS = '''"""Counters that are raised."""

from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table


class Raised(Struct):
    """Raise a counter."""

    name: str
    by: int


def raised(state, event):
    value = state.counters.value
    state.counters.times[event.name] = state.counters.times.get(event.name, 0) + 1
    value[event.name] = value.get(event.name, 0) + 100 // event.by


COUNTERS = Domain(
    name="counters",
    version="1",
    tables=(Table("counters", "counter", str, (Column("value"), Column("times"))),),
    events=(EventType(Raised, raised),),
)
'''

MENDED = COUNTERS.replace("100 // event.by", "(100 // event.by if event.by else 0)")

FAILS = (
    r"^counters\.py:18: ZeroDivisionError: .*\. "
    r"Entry 3-0, Raised\(name='a', by=0\), was not applied, nor was any after it\.$"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The domain."""
    path = tmp_path / "counters.py"
    path.write_text(COUNTERS)
    return path


@pytest.fixture(autouse=True)
def entries(client: redis.Redis) -> None:
    """Four entries, of which the third makes the function fail."""
    for number, by in enumerate((1, 2, 0, 4), 1):
        client.xadd(STREAM, {"type": "Raised", "data": f'{{"name":"a","by":{by}}}'}, id=f"{number}-0")


def cells(view: View) -> object:
    """The one row there is."""
    row = None if view.state is None else view.state.tables["counters"].get("a")
    return None if row is None else row.cells


def test_halts_the_consumer_before_the_entry(url: str, file: Path) -> None:
    with RunningConsumer(url, domain=load(str(file))) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert view.phase_note == (
            "counters.py:18: ZeroDivisionError: integer division or modulo by zero. Entry 3-0, Raised(name='a', by=0), "
            "was not applied, nor was any after it."
        )
        assert view.position.last_event_id == "2-0"
        assert (view.lag, view.rate) == (2, 0.0)
        assert cells(view) == (150, 2)
        assert view.snapshot is not None
        assert view.snapshot.position.ordinal == 2
        file.write_text(MENDED)
        consumer.ask(Reload(load(str(file))))
        view = consumer.until_live("4-0")
        assert cells(consumer.until(lambda view: view.state_position.ordinal == 4)) == (175, 4)
        assert view.restored is not None
        assert view.restored.position.ordinal == 2, "it goes on with that entry"


def test_ends_a_consumer_that_nobody_watches(url: str, file: Path) -> None:
    log = Stream(Server(url), STREAM)
    for settings in (ConsumerSettings(watched=False), ConsumerSettings(once=True)):
        consumer = Consumer(log, load(str(file)), settings)
        with pytest.raises(DomainError, match=FAILS):
            consumer.run()
        assert consumer.projection is not None
        assert consumer.projection.position.ordinal == 2
    log.server.close()


def test_is_told_behind_the_entries_before_it(log: Stream, file: Path) -> None:
    history = History(log, load(str(file)))
    projection = history.before(b"0-1")
    rows = history.explain(projection)
    told = [next(rows), next(rows)]
    assert [(row.ordinal, row.entry_id) for row in told] == [(1, b"1-0"), (2, b"2-0")]
    assert [change.after for row in told if row.told is not None for change in row.told.changes] == [1, 100, 2, 150]
    with pytest.raises(DomainError, match=FAILS):
        next(rows)
    assert projection.ordinal == 2


def test_leaves_nothing_half_done_where_writes_were_not_checked(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace('version="1"', 'version="1", fast=True'))
    domain = load(str(file))
    log = Stream(Server(url), STREAM)
    consumer = Consumer(log, domain, ConsumerSettings(watched=False))
    with pytest.raises(DomainError, match=FAILS):
        consumer.run()
    assert consumer.projection is not None
    assert [dict(cells) for cells in consumer.projection.state.cells] == [{"a": 150}, {"a": 2}]
    log.server.close()


@pytest.mark.one_generation
def test_is_found_while_another_process_reads_ahead(url: str, file: Path, client: redis.Redis) -> None:
    client.delete(STREAM)
    with client.pipeline(transaction=False) as pipeline:
        for number in range(1, FAR + 2001):
            by = 0 if number == FAR + 1000 else 1
            pipeline.xadd(STREAM, {"type": "Raised", "data": f'{{"name":"a","by":{by}}}'}, id=f"{number}-0")
        pipeline.execute()
    with RunningConsumer(url, domain=load(str(file))) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert view.position.last_event_id == f"{FAR + 999}-0"
        shown = consumer.until(lambda view: view.state_position.ordinal == FAR + 999)
        assert cells(shown) == (100 * (FAR + 999), FAR + 999)
