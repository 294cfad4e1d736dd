"""The keys for what was refused and for what differs, on the main screen over a real consumer and a real track."""

from pathlib import Path

import pytest
import redis
from textual.widgets import OptionList

from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import DashboardApp
from esdash.ui.past.board import BoardScreen
from esdash.ui.past.difference import DifferenceScreen
from esdash.ui.past.row_page import RowPage
from esdash.ui.tables.line_table import LineTable
from esdash.ui.trust.ladder import LadderScreen
from tests.ui.any_domain import question
from tests.ui.looking import main_of, panel_of, text_of, told
from tests.ui.past.keeping import as_of, dashboard, go_to, publish, publish_more
from tests.ui.past.nine import nine
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")


def is_page(app: DashboardApp) -> bool:
    """Whether the page of the row lists all that there is."""
    return isinstance(app.screen, RowPage) and len(app.screen.query_one(LineTable).source) == len(nine().about)


async def test_the_board_is_that_of_the_moment_and_asks_the_log(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, BoardScreen))
        await until(pilot, lambda: any("1 refused · 1 parked of 9 entries, up to #9" in line for line in text_of(app)))
        await pilot.press("escape", "left_parenthesis")
        await as_of(pilot, 6)
        await pilot.press("left_square_bracket")
        await as_of(pilot, 5)
        await pilot.press("exclamation_mark", "3")
        await until(
            pilot, lambda: any("0 refused · 1 parked of 5 entries, up to #5 ·" in line for line in text_of(app))
        )
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is main_of(app))
        assert panel_of(app, "log").input.value == "outcome:parked reason:unknown_type"


@pytest.mark.shop_alone
async def test_a_moment_is_marked_and_compared_with_another(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await go_to(pilot, 4)
        await pilot.press("m")
        assert any("#4" in line and "is marked. At another moment, m shows what differs." in line for line in told(app))
        await pilot.press("m")
        assert any("is marked already" in line for line in told(app))
        await pilot.press("escape", "m")
        await until(pilot, lambda: any("4 numbers differ · 5 entries between" in line for line in text_of(app)))
        screen = text_of(app)
        assert any("Difference  #4 · " in line and " → #9 · " in line for line in screen)
        line = next(line for line in screen if "users:7.balance" in line)
        assert line.replace("▌", "").split()[1:5] == ["users:7.balance", "50.00", "16.00", "−34.00"]
        await pilot.press("enter")
        await until(pilot, lambda: is_page(app))
        await pilot.press("escape")
        assert isinstance(app.screen, DifferenceScreen)
        await pilot.press("enter")
        await until(pilot, lambda: is_page(app))
        await pilot.press("down", "at")
        await as_of(pilot, 6)


async def test_the_entries_between_about_a_row_are_listed(log: Stream, client: redis.Redis, tmp_path: Path) -> None:
    publish(client)
    row, times, between = nine().most
    about = "1 entry is about it" if times == 1 else f"{times} entries are about it"
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("m")
        await go_to(pilot, 4)
        await pilot.press("m")
        await until(pilot, lambda: any("5 entries between" in line for line in text_of(app)))
        assert any("→ #4 ·" in line for line in text_of(app)), "the later one was marked first"
        await pilot.press("enter")
        # The page is that of the later moment, whichever is shown.
        await until(pilot, lambda: any(line.strip(" │").startswith(about) for line in text_of(app)))
        await pilot.press("escape", "E")
        await until(pilot, lambda: app.screen is main_of(app))
        assert panel_of(app, "log").input.value == f"{row} since:#5 until:#9"
        await until(pilot, lambda: f"{between} of 9" in panel_of(app, "log").heading)
        assert not any("AS OF" in line for line in text_of(app))


@pytest.mark.domains_in_turn
async def test_two_snapshots_are_chosen_in_the_list_and_compared(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: (taken := app.engine.view.snapshot) is not None and taken.position.ordinal == 9)
        publish_more(client, 1)
        await until(pilot, lambda: app.engine.view.position.ordinal == 10)
        past = main_of(app).time.past
        assert past is not None
        folder, fold = TrackFolder(tmp_path, 100), app.engine.fold
        Builder(log, fold, folder, folder.file_of(log.server.url, log.name, fold)).run()
        await pilot.press("s")
        await until(pilot, lambda: (taken := app.engine.view.snapshot) is not None and taken.position.ordinal == 10)
        await pilot.press("L")
        await until(pilot, lambda: isinstance(app.screen, LadderScreen) and app.screen.query_one(OptionList).has_focus)
        assert [stored.number for stored in past.snapshots()] == [10, 9]
        await pilot.press("m")
        await until(pilot, lambda: any("#10 (snapshot) is marked." in line for line in told(app)))
        await pilot.press("down", "m")
        await until(pilot, lambda: any(" · 1 entry between" in line for line in text_of(app)))
        assert any("#10 (snapshot) → #9 (snapshot)" in line for line in text_of(app))
        await pilot.press("E")
        await until(pilot, lambda: app.screen is main_of(app))
        assert panel_of(app, "log").input.value == f"{question(1)} since:#10 until:#10"
        await pilot.press("escape", "L")
        await until(pilot, lambda: isinstance(app.screen, LadderScreen) and app.screen.query_one(OptionList).has_focus)
        await pilot.press("down", "enter")
        await as_of(pilot, 9)
