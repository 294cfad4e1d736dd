"""What the dashboard says: one line that covers nothing, and a list of all that was said."""

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.pilot import Pilot

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.main.messages import MessagesScreen
from esdash.ui.main.screen import MainScreen
from esdash.ui.messages import KEPT, tell
from esdash.ui.paint.pager import Pager
from tests.ui.looking import main_of, show, text_of, told
from tests.ui.recorded import NOW, WALL, RecordedConsole, halted, restored
from tests.ui.stage import until

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

Dashboard = Callable[..., DashboardApp]

SIZES = [(60, 16), (80, 24), (120, 40)]
SMALL = SIZES[:2]

HOSTILE = "[red]x[/red]\x1b[2J\u202egnp.exe\nsecond line" + "日本語" * 60


async def say(pilot: Pilot[None], text: str, severity: str = "information") -> list[str]:
    """Say something; the lines of the terminal then."""
    tell(pilot.app, text, severity)
    await pilot.pause()
    return text_of(pilot.app)


async def listed(pilot: Pilot[None]) -> list[str]:
    """What the list of messages says, line by line."""
    await pilot.press("M")
    await pilot.pause()
    assert isinstance(pilot.app.screen, MessagesScreen)
    return pilot.app.screen.query_one(Pager).text.splitlines()


