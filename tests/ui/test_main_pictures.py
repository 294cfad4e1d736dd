"""Pictures of the main screen: in each phase, at each size, in what a user does with it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from esdash.shop.samples import demo_batch
from esdash.ui.app import DashboardApp, UiSettings
from tests.ui.looking import main_of
from tests.ui.recorded import (
    History,
    RecordedConsole,
    blank,
    busy_history,
    disconnected,
    halted,
    hostile,
    replaying,
    restored,
    restoring,
)

Compare = Callable[..., bool]
Dashboard = Callable[..., DashboardApp]

SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def by_size(size: tuple[int, int]) -> str:
    """`80x24`."""
    return f"{size[0]}x{size[1]}"


def pressing(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Press keys, and let what they start be shown."""

    async def press(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        main_of(pilot.app).poll()
        await pilot.pause()

    return press


class TestStarting:
    def test_the_first_picture(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(blank()), terminal_size=(120, 40), run_before=pressing())

    @pytest.mark.parametrize("size", SIZES, ids=by_size)
    def test_an_empty_stream(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(History().live()), terminal_size=size, run_before=pressing())

    def test_restoring_past_snapshots_that_are_no_good(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(restoring()), terminal_size=(120, 40), run_before=pressing())

    @pytest.mark.parametrize("size", SIZES, ids=by_size)
    def test_replaying(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(replaying()), terminal_size=size, run_before=pressing())


class TestWatching:
    @pytest.mark.parametrize("size", [*SIZES, (60, 50), (79, 23), (150, 18), (260, 50)], ids=by_size)
    def test_a_live_shop(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(restored()), terminal_size=size, run_before=pressing())

    @pytest.mark.parametrize("theme", ["textual-light", "ansi-dark", "ansi-light", "gruvbox"])
    def test_in_other_colours(self, snap_compare: Compare, dashboard: Dashboard, theme: str) -> None:
        app = dashboard(restored(), UiSettings(theme=theme))
        assert snap_compare(app, terminal_size=(120, 40), run_before=pressing())

    def test_without_colour(self, snap_compare: Compare, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        assert snap_compare(dashboard(restored()), terminal_size=(120, 40), run_before=pressing())

    def test_hostile_text(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(hostile()), terminal_size=(120, 40), run_before=pressing())

    def test_read_only(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        app = dashboard(replace(restored(), readonly=True))
        assert snap_compare(app, terminal_size=(80, 24), run_before=pressing())

    def test_too_small_a_terminal(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(restored()), terminal_size=(50, 14), run_before=pressing())


class TestLookingCloser:
    def test_a_zoomed_log(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(restored()), terminal_size=(120, 40), run_before=pressing("z"))

    def test_zoomed_balances(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        run = pressing("1", ">", "z", "down")
        assert snap_compare(dashboard(restored()), terminal_size=(80, 24), run_before=run)

    def test_a_filtered_log(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        run = pressing("slash", *"order")
        assert snap_compare(dashboard(restored()), terminal_size=(80, 24), run_before=run)

    def test_a_filter_that_nothing_matches(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        run = pressing("1", "slash", "9", "9", "9")
        assert snap_compare(dashboard(restored()), terminal_size=(80, 24), run_before=run)

    def test_a_log_that_was_scrolled(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        history = busy_history()
        console = RecordedConsole(history.live())

        async def run(pilot: Pilot[None]) -> None:
            await pilot.pause()
            await pilot.press("pageup")
            history.add_all(demo_batch(2))
            console.show(history.live())
            main_of(pilot.app).poll()
            await pilot.pause()

        assert snap_compare(dashboard(console), terminal_size=(120, 40), run_before=run)

    def test_a_paused_screen(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        history = busy_history()
        console = RecordedConsole(history.live())

        async def run(pilot: Pilot[None]) -> None:
            await pilot.pause()
            await pilot.press("space")
            history.add_all(demo_batch(2))
            console.show(history.live())
            main_of(pilot.app).poll()
            await pilot.pause()

        assert snap_compare(dashboard(console), terminal_size=(120, 40), run_before=run)


class TestTrouble:
    @pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=by_size)
    def test_disconnected(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(disconnected()), terminal_size=size, run_before=pressing())

    @pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=by_size)
    def test_halted(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(halted()), terminal_size=size, run_before=pressing())


class TestDriving:
    def test_producing(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(restored()), terminal_size=(120, 40), run_before=pressing("p", "plus"))
