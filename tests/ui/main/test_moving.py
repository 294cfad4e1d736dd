"""Moving about in the panels: the keys, the mouse, the cursor that keeps to its line."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from esdash.ui.app import DashboardApp
from esdash.ui.tables.line_table import LineTable
from tests.ui.any_domain import numbers, panels, press, table, under_cursor
from tests.ui.looking import panel_of, show, wheel
from tests.ui.recorded import History, RecordedConsole, a_busy_view

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


def many_rows(count: int) -> History:
    """Rows 1…count."""
    return History().sound(*range(1, count + 1))


def table_of(app: DashboardApp) -> LineTable:
    """The one with the rows."""
    return panel_of(app, table()).table


async def in_the_table(pilot: Pilot[None]) -> None:
    """Focus it."""
    await pilot.press(press(table()))
    await pilot.pause()


class TestMovingWithKeys:
    async def test_lines_and_ends(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(200).live())).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            for keys, row in (
                ("up", 1),
                ("down down", 3),
                ("j j k", 4),
                ("end", 200),
                ("home", 1),
                ("G", 200),
                ("down", 200),
                ("up", 199),
                ("g", 1),
            ):
                await pilot.press(*keys.split())
                assert under_cursor(app) == row, keys

    async def test_pages_and_half_pages_come_back_to_the_same_line(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(200).live())).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            table = table_of(app)
            for there, back in (("pagedown", "pageup"), ("ctrl+f", "ctrl+b"), ("ctrl+d", "ctrl+u")):
                step = table.page if there != "ctrl+d" else table.page // 2
                await pilot.press(there, there)
                assert table.cursor == 2 * step
                assert table.top == 2 * step
                await pilot.press(back, back)
                assert (table.cursor, table.top) == (0, 0)

    async def test_a_page_past_the_end_stops_at_the_last_line(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(50).live())).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            await pilot.press(*["pagedown"] * 5)
            table = table_of(app)
            assert table.cursor == 49
            assert table.top == 50 - table.page

    async def test_an_empty_panel_takes_every_key(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(History().live())).run_test(size=SIZE) as pilot:
            for panel in panels():
                await pilot.press(
                    press(panel), "down", "up", "G", "g", "pagedown", "pageup", "ctrl+d", "enter", "y", "i", ">"
                )
            assert app.screen_stack[-1] is app.screen_stack[0]

    async def test_the_focus_goes_round(self, dashboard: Dashboard) -> None:
        first, last, log = panels()[0], panels()[-2], press("log")
        async with (app := dashboard(a_busy_view())).run_test(size=SIZE) as pilot:
            for keys, focused in (
                ("tab", first),
                (f"{log} shift+tab", last),
                (f"{log} l", first),
                (f"{log} h", last),
                ("1" + " right" * (len(panels()) - 1), "log"),
            ):
                await pilot.press(*keys.split())
                await pilot.pause()
                assert app.focused is panel_of(app, focused).table, keys


class TestMovingWithTheMouse:
    async def test_the_wheel_moves_the_part_in_view_and_not_the_cursor(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(200).live())).run_test(size=SIZE) as pilot:
            table = table_of(app)
            await wheel(pilot, table, 1)
            assert (table.top, table.cursor) == (3, 0)

    async def test_a_click_chooses_a_line_and_the_panel(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(200).live())).run_test(size=SIZE) as pilot:
            await pilot.pause()  # the tables share their room by how many rows they have
            await pilot.click(table_of(app), offset=(4, 5))
            assert under_cursor(app) == 5
            assert app.focused is table_of(app)

    async def test_a_click_under_the_last_line_chooses_nothing(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(3).live())).run_test(size=SIZE) as pilot:
            await pilot.click(table_of(app), offset=(4, 9))
            assert table_of(app).cursor == 0

    async def test_the_scroll_bar_can_be_pulled(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_rows(200).live())).run_test(size=SIZE) as pilot:
            table = table_of(app)
            right = table.size.width - 1
            await pilot.mouse_down(table, offset=(right, 1))
            await pilot.hover(table, offset=(right, table.size.height - 1))
            assert table.top == 200 - table.page
            await pilot.mouse_up(table, offset=(right, table.size.height - 1))
            await pilot.hover(table, offset=(right, 2))
            assert table.top == 200 - table.page


class TestKeepingTheLine:
    async def test_the_cursor_stays_on_its_row_when_others_arrive_before(self, dashboard: Dashboard) -> None:
        history = History().sound(100, 200, 300)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            await pilot.press("down")
            await show(pilot, console, history.sound(50, 150, 250).live())
            assert under_cursor(app) == 200

    async def test_a_cursor_nobody_moved_stays_at_the_top(self, dashboard: Dashboard) -> None:
        history = History().sound(100, 200)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await show(pilot, console, history.sound(1).live())
            assert under_cursor(app) == 1

    async def test_the_line_stays_where_it_is_on_the_screen(self, dashboard: Dashboard) -> None:
        history = many_rows(200)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            table = table_of(app)
            table.move_to(100)
            before = table.cursor - table.top
            await show(pilot, console, history.sound(0, 0, 0).live())
            assert table.cursor == 101
            assert table.cursor - table.top == before

    async def test_a_row_that_is_gone_leaves_the_cursor_within_the_table(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(many_rows(50).live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_the_table(pilot)
            await pilot.press("G")
            await show(pilot, console, many_rows(2).live())
            assert (table_of(app).cursor, table_of(app).top) == (1, 0)
            assert numbers(app) == [1, 2]
