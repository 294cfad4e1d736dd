"""Rules whose source was edited and whose version was not: what was made before is doubted, and found out."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from esdash.engine.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.view import Phase
from esdash.fold.loading import load
from esdash.log.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.engine.running import STREAM
from tests.waiting import eventually

COUNTERS = '''"""Counters that are raised."""

from msgspec import Struct

from esdash.domain import MONEY, Column, Domain, EventType, Table


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
    tables=(Table("counters", "counter", str, (Column("value", int, MONEY),)),),
    events=(EventType(Raised, raised),),
)
'''


@contextmanager
def console(url: str, file: Path) -> Iterator[LiveConsole]:
    """A console that is live."""
    log = Stream(Server(url), STREAM)
    running = LiveConsole(log, load(str(file)), ConsumerSettings(snapshot_seconds=0))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join(20)
        log.server.close()
        assert not thread.is_alive()


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


def headers(url: str) -> list[Header]:
    """The stored snapshots."""
    log = Stream(Server(url), STREAM)
    found = [header for header in SnapshotStore(log).headers() if isinstance(header, Header)]
    log.server.close()
    return found


def test_an_edited_docstring_costs_nothing(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace("What raising does.", "Explained in other words."))
    with console(url, file) as running:
        eventually(lambda: running.view.phase is Phase.LIVE)
        assert running.view.restored is not None
        assert running.view.restored.replayed == 0
        assert not running.view.edited
        assert running.verifying.verification is None


def test_other_source_of_the_same_meaning_is_verified_and_kept(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ (event.by * 2) // 2"))
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        eventually(lambda: not running.view.edited)
        assert running.view.restored is not None
        assert running.view.restored.replayed == 0
        assert value(running) == 10
    assert not any(header.condemned for header in headers(url))


def test_other_source_of_another_meaning_is_found_out_and_the_state_made_anew(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))
    with console(url, file) as running:
        eventually(lambda: value(running) == 30)
        (notice,) = [each.text for each in running.view.notices if "were edited" in each.text]
        assert "counters:a.value 0.10 instead of 0.30" in notice
        assert "another version" in notice
        eventually(lambda: running.view.phase is Phase.LIVE)
        running.take_snapshot()
        eventually(lambda: len(headers(url)) == 2)
    assert [header.condemned for header in headers(url)] == [False, True]
    with console(url, file) as again:
        eventually(lambda: again.view.phase is Phase.LIVE and value(again) == 30)
        assert again.view.restored is not None
        assert again.view.restored.replayed == 0


@pytest.mark.counts_entries
def test_where_the_log_no_longer_has_what_it_was_made_of_the_snapshot_is_used(
    url: str, file: Path, client: redis.Redis
) -> None:
    client.xtrim(STREAM, maxlen=1, approximate=False)
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        assert running.view.phase is Phase.LIVE
        assert value(running) == 10


@pytest.mark.counts_entries
def test_where_it_has_only_the_end_no_state_is_mixed_of_both_rules(url: str, file: Path, client: redis.Redis) -> None:
    client.xadd(STREAM, {"type": "Raised", "data": '{"name":"a","by":5}'})
    with console(url, file) as running:
        eventually(lambda: value(running) == 15)
    assert len(headers(url)) == 2
    client.xtrim(STREAM, maxlen=2, approximate=False)
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3"))
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        assert running.verifying.verification is not None
        assert running.verifying.verification.result is not None
        assert not running.verifying.verification.result.holds, "the rules differ after the older snapshot"
        eventually(lambda: running.view.phase is Phase.LIVE)
        assert value(running) == 15
        assert running.view.edited, "it is still said"
    assert not any(header.condemned for header in headers(url))


def test_another_version_is_not_used(url: str, file: Path) -> None:
    file.write_text(COUNTERS.replace("+ event.by", "+ event.by * 3").replace('version="1"', 'version="2"'))
    with console(url, file) as running:
        eventually(lambda: value(running) == 30)
        assert running.view.restored is not None
        assert running.view.restored.rungs[0].reason == "it was made by version 1 of the rules, not 2"
        assert running.view.snapshot is None
