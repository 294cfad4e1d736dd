"""The screen of a verification: progress, result, running on in the background."""

from collections.abc import Callable

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from esdash.engine.console import VerificationStatus
from esdash.engine.shown.verification import Segment, Verification
from esdash.engine.shown.view import Position
from esdash.fold.stored import Difference
from esdash.ui.app import DashboardApp
from esdash.ui.main.screen import MainScreen
from esdash.ui.paint.pager import Pager
from esdash.ui.trust.verify import VerifyScreen
from esdash.visible import visible
from tests.ui.looking import main_of, text_of, told
from tests.ui.recorded import NOW, WALL, RecordedConsole, restored
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

FIRST = Segment(Position(), Position("1700-0", 50), "50-aa", "d1", "d1", ())
SECOND = Segment(Position("1700-0", 50), Position("1800-0", 90), "90-bb", "d2", "d2", ())
LAST = Segment(Position("1800-0", 90), Position("1900-0", 98), None, "d3", "d3", ())
FLIPPED = Segment(
    SECOND.start,
    SECOND.end,
    "90-bb",
    "d2",
    "other",
    (
        Difference("users:7.balance", 1250, 99250),
        Difference("items:hdd.remain", 5, None),
        Difference("rejected out_of_stock", 3, 4),
    ),
)


def ended(*segments: Segment, **more: object) -> VerificationStatus:
    """A verification that found this."""
    found = {"damaged": (), "skipped": (), "unseen": 0} | more
    result = Verification(segments, entries=98, seconds=0.512, **found)  # type: ignore[arg-type]
    return VerificationStatus(False, 98, 98, result, "")


def running(done: int, total: int) -> VerificationStatus:
    return VerificationStatus(True, done, total, None, "")


def read(app: DashboardApp) -> str:
    """What the screen says, as one line."""
    return " ".join(app.screen.query_one(Pager).text.split())


async def look(pilot: Pilot[None]) -> None:
    """Let the screen look at the console."""
    if isinstance(pilot.app.screen, VerifyScreen):
        pilot.app.screen.look()
    main_of(pilot.app).poll()
    await pilot.pause()


@pytest.fixture
def console() -> RecordedConsole:
    return RecordedConsole(restored())


