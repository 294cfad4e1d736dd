"""A dashboard over a real consumer and a real server, with the track of a few entries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import redis
from textual.pilot import Pilot

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.service import Past
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import DashboardApp
from esdash.whatif.sandbox import Sandbox
from tests.domains.ways import present
from tests.engine.running import STREAM, said, sound
from tests.ui.fake_console import FakeConsole
from tests.ui.looking import main_of, text_of
from tests.ui.past.nine import nine
from tests.ui.stage import until

SIZE = (120, 40)


def publish(client: redis.Redis) -> None:
    """The nine entries of the present domain: the fourth is parked, the sixth refused."""
    for event in nine().events:
        client.xadd(STREAM, said(event, None))


def publish_more(client: redis.Redis, *numbers: int) -> None:
    """Events that are applied, of other rows than those of the nine."""
    for number in numbers:
        client.xadd(STREAM, sound(number))


def past_of(log: Stream, folder: Path, fold: Fold, past: type[Past] = Past) -> Past:
    """The past of all there is now."""
    tracks = TrackFolder(folder, 100)
    path = tracks.file_of(log.server.url, log.name, fold)
    Builder(log, fold, tracks, path).run()
    return past(log, fold, path)


@asynccontextmanager
async def dashboard_over(
    console: FakeConsole, log: Stream, folder: Path, past: type[Past] = Past
) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """A dashboard that shows the views it is given, with the past of a real log."""
    app = DashboardApp(console, past_of=lambda fold: past_of(log, folder, fold, past))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: main_of(app).time.past is not None, timeout=20)
        yield app, pilot


@asynccontextmanager
async def dashboard(
    log: Stream, folder: Path, count: int = 9, size: tuple[int, int] = SIZE, fold: Fold | None = None
) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """A dashboard that is live, with a track of all there is now; of the present domain unless told otherwise."""

    console = LiveConsole(log, fold or present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(
        console, past_of=lambda fold: past_of(log, folder, fold), sandbox_of=lambda fold: Sandbox(log, fold)
    )
    async with app.run_test(size=size) as pilot:
        await until(
            pilot, lambda: console.view.phase is Phase.LIVE and console.view.position.ordinal == count, timeout=20
        )
        await until(pilot, lambda: main_of(app).time.past is not None, timeout=20)
        yield app, pilot


async def as_of(pilot: Pilot[None], number: int) -> list[str]:
    """Wait until the screen shows the moment after an entry; its lines."""
    await until(pilot, lambda: any(f"AS OF #{number} " in line for line in text_of(pilot.app)), timeout=20)
    return text_of(pilot.app)


async def go_to(pilot: Pilot[None], number: int) -> list[str]:
    """Type the number of an entry as the place to go to; the lines of the screen at that moment."""
    await pilot.press("at", "number_sign", *str(number), "enter")
    return await as_of(pilot, number)
