"""The past on the screen, over a real consumer, a real server and a real track."""

from pathlib import Path

import redis
from textual.pilot import Pilot
from textual.widgets import OptionList

from esdash.engine.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.log.stream import Stream
from esdash.ui.app import DashboardApp
from esdash.ui.main.preview import Preview
from esdash.ui.main.screen import MainScreen
from esdash.ui.past.row_page import RowPage
from tests.domains.shop import shop
from tests.ui.looking import lines_of, main_of, text_of, told
from tests.ui.past.keeping import SIZE, as_of, dashboard, publish, top_up
from tests.ui.stage import until, write


async def until_line(pilot: Pilot[None], text: str) -> None:
    """Wait until the first line of the table of users has a text."""
    await until(pilot, lambda: text in lines_of(pilot.app, "users")[1], timeout=20)


def beside(app: DashboardApp) -> list[str]:
    """What stands beside the panels."""
    start = main_of(app).query_one(Preview).region.x
    return [line[start:] for line in text_of(app)]


def is_now(app: DashboardApp) -> bool:
    main = main_of(app)
    assert isinstance(main, MainScreen)
    return main.time.now is None and any("LIVE" in line for line in text_of(app)[:2])


async def test_every_panel_is_that_of_the_moment_and_escape_is_now(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await until_line(pilot, "16.00")
        now = [line.split()[:2] for line in lines_of(app, "users")]
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await pilot.press("left_square_bracket", "left_square_bracket")
        screen = await as_of(pilot, 6)
        assert "needed 170.00, had 33.00, short 137.00" in screen[3]
        assert "33.00" in lines_of(app, "users")[1]
        assert len([line for line in lines_of(app, "users")[1:] if line.strip()]) == 1
        assert lines_of(app, "log")[6].split()[1] == "6"
        assert any("╔═ 1 Balances · 1 ═" in line for line in screen), "another frame, in no colours too"
        assert any("✓ 4 applied" in line and "✗ 1 rejected" in line for line in screen)
        await pilot.press("right_square_bracket")
        await as_of(pilot, 7)
        assert "16.00" in lines_of(app, "users")[1]
        await pilot.press("escape")
        await until(pilot, lambda: is_now(app))
        assert [line.split()[:2] for line in lines_of(app, "users")] == now


async def test_the_consumer_goes_on_meanwhile_and_nothing_is_published(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await pilot.press("t", "b", "p")
        assert isinstance(app.screen, MainScreen)
        assert any("The past cannot be changed" in line for line in told(app))
        top_up(client, 1, 100)
        await until(pilot, lambda: any("live: ● LIVE #10" in line for line in text_of(app)), timeout=20)
        assert client.xlen("orders") == 10
        await as_of(pilot, 8)


async def test_keys_go_to_what_was_refused_parked_or_is_about_a_row(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("left_parenthesis")
        await as_of(pilot, 6)
        await pilot.press("left_parenthesis")
        await until(pilot, lambda: any("No entry before this one was refused" in line for line in told(app)))
        await pilot.press("Y")
        await as_of(pilot, 4)
        await pilot.press("1", "home", "right_curly_bracket")
        await as_of(pilot, 5)
        await pilot.press("right_curly_bracket", "right_curly_bracket")
        await as_of(pilot, 7)


async def test_a_place_is_gone_to_and_played_from(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("at")
        await write(pilot, "nonsense")
        assert any("✗" in line or "no place" in line.lower() for line in text_of(app)) or app.screen is not main_of(app)
        await pilot.press("ctrl+u")
        await write(pilot, "#2")
        await pilot.press("enter")
        await as_of(pilot, 2)
        await pilot.press("plus", "plus", "plus", "space")
        await as_of(pilot, 9)
        await until(pilot, lambda: not any("playing" in line for line in text_of(app)))


async def test_a_row_has_a_page_with_all_that_made_it_so(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path, size=(150, 40)) as (app, pilot):
        await pilot.press("1", "home")
        # Beside the tables the newest of the same.
        await until(pilot, lambda: any("−17.00" in line and "16.00" in line for line in beside(app)))
        assert any("✗ insufficient_funds" in line for line in beside(app))
        await pilot.press("enter")
        await until(
            pilot, lambda: isinstance(app.screen, RowPage) and app.screen.query_one(OptionList).option_count == 5
        )
        page = "\n".join(text_of(app))
        assert "user › 7" in page
        assert "+50.00 · −34.00 · 4 changes · 1 refusal · first #1" in page
        assert "insufficient_funds" in page
        assert "short 137.00" in page
        await pilot.press("down", "enter")
        await as_of(pilot, 6)


async def test_what_was_replayed_can_be_watched_and_ends_now(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await until(pilot, lambda: any("replayed 9 events" in line for line in text_of(app)))
        assert ". watches it" in text_of(app)[3]
        await pilot.press("home", "full_stop")  # a log that does not follow its tail does so while it is played
        await as_of(pilot, 0)
        await until(pilot, lambda: (now := main_of(app).time.now) is not None and now.number >= 3, timeout=20)
        await pilot.press("space")
        await until(pilot, lambda: not any("playing" in line for line in text_of(app)))
        assert (now := main_of(app).time.now) is not None
        assert lines_of(app, "log")[now.number].split()[1] == f"{now.number}"
        await pilot.press("plus", "plus", "plus", "space")
        await until(pilot, lambda: is_now(app), timeout=20)
        assert any("That was the replay: 9 events from #0 on. This is now." in line for line in told(app))


async def test_without_a_past_the_keys_say_so(log: Stream, client: redis.Redis) -> None:
    publish(client)
    console = LiveConsole(log, shop(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: console.view.position.ordinal == 9, timeout=20)
        await pilot.press("left_square_bracket")
        await until(
            pilot, lambda: any("No past is kept here: the setting track_mb is 0." in line for line in told(app))
        )
