"""The status and the line under it, in every phase: what a person can read there."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Continuity, Phase, Position, Progress, Restored, Rung, Verdict, View
from esdash.ui.app import DashboardApp, UiSettings
from tests.ui.any_domain import panels, sound
from tests.ui.looking import is_applied, lines_of, main_of, show, text_of
from tests.ui.recorded import (
    NOW,
    WALL,
    History,
    RecordedConsole,
    a_busy_view,
    a_snapshot,
    blank,
    busy_history,
    disconnected,
    halted,
    replaying,
    restored,
    restoring,
)

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


async def top(dashboard: Dashboard, view: View, size: tuple[int, int] = SIZE, lines: int = 6) -> list[str]:
    """The first lines of the screen."""
    async with (app := dashboard(view)).run_test(size=size):
        return text_of(app)[:lines]


class TestThePhase:
    async def test_it_has_a_glyph_and_a_word(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(blank())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            for phase, shown in (
                (Phase.CONNECTING, "◌ CONNECTING"),
                (Phase.RESTORING, "◔ RESTORING"),
                (Phase.REPLAYING, "▶ REPLAYING"),
                (Phase.LIVE, "● LIVE"),
                (Phase.DISCONNECTED, "○ DISCONNECTED"),
                (Phase.HALTED, "■ HALTED"),
                (Phase.STOPPED, "□ STOPPED"),
            ):
                await show(pilot, console, replace(blank(), phase=phase))
                assert shown in text_of(app)[0]

    async def test_the_first_picture_needs_no_connection(self, dashboard: Dashboard) -> None:
        lines = await top(dashboard, blank())
        assert "connecting …" in lines[2]
        assert "continuity not checked yet" in lines[0]


class TestTrust:
    @pytest.mark.parametrize("size", [(60, 16), (120, 40)])
    async def test_the_verdict_is_always_there(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        console = RecordedConsole(restored())
        async with (app := dashboard(console)).run_test(size=size) as pilot:
            for continuity, shown in (
                (Continuity(Verdict.CONTINUOUS), "✓ CONTINUOUS"),
                (Continuity(Verdict.GAP, 3), "✗ GAP 3"),
                (Continuity(Verdict.DIVERGED), "✗ DIVERGED"),
                (Continuity(Verdict.UNKNOWN), "? UNKNOWN"),
                (Continuity(Verdict.CONTINUOUS, unseen_before_start=1234), "PARTIAL HISTORY −1,234"),
            ):
                await show(pilot, console, replace(restored(), continuity=continuity))
                assert shown in text_of(app)[0]

    async def test_orphans_are_counted(self, dashboard: Dashboard) -> None:
        name, data = sound(7)
        fields = (b"type", name.encode(), b"data", data)
        view = replace(restored(), orphans=(Row(9, b"123-0", fields, 0), Row(10, b"124-0", fields, 0)))
        assert (
            "2 entries had been applied and are gone from the log, the first 123-0" in (await top(dashboard, view))[3]
        )


class TestTheSnapshot:
    async def test_its_age_counts_up_without_a_new_view(self) -> None:
        seconds = [WALL]
        app = DashboardApp(RecordedConsole(restored(58.0)), clock=lambda: NOW, wall_clock=lambda: seconds[0])
        async with app.run_test(size=SIZE) as pilot:
            assert "snapshot 58 s ago at #64" in text_of(app)[1]
            seconds[0] += 1
            main_of(app).poll()
            await pilot.pause()
            assert "snapshot 59 s ago" in text_of(app)[1]
            seconds[0] += 1
            main_of(app).poll()
            await pilot.pause()
            assert "snapshot 1 min ago" in text_of(app)[1]

    async def test_none_yet(self, dashboard: Dashboard) -> None:
        assert "no snapshot yet" in (await top(dashboard, a_busy_view()))[1]

    async def test_none_where_none_is_taken(self, dashboard: Dashboard) -> None:
        line = (await top(dashboard, replace(busy_history().live(), readonly=True)))[1]
        assert "no snapshot" in line
        assert "yet" not in line

    async def test_why_the_last_one_failed(self, dashboard: Dashboard) -> None:
        view = replace(restored(), snapshot_note="the server is out of memory")
        assert "the server is out of memory" in (await top(dashboard, view, (200, 60)))[1]


class TestReplaying:
    async def test_a_bar_with_speed_and_time_left(self, dashboard: Dashboard) -> None:
        line = (await top(dashboard, replaying()))[2]
        for part in ("replaying", "━", "45 %", "450,000 of 1,000,000", "912,345/s", "600 ms left"):
            assert part in line

    async def test_in_the_narrowest_terminal_too(self, dashboard: Dashboard) -> None:
        line = (await top(dashboard, replaying(), (60, 16)))[2]
        for part in ("replaying", "45 %", "left"):
            assert part in line

    @pytest.mark.parametrize("progress", [Progress(0, 0, 0, None), Progress(5, 3, 1e9, 0), Progress(0, 10**12, 1, 1e9)])
    async def test_odd_progress_draws_a_line(self, dashboard: Dashboard, progress: Progress) -> None:
        assert "replaying" in (await top(dashboard, replace(replaying(), progress=progress)))[2]

    async def test_afterwards_a_line_stays_that_tells_where_the_state_is_from(self, dashboard: Dashboard) -> None:
        line = (await top(dashboard, restored()))[2]
        assert "restored from snapshot #64" in line
        assert "12 s old in 12 ms" in line
        assert "replayed 34 events in 0.5 ms" in line
        assert "64 did not have to be" in line

    async def test_from_the_beginning(self, dashboard: Dashboard) -> None:
        done = Restored((Rung(None, Position(), None),), replayed=98, replay_seconds=1.25, done=True)
        line = (await top(dashboard, replace(a_busy_view(), restored=done)))[2]
        assert "replayed 98 events in 1.2 s" in line
        assert "from the beginning of the stream" in line

    async def test_snapshots_that_were_refused_stay_mentioned(self, dashboard: Dashboard) -> None:
        rungs = (Rung("1-0", Position("1-0", 90), "its checksum is wrong"), Rung(None, Position(), None))
        done = Restored(rungs, replayed=98, replay_seconds=0.01, done=True)
        for size in ((60, 16), (120, 40)):
            line = (await top(dashboard, replace(a_busy_view(), restored=done), size))[3]
            assert "1 snapshot could not be used (L): its check" in line
        stored = restored().snapshot
        assert stored is not None
        for newest, mentioned in (("1-0", True), ("98-1", False)):
            view = replace(busy_history().live(), restored=done, snapshot=replace(stored, snapshot_id=newest))
            lines = await top(dashboard, view)
            assert any("could not be used" in line for line in lines) is mentioned, "until another one is stored"

    async def test_an_empty_stream(self, dashboard: Dashboard) -> None:
        assert "the stream was empty at the start" in (await top(dashboard, History().live()))[2]

    async def test_the_rungs_tried_are_shown_while_restoring(self, dashboard: Dashboard) -> None:
        lines = await top(dashboard, restoring())
        assert "✗ snapshot 1749999988000-0 #12,000: its checksum does not match its bytes" in lines[2]
        assert "another version of the fold" in lines[3]
        assert "looking for the newest good snapshot" in lines[4]


class TestTrouble:
    async def test_disconnected_says_since_when_why_and_when_it_tries_again(self, dashboard: Dashboard) -> None:
        lines = await top(dashboard, disconnected())
        assert "nothing has been read since 15:05:58 (42 s)" in lines[2]
        assert "next try in 3 s" in lines[2]
        assert "connection refused" in lines[3]

    async def test_the_last_state_stays_on_the_screen(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(disconnected())).run_test(size=SIZE):
            assert any(map(is_applied, lines_of(app, "log")))

    async def test_halted_says_what_is_missing_and_what_can_be_chosen(self, dashboard: Dashboard) -> None:
        said = "\n".join(await top(dashboard, halted()))
        assert "3 entries vanished before they were read" in said
        assert "S stay on the last good state" in said
        assert "r rebuild from what is left" in said
        assert "q quit" in said

    async def test_the_choices_are_named_after_the_keymap(self) -> None:
        app = DashboardApp(RecordedConsole(halted()), UiSettings(keymap={"stay": "f9"}), clock=lambda: NOW)
        async with app.run_test(size=SIZE):
            assert any("F9 stay on the last good state" in line for line in text_of(app))

    async def test_the_line_gives_its_room_back(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(halted())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await show(pilot, console, restored())
            assert "restored from snapshot" in text_of(app)[2]
            assert text_of(app)[3].startswith("╭")


class TestEmptyPanels:
    @pytest.mark.shop_alone
    async def test_they_teach_the_keys(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(History().live(), UiSettings(keymap={"top_up": "f2"}))).run_test(size=SIZE):
            screen = "\n".join(text_of(app))
        assert "Press F2 for Top up," in screen
        assert "Press a for Add item," in screen
        assert "Press b for a demo batch" in screen

    async def test_before_the_first_state_they_promise_nothing(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(blank())).run_test(size=SIZE):
            screen = "\n".join(text_of(app))
        assert "Nothing is known yet." in screen
        assert f"No {panels()[0]}" not in screen


@pytest.mark.shop_alone
def test_a_snapshot_is_told_by_its_age() -> None:
    assert a_snapshot(5, 12).created_ms == (WALL - 12) * 1000
