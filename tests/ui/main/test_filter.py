"""Finding lines: the filter, the order of columns."""

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual.events import Paste
from textual.pilot import Pilot

from esdash.engine.shown.view import View
from esdash.shop.events import AddItem, TopUp
from esdash.ui.app import DashboardApp
from esdash.ui.tables.filter_line import FilterLine
from tests.domains.ways import present
from tests.ui.any_domain import key, numbers, one, press, question, sound, table, title, under_cursor
from tests.ui.looking import cursor_line, is_applied, lines_of, panel_of, show, text_of, told
from tests.ui.recorded import History, RecordedConsole

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

SIZE = (160, 40)


def a_shop() -> History:
    """Users and items whose orders by each column differ."""
    history = History()
    for user_id, amount in ((7, 300), (70, 100), (12, 200), (5, 400)):
        history.add_event(TopUp(user_id, amount))
    for item_id, count, price in (("SSD", 5, 900), ("hdd", 50, 100), ("cpu", 1, 500)):
        history.add_event(AddItem(item_id, count, price))
    history.add_event(TopUp(12, 5))
    history.add_event(AddItem("hdd", 1))
    return history


def some_rows() -> History:
    """Nine entries: five of an unknown type, and four that make rows whose orders by each column differ."""
    history = History()
    for _ in range(5):
        history.add("Other", "{}")
    for row, value in ((7, 300), (70, 100), (12, 400), (5, 200)):
        history.sound(row, value=value)
    return history


def entries_in(app: DashboardApp) -> list[str]:
    """The log's lines."""
    return [line for line in lines_of(app, "log")[1:] if line.strip()]


def first_words(app: DashboardApp, panel: str) -> list[str]:
    """The first column."""
    return [line.split()[0] for line in lines_of(app, panel)[1:] if line.strip()]


async def type_filter(pilot: Pilot[None], text: str) -> None:
    """Open the filter and type."""
    await pilot.press("slash", *text)
    await pilot.pause()


@pytest.mark.shop_alone
class TestHostileText:
    NAME = "a\u202eb\\u{41}ป่"

    async def test_a_question_about_a_row_hides_nothing_and_means_that_row(self, dashboard: Dashboard) -> None:
        history = a_shop()
        for name in (self.NAME, "ab"):
            history.add_event(AddItem(name, 5, 900))
        async with (app := dashboard(history.live())).run_test(size=SIZE) as pilot:
            await pilot.press("2", "home", "down", "down", "E")
            await pilot.pause()
            panel = panel_of(app, "log")
            assert panel.input.value == r"item:a\u{202E}b\u{5C}u{41}" + "ป่"
            assert len(panel.source) == 1
            assert not [line for line in text_of(app) if "\u202e" in line]
            await pilot.press("slash", "enter", "escape", "slash", "up")
            await pilot.pause()
            assert panel.input.value == r"item:a\u{202E}b\u{5C}u{41}" + "ป่"
            assert len(panel.source) == 1

    async def test_what_is_pasted_into_a_filter_hides_nothing(self, dashboard: Dashboard) -> None:
        history = a_shop()
        history.add_event(AddItem(self.NAME, 5, 900))
        async with (app := dashboard(history.live())).run_test(size=SIZE) as pilot:
            await pilot.press("2", "slash")
            app.post_message(Paste("a\u202eb"))
            await pilot.pause()
            await pilot.pause()
            assert panel_of(app, "items").input.value == r"a\u{202E}b"
            assert len(panel_of(app, "items").source) == 1