class TestRunning:
    @pytest.mark.usefixtures("every_picture")
    async def test_the_key_starts_one_and_shows_how_far_it_is(self, console: RecordedConsole) -> None:
        now = [NOW]
        app = DashboardApp(console, clock=lambda: now[0], wall_clock=lambda: WALL)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("v")
            assert "verify" in console.asked
            now[0] += 2
            console.verification = running(430_000, 1_000_000)
            await look(pilot)
            assert "43 %" in read(app)
            assert "430,000 of 1,000,000 events · 215,000/s · 2.7 s left" in read(app)
            assert "verifying 43 %" in text_of(app)[1]

    async def test_leaving_lets_it_run_and_its_end_is_told(
        self, dashboard: Dashboard, console: RecordedConsole
    ) -> None:
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v", "escape")
            assert isinstance(app.screen, MainScreen)
            assert "verification stopped" not in console.asked
            console.verification = running(43, 98)
            await look(pilot)
            assert "verifying 43 %" in text_of(app)[1]
            console.verification = ended(FIRST, SECOND, LAST)
            await look(pilot)
            assert told(app) == ["✓ Verified: the replay of 98 events agrees with 2 snapshots and the live state."]
            await look(pilot)
            assert len(told(app)) == 1
            assert "verifying" not in text_of(app)[1]

    async def test_an_end_while_the_screen_is_being_left_is_told(
        self, dashboard: Dashboard, console: RecordedConsole
    ) -> None:
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v")
            screen = app.screen
            assert isinstance(screen, VerifyScreen)
            screen.look()
            left = app.pop_screen()
            console.verification = ended(FIRST, SECOND, LAST)
            screen.look()  # as its timer may, until it is gone
            await left
            await look(pilot)
            assert len(told(app)) == 1

    async def test_an_end_that_is_seen_is_not_told_twice(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v")
            console.verification = ended(LAST)
            await look(pilot)
            await pilot.press("escape")
            await look(pilot)
            assert told(app) == []

    async def test_x_stops_it_and_r_starts_another(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v", "r", "x")
            assert console.asked.count("verify") == 1, "one runs already"
            assert "verification stopped" in console.asked
            console.verification = VerificationStatus(False, 5, 98, None, "The verification was stopped.")
            await look(pilot)
            assert "There is no result. The verification was stopped." in read(app)
            await pilot.press("r")
            assert console.asked.count("verify") == 2

    async def test_the_button_does_the_same(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        async with dashboard(console).run_test(size=(80, 24)) as pilot:
            await pilot.press("v")
            await pilot.click("#switch")
            assert "verification stopped" in console.asked
            console.verification = ended(LAST)
            await look(pilot)
            # A button shows for a moment that it was pressed, and cannot be pressed meanwhile.
            await until(pilot, lambda: not pilot.app.screen.query_one("#switch").has_class("-active"))
            await pilot.click("#switch")
            assert console.asked.count("verify") == 2

    async def test_opening_it_again_shows_the_last_result(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        console.verification = ended(FIRST)
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v")
            assert "Everything agrees" in read(app)
            assert "verify" not in console.asked


class TestTheResult:
    async def result(self, dashboard: Dashboard, console: RecordedConsole, status: VerificationStatus) -> str:
        console.verification = status
        async with (app := dashboard(console)).run_test(size=(100, 40)) as pilot:
            await pilot.press("v")
            return read(app)

    async def test_all_is_well(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        text = await self.result(dashboard, console, ended(FIRST, SECOND, LAST))
        assert text.startswith(
            "✓ Everything agrees: 98 events replayed in 512 ms, the same as 2 snapshots and the live state."
        )
        assert "✓ events 51 to 90 → snapshot 90-bb ✓ events 91 to 98 → the live state" in text

    @pytest.mark.shop_alone
    async def test_the_first_difference_names_its_window_and_what_differs(
        self, dashboard: Dashboard, console: RecordedConsole
    ) -> None:
        text = await self.result(dashboard, console, ended(FIRST, FLIPPED, LAST))
        assert text.startswith("✗ The first difference: the replay and snapshot 90-bb do not agree.")
        assert "after event #50, 1700-0 up to event #90, 1800-0" in text
        assert "users:7.balance 12.50 992.50" in text
        assert "items:hdd.remain 5 nothing" in text
        assert "rejected out_of_stock 3 4" in text
        assert "esdash snapshot delete 90-bb" in text

    async def test_a_live_state_that_differs(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        live = Segment(Position(), LAST.end, None, "d3", "other", ())
        text = await self.result(dashboard, console, ended(live))
        assert "the replay and the live state do not agree" in text
        assert "after the beginning of the stream" in text

    async def test_damaged_and_skipped_snapshots_are_listed_with_their_reasons(
        self, dashboard: Dashboard, console: RecordedConsole
    ) -> None:
        status = ended(
            LAST, damaged=(("1-x", "its header is damaged"),), skipped=(("2-y", "it was made by other rules"),)
        )
        text = await self.result(dashboard, console, status)
        assert text.startswith("✗ The replay agrees with all that could be read, but a snapshot is damaged.")
        assert "✗ 1-x: its header is damaged" in text
        assert "– 2-y: it was made by other rules" in text

    async def test_what_could_not_be_replayed_is_said(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        text = await self.result(dashboard, console, ended(LAST, unseen=1234))
        assert "1,234 older events are not in the stream any more" in text

    @pytest.mark.domains_in_turn
    @pytest.mark.parametrize(
        ("status", "said"),
        [
            (ended(FIRST, FLIPPED), "✗ Verification: after events 51 to 90 the replay and snapshot 90-bb differ."),
            (ended(LAST, damaged=(("a", "b"),)), "✗ Verification: 1 damaged snapshot."),
            (
                VerificationStatus(False, 0, 5, None, "The consumer does not answer."),
                "! The verification ended without a result. The consumer does not answer.",
            ),
        ],
    )
    async def test_a_bad_end_is_told_too(
        self, dashboard: Dashboard, console: RecordedConsole, status: VerificationStatus, said: str
    ) -> None:
        async with (app := dashboard(console)).run_test(size=(80, 24)) as pilot:
            await pilot.press("v", "escape")
            await look(pilot)
            console.verification = status
            await look(pilot)
            assert told(app) == [said]

    async def test_hostile_text_is_harmless_at_every_size(self, dashboard: Dashboard, console: RecordedConsole) -> None:
        nasty = "\x1b]0;t\x07[b]\u202e\u200b日本"
        found = (Difference(f"items:{nasty}.remain", 1, 2),)
        bad = Segment(Position("1-0", 1), Position("2-0", 2), nasty, "a", "b", found)
        console.verification = ended(bad, damaged=((nasty, nasty),), skipped=((nasty, nasty),))
        async with (app := dashboard(console)).run_test(size=(60, 16)) as pilot:
            await pilot.press("v")
            for size in ((60, 16), (80, 24), (200, 60)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                for line in (*text_of(app), *app.screen.query_one(Pager).text.splitlines()):
                    assert visible(line, 1000) == line
                assert {cell_len(line) for line in text_of(app)} == {size[0]}


@pytest.mark.shop_alone
class TestPictures:
    def test_a_difference(self, snap_compare: Callable[..., bool], dashboard: Dashboard) -> None:
        console = RecordedConsole(restored())
        console.verification = ended(FIRST, FLIPPED, LAST, skipped=(("2-y", "it was made by other rules"),))
        assert snap_compare(dashboard(console), terminal_size=(80, 24), press=["v"])
