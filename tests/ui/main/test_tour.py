"""The tour, step by step, over a real server, a real consumer and a real track."""

from pathlib import Path

import redis
from textual.pilot import Pilot

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.past.service import past_of
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import DashboardApp
from esdash.ui.main.tour import Tour
from esdash.ui.past.row_page import RowPage
from tests.domains.shop import shop
from tests.ui.looking import main_of, text_of
from tests.ui.stage import until, write

STEPS = 11


async def at_step(pilot: Pilot[None], number: int) -> None:
    """Wait until a step is to be done."""
    await until(pilot, lambda: any(line.startswith(f" {number}/{STEPS} ") for line in text_of(pilot.app)), timeout=30)


async def test_every_step_waits_for_its_effect_and_the_last_says_so(
    url: str, client: redis.Redis, tmp_path: Path
) -> None:
    log = Stream(Server(url), "orders")
    console = LiveConsole(log, shop(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(
        console, past_of=lambda fold: past_of(log, fold, TrackFolder(tmp_path, 100)), tour=True, farewell_seconds=20
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: console.view.phase is Phase.LIVE, timeout=20)
        await at_step(pilot, 1)
        await pilot.press("t", "escape")  # the key alone is no effect
        await pilot.press("t")
        await write(pilot, "7")
        await pilot.press("tab")
        await write(pilot, "50")
        await pilot.press("enter")
        await at_step(pilot, 2)
        assert any("The number in the table is what the rules made of it" in line for line in text_of(app))
        await pilot.press("b")
        await at_step(pilot, 3)
        await pilot.press("o")
        await write(pilot, "7")
        await pilot.press("tab")
        await write(pilot, "cpu:9999")
        await pilot.press("enter", "enter")
        await at_step(pilot, 4)
        assert client.xlen("orders") == 32
        await pilot.press("s")
        await at_step(pilot, 5)
        await pilot.press("b")
        await at_step(pilot, 6)
        await until(pilot, lambda: console.view.position.ordinal == 62, timeout=20)
        await pilot.press("c", "y")
        await at_step(pilot, 7)
        assert console.view.position.ordinal == 62
        await until(pilot, lambda: main_of(app).time.past is not None, timeout=20)
        await pilot.press("full_stop")
        await at_step(pilot, 8)
        await pilot.press("escape")
        await at_step(pilot, 9)
        await pilot.press("left_square_bracket")
        await at_step(pilot, 10)
        await pilot.press("1", "home", "enter")
        await until(pilot, lambda: isinstance(app.screen, RowPage) and main_of(app).query_one(Tour).at == 10)
        await pilot.press("escape")
        await at_step(pilot, 11)
        await pilot.press("escape")
        await until(pilot, lambda: any("The tour is over." in line for line in text_of(app)))
    log.server.close()


async def test_a_step_can_be_left_out(url: str) -> None:
    log = Stream(Server(url), "orders")
    app = DashboardApp(LiveConsole(log, shop(), ConsumerSettings(snapshot_seconds=0), seed=1), tour=True)
    async with app.run_test(size=(60, 24)) as pilot:
        await at_step(pilot, 1)
        await pilot.press(*["ctrl+n"] * STEPS)
        await until(pilot, lambda: any("The tour is over." in line for line in text_of(app)))
    log.server.close()