class TestFiltering:
    @pytest.mark.shop_alone
    async def test_balances_match_the_beginning_of_a_users_number(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_shop().live())).run_test(size=SIZE) as pilot:
            await pilot.press("1")
            await type_filter(pilot, "7")
            assert first_words(app, "users") == ["7", "70"]
            assert panel_of(app, "users").heading == "1 Balances · 2 of 4"
            await pilot.press("0")
            await pilot.pause()
            assert first_words(app, "users") == ["70"]

    @pytest.mark.shop_alone
    async def test_stock_matches_any_part_in_any_case(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_shop().live())).run_test(size=SIZE) as pilot:
            await pilot.press("2")
            await type_filter(pilot, "sd")
            assert first_words(app, "items") == ["SSD"]

    @pytest.mark.domains_in_turn
    async def test_the_log_matches_type_story_and_outcome(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.press(press("log"))
            for needle, count in ((sound(7)[0].casefold(), 4), (f'"{one()} {key(12)}"', 1), ("APPLIED", 4)):
                await type_filter(pilot, needle)
                assert len(entries_in(app)) == count, needle
                for line in entries_in(app):
                    assert is_applied(line) if needle == "APPLIED" else needle.strip('"') in line.casefold()
                await pilot.press("escape")

    async def test_the_log_matches_reasons(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            await type_filter(pilot, "unknown_")
            assert entries_in(app)
            assert all("unknown_" in line for line in entries_in(app))

    async def test_new_entries_are_filtered_as_they_arrive(self, dashboard: Dashboard) -> None:
        history = some_rows()
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            name, _ = sound(1)
            await type_filter(pilot, name)
            before = panel_of(app, "log").heading
            history.add("Other", "{}")
            await show(pilot, console, history.sound(1).live())
            assert before == f"{title('log')} · {name} · 4 of 9"
            assert panel_of(app, "log").heading == f"{title('log')} · {name} · 5 of 11"
            assert f"{one()} {key(1)}" in cursor_line(app, "log")

    async def test_escape_shows_all_again_and_gives_the_keys_back(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.press(press(table()))
            await type_filter(pilot, "9")
            assert f"no {one()} matches" in "".join(lines_of(app, table()))
            await pilot.press("escape")
            await pilot.pause()
            assert numbers(app) == [5, 7, 12, 70]
            assert app.focused is panel_of(app, table()).table
            assert not panel_of(app, table()).query_one(FilterLine).display

    async def test_enter_keeps_the_filter_and_escape_clears_it_later(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.press(press(table()))
            await type_filter(pilot, "7")
            await pilot.press("enter", "down")
            assert numbers(app) == [7, 70]
            assert under_cursor(app) == 70
            await pilot.press("escape")
            await pilot.pause()
            assert numbers(app) == [5, 7, 12, 70]
            assert under_cursor(app) == 70

    async def test_keys_typed_into_the_filter_do_nothing_else(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(some_rows().live())
        async with dashboard(console).run_test(size=SIZE) as pilot:
            await type_filter(pilot, "qscbtpz")
            assert console.asked == []
            assert pilot.app.is_running

    async def test_a_filter_is_text_and_not_a_pattern_or_markup(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            panel = panel_of(app, "log")
            await pilot.press("slash")
            panel.input.value = '"[red]( .*"'
            await pilot.pause()
            assert panel.heading == f'{title("log")} · "[red]( .*" · 0 of 9'


class TestALogThatIsNotAllHere:
    """The dashboard keeps the newest entries; it says so wherever it counts them or finds none."""

    @pytest.fixture
    def part(self) -> View:
        """The newest 4 of 9 entries."""
        view = some_rows().live()
        return replace(view, rows=view.rows[-4:])

    async def test_the_title_says_of_how_many_they_are_the_newest(self, dashboard: Dashboard, part: View) -> None:
        async with (app := dashboard(part)).run_test(size=SIZE) as pilot:
            assert panel_of(app, "log").heading == f"{title('log')} · newest 4 of 9"
            await type_filter(pilot, "12")
            assert panel_of(app, "log").heading == f"{title('log')} · 12 · {len(entries_in(app))} of the newest 4 of 9"

    async def test_nothing_found_is_not_nothing_there(self, dashboard: Dashboard, part: View) -> None:
        async with (app := dashboard(part)).run_test(size=SIZE) as pilot:
            await type_filter(pilot, "nosuchthing")
            lines = "\n".join(lines_of(app, "log"))
            assert "None of the newest 4 of 9 entries matches." in lines
            assert "`esdash events` reads those before them." in lines
            assert "no entry matches" not in lines

    async def test_where_all_are_here_nothing_is_said_of_others(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            assert panel_of(app, "log").heading == f"{title('log')} · 9"
            await type_filter(pilot, "nosuchthing")
            assert "no entry matches" in "\n".join(lines_of(app, "log"))

    async def test_details_say_that_there_are_more_before_the_oldest(self, dashboard: Dashboard, part: View) -> None:
        async with (app := dashboard(part)).run_test(size=SIZE) as pilot:
            await pilot.press(press("log"), "g", "enter")
            await pilot.press("p")
            await pilot.pause()
            (said,) = told(app)
            assert said.startswith("· The dashboard keeps the newest 4 of 9 entries")

    @pytest.mark.parametrize("size", [(60, 16), (80, 24)])
    async def test_on_a_small_terminal_too(self, dashboard: Dashboard, part: View, size: tuple[int, int]) -> None:
        async with (app := dashboard(part)).run_test(size=size):
            assert "newest 4 of 9" in "\n".join(text_of(app))


class TestGoingFromALineToItsEvents:
    async def test_a_rows_events(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.press(press(table()), "down", "enter")
            await pilot.pause()
            (line,) = entries_in(app)
            assert f"{one()} {key(7)} " in line
            assert panel_of(app, "log").input.value == question(7)
            assert app.focused is panel_of(app, "log").table

    async def test_a_rows_events_by_a_double_click(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.pause()
            await pilot.click(panel_of(app, table()).table, offset=(4, 2), times=2)
            await pilot.pause()
            (line,) = entries_in(app)
            assert f"{one()} {key(7)} " in line


class TestSorting:
    @pytest.mark.shop_alone
    async def test_balances_by_user_balance_and_change(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_shop().live())).run_test(size=SIZE) as pilot:
            for key, users in (
                ("1", ["5", "7", "12", "70"]),
                ("i", ["70", "12", "7", "5"]),
                ("i", ["5", "7", "12", "70"]),
                (">", ["5", "7", "12", "70"]),
                ("i", ["70", "12", "7", "5"]),
                (">", ["12", "5", "70", "7"]),
                (">", ["5", "7", "12", "70"]),
                ("<", ["12", "5", "70", "7"]),
            ):
                await pilot.press(key)
                assert first_words(app, "users") == users, key

    @pytest.mark.shop_alone
    async def test_stock_by_item_price_remaining_and_change(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(a_shop().live())).run_test(size=SIZE) as pilot:
            for key, items in (
                ("2", ["SSD", "cpu", "hdd"]),
                (">", ["SSD", "cpu", "hdd"]),
                ("i", ["hdd", "cpu", "SSD"]),
                (">", ["hdd", "SSD", "cpu"]),
                (">", ["hdd", "cpu", "SSD"]),
            ):
                await pilot.press(key)
                assert first_words(app, "items") == items, key

    async def test_a_click_on_a_title_sorts_and_another_turns_it_around(self, dashboard: Dashboard) -> None:
        name, _, column, value = present().cell(0, 0)
        turns = [("↓", [12, 7, 5, 70]), ("↑", [70, 5, 7, 12])]
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.pause()
            x = lines_of(app, name)[0].index(column) + 3
            for arrow, rows in turns if isinstance(value, int) else reversed(turns):
                await pilot.click(panel_of(app, name).table, offset=(x, 0))
                await pilot.pause()
                assert numbers(app) == rows
                assert re.search(f"{arrow}{column}|{column}{arrow}", lines_of(app, name)[0])

    async def test_the_cursor_stays_on_its_row(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            await pilot.press(press(table()), "down", "i")
            assert numbers(app) == [70, 12, 7, 5]
            assert under_cursor(app) == 7
            await pilot.press(">", ">", "i")
            assert under_cursor(app) == 7

    async def test_the_log_has_one_order(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_rows().live())).run_test(size=SIZE) as pilot:
            before = lines_of(app, "log")
            await pilot.press(press("log"), ">", "i", "<")
            assert lines_of(app, "log") == before

    async def test_a_sorted_panel_sorts_what_arrives(self, dashboard: Dashboard) -> None:
        history = some_rows()
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press(press(table()), "i")
            await show(pilot, console, history.sound(30).live())
            assert numbers(app) == [70, 30, 12, 7, 5]

    @pytest.mark.shop_alone
    async def test_a_sorted_panel_sorts_what_changes(self, dashboard: Dashboard) -> None:
        history = a_shop()
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("1", ">")
            history.add_event(TopUp(70, 100_000))
            await show(pilot, console, history.live())
            assert first_words(app, "users") == ["70", "5", "7", "12"]
