"""The event log: it follows the tail until a person looks elsewhere, and keeps what they look at in place."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from esdash.engine.shown.view import Continuity, Position, Verdict, View
from esdash.ui.app import DashboardApp
from esdash.ui.tables.log_cells import hue_of
from esdash.ui.tables.log_table import LogTable
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.ui.any_domain import key, one, sound, title
from tests.ui.looking import cursor_line, is_applied, lines_of, panel_of, show, text_of, wheel
from tests.ui.recorded import NOW, WALL, History, RecordedConsole, a_snapshot

pytestmark = pytest.mark.usefixtures("any_domain")

Dashboard = Callable[..., DashboardApp]

SIZE = (120, 40)


def some_events(count: int) -> History:
    """The row of each is its ordinal."""
    return more(History(), count)


def more(history: History, count: int) -> History:
    """The same, after those there are."""
    start = len(history.rows) + 1
    return history.sound(*range(start, start + count))


def ordinals(app: DashboardApp) -> list[int]:
    """Those in view."""
    return [int(line.split()[1].replace(",", "")) for line in lines_of(app, "log")[1:] if line.strip()]


def log_of(app: DashboardApp) -> LogTable:
    """The log's table."""
    table = panel_of(app, "log").table
    assert isinstance(table, LogTable)
    return table


