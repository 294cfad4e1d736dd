"""A function of the domain that fails on an entry: the consumer halts before it, and goes on when it was mended."""

import re
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.engine.consumer import replaying
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Reload
from esdash.engine.moments.history import History
from esdash.engine.shown.view import Phase, View
from esdash.fold.cells import Change
from esdash.fold.failing import DomainError
from esdash.fold.loading import load
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.domains.edited import FAILING, NOTHING, loaded, written
from tests.domains.ways import present
from tests.engine.running import STREAM, RunningConsumer, sound

pytestmark = pytest.mark.usefixtures("any_domain")

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
    fast=True,
)
'''

VALUES = 11, 12, 13, 14
"""What four events say: the rule fails on the third."""


def fails(file: Path) -> str:
    """A pattern of what is said of it."""
    line = file.read_text("utf-8").splitlines().index(FAILING.rstrip()) + 1
    return (
        rf"{re.escape(file.name)}:{line}: ZeroDivisionError: integer division or modulo by zero\. "
        r"Entry 3-0, \w+\(.*\), was not applied, nor was any after it\."
    )


@pytest.fixture
def file(tmp_path: Path, any_domain: str) -> Path:  # noqa: ARG001 - it is of that domain
    """The domain."""
    path = tmp_path / "failing.py"
    path.write_text(written().replace(NOTHING, FAILING), "utf-8")
    return path


@pytest.fixture(autouse=True)
def entries(client: redis.Redis, any_domain: str) -> None:  # noqa: ARG001 - they are of that domain
    """Four entries, of which the third makes the function fail."""
    for number, value in enumerate(VALUES, 1):
        client.xadd(STREAM, sound(number, value), id=f"{number}-0")


def values(view: View) -> list[Any]:
    """What stands where the events said it, as long as there is something."""
    found = []
    for number in range(1, 10):
        table, key, column, _ = present().cell(number, 0)
        if view.state is not None and (value := view.state.cell(table, key, column)) is not None:
            found.append(value)
    return found


def said_by(*numbers: int) -> list[Any]:
    """What events of these values set."""
    return [present().cell(number, value)[3] for number, value in enumerate(numbers, 1)]


def test_halts_the_consumer_before_the_entry(url: str, file: Path) -> None:
    with RunningConsumer(url, domain=loaded(file)) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert re.fullmatch(fails(file), view.phase_note)
        assert view.position.last_event_id == "2-0"
        assert (view.lag, view.rate) == (2, 0.0)
        assert values(view) == said_by(11, 12)
        assert view.snapshot is not None
        assert view.snapshot.position.ordinal == 2
        file.write_text(written(), "utf-8")
        consumer.ask(Reload(loaded(file)))
        view = consumer.until_live("4-0")
        assert values(consumer.until(lambda view: view.state_position.ordinal == 4)) == said_by(*VALUES)
        assert view.restored is not None
        assert view.restored.position.ordinal == 2, "it goes on with that entry"


def test_ends_a_consumer_that_nobody_watches(url: str, file: Path) -> None:
    log = Stream(Server(url), STREAM)
    for settings in (ConsumerSettings(watched=False), ConsumerSettings(once=True)):
        consumer = Consumer(log, loaded(file), settings)
        with pytest.raises(DomainError, match=fails(file)):
            consumer.run()
        assert consumer.projection is not None
        assert consumer.projection.position.ordinal == 2
    log.server.close()


def test_is_told_behind_the_entries_before_it(log: Stream, file: Path) -> None:
    history = History(log, loaded(file))
    projection = history.before(b"0-1")
    rows = history.explain(projection)
    told = [next(rows), next(rows)]
    assert [(row.ordinal, row.entry_id) for row in told] == [(1, b"1-0"), (2, b"2-0")]
    for number, row in enumerate(told, 1):
        table, key, column, value = present().cell(number, VALUES[number - 1])
        assert row.told is not None
        assert Change(table, key, column, None, value) in row.told.changes
    with pytest.raises(DomainError, match=fails(file)):
        next(rows)
    assert projection.ordinal == 2


@pytest.mark.shop_alone  # which is none of them: a domain that is fast is proved
def test_leaves_nothing_half_done_where_writes_were_not_checked(url: str, tmp_path: Path, client: redis.Redis) -> None:
    client.delete(STREAM)
    for number, by in enumerate((1, 2, 0, 4), 1):
        client.xadd(STREAM, {"type": "Raised", "data": f'{{"name":"a","by":{by}}}'}, id=f"{number}-0")
    path = tmp_path / "counters.py"
    path.write_text(COUNTERS)
    log = Stream(Server(url), STREAM)
    consumer = Consumer(log, load(str(path)), ConsumerSettings(watched=False))
    with pytest.raises(DomainError, match=r"^counters\.py:18: ZeroDivisionError: .*\. Entry 3-0, .*, was not applied"):
        consumer.run()
    assert consumer.projection is not None
    assert [dict(cells) for cells in consumer.projection.state.cells] == [{"a": 150}, {"a": 2}]
    log.server.close()


@pytest.mark.one_generation
def test_is_found_while_another_process_reads_ahead(
    url: str, file: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "FAR", 4000)
    client.delete(STREAM)
    with client.pipeline(transaction=False) as pipeline:
        for number in range(1, 6001):
            pipeline.xadd(STREAM, sound(number, 13 if number == 5000 else 1), id=f"{number}-0")
        pipeline.execute()
    with RunningConsumer(url, domain=loaded(file)) as consumer:
        view = consumer.until_phase(Phase.HALTED)
        assert view.position.last_event_id == "4999-0"
        assert values(consumer.until(lambda view: view.state_position.ordinal == 4999)) == said_by(*[1] * 9)
