"""The past on the screen, over a real consumer, a real server and a real track."""

from pathlib import Path
from threading import Event
from time import monotonic

import pytest
import redis
from msgspec.structs import replace
from textual.app import App

from esdash.engine.console import EngineError
from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase, Position
from esdash.log.stream import Stream
from esdash.past.service import Past
from esdash.ui.actions import ACTIONS, Group
from esdash.ui.app import DashboardApp
from esdash.ui.main.preview import Preview
from esdash.ui.main.screen import MainScreen
from esdash.ui.past.row_page import RowPage
from esdash.ui.tables.line_table import LineTable
from tests.domains.ways import present
from tests.engine.running import STREAM, sound
from tests.ui.any_domain import press, title
from tests.ui.looking import lines_of, main_of, settle, show, text_of, told
from tests.ui.past.keeping import SIZE, as_of, dashboard, dashboard_over, go_to, publish, publish_more
from tests.ui.past.nine import nine
from tests.ui.recorded import RecordedConsole, blank
from tests.ui.stage import until, write

pytestmark = pytest.mark.usefixtures("any_domain")


def shows(app: App[None], number: int) -> bool:
    """Whether the first line of the first table is that of a moment."""
    return nine().shown[number] in lines_of(app, nine().table)[1].split()


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
        await until(pilot, lambda: shows(app, 9), timeout=20)
        now = [line.split()[:2] for line in lines_of(app, nine().table)]
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await pilot.press("left_square_bracket", "left_square_bracket")
        screen = await as_of(pilot, 6)
        assert nine().refused in screen[3]
        assert shows(app, 6)
        assert len([line for line in lines_of(app, nine().table)[1:] if line.strip()]) == nine().rows_then
        assert lines_of(app, "log")[6].split()[1] == "6"
        frame = f"╔═ {title(nine().table)} · {nine().rows_then} ═"
        assert any(frame in line for line in screen), "another frame, in no colours too"
        assert any("✓ 4 applied" in line and "✗ 1 rejected" in line for line in screen)
        await pilot.press("right_square_bracket")
        await as_of(pilot, 7)
        assert shows(app, 7)
        await pilot.press("escape")
        await until(pilot, lambda: is_now(app))
        assert [line.split()[:2] for line in lines_of(app, nine().table)] == now


