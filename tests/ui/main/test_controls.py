"""Every key that acts: what it asks of the engine, what it asks first, what it says afterwards."""

import threading
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual.events import Click
from textual.widgets import Input

from esdash.engine.console import LoadStatus
from esdash.engine.shown.view import View
from esdash.ui.actions import Scope
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.forms.event_types import EventTypesScreen
from esdash.ui.forms.load import LoadScreen
from esdash.ui.forms.publishing import EventForm
from esdash.ui.main.help import HelpScreen
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.trust.details import DetailsScreen
from tests.domains.ways import present
from tests.ui.any_domain import key, sound, typed
from tests.ui.looking import lines_of, main_of, panel_of, settle, show, text_of, told
from tests.ui.recorded import NOW, WALL, History, RecordedConsole, a_busy_view, busy_history, halted
from tests.ui.stage import keys_for

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


def makes_up_events() -> bool:
    """Whether the present domain does, and so has keys for them."""
    return present().fold().domain.sample is not None


class TestPublishing:
    async def test_what_was_published_is_said_with_how_safe_it_is(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        console.durability = "replicas:2"
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press(present().press, *keys_for(key(7)), "tab", "5", "enter")
            await settle(pilot)
            assert told(app)[-1].endswith(" is in the log (replicas:2).")

    @pytest.mark.domains_in_turn
    async def test_a_key_opens_its_dialog_and_escape_closes_it(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE) as pilot:
            forms = [key for each in app.actions.event_types if (key := app.actions[each].keys)]
            assert present().press in forms
            dialogs: dict[str, type] = {"e": EventTypesScreen, "question_mark": HelpScreen, "enter": DetailsScreen}
            dialogs |= dict.fromkeys(forms, EventForm)
            if makes_up_events():
                dialogs["P"] = LoadScreen
            for pressed, screen in dialogs.items():
                await pilot.press(pressed)
                await pilot.pause()
                assert isinstance(app.screen, screen), pressed
                await pilot.press("escape", "escape")
                await pilot.pause()
                assert isinstance(app.screen, MainScreen), pressed

    async def test_a_published_event_is_told(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press(present().press)
            await pilot.pause()
            for widget, text in zip(app.screen.query(Input), (key(99), typed(1250)), strict=True):
                widget.value = text
            app.screen.query(Input).last().focus()
            await pilot.press("enter")
            await settle(pilot)
            assert console.published == [sound(99, 1250)]
            assert any(sound(99)[0] in text and "in the log" in text for text in told(app))

    @pytest.mark.shop_alone
    async def test_the_demo_batch_is_thirty_events(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("b")
            await settle(pilot)
            kinds = [kind for kind, _ in console.published]
            assert kinds == ["TopUp"] * 10 + ["AddItem"] * 10 + ["Order"] * 10
            assert told(app) == ["· 30 events are in the log."]

    @pytest.mark.shop_alone
    async def test_a_refused_batch_says_why(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        console.failures = ["The server is [red]full[/red]."]
        async with (app := dashboard(console)).run_test(size=SIZE, notifications=True) as pilot:
            await pilot.press("b")
            await settle(pilot)
            assert told(app) == ["✗ The server is [red]full[/red]."]
            await pilot.pause()
            assert any("[red]full[/red]" in line for line in text_of(app))

    async def test_read_only_it_says_so_instead(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(replace(busy, readonly=True))
        keys = [present().press, "e", "s", *("bpP" if makes_up_events() else "")]
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            for number, pressed in enumerate(keys, 1):
                await pilot.press(pressed)
                await settle(pilot)
                assert isinstance(app.screen, MainScreen), pressed
                assert app.messages.ever == number, pressed
                assert all("read-only" in said for said in told(app))
            assert console.asked == []
            assert console.published == []
            assert "READ-ONLY" in text_of(app)[0]

    @pytest.mark.shop_alone
    async def test_read_only_its_empty_panels_teach_no_key_that_publishes(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(replace(History().live(), readonly=True))).run_test(size=SIZE):
            assert lines_of(app, "users")[2:4] == ["No balances yet.", ""]
            assert not [line for line in text_of(app) if "Press" in line]


@pytest.mark.shop_alone
class TestProducing:
    async def test_the_same_key_starts_and_stops_it(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("p")
            main_of(app).poll()
            await pilot.pause()
            assert "producing 10/s" in text_of(app)[1]
            assert "p Stop producing" in text_of(app)[-1]
            await pilot.press("p")
            await settle(pilot)
            assert console.asked == ["load 10", "load stopped"]

    async def test_its_rate_goes_up_and_down_in_steps(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with dashboard(console).run_test(size=SIZE) as pilot:
            await pilot.press("p", "plus", "plus", "equals_sign", "minus")
            assert console.asked == ["load 10", "load 20", "load 50", "load 100", "load 50"]

    async def test_a_rate_chosen_before_counts(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("plus", "p")
            assert console.asked == ["load 20"]
            assert "20/s" in told(app)[0]

    async def test_the_rate_that_was_chosen_in_the_dialog_stays(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("P", "7", "0", "escape", "p")
            await settle(pilot)
            assert console.asked == ["load 70"]
            await pilot.press("P")
            assert app.screen.query_one("#rate", Input).value == "70"

    async def test_it_says_why_it_stopped_by_itself(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=(160, 40)) as pilot:
            console.load = LoadStatus(False, 10, 5, "the server is gone")
            await show(pilot, console, busy)
            assert "load stopped: the server is gone" in text_of(app)[1]


@pytest.mark.domains_in_turn
class TestControlling:
    async def test_a_snapshot(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with dashboard(console).run_test(size=SIZE) as pilot:
            await pilot.press("s")
            assert console.asked == ["snapshot"]

    @pytest.mark.parametrize(("key", "request_made"), [("c", "crash"), ("r", "rebuild")])
    async def test_destructive_keys_ask_first(
        self, dashboard: Dashboard, busy: View, key: str, request_made: str
    ) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, ConfirmScreen)
            await pilot.press("n")
            await pilot.pause()
            assert console.asked == []
            await pilot.press(key)
            await pilot.pause()
            await pilot.press("y")
            await pilot.pause()
            assert console.asked == [request_made]

    async def test_staying_is_offered_while_halted(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            assert "S Stay" not in text_of(app)[-1]
            await pilot.press("S")
            assert console.asked == []
            await show(pilot, console, halted())
            assert "S Stay" in text_of(app)[-1]
            await pilot.press("S")
            assert console.asked == ["stay"]


class TestPausing:
    async def test_the_picture_stands_still_and_counts_what_it_misses(self, dashboard: Dashboard) -> None:
        history = busy_history()
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("space")
            await pilot.pause()
            before = text_of(app)[3:-1]
            assert "PAUSED" in text_of(app)[0]
            await show(pilot, console, history.sound(*range(200, 230)).live())
            assert text_of(app)[3:-1] == before
            assert "PAUSED  +30 events since" in text_of(app)[0]
            await pilot.press("space")
            await pilot.pause()
            assert "PAUSED" not in text_of(app)[0]
            assert "128 events" in text_of(app)[1]

    async def test_how_long_ago_stands_still_too(self) -> None:
        seconds = [0.0]
        app = DashboardApp(
            RecordedConsole(a_busy_view()),
            clock=lambda: NOW + seconds[0],
            wall_clock=lambda: WALL + seconds[0],
        )
        async with app.run_test(size=(160, 40)) as pilot:

            async def later(passed: float) -> list[str]:
                seconds[0] = passed
                main_of(app).poll()
                await pilot.pause()
                return text_of(app)[3:-1]

            await pilot.press("1", "z")
            moving = await later(0)
            await pilot.press("space")
            await pilot.pause()
            assert await later(4000) == moving
            await pilot.press("space")
            assert await later(4001) != moving


@pytest.mark.domains_in_turn
class TestNotices:
    async def test_each_is_told_once(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            console.notice("A snapshot was taken.")
            main_of(app).poll()
            console.notice("It failed: [b]no room\x1b[2J", "error")
            main_of(app).poll()
            await show(pilot, console, console.view)
            assert told(app) == ["· A snapshot was taken.", "✗ It failed: [b]no room␛[2J"]


@pytest.mark.domains_in_turn
class TestTheRegistry:
    async def test_every_action_can_be_run(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=SIZE):
            for action in app.actions:
                target = {Scope.APP: app, Scope.SCREEN: app.screen, Scope.TABLE: panel_of(app, "log").table}
                name = action.action.partition("(")[0]
                assert hasattr(target[action.scope], f"action_{name}"), action.id

    async def test_a_keymap_rebinds_keys_and_what_the_screen_says_of_them(
        self, dashboard: Dashboard, busy: View
    ) -> None:
        console = RecordedConsole(busy)
        settings = UiSettings(keymap={"snapshot": "f5", "crash": "x,ctrl+x"})
        async with (app := dashboard(console, settings)).run_test(size=SIZE) as pilot:
            assert "F5 Snapshot" in text_of(app)[-1]
            await pilot.press("s", "c", "y")
            assert console.asked == []
            await pilot.press("f5", "ctrl+x", "y")
            await settle(pilot)
            assert console.asked == ["snapshot", "crash"]

    async def test_a_rebound_key_can_still_be_typed_into_forms(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy, UiSettings(keymap={"quit": "7"}))).run_test(size=SIZE) as pilot:
            await pilot.press(present().press, "7")
            assert app.screen.query(Input).first().value == "7"
            assert not app._exit

    async def test_a_click_on_a_key_does_what_it_says(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            x = text_of(app)[-1].index("Snapshot")
            await pilot.click("#keys", offset=(x, 0))
            await settle(pilot)
            assert console.asked == ["snapshot"]

    async def test_the_palette_runs_actions(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with dashboard(console).run_test(size=SIZE) as pilot:
            await pilot.press("ctrl+p")
            await pilot.pause()
            await pilot.press(*"snapshot")
            await settle(pilot)
            await pilot.press("down", "enter")
            await pilot.pause()
            assert console.asked == ["snapshot"]

    async def test_two_clicks_beside_the_palette_close_nothing_else(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(RecordedConsole(busy))).run_test(size=SIZE) as pilot:
            await pilot.press("ctrl+p")
            palette = app.screen
            for _ in range(2):  # the second comes before the first was heard
                palette.post_message(Click(palette, 1, 1, 0, 0, 1, False, False, False, 1, 1))
            await pilot.pause()
            assert app.screen is main_of(app)


@pytest.mark.domains_in_turn
class TestLeaving:
    async def test_it_asks_for_a_farewell_and_waits(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("q")
            await settle(pilot)
            assert console.asked[:1] == ["close"]
            assert app.return_code == 0
            assert not app.is_running or app._exit

    async def test_meanwhile_it_says_what_it_waits_for_and_a_second_time_leaves(
        self, dashboard: Dashboard, busy: View
    ) -> None:
        console = SlowConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("q")
            await pilot.pause()
            assert "farewell snapshot" in text_of(app)[2]
            assert not app._exit
            await pilot.press("q")
            assert app._exit
            console.release.set()

    async def test_from_within_a_form_too(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press(present().press, "q")
            assert not app._exit
            await pilot.press("ctrl+q")
            await settle(pilot)
            assert console.asked[:1] == ["close"]
            assert app._exit

    async def test_a_consumer_that_does_not_end_is_left_behind(self, busy: View) -> None:
        console = SlowConsole(busy)
        app = DashboardApp(console, farewell_seconds=0.01)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("q")
            await settle(pilot)
            assert app._exit
            assert any("did not end" in str(line) for line in app._exit_renderables)
            console.release.set()

    async def test_a_consumer_that_fails_is_a_sentence_and_not_a_crash(self, dashboard: Dashboard, busy: View) -> None:
        console = RecordedConsole(busy)
        console.failure = RuntimeError("[b]bad[/b] luck")
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await settle(pilot, but=())
            assert "ended by itself: [b]bad[/b] luck" in text_of(app)[2]
            await pilot.press("q")
            assert app._exit


class SlowConsole(RecordedConsole):
    """Its consumer ends when the test says so."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.release = threading.Event()

    def run(self) -> None:
        """Go on after `close`."""
        super().run()
        self.release.wait(10)
