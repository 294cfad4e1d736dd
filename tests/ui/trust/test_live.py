"""The screens about trust over a real consumer and a real server."""

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis
from textual.pilot import Pilot
from textual.widgets import Static

from esdash.engine.console import EngineError, publishing_of
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase, View
from esdash.engine.snapshots import snapshot
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from esdash.query.numbers import Cell
from esdash.ui.app import DashboardApp
from esdash.ui.forms.publishing import EventForm
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.orphans import OrphansScreen
from esdash.ui.trust.parked import ParkedScreen
from esdash.ui.trust.verify import VerifyScreen
from tests.domains.ways import present
from tests.engine.running import STREAM, Fields, sound
from tests.ui.any_domain import fields, key, members, typed
from tests.ui.any_domain import sound as event
from tests.ui.looking import main_of, text_of, told
from tests.ui.stage import said, until, write

pytestmark = pytest.mark.usefixtures("any_domain")

SIZE = (150, 40)


@pytest.fixture
def console(log: Stream) -> LiveConsole:
    return LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)


def add(client: redis.Redis, fields: Fields) -> bytes:
    """Append an entry; its id."""
    entry_id = client.xadd(STREAM, fields)
    assert isinstance(entry_id, bytes)
    return entry_id


def add_rows(client: redis.Redis, *numbers: int) -> None:
    """Append the events that make these rows."""
    for number in numbers:
        client.xadd(STREAM, sound(number))


def misnamed(members: dict[str, Any]) -> Fields:
    """The fields of an event under a name that nobody knows."""
    return {"type": "Refund", "data": json.dumps(members)}


def entries(client: redis.Redis) -> list[tuple[bytes, dict[Any, Any]]]:
    """All that is in the stream."""
    found: Any = client.xrange(STREAM)
    return list(found)


async def seen(pilot: Pilot[None], console: LiveConsole, condition: Callable[[View], object]) -> View:
    """Wait for a view, and let the main screen show it."""
    await until(pilot, lambda: condition(console.view), timeout=20)
    main_of(pilot.app).poll()
    await pilot.pause()
    return console.view


async def live(pilot: Pilot[None], console: LiveConsole, ordinal: int) -> View:
    """Wait until so many entries were consumed."""
    return await seen(pilot, console, lambda view: view.phase is Phase.LIVE and view.state_position.ordinal >= ordinal)


async def with_snapshot(pilot: Pilot[None], console: LiveConsole) -> None:
    """Take one."""
    taken = console.view.snapshot
    await pilot.press("s")
    await seen(pilot, console, lambda view: view.snapshot is not None and view.snapshot != taken)


def shown(view: View, number: int) -> object:
    """What stands in a row where the event that makes it says a value; None where there is no row."""
    table, row, column, _ = present().cell(number, 0)
    found = None if view.state is None else view.state.tables[table].get(row)
    return None if found is None else found.cells[place_of(table, column)]


def place_of(table: str, column: str) -> int:
    """Which of a table's columns one is."""
    declared, _ = present().fold().storage.places[table]
    return [each.name for each in declared.columns].index(column)


def value(number: int) -> object:
    """How that value stands there."""
    return present().cell(0, number)[3]


@pytest.mark.domains_in_turn
async def test_a_parked_entry_appears_and_a_corrected_event_is_published(
    console: LiveConsole, client: redis.Redis
) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        await live(pilot, console, 0)
        parked_id = add(client, misnamed(members(7, 1250)))
        await seen(pilot, console, lambda view: view.parked)
        await pilot.press("x")
        assert isinstance(app.screen, ParkedScreen)
        assert any(parked_id.decode() in line and "unknown_type" in line for line in text_of(app))
        await pilot.press("c", "enter")
        await until(pilot, lambda: isinstance(app.screen, EventForm))
        await write(pilot, typed(1250))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ParkedScreen))
        view = await live(pilot, console, 2)
        assert shown(view, 7) == value(1250)
        assert client.xrange(STREAM, parked_id, parked_id), "the parked entry stays in the stream"
        await until(pilot, lambda: "✓ corrected by #2" in app.screen.query_one(Pager).text)
        await pilot.press("c", "enter", "enter", "c", "enter")
        await until(pilot, lambda: isinstance(app.screen, ParkedScreen))
        assert len(entries(client)) == 2, "once is enough"


