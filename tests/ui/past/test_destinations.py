"""Conditions over the past: where the dashboard goes for them, and how far it plays."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
import redis
from msgspec.structs import replace
from textual.pilot import Pilot

from esdash.engine.shown.view import Phase, Position
from esdash.log.stream import Stream
from esdash.past.service import Looked, Past
from esdash.query.conditions import Condition
from esdash.ui.app import DashboardApp
from esdash.ui.main.screen import MainScreen
from tests.ui.looking import main_of, text_of, told
from tests.ui.past.keeping import as_of, dashboard, dashboard_over, go_to, publish
from tests.ui.past.nine import nine
from tests.ui.recorded import RecordedConsole, blank
from tests.ui.stage import until, write

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


async def ask(pilot: Pilot[None], key: str, text: str) -> None:
    """Open the dialog, put a text in the place of what stands there, and agree."""
    await pilot.press(key)
    await write(pilot, text)
    await pilot.press("enter")


async def until_told(pilot: Pilot[None], text: str) -> None:
    app = pilot.app
    assert isinstance(app, DashboardApp)
    await until(pilot, lambda: any(text in line for line in told(app)), timeout=20)


@pytest.mark.shop_alone
async def test_the_first_moment_of_a_condition_the_next_and_the_one_before(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await ask(pilot, "at", "users:7.balance < 40")
        await as_of(pilot, 1)
        await until_told(pilot, "Here users:7.balance < 40 begins to hold. ; and , go to the next such moment")
        await pilot.press("semicolon")
        await as_of(pilot, 5)
        await pilot.press("semicolon")
        await until_told(pilot, "users:7.balance < 40 does not begin to hold after #5.")
        await pilot.press("comma")
        await as_of(pilot, 1)
        await pilot.press("comma")
        await until_told(pilot, "users:7.balance < 40 does not begin to hold before #1.")
        await pilot.press("escape", "comma")
        await as_of(pilot, 5)
        # The dialog has it still; what is typed takes its place.
        await ask(pilot, "at", "min(users.balance) > 100")
        await until_told(pilot, "min(users.balance) > 100 holds at no moment that can be shown.")
        assert isinstance(app.screen, MainScreen)


async def test_what_is_wrong_in_a_condition_is_pointed_at(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("semicolon")
        await write(pilot, f"{nine().number.rpartition('.')[0]}.nothing < 4")
        screen = text_of(app)
        place = next(place for place, text in enumerate(screen) if "^" in text)
        at = screen[place].index("^^^^^^^ ")
        assert screen[place - 1][at:].startswith("nothing < 4")
        assert any(f"{nine().table} has no column nothing" in line for line in screen)
        await pilot.press("enter")
        assert not isinstance(app.screen, MainScreen)


async def test_playing_ends_where_a_condition_begins_to_hold(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (_, pilot):
        await pilot.press("U")
        await until_told(pilot, "What comes now plays by itself.")
        await go_to(pilot, 1)
        await pilot.press("plus", "plus")
        await ask(pilot, "U", nine().condition)
        await as_of(pilot, 7)
        await until_told(pilot, f"Here {nine().condition} begins to hold.")
        await ask(pilot, "U", "#3")
        await until_told(pilot, "nothing is played backwards")
        await ask(pilot, "U", "#8")
        await as_of(pilot, 8)
        await until_told(pilot, "So far it was to be played.")
        await pilot.press("space")
        await as_of(pilot, 9)


async def test_who_stops_on_the_way_plays_on_to_it(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await go_to(pilot, 1)
        await ask(pilot, "U", nine().condition)
        await until(pilot, lambda: any("playing" in line for line in text_of(app)), timeout=20)
        await pilot.press("space")
        await until(pilot, lambda: not any("playing" in line for line in text_of(app)), timeout=20)
        await pilot.press("plus", "plus", "space")
        await until_told(pilot, f"Here {nine().condition} begins to hold.")
        await as_of(pilot, 7)


async def test_escape_gives_up_looking_and_nothing_else(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    ended = Event()

    class Endless(Past):
        def begins(self, condition: Condition, at: int | None, *, back: bool = False) -> Iterator[Looked]:
            del condition, at, back
            try:
                while not ended.wait(0.01):
                    yield Looked(4_300)
            finally:
                ended.set()

    console = RecordedConsole(replace(blank(), phase=Phase.LIVE, position=Position("9-9", 9)))
    async with dashboard_over(console, log, tmp_path, past=Endless) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await ask(pilot, "at", nine().condition)
        looking = f"looking where {nine().condition} begins to hold … #4,300 · Esc gives up"
        await until(pilot, lambda: any(looking in line for line in text_of(app)), timeout=20)
        await pilot.press("escape")
        await until(pilot, ended.is_set)
        await until(pilot, lambda: not any("looking where" in line for line in text_of(app)))
        await as_of(pilot, 8)
        await pilot.press("escape")
        await until(pilot, lambda: main_of(app).time.now is None)
