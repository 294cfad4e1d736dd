"""The sandbox over a real consumer: what is tried, what would be otherwise, and that nothing of it is published."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from textual.pilot import Pilot
from textual.widgets import Input

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.log.stream import Stream
from esdash.query.numbers import Cell
from esdash.ui.app import DashboardApp
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.sandbox.choices import ChoicesScreen
from esdash.ui.sandbox.screen import SandboxScreen
from esdash.whatif.sandbox import Sandbox
from tests.domains.ways import present
from tests.engine.running import STREAM
from tests.ui.any_domain import key, press, typed
from tests.ui.looking import main_of, settle, text_of, told
from tests.ui.past.keeping import as_of, past_of, publish, publish_more
from tests.ui.past.nine import nine
from tests.ui.stage import until, write

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

SIZE = (130, 36)


@asynccontextmanager
async def dashboard(
    log: Stream, client: redis.Redis, file: Path | None = None, *, readonly: bool = False
) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """Live, after nine entries: the sixth, an order, was refused."""
    if not client.exists(STREAM):
        publish(client)
    console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0, readonly=readonly), seed=1)
    app = DashboardApp(console, sandbox_of=lambda fold: Sandbox(log, fold), sandboxes=file)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: console.view.phase is Phase.LIVE and console.view.position.ordinal == 9, timeout=20)
        await pilot.press(press("log"))
        yield app, pilot


async def sandbox(app: DashboardApp, pilot: Pilot[None]) -> SandboxScreen:
    """The sandbox, once nothing is folded in it any more."""
    await until(pilot, lambda: isinstance(app.screen, SandboxScreen))
    await settle(pilot)
    await until(pilot, lambda: "folding" not in "\n".join(text_of(app)))
    screen = app.screen
    assert isinstance(screen, SandboxScreen)
    return screen


def seen(app: DashboardApp, *words: str) -> bool:
    """Whether one line of the screen has all of these."""
    return any(all(word in line for word in words) for line in text_of(app))


@pytest.mark.shop_alone
async def test_an_entry_is_left_out_changed_and_moved(log: Stream, client: redis.Redis) -> None:
    async with dashboard(log, client) as (app, pilot):
        before = client.xinfo_stream(STREAM)
        # The fifth entry: user 7 buys one for 17.00.
        await pilot.press("G", "up", "up", "up", "up", "w")
        await until(pilot, lambda: isinstance(app.screen, ChoicesScreen))
        assert seen(app, "What if · #5 Order")
        await pilot.press("x")
        screen = await sandbox(app, pilot)
        assert seen(app, "SANDBOX")
        assert seen(app, "−", "#5", "left out")
        assert seen(app, "users:7.balance", "16.00", "33.00", "+17.00")
        assert seen(app, "2 numbers would be otherwise after #9, and no entry decided otherwise.")
        # The third: it had put in 20.00, and puts in 500.00 instead.
        await pilot.press("escape", "up", "up", "w", "c")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "field-amount")
        await pilot.press("ctrl+u")
        await write(pilot, "500.00")
        await pilot.press("enter")
        screen = await sandbox(app, pilot)
        assert seen(app, "~", "#3", "TopUp user 7", "✓ +500.00")
        assert seen(app, "6", "Order", "✗ insufficient_funds", "✓ applied")
        assert len(screen.draft.edits) == 2
        # Once more: what it says by now is to be changed.
        await pilot.press("escape", "w", "c")
        await until(pilot, lambda: app.focused is not None and app.focused.id == "field-amount")
        assert seen(app, "Amount", "500.00")
        await pilot.press("escape")
        # It would have been refused if the disks had come only after it.
        await pilot.press("escape", "up", "w", "K")
        screen = await sandbox(app, pilot)
        assert len(screen.draft.edits) == 3
        assert seen(app, "⇄", "#2 #1") or seen(app, "⇄", "#1 #2")
        await pilot.press("u", "u")
        await sandbox(app, pilot)
        assert len(screen.draft.edits) == 1
        await pilot.press("U")
        await sandbox(app, pilot)
        assert len(screen.draft.edits) == 2
        await pilot.press("x")
        await sandbox(app, pilot)
        assert len(screen.draft.edits) == 1
        await pilot.press("u")
        await sandbox(app, pilot)
        assert len(screen.draft.edits) == 2
        await pilot.press("b")
        await sandbox(app, pilot)
        assert seen(app, "Tried · 32")
        assert client.xinfo_stream(STREAM) == before


async def test_an_event_is_tried_and_published_once_nothing_else_was_appended(log: Stream, client: redis.Redis) -> None:
    number = str(Cell(*present().cell(11, 500)[:3]))
    async with dashboard(log, client) as (app, pilot):
        await pilot.press("1", "w")
        await sandbox(app, pilot)
        assert seen(app, "Nothing is tried yet")
        await pilot.press("p")
        assert "add to the end of the log" in told(app)[-1]
        for refused in "xc":
            await pilot.press(refused)
            assert "w in the log" in told(app).pop()
        await pilot.press("question_mark")
        assert "r Up to now" in told(app).pop()
        await pilot.press("e")
        await until(pilot, lambda: seen(app, "Try an event"))
        assert not seen(app, "Publish an event")
        await pilot.press("escape")
        await pilot.press(present().press)
        await until(pilot, lambda: seen(app, "nothing is published."))
        row, value = app.screen.query(Input)
        row.value = "x" * 40
        await until(pilot, lambda: seen(app, "cannot be tried: see "))
        row.value = key(11)
        value.focus()
        await write(pilot, typed(500))
        await pilot.press("enter")
        screen = await sandbox(app, pilot)
        assert seen(app, "+", "#9a", "✓")
        assert seen(app, number, "–", typed(500))
        assert client.xlen(STREAM) == 9
        # Somebody is faster: nothing is published, and the outcome is shown anew.
        publish_more(client, 12)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: seen(app, "#10a"))
        assert client.xlen(STREAM) == 10
        assert seen(app, number, "–", typed(500))
        assert "appended meanwhile" in told(app)[-1]
        await pilot.press("p", "y")
        await until(pilot, lambda: app.screen is not screen and not isinstance(app.screen, ConfirmScreen))
        assert client.xlen(STREAM) == 11
        assert told(app)[-1].endswith("1 event is in the log.")


async def test_it_begins_at_the_moment_shown_and_leads_to_an_entry_that_is_decided_otherwise(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(
        console, sandbox_of=lambda fold: Sandbox(log, fold), past_of=lambda fold: past_of(log, tmp_path, fold)
    )
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: console.view.phase is Phase.LIVE and console.view.position.ordinal == 9, timeout=20)
        await until(pilot, lambda: main_of(app).time.past is not None, timeout=20)
        main_of(app).time.go_to(1)
        await as_of(pilot, 1)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ChoicesScreen))
        assert seen(app, "What if · #1 ")
        await pilot.press("x")
        await sandbox(app, pilot)
        assert seen(app, "Behind #1")
        assert seen(app, f"{nine().without_first}", "✗")
        await pilot.press("tab", "enter")
        await as_of(pilot, nine().without_first)


async def test_it_is_kept_under_a_name(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    file = tmp_path / "sandboxes.json"
    async with dashboard(log, client, file) as (app, pilot):
        await pilot.press("G", "up", "w", "x")
        await sandbox(app, pilot)
        await pilot.press("n")
        await write(pilot, "without 8")
        await pilot.press("enter")
        screen = await sandbox(app, pilot)
        assert screen.draft.name == "without 8"
        await pilot.press("l", "enter")
        assert (await sandbox(app, pilot)).draft.edits == []
        assert client.xlen(STREAM) == 9
    async with dashboard(log, client, file, readonly=True) as (app, pilot):
        await pilot.press("1", "w", "l", "down", "enter")
        screen = await sandbox(app, pilot)
        assert screen.draft.name == "without 8"
        assert seen(app, "−", "#8")
        await pilot.press("p")
        assert "read-only" in told(app)[-1]


async def test_what_cannot_be_changed_is_said(log: Stream, client: redis.Redis) -> None:
    async with dashboard(log, client) as (app, pilot):
        # The fourth cannot be understood.
        await pilot.press("G", *["up"] * 5, "w", "c")
        await sandbox(app, pilot)
        await until(pilot, lambda: told(app) and "cannot be understood" in told(app)[-1])
        client.xdel(STREAM, log.page(b"0-0")[3][0])
        await pilot.press("escape", "w", "x")
        await until(pilot, lambda: "in the stream" in told(app)[-1])


async def test_in_sixteen_colours_its_frame_is_as_loud(log: Stream, client: redis.Redis) -> None:
    async with dashboard(log, client) as (app, pilot):
        app.theme = "ansi-dark"
        await pilot.press("1", "w")
        screen = await sandbox(app, pilot)
        kind, colour = screen.query_one("#dialog").styles.border_top
        assert (kind, colour.ansi) == ("double", 1)
