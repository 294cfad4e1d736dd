"""The restore ladder, a halt, a partial history and a lost connection, as a person meets them."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from rich.cells import cell_len

from esdash.engine.shown.view import Continuity, Phase, Position, Restored, Rung, Verdict, View
from esdash.ui.app import DashboardApp, UiSettings
from esdash.ui.paint.confirm import ConfirmScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.ladder import LadderScreen
from esdash.visible import visible
from tests.ui.looking import is_applied, lines_of, main_of, show, text_of, told
from tests.ui.recorded import NOW, WALL, RecordedConsole, disconnected, halted, restored, restoring
from tests.ui.stage import said

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]


def after_failures(*reasons: str) -> View:
    """Restored, but newer snapshots could not be used."""
    view = restored()
    assert view.restored is not None
    failed = tuple(Rung(f"99-{n}", Position(f"17{n}-0", 99), reason) for n, reason in enumerate(reasons))
    return replace(view, restored=replace(view.restored, rungs=(*failed, *view.restored.rungs)))


def read(app: DashboardApp) -> str:
    return " ".join(app.screen.query_one(Pager).text.split())


class TestTheLadder:
    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 60)])
    async def test_the_line_that_stays_tells_of_failed_rungs(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        view = after_failures("it was made by other rules", "the checksum is wrong")
        async with (app := dashboard(view)).run_test(size=size):
            assert "2 snapshots could not be used (L): it was" in text_of(app)[3]

    async def test_the_whole_of_it_with_reasons_times_and_what_was_saved(self, dashboard: Dashboard) -> None:
        view = replace(after_failures("it was made by other rules"), snapshot_note="taken by elsewhere:4711")
        async with (app := dashboard(view)).run_test(size=(100, 40)) as pilot:
            await pilot.press("L")
            text = read(app)
            assert "✗ snapshot 99-0 at event #99 could not be used: it was made by other rules" in text
            assert "✓ snapshot 1749999988000-0 at event #64" in text
            assert (
                "loaded in 12 ms saved 64 events that did not have to be replayed replayed 34 events in 0.5 ms" in text
            )
            assert "taken by elsewhere:4711, which holds the lease" in text
            await pilot.press("escape")
            assert not isinstance(app.screen, LadderScreen)

    async def test_rungs_appear_as_they_are_tried(self, dashboard: Dashboard) -> None:
        view = restoring()
        assert view.restored is not None
        console = RecordedConsole(replace(view, restored=Restored(())))
        async with (app := dashboard(console)).run_test(size=(100, 40)) as pilot:
            await pilot.press("L")
            assert "trying the next one" in read(app)
            for count in (1, 2):
                console.show(replace(view, restored=Restored(view.restored.rungs[:count])))
                assert isinstance(app.screen, LadderScreen)
                app.screen.look()
                assert read(app).count("could not be used") == count

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"snapshot_note": ""}, "taken by this dashboard"),
            ({"snapshot_note": "The snapshot was not stored: so it is."}, "failed The snapshot was not stored"),
            ({"readonly": True}, "not by this dashboard: it is read-only"),
            ({"snapshot": None}, "newest none is stored"),
            ({"restored": None}, "Nothing was restored yet."),
        ],
    )
    async def test_who_takes_snapshots(self, dashboard: Dashboard, changes: dict[str, object], said: str) -> None:
        async with (app := dashboard(replace(restored(), **changes))).run_test(size=(100, 40)) as pilot:
            await pilot.press("L")
            assert said in read(app)

    async def test_the_status_line_names_who_takes_them(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(replace(restored(), snapshot_note="taken by elsewhere:1"))).run_test(
            size=(200, 60)
        ):
            assert "snapshots taken by elsewhere:1" in text_of(app)[1]

    async def test_hostile_reasons_are_harmless(self, dashboard: Dashboard) -> None:
        nasty = "\x1b]0;t\x07[b]\u202e\u200b日本"
        view = replace(after_failures(nasty), snapshot_note=f"taken by {nasty}")
        async with (app := dashboard(view)).run_test() as pilot:
            for key in ("pageup", "L"):
                await pilot.press(key)
                for size in ((60, 16), (200, 60)):
                    await pilot.resize_terminal(*size)
                    await pilot.pause()
                    for line in text_of(app):
                        assert visible(line, 1000) == line
                        assert cell_len(line) == size[0]


class TestHalted:
    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
    async def test_it_says_what_is_missing_and_offers_three_choices(
        self, dashboard: Dashboard, size: tuple[int, int]
    ) -> None:
        note = "3 entries vanished unread after 1749999412878-0: trimmed or deleted."
        gap = Continuity(Verdict.GAP, 3, "1749999412878-0", "1749999413426-0", 0, note)
        view = replace(halted(), phase_note=note, continuity=gap)
        async with (app := dashboard(view)).run_test(size=size) as pilot:
            await pilot.pause()
            lines = [line.strip() for line in text_of(app)[2:7]]
            said = " ".join(lines)
            assert "3 entries vanished unread" in said
            assert "between 1749999412878-0 and 1749999413426-0" in said
            for choice in ("S stay", "r rebuild", "q quit"):
                assert choice in said
            assert "GAP 3" in text_of(app)[0]

    async def test_staying_is_confirmed_and_can_still_be_left(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(halted())
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("S")
            main_of(app).poll()
            await pilot.pause()
            said = "\n".join(text_of(app)[2:7])
            assert "stay" in console.asked
            assert "The last good state; nothing is applied or published." in said
            assert "r rebuild" in said
            assert "S stay" not in said
            await show(pilot, console, restored())
            await show(pilot, console, halted())
            assert "S stay" in "\n".join(text_of(app)[2:7]), "another halt is another choice"

    async def test_rebuilding_asks_and_says_what_it_costs(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(halted())
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("r")
            assert isinstance(app.screen, ConfirmScreen)
            assert said(pilot, "#question") == "Rebuild from what is left?"
            assert "3 entries are lost" in said(pilot, "#consequence")
            assert "labelled partial" in said(pilot, "#consequence")
            await pilot.press("y")
            assert "rebuild" in console.asked

    async def test_rebuilding_says_what_it_would_forget(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(replace(restored(), forgotten=60))
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("r")
            assert isinstance(app.screen, ConfirmScreen)
            assert "forget" in said(pilot, "#question")
            assert "60 entries have left the stream" in said(pilot, "#consequence")
            assert "labelled partial" in said(pilot, "#consequence")
            await pilot.press("n")
            assert "rebuild" not in console.asked

    @pytest.mark.shop_alone
    async def test_nothing_can_be_published(self, dashboard: Dashboard) -> None:
        console = RecordedConsole(halted())
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            for count, key in enumerate("taobpP", 1):
                await pilot.press(key)
                assert len([each for each in told(app) if "The consumer has halted" in each]) == count, key
                assert not console.published
                assert not any(asked.startswith("load") for asked in console.asked)

    async def test_after_a_rebuild_the_history_is_labelled_partial(self, dashboard: Dashboard) -> None:
        partial = replace(restored(), continuity=Continuity(Verdict.CONTINUOUS, unseen_before_start=1234))
        console = RecordedConsole(partial)
        async with (app := dashboard(console)).run_test() as pilot:
            for size, label in (
                ((60, 16), "PARTIAL HISTORY −1,234"),
                ((120, 40), "PARTIAL HISTORY −1,234"),
                ((150, 40), "PARTIAL: 1,234 entries before the first are missing"),
            ):
                await pilot.resize_terminal(*size)
                for phase in (Phase.LIVE, Phase.DISCONNECTED, Phase.REPLAYING):
                    await show(pilot, console, replace(partial, phase=phase))
                    assert label in text_of(app)[0]

    async def test_a_counter_set_too_low_by_hand_is_no_partial_history(self, dashboard: Dashboard) -> None:
        view = replace(restored(), continuity=Continuity(Verdict.CONTINUOUS, unseen_before_start=-3))
        async with (app := dashboard(view)).run_test(size=(150, 40)):
            assert "PARTIAL" not in text_of(app)[0]


class TestDisconnected:
    async def test_the_wait_counts_down_without_a_new_view(self) -> None:
        seconds = [0.0]
        view = disconnected()
        app = DashboardApp(
            RecordedConsole(view), UiSettings(), clock=lambda: NOW + seconds[0], wall_clock=lambda: WALL + seconds[0]
        )
        async with app.run_test(size=(80, 24)) as pilot:
            for passed, ago, left in ((0, 42, 3), (1, 43, 2), (2, 44, 1), (3, 45, 0)):
                seconds[0] = passed
                main_of(app).poll()
                await pilot.pause()
                assert f"nothing has been read since 15:05:58 ({ago} s)" in text_of(app)[2]
                assert f"next try in {left} s" in text_of(app)[2]

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40)])
    async def test_the_last_state_stays_and_is_marked_as_old(self, dashboard: Dashboard, size: tuple[int, int]) -> None:
        async with (app := dashboard(disconnected())).run_test(size=size):
            screen = "\n".join(text_of(app)[:5])
            assert "the last state known" in " ".join(screen.split())
            assert any(map(is_applied, lines_of(app, "log")))