async def test_the_consumer_goes_on_meanwhile_and_nothing_is_published(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await pilot.press(present().press, "b", "p")
        assert isinstance(app.screen, MainScreen)
        assert any("The past cannot be changed" in line for line in told(app))
        publish_more(client, 1)
        await until(pilot, lambda: any("live: ● LIVE  #10" in line for line in text_of(app)), timeout=20)
        assert client.xlen(STREAM) == 10
        await as_of(pilot, 8)


@pytest.mark.domains_in_turn
@pytest.mark.parametrize("width", [60, 80, 120])
async def test_the_way_back_help_and_quit_are_always_in_the_line_of_keys(
    log: Stream, client: redis.Redis, tmp_path: Path, width: int
) -> None:
    publish(client)
    async with dashboard(log, tmp_path, size=(width, 24)) as (_, pilot):
        await pilot.press("left_square_bracket")
        keys = (await as_of(pilot, 8))[-1]
        assert keys.startswith(" Esc Back to now  [ Step back  ] Step on")
        assert keys.rstrip().endswith("? Help  q Quit")
        assert "…" not in keys


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
        later = [number for number in nine().about if number > 4]
        await pilot.press("1", "home", "right_curly_bracket")
        await as_of(pilot, later[0])
        await pilot.press(*["right_curly_bracket"] * (len(later) - 1))
        await as_of(pilot, later[-1])


@pytest.mark.domains_in_turn
async def test_a_place_is_gone_to_and_played_from(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("at")
        await write(pilot, "nonsense")
        assert any("'nonsense' is no place in the stream" in line for line in text_of(app))
        await pilot.press("ctrl+u")
        await write(pilot, "#2")
        await pilot.press("enter")
        await as_of(pilot, 2)
        await pilot.press("plus", "plus", "plus", "space")
        await as_of(pilot, 9)
        await until(pilot, lambda: not any("playing" in line for line in text_of(app)))


@pytest.mark.shop_alone
async def test_a_row_has_a_page_with_all_that_made_it_so(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path, size=(150, 40)) as (app, pilot):
        await pilot.press("1", "home")
        # Beside the tables the newest of the same.
        await until(pilot, lambda: any("−17.00" in line and "16.00" in line for line in beside(app)))
        assert any("✗ insufficient_funds" in line for line in beside(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RowPage) and len(app.screen.query_one(LineTable).source) == 5)
        page = "\n".join(text_of(app))
        assert "Users › 7" in page
        assert "16.00   +50.00 · −34.00 · 4 changes" in page
        assert "5 entries are about it · 1 refusal · first seen #1 " in page
        assert " · last #7 " in page
        assert "insufficient_funds" in page
        assert "short 137.00" in page
        await pilot.press("down", "at")
        await as_of(pilot, 6)
        await pilot.press("escape", "2", "home")
        await until(pilot, lambda: any("remaining  −1  18" in line for line in beside(app)))
        assert any("price  +17.00  17.00" in line for line in beside(app)), "of several numbers each by its name"


@pytest.mark.domains_in_turn
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


async def test_without_a_past_each_of_its_keys_says_so(log: Stream, client: redis.Redis) -> None:
    publish(client)
    console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(console)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: console.view.position.ordinal == 9, timeout=20)
        for action in (each for each in ACTIONS if each.group is Group.PAST):
            app.messages.clear()
            await pilot.press(action.keys)
            assert told(app) == ["! No past is kept here: the setting track_mb is 0."], action.id


@pytest.mark.domains_in_turn
async def test_while_the_consumer_restores_keys_go_on_from_what_is_shown(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    live = replace(blank(), phase=Phase.LIVE, position=Position("9-9", 9))
    console = RecordedConsole(live)
    async with dashboard_over(console, log, tmp_path) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        for phase in (Phase.RESTORING, Phase.REPLAYING):
            await show(pilot, console, replace(live, phase=phase, position=Position()))
            await pilot.press("left_square_bracket")
            await as_of(pilot, 7)
            await pilot.press("right_square_bracket")
            await as_of(pilot, 8)
        await pilot.press("escape", "left_square_bracket")
        await as_of(pilot, 9)
        await show(pilot, console, replace(live, phase=Phase.HALTED, position=Position("2-2", 2)))
        await pilot.press("right_square_bracket")
        assert told(app)[-1].endswith("No later entry is known.")
        await show(pilot, console, live)
        await pilot.press("right_square_bracket")
        assert told(app)[-1].endswith("This is the newest entry. Esc goes on to what comes.")
        await as_of(pilot, 9)


async def test_the_earliest_moment_is_said_to_be_that(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await go_to(pilot, 1)
        await pilot.press("left_square_bracket")
        await as_of(pilot, 0)
        assert not any("earliest" in line for line in told(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: told(app)[-1].endswith("This is the earliest moment that can be shown."))


async def test_from_a_stopped_picture_keys_go_on_from_what_it_shows(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("space")
        publish_more(client, 1, 2, 3)
        await until(pilot, lambda: app.engine.view.position.ordinal == 12, timeout=20)
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)


async def test_an_answer_that_comes_after_escape_is_not_gone_to(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    gate, answered = Event(), Event()

    class Slow(Past):
        def refused(self, ordinal: int, *, back: bool = False) -> int | None:
            assert gate.wait(20)
            answered.set()
            return super().refused(ordinal, back=back)

        def parked(self, ordinal: int, *, back: bool = False) -> int | None:  # noqa: ARG002 - it has no answer
            assert gate.wait(20)
            raise EngineError("Too late.")

    console = RecordedConsole(replace(blank(), phase=Phase.LIVE, position=Position("9-9", 9)))
    async with dashboard_over(console, log, tmp_path, past=Slow) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await pilot.press("left_parenthesis", "Y", "escape")
        await until(pilot, lambda: is_now(app))
        gate.set()
        await settle(pilot)
        assert answered.is_set()
        assert is_now(app)
        assert not told(app)


async def test_where_the_line_of_time_is_hidden_its_keys_say_so(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path, size=(80, 24)) as (app, pilot):
        for key in "ZA":
            app.messages.clear()
            await pilot.press(key)
            assert "The line of time has no room here." in told(app)[0]


@pytest.mark.domains_in_turn
async def test_a_moment_whose_entry_left_the_stream_says_so_and_what_the_entry_did(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        client.xtrim(STREAM, maxlen=2, approximate=False)
        screen = await go_to(pilot, 7)
        assert f"gone from the stream: trimmed or deleted  {nine().seventh}" in screen[3]
        await pilot.press("left_square_bracket")
        screen = await as_of(pilot, 6)
        assert "gone from the stream" in screen[3]
        assert f"✗ rejected {nine().refused}" in screen[3]
        await pilot.press(*["left_square_bracket"] * 6)
        assert "before the first entry" in (await as_of(pilot, 0))[3]
        await pilot.press("right_square_bracket")
        await as_of(pilot, 1)
        await pilot.press(press("log"), "up", "enter")
        change = f"{nine().row}  – → {nine().shown[1]}"
        await until(pilot, lambda: any(change in line for line in text_of(app)))
        assert any("What  " in line and "gone from the stream: trimmed or deleted" in line for line in text_of(app))


@pytest.mark.domains_in_turn
async def test_after_the_past_only_what_came_meanwhile_is_new(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await go_to(pilot, 4)
        await pilot.press(press("log"), "home")
        publish_more(client, 1)
        await until(pilot, lambda: app.engine.view.position.ordinal == 10, timeout=20)
        await pilot.press("escape")
        await until(pilot, lambda: any(f"─ {title('log')} · 10 · ↓ 1 new ─" in line for line in text_of(app)))


@pytest.mark.domains_in_turn
async def test_entries_are_played_in_the_time_that_they_came_in_or_faster(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    start = 1_700_000_000_000
    for number, second in enumerate((0, 1, 1, 9, 3_600)):
        client.xadd(STREAM, sound(number), id=f"{start + second * 1000}-{number}")
    async with dashboard(log, tmp_path, count=5) as (app, pilot):
        time = main_of(app).time
        await go_to(pilot, 1)
        await pilot.press("left_square_bracket")
        await as_of(pilot, 0)
        await pilot.press(*["minus"] * 20, "space")
        await until(pilot, lambda: any("▶ playing as it came" in line for line in text_of(app)))
        await as_of(pilot, 1)
        begun = monotonic()
        await as_of(pilot, 3)
        assert monotonic() - begun > 0.5, "both of the next second at once, a second later"
        await pilot.press("plus")
        assert any("▶ playing 10 × as fast as it came" in line for line in text_of(app))
        await as_of(pilot, 4)
        await pilot.press("plus", "plus", "plus", "plus")
        await until(pilot, lambda: any("▶ playing 2/s" in line for line in text_of(app)))
        await as_of(pilot, 5)
        await until(pilot, lambda: (now := time.now) is not None and not now.pace)
