"""Moving about in the panels: the keys, the mouse, the cursor that keeps to its line."""

from collections.abc import Callable

from textual.pilot import Pilot

from esdash.shop.events import TopUp
from esdash.ui.app import DashboardApp
from tests.ui.looking import cursor_line, lines_of, panel_of, show, wheel
from tests.ui.recorded import History, RecordedConsole, busy_history

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


def many_users(count: int) -> History:
    """Users 1…count, the balance of each its number in whole units."""
    return History().add_all((TopUp(number, number * 100)) for number in range(1, count + 1))


async def in_balances(pilot: Pilot[None]) -> None:
    """Focus the balances."""
    await pilot.press("1")
    await pilot.pause()


class TestMovingWithKeys:
    async def test_lines_and_ends(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(200).live())).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            for keys, user in (
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
                assert cursor_line(app, "users").split()[0] == str(user), keys

    async def test_pages_and_half_pages_come_back_to_the_same_line(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(200).live())).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            table = panel_of(app, "users").table
            for there, back in (("pagedown", "pageup"), ("ctrl+f", "ctrl+b"), ("ctrl+d", "ctrl+u")):
                step = table.page if there != "ctrl+d" else table.page // 2
                await pilot.press(there, there)
                assert table.cursor == 2 * step
                assert table.top == 2 * step
                await pilot.press(back, back)
                assert (table.cursor, table.top) == (0, 0)

    async def test_a_page_past_the_end_stops_at_the_last_line(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(20).live())).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            await pilot.press(*["pagedown"] * 5)
            table = panel_of(app, "users").table
            assert table.cursor == 19
            assert table.top == 20 - table.page

    async def test_an_empty_panel_takes_every_key(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(History().live())).run_test(size=SIZE) as pilot:
            for panel in "123":
                await pilot.press(panel, "down", "up", "G", "g", "pagedown", "pageup", "ctrl+d", "enter", "y", "i", ">")
            assert app.screen_stack[-1] is app.screen_stack[0]

    async def test_the_focus_goes_round(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(busy_history().live())).run_test(size=SIZE) as pilot:
            for keys, focused in (
                ("tab", "users"),
                ("3 shift+tab", "items"),
                ("3 l", "users"),
                ("3 h", "items"),
                ("1 right right", "log"),
            ):
                await pilot.press(*keys.split())
                await pilot.pause()
                assert app.focused is panel_of(app, focused).table, keys


class TestMovingWithTheMouse:
    async def test_the_wheel_moves_the_part_in_view_and_not_the_cursor(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(200).live())).run_test(size=SIZE) as pilot:
            table = panel_of(app, "users").table
            await wheel(pilot, table, 1)
            assert (table.top, table.cursor) == (3, 0)

    async def test_a_click_chooses_a_line_and_the_panel(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(200).live())).run_test(size=SIZE) as pilot:
            await pilot.click(panel_of(app, "users").table, offset=(4, 5))
            assert cursor_line(app, "users").split()[0] == "5"
            assert app.focused is panel_of(app, "users").table

    async def test_a_click_under_the_last_line_chooses_nothing(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(3).live())).run_test(size=SIZE) as pilot:
            await pilot.click(panel_of(app, "users").table, offset=(4, 9))
            assert panel_of(app, "users").table.cursor == 0

    async def test_the_scroll_bar_can_be_pulled(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(many_users(200).live())).run_test(size=SIZE) as pilot:
            table = panel_of(app, "users").table
            right = table.size.width - 1
            await pilot.mouse_down(table, offset=(right, 1))
            await pilot.hover(table, offset=(right, table.size.height - 1))
            assert table.top == 200 - table.page
            await pilot.mouse_up(table, offset=(right, table.size.height - 1))
            await pilot.hover(table, offset=(right, 2))
            assert table.top == 200 - table.page


class TestKeepingTheLine:
    async def test_the_cursor_stays_on_its_user_when_others_arrive_before(self, dashboard: Dashboard) -> None:
        history = History().add_all((TopUp(number, 100)) for number in (100, 200, 300))
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            await pilot.press("down")
            history.add_all((TopUp(number, 100)) for number in (50, 150, 250))
            await show(pilot, console, history.live())
            assert cursor_line(app, "users").split()[0] == "200"

    async def test_a_cursor_nobody_moved_stays_at_the_top(self, dashboard: Dashboard) -> None:
        history = History().add_all((TopUp(number, 100)) for number in (100, 200))
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            history.add_all([(TopUp(1, 100))])
            await show(pilot, console, history.live())
            assert cursor_line(app, "users").split()[0] == "1"

    async def test_the_line_stays_where_it_is_on_the_screen(self, dashboard: Dashboard) -> None:
        history = many_users(200)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            table = panel_of(app, "users").table
            table.move_to(100)
            before = table.cursor - table.top
            history.add_all((TopUp(0, 100)) for _ in range(3))
            await show(pilot, console, history.live())
            assert table.cursor == 101
            assert table.cursor - table.top == before

    async def test_a_user_who_is_gone_leaves_the_cursor_within_the_table(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(many_users(50).live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await in_balances(pilot)
            await pilot.press("G")
            await show(pilot, console, many_users(2).live())
            table = panel_of(app, "users").table
            assert (table.cursor, table.top) == (1, 0)
            assert lines_of(app, "users")[2].split()[0] == "2"
