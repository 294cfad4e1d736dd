"""The page of a row: more than fits, a way from row to entry to row and back, and every size."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from rich.cells import cell_len
from textual.pilot import Pilot

from esdash.log.stream import Stream
from esdash.ui.app import DashboardApp
from esdash.ui.paint.curve import curve
from esdash.ui.past.difference import DifferenceScreen
from esdash.ui.past.row_page import AT_A_TIME, RowPage
from esdash.ui.sandbox.choices import ChoicesScreen
from esdash.ui.tables.line_table import LineTable
from esdash.ui.trust.details import DetailsScreen
from tests.engine.running import STREAM, sound
from tests.ui.looking import main_of, text_of
from tests.ui.past.keeping import as_of, dashboard, publish
from tests.ui.past.nine import nine
from tests.ui.past.overlooking import at_first, not_yet
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")


SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def story(app: DashboardApp) -> LineTable:
    return app.screen.query_one("#story", LineTable)


async def opened(pilot: Pilot[None], lines: int | None = None) -> DashboardApp:
    """Wait until the page of a row lists so many entries, or all that are about the first row."""
    lines = len(nine().about) if lines is None else lines
    app = pilot.app
    assert isinstance(app, DashboardApp)
    await until(pilot, lambda: isinstance(app.screen, RowPage) and len(story(app).source) == lines)
    return app


@asynccontextmanager
async def on_a_page(log: Stream, folder: Path) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """A dashboard with the page of the first row."""
    async with dashboard(log, folder) as (app, pilot):
        await pilot.press("1", "home", "enter")
        await opened(pilot)
        yield app, pilot


def shows(app: DashboardApp, way: str) -> bool:
    """Whether the topmost frame has this title."""
    return any(f"─ {way} ─" in line for line in text_of(app))


@pytest.mark.shop_alone
async def test_from_an_entry_to_another_row_and_back(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DetailsScreen))
        assert shows(app, "Users › 7 › #7")
        page = "\n".join(text_of(app))
        assert "balance    user 7    33.00 → 16.00" in page, "all that it changed, not only of the row"
        assert "remaining  item hdd  19 → 18" in page
        await pilot.press("2")
        await opened(pilot, 4)
        assert shows(app, "Users › 7 › #7 › Items › hdd")
        assert any("4 entries are about it · 1 refusal · first seen #2 " in line for line in text_of(app))
        await pilot.press("backspace")
        assert isinstance(app.screen, DetailsScreen)
        await pilot.press("backspace")
        assert isinstance(app.screen, RowPage)
        assert shows(app, "Users › 7")
        await pilot.press("escape")
        assert app.screen is main_of(app)


async def test_from_a_line_to_what_if_to_its_moment_and_to_the_log(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        assert shows(app, nine().page)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, ChoicesScreen))
        assert any(f"What if · #{nine().about[-1]} " in line for line in text_of(app))
        await pilot.press("escape")
        await opened(pilot)
        await pilot.press("end", "at")
        await as_of(pilot, 1)
        assert app.screen is main_of(app)
        await pilot.press("escape", "1", "home", "enter")
        await opened(pilot)
        await pilot.press("slash")
        heading = f"Log · {nine().question} · {len(nine().about)} of 9"
        await until(pilot, lambda: any(heading in line for line in text_of(app)))


@pytest.mark.shop_alone
async def test_two_lines_are_compared(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        await pilot.press("m", "down", "down", "m")
        await until(pilot, lambda: isinstance(app.screen, DifferenceScreen))
        assert any("─ Difference  #7 · " in line and " → #5 · " in line for line in text_of(app))
        await until(pilot, lambda: any("+17.00" in line for line in text_of(app)))
        await pilot.press("enter")
        await opened(pilot)
        await pilot.press("at")
        await as_of(pilot, 7)
        assert app.screen is main_of(app), "all of them are left"


@pytest.mark.shop_alone
async def test_a_moment_chosen_on_the_second_page_leaves_all_of_them(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, DetailsScreen))
        await pilot.press("2")
        await opened(pilot, 4)
        await pilot.press("down", "at")
        await as_of(pilot, 6)
        assert app.screen is main_of(app)


@pytest.mark.shop_alone
async def test_further_entries_are_listed_when_one_goes_there(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    count = 2 * AT_A_TIME + 10
    for number in range(count):
        client.xadd(STREAM, sound(7, 100 + number))
    async with dashboard(log, tmp_path, count=count) as (app, pilot):
        await pilot.press("1", "home", "enter")
        await opened(pilot, AT_A_TIME)
        listed = f"… {AT_A_TIME} of {count} entries are listed, back to #{count - AT_A_TIME + 1}; further down are more"
        await until(pilot, lambda: any(listed in line for line in text_of(app)))
        assert any(f"{count} entries are about it" in line for line in text_of(app))
        await pilot.press("end")
        await opened(pilot, 2 * AT_A_TIME)
        await pilot.press("end")
        await opened(pilot, count)
        await pilot.press("end")
        assert story(app).selected == 1
        assert not any("further down are more" in line for line in text_of(app))


@pytest.mark.domains_in_turn
async def test_what_cannot_be_told_yet_is_asked_again(
    log: Stream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        past = main_of(app).time.past
        assert past is not None
        there = at_first(monkeypatch, past, "story", not_yet)
        await pilot.press("1", "home", "enter")
        await until(pilot, lambda: any("✗ Not there yet." in line for line in text_of(app)))
        there.set()
        await opened(pilot)
        assert not any("Not there yet." in line for line in text_of(app))


async def test_it_fits_every_size(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        await until(pilot, lambda: any(" about it" in line for line in text_of(app)))
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert {cell_len(line) for line in text_of(app)} == {size[0]}
            assert story(app).size.height >= 4
            assert story(app).selected == nine().about[-1]


@pytest.mark.shop_alone
async def test_a_curve_is_drawn_where_it_has_room(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with on_a_page(log, tmp_path) as (app, pilot):
        await until(pilot, lambda: any("4 changes" in line for line in text_of(app)))
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            page = "\n".join(text_of(app))
            assert "−17.00" in page
            assert ("50.00 ┤" in page) == (size[1] >= 30)


def test_a_curve_is_drawn_in_so_many_lines() -> None:
    assert curve([0, 1, 3, 3, 1, 2], 4) == [
        "  ╭─╮ ",
        "  │ │╭",
        " ╭╯ ╰╯",
        "─╯    ",
    ]
    assert curve([5, 5], 3) == ["  ", "  ", "──"]