class TestFollowing:
    async def test_new_entries_scroll_in(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            assert ordinals(app)[-1] == 100
            await show(pilot, console, more(history, 50).live())
            assert ordinals(app)[-1] == 150
            assert "150" in cursor_line(app, "log")

    async def test_entries_have_the_numbers_that_places_have_also_in_a_partial_history(
        self, dashboard: Dashboard
    ) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            partial = Continuity(Verdict.CONTINUOUS, unseen_before_start=2_000)
            snapshot = replace(a_snapshot(90), position=Position("1-0", 90, 2_000))
            await show(pilot, console, more(history, 1).live(continuity=partial, snapshot=snapshot))
            assert ordinals(app)[-1] == 2_101
            assert "at #2,090" in "\n".join(text_of(app))

    async def test_going_up_stops_it_and_the_title_counts_what_waits(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("up")
            before = ordinals(app)
            assert panel_of(app, "log").heading == f"{title('log')} · 100"
            await show(pilot, console, more(history, 28).live())
            assert ordinals(app) == before
            assert " 99 " in cursor_line(app, "log")
            assert panel_of(app, "log").heading == f"{title('log')} · 128 · ↓ 28 new"

    async def test_the_end_follows_again(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("pageup")
            await show(pilot, console, more(history, 28).live())
            await pilot.press("G")
            assert panel_of(app, "log").heading == f"{title('log')} · 128"
            await show(pilot, console, more(history, 1).live())
            assert ordinals(app)[-1] == 129

    async def test_stepping_down_to_the_last_line_follows_again(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("k", "j")
            await show(pilot, console, more(history, 1).live())
            assert ordinals(app)[-1] == 101

    async def test_the_wheel_up_stops_it_and_down_to_the_end_resumes(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            log = log_of(app)
            await wheel(pilot, log, -2)
            assert not log.following
            before = ordinals(app)
            await show(pilot, console, more(history, 5).live())
            assert ordinals(app) == before
            await wheel(pilot, log, 10)
            assert log.following
            assert ordinals(app)[-1] == 105

    async def test_a_clicked_line_stays_selected_even_the_last(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            log = log_of(app)
            await pilot.click(log, offset=(5, log.size.height - 1))
            await show(pilot, console, more(history, 3).live())
            assert " 100 " in cursor_line(app, "log")
            assert log.waiting == 3


class TestKeepingTheEntry:
    async def test_the_selected_entry_stays_when_the_oldest_leave(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("pageup")
            line, seen = cursor_line(app, "log"), ordinals(app)
            more(history, 30)
            await show(pilot, console, history.live(rows=tuple(history.rows[30:])))
            assert cursor_line(app, "log") == line
            assert ordinals(app) == seen

    async def test_an_entry_that_left_gives_way_to_the_oldest_there_is(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("g")
            more(history, 100)
            await show(pilot, console, history.live(rows=tuple(history.rows[150:])))
            assert ordinals(app)[0] == 151
            assert " 151 " in cursor_line(app, "log")

    async def test_a_rebuild_shows_the_new_beginning(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await show(pilot, console, history.live(rows=()))
            await show(pilot, console, history.live(rows=tuple(history.rows[:7])))
            assert ordinals(app) == [1, 2, 3, 4, 5, 6, 7]

    async def test_details_are_those_of_the_selected_entry(self, dashboard: Dashboard) -> None:
        history = some_events(100)
        console = RecordedConsole(history.live())
        async with (app := dashboard(console)).run_test(size=SIZE) as pilot:
            await pilot.press("up", "up", "enter")
            await pilot.pause()
            from esdash.ui.trust.details import DetailsScreen

            assert isinstance(app.screen, DetailsScreen)
            assert app.screen.row.ordinal == 98

    async def test_copying_takes_id_type_and_payload(self, dashboard: Dashboard) -> None:
        history = some_events(3)
        async with (app := dashboard(history.live())).run_test(size=SIZE) as pilot:
            await pilot.press("y")
            entry_id = history.rows[-1].entry_id.decode()
            name, data = sound(3)
            assert app.clipboard == f"{entry_id} {name} {data.decode()}"


async def alone(pilot: Pilot[None]) -> None:
    """Without the preview beside the panels."""
    await pilot.press("V")
    await pilot.pause()


class TestReadingOutcomes:
    async def test_each_outcome_has_its_glyph_and_reason(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=(200, 40)) as pilot:
            await alone(pilot)
            told = "\n".join(lines_of(app, "log"))
            outcomes = (app.engine.fold.outcomes[row.code or 0] for row in reversed(busy.rows))
            assert f"✗ {next(outcome.reason for outcome in outcomes if outcome.name == 'rejected')}" in told
            assert "! unknown_type" in told
            assert "= duplicate" in told

    async def test_of_what_was_applied_stands_what_moved_and_no_word(self, dashboard: Dashboard, busy: View) -> None:
        async with (app := dashboard(busy)).run_test(size=(120, 40)):
            assert not any("applied" in line for line in lines_of(app, "log"))
            for line, row in zip(lines_of(app, "log")[:0:-1], reversed(busy.rows), strict=False):
                assert is_applied(line) == (app.engine.fold.outcomes[row.code or 0].name == "applied"), line

    @pytest.mark.shop_alone
    async def test_an_order_tells_what_it_cost_and_a_top_up_its_amount_once(self, dashboard: Dashboard) -> None:
        history = History().sound(1, value=300)
        history.add("AddItem", '{"item_id":"hdd","count":5,"price":100}')
        history.add("Order", '{"user_id":1,"lines":[{"item_id":"hdd","quantity":2}]}')
        async with (app := dashboard(history.live())).run_test(size=(120, 40)):
            *_, top_up, item, order = (line for line in lines_of(app, "log") if line)
            assert re.search(r"TopUp   user 1 +\+3\.00$", top_up)
            assert re.search(r"hdd \+5 at 1\.00 +\+5$", item)
            assert re.search(r"user 1 buys 2 × hdd +−2\.00$", order)

    async def test_of_an_older_one_what_it_did_is_read_where_a_past_is_kept(self, dashboard: Dashboard) -> None:
        history = some_events(30)
        view = history.live(rows=tuple(replace(row, told=None) for row in history.rows))
        async with (app := dashboard(view)).run_test(size=(120, 40)):
            for number, line in enumerate(lines_of(app, "log")[1:31], 1):
                assert f"{one()} {key(number)} " in line
                assert line.endswith(" ✓")
            lines = log_of(app).log_source
            lines.can_begin(1)
            log_of(app).sync()
            assert lines.entries.untold == list(range(1, 31))
            lines.add(history.rows[:20])
            log_of(app).sync()
            assert [is_applied(line) and "✓" not in line for line in lines_of(app, "log")[1:31]] == [True] * 20 + [
                False
            ] * 10

    async def test_each_type_has_a_colour_of_its_own_that_is_no_outcomes(self, dashboard: Dashboard) -> None:
        async with (app := dashboard(some_events(1).live())).run_test(size=(120, 40)) as pilot:
            for theme in ("textual-dark", "textual-light", "ansi-dark"):
                app.theme = theme
                await pilot.pause()
                table, fold = log_of(app), app.engine.fold
                names = [each.wire_name for each in fold.publishable]
                styles = {str(table.paint(hue_of(fold, name))) for name in names}
                assert len(styles) == len(names)
                assert not styles & {str(table.paint(name)) for name in ("good", "bad", "warning")}
                assert hue_of(fold, "Refund") == hue_of(shop(), "Refund")

    async def test_the_lower_edge_counts_them(self, dashboard: Dashboard, busy: View) -> None:
        fold = present().fold()
        async with (app := dashboard(busy)).run_test(size=(200, 40)) as pilot:
            await alone(pilot)
            counts = str(panel_of(app, "log").border_subtitle)
            rejected = Counter(
                outcome.reason for row in busy.rows if (outcome := fold.outcomes[row.code or 0]).name == "rejected"
            )
            assert f"✗ {rejected.total()} rejected ({rejected.most_common(1)[0][0]}" in counts
            assert re.search(r"= \d+ duplicate", counts)

    async def test_an_entry_of_another_day_says_which(self, dashboard: Dashboard) -> None:
        history = History(first_ms=1_700_000_000_000)
        more(history, 2)
        async with (app := dashboard(history.live())).run_test(size=(200, 40)):
            assert lines_of(app, "log")[1].startswith("2023-11-14")

    async def test_a_time_of_another_day_is_whole(self) -> None:
        console = RecordedConsole(some_events(5).live())
        app = DashboardApp(console, clock=lambda: NOW, wall_clock=lambda: WALL + 3 * 86_400)
        async with app.run_test(size=(80, 40)) as pilot:
            for width in (80, 100, 120, 139, 200):
                await pilot.resize_terminal(width, 40)
                await pilot.pause()
                for line in lines_of(app, "log")[1:6]:
                    assert re.match(r"06-15 14:5\d ", line), line

    async def test_an_id_that_no_clock_shows_has_no_time(self, dashboard: Dashboard) -> None:
        history = History(first_ms=2**63)
        more(history, 2)
        async with (app := dashboard(history.live())).run_test(size=(200, 40)):
            assert lines_of(app, "log")[1].startswith("—")
