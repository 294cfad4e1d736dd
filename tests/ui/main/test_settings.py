"""Every setting is on a screen of its own, with where it comes from."""

from collections.abc import Callable

import pytest

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.main.settings import Setting, SettingsScreen
from tests.ui.looking import text_of
from tests.ui.recorded import NOW, WALL, RecordedConsole

pytestmark = pytest.mark.usefixtures("any_domain")

TOLD = (
    Setting("url", "redis://h", "ESDASH_URL"),
    Setting("stream", "[red]\x1b[31m", "--stream"),
    Setting("theme", "–", "default"),
    Setting("keys", "quit = f10", "settings file"),
    Setting("mouse", "yes", "default"),
    Setting("config", "/somewhere/config.toml"),
)


def told_dashboard(view: View) -> DashboardApp:
    return DashboardApp(
        RecordedConsole(view), UiSettings(told=lambda: TOLD), clock=lambda: NOW, wall_clock=lambda: WALL
    )


@pytest.mark.domains_in_turn
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
async def test_each_with_its_source_and_the_files(busy: View, size: tuple[int, int]) -> None:
    async with (app := told_dashboard(busy)).run_test(size=size) as pilot:
        await pilot.press("C")
        await pilot.pause()
        shown = "\n".join(" ".join(line.strip(" │").split()) for line in text_of(app))
        for line in ("url redis://h ESDASH_URL", "stream [red]␛[31m --stream", "keys quit = f10 settings file"):
            assert line in shown
        assert "\nmouse yes\n" in shown, "a default has no source"
        await pilot.press("end")
        await pilot.pause()
        assert "/somewhere/config.toml" in "\n".join(text_of(app))
        await pilot.press("escape")
        assert not isinstance(app.screen, SettingsScreen)


async def test_a_theme_is_chosen_there_and_shown_at_once(busy: View) -> None:
    async with (app := told_dashboard(busy)).run_test(size=(120, 40)) as pilot:
        await pilot.press("C", "t", *"nord", "enter")
        await pilot.pause()
        assert app.theme == "nord"
        assert isinstance(app.screen, SettingsScreen)
        app.screen.look()
        await pilot.pause()
        assert any("nord   shown now" in line for line in text_of(app))
    assert app.remembered.theme == "nord"


@pytest.mark.domains_in_turn
@pytest.mark.parametrize("width", [60, 80, 160])
async def test_what_a_person_calls_the_server_stands_in_the_status(
    busy: View, width: int, dashboard: Callable[..., DashboardApp]
) -> None:
    """Also where there is no room for the server's address."""
    async with (app := dashboard(busy, UiSettings(profile="staging\x1b"))).run_test(size=(width, 30)):
        first = text_of(app)[0]
        assert "LIVE   staging␛ " in first
        assert ("embedded" in first) is (width > 60)
    async with (app := dashboard(busy)).run_test(size=(width, 30)):
        assert "staging" not in text_of(app)[0]