@pytest.mark.domains_in_turn
async def test_a_parked_entry_is_corrected_once_by_whichever_dashboard_is_first(
    console: LiveConsole, log: Stream, client: redis.Redis
) -> None:
    other = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    thread = threading.Thread(target=other.run)
    thread.start()
    app = DashboardApp(console)
    try:
        async with app.run_test(size=SIZE) as pilot:
            await live(pilot, console, 0)
            add(client, misnamed(members(7, 1250)))
            await seen(pilot, console, lambda view: view.parked)
            await pilot.press("x", "c", "enter")
            await until(pilot, lambda: isinstance(app.screen, EventForm))
            await until(pilot, lambda: other.view.parked)
            once = other.view.corrections.key_for_parked(other.view.parked[0])
            publishing_of(other).publish(*event(7), once)
            await until(pilot, lambda: "corrected by #2" in str(app.screen.query_one("#outlook", Static).content))
            await pilot.press("enter", "escape")
            await until(pilot, lambda: "✓ corrected by #2" in app.screen.query_one(Pager).text)
            assert len(entries(client)) == 2
            # Both at once: the second is a duplicate, and its author is told.
            add(client, misnamed(members(8, 1250)))
            await until(pilot, lambda: "Parked entries: 2, 1 open" in text_of(app)[0])
            await pilot.press("g", "c", "enter")
            await until(pilot, lambda: isinstance(app.screen, EventForm))
            row = console.view.parked[1]
            for amount in (1, 2):
                once = console.view.corrections.key_for_parked(row)
                sent = publishing_of(console).publish(*event(8, amount), once)
            main_of(app).trust.handled.publish_as(row, sent.entry_id, parked=True)
            await pilot.press("escape")
            await until(pilot, lambda: any("is a duplicate: somebody" in said for said in told(app)))
            assert shown(await live(pilot, console, 5), 8) == value(1)
    finally:
        other.close()
        thread.join(20)


@pytest.mark.domains_in_turn
async def test_several_alike_are_corrected_in_one_go(console: LiveConsole, client: redis.Redis) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        await live(pilot, console, 0)
        parked = [add(client, misnamed(members(number, 100 * number))) for number in range(1, 5)]
        row, _ = fields()
        add(client, misnamed({row: members(9, 0)[row]}))
        await seen(pilot, console, lambda view: len(view.parked) == 5)
        await pilot.press("x", "G", "c", "enter")
        await until(pilot, lambda: isinstance(app.screen, EventForm))
        await write(pilot, typed(100))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert "3 more entries were parked" in said(pilot, "#question")
        assert key(2) in said(pilot, "#consequence")
        assert len(entries(client)) == 6, "nothing more before a person agrees"
        await pilot.press("y")
        view = await live(pilot, console, 9)
        assert [shown(view, number) for number in (1, 2, 3, 4, 9)] == [*map(value, (100, 200, 300, 400)), None]
        assert {found[b"key"] for _, found in entries(client)[5:]} == {b"corrects:" + entry_id for entry_id in parked}
        await until(pilot, lambda: "Parked entries: 5, 1 open" in text_of(app)[0])


async def test_a_gap_halts_the_screen_and_a_rebuild_is_labelled_partial(
    console: LiveConsole, client: redis.Redis
) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        add_rows(client, *range(1, 6))
        await live(pilot, console, 5)
        with client.pipeline(transaction=True) as pipeline:
            for number in (6, 7, 8, 9):
                pipeline.xadd(STREAM, sound(number))
            pipeline.xtrim(STREAM, maxlen=1, approximate=False)
            pipeline.execute()
        left = entries(client)[0][0].decode()
        view = await seen(pilot, console, lambda view: view.phase is Phase.HALTED)
        said = " ".join(" ".join(text_of(app)[2:6]).split())
        assert "3 entries vanished unread" in said
        assert f"between {view.position.last_event_id} and {left}" in said
        assert "r rebuild from what is left" in said
        assert shown(view, 5) == value(100), "the last good state stays on the screen"
        with pytest.raises(EngineError, match="halted"):
            publishing_of(console).publish(*event(10))
        assert client.xlen(STREAM) == 1
        await pilot.press("S")
        await pilot.press("r")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        view = await live(pilot, console, 1)
        assert (shown(view, 5), shown(view, 9)) == (None, value(100))
        assert "PARTIAL: 8 entries before the first are missing" in text_of(app)[0]
        assert "✓ CONTINUOUS" in text_of(app)[0]
        publishing_of(console).publish(*event(10))