class TestTheNewestMessage:
    @pytest.mark.parametrize("size", [SIZES[0], SIZES[2]])
    async def test_it_covers_neither_the_log_nor_its_title(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        async with dashboard(restored()).run_test(size=size, notifications=True) as pilot:
            before = text_of(pilot.app)
            lines = await say(pilot, "30 events are in the log.")
            changed = [y for y, (line, was) in enumerate(zip(lines, before, strict=True)) if line != was]
            assert changed == [size[1] - (1 if size in SMALL else 2)]
            assert lines[changed[0]].startswith(" · 30 events are in the log.")

    async def test_it_stands_above_the_keys_where_there_is_room(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=(120, 40)) as pilot:
            lines = await say(pilot, "It is done.")
            assert lines[-2].rstrip().endswith("M messages")
            assert "q Quit" in lines[-1]

    @pytest.mark.parametrize("size", SMALL)
    async def test_on_a_small_terminal_the_keys_come_back_after_it(
        self, dashboard: Dashboard, size: tuple[int, int]
    ) -> None:
        async with dashboard(restored()).run_test(size=size) as pilot:
            assert "q Quit" not in (await say(pilot, "It is done."))[-1]
            main_of(pilot.app).say(None)
            await pilot.pause()
            assert "q Quit" in text_of(pilot.app)[-1]

    @pytest.mark.parametrize("size", [SIZES[0], SIZES[2]])
    async def test_it_goes_by_itself(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        async with (app := dashboard(restored())).run_test(size=size) as pilot:
            app.notify("Gone soon.", timeout=0.02, markup=False)
            await until(pilot, lambda: "Gone soon." not in "\n".join(text_of(app)))
            assert told(app) == ["· Gone soon."]

    async def test_a_newer_one_takes_its_place(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=(80, 24)) as pilot:
            await say(pilot, "First.")
            screen = "\n".join(await say(pilot, "Second."))
            assert "Second." in screen
            assert "First." not in screen

    async def test_a_glyph_tells_its_severity(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=(80, 24)) as pilot:
            for severity, glyph in (("information", "·"), ("warning", "!"), ("error", "✗")):
                assert (await say(pilot, "Something.", severity))[-1].startswith(f" {glyph} Something.")

    async def test_hostile_text_is_harmless_and_cut(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=SIZES[0]) as pilot:
            for size in (*SIZES, (200, 60)):
                await pilot.resize_terminal(*size)
                lines = await say(pilot, HOSTILE, "error")
                assert {cell_len(line) for line in lines} == {size[0]}
                (line,) = (line for line in lines if "✗ [red]x[/red]" in line)
                assert "␛[2J⟨202E⟩" in line
                assert "…" in line

    async def test_too_small_a_terminal_still_says_so(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=(50, 40)) as pilot:
            lines = await say(pilot, "It is done.")
            assert "esdash needs 60×16" in " ".join(lines)
            assert "It is done." not in " ".join(lines)
            await pilot.resize_terminal(80, 24)
            await pilot.pause()
            assert "It is done." in text_of(pilot.app)[-1]

    async def test_over_another_screen_it_is_a_toast_and_afterwards_on_its_line(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(120, 40), notifications=True) as pilot:
            await pilot.press("question_mark")
            tell(app, "It is done.")
            await until(pilot, lambda: "It is done." in "\n".join(text_of(app)[:-2]))
            await pilot.press("escape")
            await pilot.pause()
            assert isinstance(app.screen, MainScreen)
            assert "It is done." not in "\n".join(text_of(app)[:-2])
            assert "It is done." in text_of(app)[-2]


class TestWhatIsSaidAbove:
    @pytest.mark.parametrize("size", [SIZES[0], SIZES[2]])
    async def test_it_is_not_repeated_below(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        console = RecordedConsole(restored())
        async with (app := dashboard(console)).run_test(size=size) as pilot:
            view = halted()
            console.notice(view.phase_note, "warning")
            await show(pilot, console, replace(view, notices=console.view.notices))
            assert "\n".join(text_of(app)).count("vanished before") == 1
            assert told(app) == [f"! {view.phase_note}"]


class TestTheList:
    async def test_the_newest_is_first_with_its_time(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=SIZES[0]) as pilot:
            await say(pilot, "First.")
            await say(pilot, "Second.", "warning")
            await say(pilot, "✓ Third.")
            assert await listed(pilot) == ["15:06:40 ✓ Third.", "15:06:40 ! Second.", "15:06:40 · First."]
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert "15:06:40 ! Second." in "\n".join(text_of(app))

    async def test_of_another_day_it_says_which(self) -> None:
        now = [WALL - 86_400.0]
        app = DashboardApp(RecordedConsole(restored()), clock=lambda: NOW, wall_clock=lambda: now[0])
        async with app.run_test(size=(80, 24)) as pilot:
            await say(pilot, "Yesterday.")
            now[0] = float(WALL)
            await say(pilot, "Today.")
            first, second = await listed(pilot)
            assert re.fullmatch(r"15:06:40 · +Today\.", first)
            assert re.fullmatch(r"\d\d-\d\d 15:06 · Yesterday\.", second)

    async def test_it_keeps_a_hundred(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(80, 24)) as pilot:
            for number in range(KEPT + 20):
                tell(app, f"Number {number}.")
            lines = await listed(pilot)
            assert lines[0].endswith("Number 119.")
            assert lines[KEPT - 1].endswith("Number 20.")
            assert lines[KEPT] == "These are the last 100 of 120 messages."
            await pilot.press("G")
            await pilot.pause()
            assert "Number 20." in "\n".join(text_of(app))

    async def test_what_is_said_while_it_is_open_comes_to_its_top(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(120, 40), notifications=True) as pilot:
            assert await listed(pilot) == ["Nothing was said yet."]
            tell(app, "It is done.")
            await until(pilot, lambda: app.screen.query_one(Pager).text == "15:06:40 · It is done.")
            assert not list(app._notifications)

    async def test_hostile_text_is_harmless(self, dashboard: Dashboard) -> None:
        async with dashboard(restored()).run_test(size=SIZES[0]) as pilot:
            await say(pilot, HOSTILE, "error")
            text = "\n".join(await listed(pilot))
            assert "✗ [red]x[/red]␛[2J⟨202E⟩gnp.exe␊second" in text
            assert not {"\x1b", "\u202e"} & set(text)
            for size in SIZES:
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert {cell_len(line) for line in text_of(pilot.app)} == {size[0]}

    async def test_what_a_dialog_said_is_in_it(self, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
        async with dashboard(restored()).run_test(size=(80, 24)) as pilot:
            await pilot.press("enter", "y", "escape")
            assert await listed(pilot) == ["15:06:40 · The payload was copied."]
            monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
            await pilot.press("escape", "enter", "y", "escape")
            assert "set-clipboard on" in " ".join(await listed(pilot)), "else tmux drops it without a word"

    async def test_what_textual_says_is_in_it_without_its_markup(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(80, 24)) as pilot:
            app.notify("Saved screenshot to [$text-success]'/tmp/a.svg'")
            app.notify("Saved [/ as it is")
            assert told(app) == ["· Saved screenshot to '/tmp/a.svg'", "· Saved [/ as it is"]
            assert len(await listed(pilot)) == 2

    async def test_another_domain_begins_no_new_list(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(restored())
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            console.notice("A snapshot was taken.")
            main_of(app).poll()
            before = app.screen
            app.begin_anew()
            await until(pilot, lambda: app.screen is not before and app.screen.is_running)
            await pilot.pause()
            assert told(app) == ["· A snapshot was taken."]

    async def test_a_key_closes_it(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=(80, 24)) as pilot:
            for key in ("escape", "q", "M"):
                await listed(pilot)
                await pilot.press(key)
                await pilot.pause()
                assert isinstance(app.screen, MainScreen), key

    async def test_a_click_on_the_message_opens_it(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(restored())).run_test(size=(120, 40)) as pilot:
            await say(pilot, "It is done.")
            await pilot.click("#message", offset=(3, 0))
            await until(pilot, lambda: isinstance(app.screen, MessagesScreen))

    async def test_its_key_is_the_keymaps(self) -> None:
        app = DashboardApp(RecordedConsole(restored()), UiSettings(keymap={"messages": "f8"}), clock=lambda: NOW)
        async with app.run_test(size=(120, 40)) as pilot:
            assert (await say(pilot, "It is done."))[-2].rstrip().endswith("F8 messages")
            await pilot.press("f8")
            await pilot.pause()
            assert isinstance(app.screen, MessagesScreen)
