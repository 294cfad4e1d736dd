"""Pictures of the main screen, one for each way it looks; what its lines say is tested as text elsewhere."""

from collections.abc import Callable

import pytest

from esdash.ui.app import DashboardApp, UiSettings
from tests.ui.recorded import NOW, WALL, RecordedConsole, blank, halted, hostile, restored
from tests.ui.test_other_domains import a_bank, bank, many_tables, some_pieces

Compare = Callable[..., bool]
Dashboard = Callable[..., DashboardApp]

SIZES = [(60, 16), (80, 24), (120, 40), (200, 60)]


def by_size(size: tuple[int, int]) -> str:
    """`80x24`."""
    return f"{size[0]}x{size[1]}"


class TestTheShop:
    def test_the_first_picture(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(blank()), terminal_size=(120, 40))

    @pytest.mark.parametrize("size", SIZES, ids=by_size)
    def test_live(self, snap_compare: Compare, dashboard: Dashboard, size: tuple[int, int]) -> None:
        assert snap_compare(dashboard(restored()), terminal_size=size)

    def test_sixteen_colours(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        app = dashboard(restored(), UiSettings(theme="ansi-dark"))
        assert snap_compare(app, terminal_size=(80, 24))

    def test_hostile_text(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(hostile()), terminal_size=(120, 40))

    def test_halted(self, snap_compare: Compare, dashboard: Dashboard) -> None:
        assert snap_compare(dashboard(halted()), terminal_size=(80, 24))


class TestOtherDomains:
    def test_a_bank(self, snap_compare: Compare) -> None:
        app = DashboardApp(RecordedConsole(a_bank().live(), bank()), clock=lambda: NOW, wall_clock=lambda: WALL)
        assert snap_compare(app, terminal_size=(120, 40))

    def test_more_tables_than_fit(self, snap_compare: Compare) -> None:
        console = RecordedConsole(some_pieces().live(), many_tables())
        app = DashboardApp(console, clock=lambda: NOW, wall_clock=lambda: WALL)
        assert snap_compare(app, terminal_size=(80, 24), press=["4"])
