"""Snapshots of a state that two sources of the same version made."""

import io
import threading
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.verification import Verification
from esdash.engine.shown.view import Phase
from esdash.engine.snapshots.taking import MIXED
from esdash.engine.verification.verify import verify
from esdash.fold.failing import DomainError
from esdash.fold.loading import load
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.service.logs import Log
from esdash.service.running import Service
from tests.engine.running import STREAM, live_console, stored_headers
from tests.waiting import eventually

COUNTERS = '''"""Counters that are raised."""

from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table


class Raised(Struct):
    """Raise a counter."""

    name: str
    by: int


def raised(state, event):
    """What raising does."""
    state.counters.value[event.name] = state.counters.value.get(event.name, 0) + event.by


COUNTERS = Domain(
    name="counters",
    version="1",
    tables=(Table("counters", "counter", str, (Column("value"),)),),
    events=(EventType(Raised, raised),),
)
'''


def console(url: str, file: Path) -> AbstractContextManager[LiveConsole]:
    """A console that is live, by what the file says now."""
    return live_console(url, load(str(file)))


def value(running: LiveConsole) -> object:
    """The one number there is."""
    picture = running.view.state
    row = None if picture is None else picture.tables["counters"].get("a")
    return None if row is None else row.cells[0]


@pytest.fixture
def file(tmp_path: Path, url: str, client: redis.Redis) -> Path:
    """A domain that a console has made a snapshot with, of the state 10."""
    path = tmp_path / "counters.py"
    path.write_text(COUNTERS)
    for by in range(1, 5):
        client.xadd(STREAM, {"type": "Raised", "data": f'{{"name":"a","by":{by}}}'})
    with console(url, path) as running:
        eventually(lambda: running.view.phase is Phase.LIVE and value(running) == 10)
    return path


def test_a_snapshot_of_what_nobody_looked_into_is_doubted_by_whoever_comes_next(
    url: str, file: Path, client: redis.Redis
) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))
    client.xadd(STREAM, {"type": "Raised", "data": '{"name":"a","by":5}'})
    log = Stream(Server(url), STREAM)
    once = Consumer(log, load(str(file)), ConsumerSettings(once=True))
    once.run()
    log.server.close()
    assert once.view.edited
    assert [header.ordinal for header in stored_headers(url)] == [5, 4]
    with console(url, file) as running:
        eventually(lambda: value(running) == 45)
    assert all(header.condemned for header in stored_headers(url) if header.ordinal == 4 or header.fingerprint == MIXED)


def test_one_that_is_taken_while_the_log_is_looked_into_is_condemned_as_well(
    url: str, file: Path, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))

    def looking_slowly(*arguments: Any, **options: Any) -> Verification:
        found = verify(*arguments, **options)
        client.xadd(STREAM, {"type": "Raised", "data": '{"name":"a","by":5}'})
        eventually(lambda: value(running) == 25)
        running.take_snapshot()
        eventually(lambda: len(stored_headers(url)) == 2)
        return found

    monkeypatch.setattr("esdash.engine.verification.verify.verify", looking_slowly)
    with console(url, file) as running:
        eventually(lambda: value(running) == 45)
    assert [header.condemned for header in stored_headers(url)] == [False, True, True]


def test_a_service_looks_into_it_as_well(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))
    log = Stream(Server(url), STREAM)
    lines = io.StringIO()
    service = Service(
        log, load(str(file)), ConsumerSettings(snapshot_seconds=0), Log(lines, as_json=False, wall_clock=time.time)
    )
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        eventually(lambda: "another version" in lines.getvalue())
        eventually(lambda: service.view.phase is Phase.LIVE and not service.view.edited)
    finally:
        service.stop("The test is over.")
        thread.join(20)
        log.server.close()
    assert not thread.is_alive()
    assert [header.condemned for header in stored_headers(url)] == [False, True]


def test_what_does_not_fit_the_edited_tables_is_said_to_be_so(url: str, file: Path) -> None:
    for before, after in (
        ('Column("value"),', 'Column("value"), Column("more"),'),
        ('Column("value"),', 'Column("value", str),'),
        ('Table("counters", "counter", str', 'Table("counters", "counter", int'),
        ("tables=(", 'tables=(Table("others", "other", int, (Column("c"),)), '),
    ):
        file.write_text(COUNTERS.replace(before, after))
        log = Stream(Server(url), STREAM)
        consumer = Consumer(log, load(str(file)), ConsumerSettings(once=True, readonly=True))
        with suppress(DomainError):
            consumer.run()
        log.server.close()
        assert consumer.view.restored is not None
        (reason,) = [rung.reason for rung in consumer.view.restored.rungs if rung.snapshot_id]
        assert reason is not None
        assert "their version should have changed" in reason
