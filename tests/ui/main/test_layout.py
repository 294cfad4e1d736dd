"""The screen at every size: what is shown where, zoom, and lines of exactly the terminal's width."""

from collections.abc import Callable

import pytest
from rich.cells import cell_len

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.main.arrangement import heights_for, layout_for
from tests.ui.any_domain import panels, press, title
from tests.ui.looking import cursor_line, is_applied, main_of, panel_of, text_of
from tests.ui.recorded import (
    History,
    blank,
    busy_history,
    disconnected,
    halted,
    hostile,
    replaying,
    restored,
    restoring,
)
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

SIZES = [(60, 16), (80, 24), (120, 40), (160, 18), (200, 60)]


def shown(app: DashboardApp) -> list[str]:
    """The panels that are on the screen."""
    return [name for name in panels() if panel_of(app, name).table.size.height]


class TestEverySize:
    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize(
        "recorded",
        [blank, restoring, replaying, restored, disconnected, halted, hostile],
        ids=lambda recorded: recorded.__name__,
    )
    async def test_every_line_is_exactly_as_wide_as_the_terminal(
        self, dashboard: Dashboard, recorded: Callable[[], View]
    ) -> None:
        async with (app := dashboard(recorded())).run_test(size=SIZES[0]) as pilot:
            for size in SIZES if recorded in (restored, hostile) else SIZES[::4]:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                lines = text_of(app)
                assert len(lines) == size[1]
                assert {cell_len(line) for line in lines} == {size[0]}

    @pytest.mark.domains_in_turn
    async def test_the_essentials_are_never_left_out(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=SIZES[-1]) as pilot:
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                lines = text_of(app)
                assert "● LIVE" in lines[0]
                assert "✓ CONTINUOUS" in lines[0]
                assert "98 events" in lines[1]
                assert "lag 0" in lines[1]
                assert "snapshot 12 s ago" in lines[1]
                assert "34 events" in lines[2]
                assert "? Help" in lines[-1]
                assert "q Quit" in lines[-1]

    async def test_panels_that_have_no_room_wait_behind_their_names(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(60, 16)) as pilot:
            assert shown(app) == ["log"]
            for size, there in (
                ((60, 50), panels()),
                ((80, 24), panels()),
                ((120, 40), panels()),
                ((120, 18), ["log"]),
                ((60, 16), ["log"]),
            ):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert shown(app) == there, size

    @pytest.mark.parametrize("sizes", [[(59, 40), (200, 15)], [(1, 1), (20, 5)]])
    async def test_below_sixty_by_sixteen_it_says_so(self, dashboard: Dashboard, sizes: list[tuple[int, int]]) -> None:
        async with (app := dashboard(restored())).run_test(size=sizes[0]) as pilot:
            for size in sizes:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                if size[0] > 30:
                    assert "esdash needs 60×16" in " ".join(text_of(app))
                await pilot.resize_terminal(80, 24)
                await pilot.pause()
                assert shown(app) == panels()

    @pytest.mark.shop_alone
    async def test_numbers_are_whole_or_an_ellipsis(self, dashboard: Dashboard) -> None:
        history = busy_history()
        history.add("TopUp", '{"user_id":9223372036854775807,"amount":1000000000000000}')
        async with (app := dashboard(history.live())).run_test(size=(60, 40)) as pilot:
            await pilot.press("1", "G")
            for width in (60, 80, 93, 110, 128):
                await pilot.resize_terminal(width, 40)
                await pilot.pause()
                last = cursor_line(app, "users").split()
                assert last[0] in ("9223372036854775807", "…")
                assert last[1] in ("10,000,000,000,000.00", "…")

    @pytest.mark.shop_alone
    def test_every_layout_is_used(self) -> None:
        layouts = {layout_for(width, height) for width in range(40, 300) for height in range(10, 60)}
        assert layouts == {"tiny", "tabs", "tall", "stacked", "split", "columns"}


@pytest.mark.domains_in_turn
class TestZooming:
    async def test_the_focused_panel_takes_the_screen_and_gives_it_back(self, dashboard: Dashboard) -> None:
        table = panels()[-2]
        async with (app := dashboard(restored())).run_test(size=(80, 24)) as pilot:
            for size in ((80, 24), (120, 40), (240, 60)):
                await pilot.resize_terminal(*size)
                await pilot.press(press(table), "z")
                await pilot.pause()
                assert shown(app) == [table]
                assert panel_of(app, table).table.size.width == size[0] - 2
                await pilot.press("z")
                await pilot.pause()
                assert shown(app) == panels()

    async def test_escape_leaves_it_as_well(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(120, 40)) as pilot:
            await pilot.press("1", "z", "escape")
            await pilot.pause()
            assert shown(app) == panels()

    async def test_another_panel_can_be_chosen_while_zoomed(self, dashboard: Dashboard) -> None:
        first, second, *_ = panels()
        async with (app := dashboard(restored())).run_test(size=(120, 40)) as pilot:
            await pilot.press("z", "1")
            await pilot.pause()
            assert shown(app) == [first]
            assert app.focused is panel_of(app, first).table
            await pilot.press("tab")
            await pilot.pause()
            assert shown(app) == [second]


