"""What a person arranges is there again at the next start."""

from pathlib import Path

import pytest

from esdash.engine.shown.view import View
from esdash.ui import remembered
from esdash.ui.app import DashboardApp
from esdash.ui.remembered import MOST, Arranged, Remembered
from esdash.ui.tables.table_source import SortOrder
from tests.domains.ways import present
from tests.ui.any_domain import panels
from tests.ui.looking import main_of
from tests.ui.recorded import NOW, WALL, RecordedConsole

pytestmark = pytest.mark.usefixtures("any_domain")


def dashboard(view: View, before: Remembered) -> DashboardApp:
    return DashboardApp(RecordedConsole(view), clock=lambda: NOW, wall_clock=lambda: WALL, remembered=before)


def order_of(app: DashboardApp) -> SortOrder | None:
    """By what the first table is sorted, and whether from the greatest on."""
    return main_of(app).panels.tables[0].order


async def test_theme_panel_zoom_order_and_preview(busy: View, tmp_path: Path) -> None:
    app = dashboard(busy, Remembered())
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("1", "greater_than_sign", "z", "V")
        order = order_of(app)
        assert order
        assert order[0] == present().fold().domain.tables[0].columns[0].name
        app.theme = "nord"
        await pilot.pause()
    file = tmp_path / "state" / "dashboard.json"
    remembered.write(file, app.remembered)
    again = dashboard(busy, remembered.read(file))
    async with again.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        found = main_of(again).panels
        assert (again.theme, found.current, found.zoomed) == ("nord", f"table-{panels()[0]}", True)
        assert order_of(again) == order
        assert found.panel.table.has_focus
        assert not found.arranged().preview
    assert again.remembered == app.remembered


async def test_panel_order_and_filters_are_kept_when_the_domain_is_read_again(busy: View, tmp_path: Path) -> None:
    app = dashboard(busy, Remembered())
    async with app.run_test(size=(120, 40)) as pilot:
        main_of(app).panels.list_matching("outcome:rejected since:-5m")
        await pilot.press("1", "greater_than_sign", "slash", "7", "enter")
        await pilot.pause()
        counts = [panel.brief for panel in main_of(app).panels.all]
        before, order = main_of(app), order_of(app)
        app.begin_anew()
        await pilot.pause()
        assert main_of(app) is not before
        assert main_of(app).panels.current == f"table-{panels()[0]}"
        assert order_of(app) == order != ("", False)
        assert [panel.brief for panel in main_of(app).panels.all] == counts
        assert main_of(app).panels.panel.input.value == "7"
        assert main_of(app).panels.panel.table.has_focus
    remembered.write(tmp_path / "file", app.remembered)
    assert not remembered.read(tmp_path / "file").domains[present().fold().name].filters


async def test_what_is_not_there_any_more_is_left_out(busy: View) -> None:
    gone = Arranged("table-gone", False, {f"table-{panels()[0]}": ("gone", True), "x": ("y", False)})
    before = Remembered("none", {present().fold().name: gone})
    app = dashboard(busy, before)
    async with app.run_test(size=(120, 40)):
        assert main_of(app).panels.current == "log"
        assert order_of(app) == ("", False)


@pytest.mark.shop_alone
def test_a_file_that_cannot_be_read_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.json"
    for content in (
        b"",
        b"{",
        b"[]",
        b'{"theme":7}',
        b'{"domains":{"shop":{"orders":{"a":["b"]}}}}',
        b"\xff" * 100_000,
    ):
        file.write_bytes(content)
        assert remembered.read(file) == Remembered()
    assert remembered.read(tmp_path) == Remembered()
    remembered.write(file / "below", Remembered("nord"))
    assert remembered.read(None) == Remembered()
    remembered.write(None, Remembered("nord"))


@pytest.mark.shop_alone
def test_domains_are_forgotten_in_the_order_they_were_shown() -> None:
    found = Remembered()
    for number in range(MOST + 5):
        found = found.with_domain(str(number), Arranged(), "")
    found = found.with_domain("7", Arranged("log"), "")
    assert list(found.domains)[-2:] == [str(MOST + 4), "7"]
    assert "4" not in found.domains
    assert len(found.domains) == MOST