async def test_a_crash_shows_where_the_state_came_back_from(console: LiveConsole, client: redis.Redis) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        add_rows(client, *range(1, 21))
        await live(pilot, console, 20)
        await with_snapshot(pilot, console)
        add_rows(client, 21, 22, 23)
        await live(pilot, console, 23)
        await pilot.press("c", "y")
        view = await seen(
            pilot, console, lambda view: view.restored and view.restored.snapshot_id and view.phase is Phase.LIVE
        )
        assert all(shown(view, number) == value(100) for number in range(1, 24))
        line = text_of(app)[2]
        assert "restored from snapshot #20" in line
        assert "replayed 3 events" in line
        assert "20 did not have to be" in line
        await pilot.press("L")
        assert "✓ snapshot 20-" in app.screen.query_one(Pager).text


def flip(client: redis.Redis, store: SnapshotStore, number: int) -> Header:
    """Change the value in a row of the newest stored snapshot, and make its checksums right again."""
    fold = present().fold()
    table, row, column, other = present().cell(number, 98_000)
    header = store.headers()[0]
    assert isinstance(header, Header)
    projection, _ = snapshot.load(header, store, fold)
    journal = next(iter(store.chunks(header)))
    fold.cells_of(projection.state)[table][place_of(table, column)][row] = other
    chunks = [journal, *fold.dump(projection.state)]
    prefix = f"esdash:{{{STREAM}}}:snapshot"
    for number, chunk in enumerate(chunks):
        client.hset(f"{prefix}:{header.snapshot_id}", str(number), chunk)
    stored = client.hget(f"{prefix}s", header.snapshot_id)
    assert isinstance(stored, bytes)
    checksum = hashlib.blake2b(b"".join(chunks), digest_size=16).hexdigest()
    changes = {"checksum": checksum, "size": sum(map(len, chunks))}
    raw = json.dumps(json.loads(stored[16:]) | changes).encode()
    client.hset(f"{prefix}s", header.snapshot_id, hashlib.blake2b(raw, digest_size=8).hexdigest().encode() + raw)
    return header


@pytest.mark.domains_in_turn
async def test_a_verification_agrees_and_then_finds_a_flipped_balance(
    console: LiveConsole, client: redis.Redis, log: Stream
) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        add_rows(client, *range(1, 21))
        await live(pilot, console, 20)
        await with_snapshot(pilot, console)
        add_rows(client, 21)
        await live(pilot, console, 21)
        await pilot.press("v")
        assert isinstance(app.screen, VerifyScreen)
        pager = app.screen.query_one(Pager)
        await until(pilot, lambda: "Everything agrees" in pager.text, timeout=30)
        assert "21 events" in pager.text
        assert "1 snapshot and the live state" in " ".join(pager.text.split())
        header = flip(client, SnapshotStore(log), 7)
        await pilot.press("r", "escape")
        # It goes on without its screen.
        await until(
            pilot,
            lambda: console.verifying.verification is not None and not console.verifying.verification.running,
            timeout=30,
        )
        await pilot.press("v")
        found = " ".join(app.screen.query_one(Pager).text.split())
        assert f"the replay and snapshot {header.snapshot_id} do not agree" in found
        assert f"{Cell(*present().cell(7, 0)[:3])} {typed(100)}" in found
        assert typed(98_000) in found


@pytest.mark.domains_in_turn
async def test_orphans_are_announced_and_count_once_when_they_are_published_again(
    console: LiveConsole, client: redis.Redis
) -> None:
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        add_rows(client, *range(1, 6))
        await live(pilot, console, 5)
        await with_snapshot(pilot, console)
        add(client, sound(8, 300, "own"))
        add(client, sound(9, 500))
        await live(pilot, console, 7)
        copies = entries(client)[:5]
        with client.pipeline(transaction=True) as pipeline:  # as a replica has it that lacked the newest two
            pipeline.delete(STREAM)
            for entry_id, fields in copies:
                pipeline.xadd(STREAM, fields, id=entry_id)
            pipeline.execute()
        view = await seen(pilot, console, lambda view: len(view.orphans) == 2 and view.phase is Phase.LIVE)
        assert (shown(view, 5), shown(view, 8)) == (value(100), None)
        assert "2 entries had been applied and are gone from the log" in text_of(app)[3]
        await pilot.press("O")
        assert isinstance(app.screen, OrphansScreen)
        await pilot.press("a", "y")
        view = await live(pilot, console, 7)
        assert (shown(view, 8), shown(view, 9)) == (value(300), value(500))
        publishing_of(console).publish(*event(8, 300), "own")
        view = await live(pilot, console, 8)
        assert shown(view, 8) == value(300), "its first publisher may send it again"
        await pilot.press("escape")
        main_of(app).poll()
        await pilot.pause()
        assert "gone from the log" not in "\n".join(text_of(app))