@pytest.mark.domains_in_turn
class TestOnePanelAtATime:
    async def test_keys_turn_to_the_next_panel(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(60, 16)) as pilot:
            for key, panel in (("1", 0), ("l", 1), ("tab", 2), ("shift+tab", 1)):
                await pilot.press(key)
                await pilot.pause()
                assert shown(app) == [panels()[panel % len(panels())]]

    async def test_a_click_on_a_name_turns_to_its_panel(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(60, 16)) as pilot:
            table = panels()[-2]
            x = text_of(app)[3].index(title(table))
            await pilot.click("#tabs", offset=(x, 0))
            await pilot.pause()
            assert shown(app) == [table]

    async def test_growing_the_terminal_shows_all_again(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(60, 16)) as pilot:
            await pilot.resize_terminal(120, 40)
            await pilot.pause()
            assert shown(app) == panels()


class TestHeights:
    @pytest.mark.shop_alone
    @pytest.mark.parametrize(
        ("rows", "room", "heights"),
        [
            ([10, 10], 34, [None, None]),
            ([900, 900], 34, [None, None]),
            ([900, 9], 34, [None, 15]),
            ([12, 900], 34, [15, None]),
            ([13, 900], 34, [None, None]),
            ([0, 900], 34, [8, None]),
            ([900, 5, 9], 60, [None, 11, 15]),
            ([900, 900, 5], 60, [None, None, 11]),
            ([900], 34, [None]),
            ([], 34, []),
        ],
    )
    def test_a_short_table_leaves_its_room_to_one_that_is_too_long(
        self, rows: list[int], room: int, heights: list[int | None]
    ) -> None:
        assert heights_for(rows, room) == heights

    @pytest.mark.shop_alone
    async def test_the_long_table_has_the_room_and_gives_it_back(self, dashboard: Dashboard) -> None:
        history = History().sound(*range(1, 80))
        history.add("AddItem", '{"item_id":"hdd","count":5,"price":100}')
        async with (app := dashboard(history.live())).run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: panel_of(app, "items").size.height == 6)
            assert panel_of(app, "users").size.height > 20
            await pilot.press("2", "z")
            await until(pilot, lambda: panel_of(app, "items").size.height > 25)
            await pilot.press("z")
            await until(pilot, lambda: panel_of(app, "items").size.height == 6)
            await pilot.resize_terminal(90, 24)
            await until(pilot, lambda: panel_of(app, "items").size.height == panel_of(app, "users").size.height)


@pytest.mark.domains_in_turn
class TestColours:
    async def test_every_theme_shows_the_same_text(self, dashboard: Dashboard) -> None:
        settings = UiSettings(theme="textual-light")
        async with (app := dashboard(restored(), settings)).run_test(size=(120, 40)) as pilot:
            assert app.theme == "textual-light"
            before = text_of(app)
            for theme in ("ansi-dark", "ansi-light", "nord", "gruvbox", "dracula"):
                app.theme = theme
                await pilot.pause()
                assert text_of(app) == before

    async def test_sixteen_colours_are_the_terminals_own(
        self, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("COLORTERM")
        async with (app := dashboard(restored())).run_test(size=(120, 40)):
            assert app.theme == "ansi-dark"

    async def test_an_unknown_theme_leaves_the_usual_one(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored(), UiSettings(theme="no-such"))).run_test(size=(120, 40)):
            assert app.theme == "textual-dark"

    async def test_without_colour_the_cursor_and_the_outcomes_still_show(
        self, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with (app := dashboard(restored())).run_test(size=(120, 40)):
            assert app.no_color
            assert is_applied(cursor_line(app, "log"))
            assert any("▌" in line and cursor_line(app, "log") in line for line in text_of(app))

    async def test_without_colour_the_panel_that_has_the_focus_has_another_frame(
        self, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with (app := dashboard(restored())).run_test(size=(120, 40)) as pilot:
            for name in reversed(panels()):
                await pilot.press(press(name))
                await pilot.pause()
                edges = [line for line in text_of(app) if "┏" in line]
                assert len(edges) == 1
                assert f"┏━ {title(name)}" in edges[0]

    async def test_the_theme_can_change_while_it_runs(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(120, 40)) as pilot:
            table = panel_of(app, "log").table
            before = table.paint("good")
            app.theme = "textual-light"
            await pilot.pause()
            assert table.paint("good") != before
            assert main_of(app).is_current
