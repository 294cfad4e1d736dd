"""Keys sent faster than the screen changes mean what they mean when typed slowly."""

from collections.abc import Callable

import pytest
from textual.events import Key
from textual.keys import key_to_character
from textual.pilot import Pilot
from textual.widgets import Input

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp
from esdash.ui.forms.publishing import EventForm
from esdash.ui.main.screen import MainScreen
from tests.domains.ways import present
from tests.ui.any_domain import key, panels, press, sound, table, title, typed
from tests.ui.looking import main_of, panel_of, settle
from tests.ui.recorded import RecordedConsole
from tests.ui.stage import keys_for

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


async def send(pilot: Pilot[None], *keys: str) -> None:
    """Put all the keys into the app's queue at once, as a paste or a script does, and wait until they are done."""
    app = pilot.app
    assert isinstance(app, DashboardApp)
    due = app.keys_done + len(keys)
    for name in keys:
        app.post_message(Key(name, key_to_character(name)))
    while app.keys_done < due:
        await pilot.pause(0.01)
    await pilot.pause()


class TestTypingFast:
    async def test_what_follows_the_slash_is_the_filter(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            await send(pilot, press(table()), "slash", *"10")
            assert panel_of(app, table()).input.value == "10"
            assert panel_of(app, table()).heading.startswith(f"{title(table())} · ")
            assert " of " in panel_of(app, table()).heading

    async def test_what_follows_the_key_of_a_form_is_typed_into_it(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await send(pilot, present().press, *keys_for(key(99)), "tab", *keys_for(typed(500)), "enter")
            await settle(pilot)
            assert console.published == [sound(99, 500)]
            assert isinstance(app.screen, MainScreen)

    async def test_what_follows_goes_to_the_field_that_is_still_empty(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await send(pilot, press(table()), present().press)
            begun = [field.value for field in app.screen.query(Input)]
            await send(pilot, "escape", present().press, *keys_for(typed(500)))
            assert isinstance(app.screen, EventForm)
            assert [field.value for field in app.screen.query(Input)][: len(begun)] == [
                begun[0],
                typed(500),
                *begun[2:],
            ]

    async def test_what_follows_a_choice_is_typed_into_the_form_that_it_opens(
        self, dashboard: Dashboard, busy: View
    ) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            name = present().sound(1, 1)[0]
            down = next(place for place, each in enumerate(present().fold().publishable) if each.wire_name == name)
            await send(pilot, "e", *["down"] * down, "enter", *keys_for(key(99)))
            assert isinstance(app.screen, EventForm)
            assert app.screen.query(Input).first().value == key(99), "and none of it is a key of the main screen"

    async def test_keys_after_escape_are_the_panels_again(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            await send(pilot, present().press, "b", "s", "escape", "1", "down", "down")
            assert isinstance(app.screen, MainScreen)
            assert panel_of(app, panels()[0]).table.cursor == 2
            assert app.focused is panel_of(app, panels()[0]).table

    async def test_a_hundred_keys_arrive_in_their_order(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            await send(pilot, "slash", *"abcdefghij" * 9, "enter", "z")
            assert panel_of(app, "log").input.value == "abcdefghij" * 9
            assert main_of(app).has_class("-single")

    async def test_a_form_left_in_between_swallows_nothing(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            await send(pilot, *[present().press, "escape"] * 2, present().press, "5")
            assert isinstance(app.screen, EventForm)
            assert app.screen.query(Input).first().value == "5"
