"""The line of time: what is marked in it, and how a hand goes through it."""

import re
from pathlib import Path

import pytest
import redis
from msgspec.structs import replace
from textual.pilot import Pilot

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Continuity, Verdict
from esdash.log.stream import Stream
from esdash.past.entries.timeline import Timeline
from esdash.past.service import Past
from esdash.past.shown.stored import Stored
from esdash.ui.app import DashboardApp
from esdash.ui.past.time_line import TimeLine
from esdash.ui.past.time_marks import (
    BREAK,
    CURSOR,
    LEGEND,
    PARKED,
    REFUSED,
    SNAPSHOT,
    Loss,
    breaks_of,
    losses_of,
    marked,
    outcome_of,
)
from esdash.ui.terminal import in_ascii
from tests.domains.ways import present
from tests.engine.running import STREAM, sound
from tests.ui.looking import main_of, settle, text_of, wheel
from tests.ui.past.keeping import SIZE, as_of, dashboard, past_of, publish
from tests.ui.recorded import blank
from tests.ui.stage import until

TALL = (120, 50)


def a_line(entries: str = "1111111111", refused: str = "0000000000", parked: str = "0000000000") -> Timeline:
    """From 1000 to 2000, a digit for each part of 100."""
    return Timeline(1000, 2000, *(list(map(int, digits)) for digits in (entries, refused, parked)))


def drawn(
    found: Timeline, cursor: int | None = None, snapshots: tuple[int, ...] = (), *losses: Loss, **how: bool
) -> str:
    """The marks as they stand there: `[` and `]` around the parts."""
    marks = marked(found, cursor, snapshots, breaks_of(found, losses), **how)
    before, *parts, after = (mark.glyph if mark else " " for mark in (marks.before, *marks.parts, marks.after))
    return f"{before}[{''.join(parts)}]{after}"


class TestMarks:
    def test_a_snapshot_is_a_tick_where_it_stands(self) -> None:
        assert drawn(a_line(), None, (1000, 1450, 2000, 999, 2001)) == " [┊   ┊    ┊] "

    def test_in_the_place_of_bars_it_stands_behind_the_last_one_of_its_entries(self) -> None:
        assert drawn(a_line("1100011001"), None, (1150, 1550, 2000), over=True) == " [  ┊  ┊    ]┊"

    def test_what_had_left_before_the_first_entry_is_a_break_before_it(self) -> None:
        assert drawn(a_line(), None, (), Loss(-1, 1000)) == "╱[          ] "
        assert drawn(a_line("0001111111"), None, (), Loss(-1, 1300)) == " [  ╱       ] "
        assert drawn(a_line(), None, (), Loss(-1, 500)) == " [          ] ", "that is not in sight"

    def test_a_gap_is_one_break_before_what_is_there_again(self) -> None:
        assert drawn(a_line("1110000111"), None, (), Loss(1250, 1700)) == " [      ╱   ] "
        assert drawn(a_line(), None, (), Loss(1450, 1450)) == " [    ╱     ] "
        assert drawn(a_line(), None, (), Loss(2000, 2500)) == " [          ]╱"

    def test_outcomes_are_marked_where_colours_do_not_tell_them(self) -> None:
        found = a_line("5555555555", "0120000000", "0000100000")
        assert drawn(found) == " [          ] "
        assert drawn(found, outcomes=True) == " [  ✗ !     ] "

    def test_a_line_of_marks_leaves_the_colour_to_what_was_refused(self) -> None:
        found = a_line("5555555555", "0550000000", "0010100000")
        colours = [outcome_of(found, place, told_below=True) for place in range(5)]
        assert colours == [None, REFUSED, REFUSED, None, PARKED]
        assert drawn(found, outcomes=True) == " [ ✗! !     ] "

    def test_the_cursor_is_seen_whatever_stands_there(self) -> None:
        assert drawn(a_line(), 4, (1450,), Loss(1450, 1450), outcomes=True) == " [    ◆     ] "

    def test_each_has_a_glyph_of_its_own_in_ascii_too_and_is_explained(self) -> None:
        marks = (CURSOR, BREAK, SNAPSHOT, PARKED, REFUSED)
        bars = {in_ascii(char) for char in "▁▂▃▄▅▆▇█ "}
        assert len({in_ascii(mark.glyph) for mark in marks} - bars) == len(marks)
        assert {mark.glyph for mark in marks} <= set("".join(glyphs for glyphs, _ in LEGEND))


class TestLosses:
    def test_a_whole_history_has_none(self) -> None:
        assert losses_of(blank(), 1000) == []
        assert losses_of(replace(blank(), continuity=Continuity(Verdict.CONTINUOUS)), 1000) == []

    def test_a_partial_one_lacks_what_came_before_its_first_entry(self) -> None:
        partial = Continuity(Verdict.CONTINUOUS, unseen_before_start=3)
        assert losses_of(replace(blank(), continuity=partial), 1000) == [Loss(-1, 1000)]

    def test_a_gap_lies_between_two_entries(self) -> None:
        gap = Continuity(Verdict.GAP, 3, after="1200-0", before="1500-4")
        assert losses_of(replace(blank(), continuity=gap), 1000) == [Loss(1200, 1500)]

    def test_orphans_are_lost_where_they_were(self) -> None:
        orphans = tuple(Row(place, f"{1300 + place // 2}-{place}".encode(), (), 5) for place in range(3))
        assert losses_of(replace(blank(), orphans=orphans), 1000) == [Loss(1300, 1300), Loss(1301, 1301)]


def line_of(app: DashboardApp) -> TimeLine:
    return main_of(app).query_one(TimeLine)


def shown(app: DashboardApp) -> str:
    """The line of time as it stands on the screen."""
    region = line_of(app).region
    return "\n".join(text_of(app)[region.y : region.bottom])


async def counted(pilot: Pilot[None], app: DashboardApp) -> None:
    """Wait until there are bars, and look anew what there is now."""
    await until(pilot, lambda: "█" in shown(app), timeout=20)
    line_of(app).look()
    await settle(pilot)


def spread(client: redis.Redis, count: int = 100) -> None:
    """So many entries, one a second."""
    for number in range(1, count + 1):
        client.xadd(STREAM, sound(number), id=f"{1_700_000_000_000 + number * 1000}-0")


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
class TestInTheDashboard:
    @pytest.mark.parametrize("size", [SIZE, TALL])
    async def test_a_snapshot_that_is_taken_becomes_a_tick(
        self, log: Stream, client: redis.Redis, tmp_path: Path, size: tuple[int, int]
    ) -> None:
        publish(client)
        async with dashboard(log, tmp_path, size=size) as (app, pilot):
            await counted(pilot, app)
            assert "┊" not in shown(app)
            await pilot.press("s")
            await until(pilot, lambda: app.engine.view.snapshot is not None, timeout=20)
            main_of(app).poll()
            line_of(app).look()
            await until(pilot, lambda: "┊" in shown(app), timeout=20)

    async def test_on_a_tall_terminal_marks_stand_under_the_bars(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        publish(client)
        async with dashboard(log, tmp_path, size=TALL) as (app, pilot):
            await counted(pilot, app)
            bars, marks = shown(app).splitlines()
            assert re.search("█.* all", bars)
            assert "!" in marks, "the one that could not be understood"
            assert re.match(r" +█ \d ", marks)
            await pilot.resize_terminal(*SIZE)
            await pilot.pause()
            assert len(shown(app).splitlines()) == 1

    async def test_without_colour_what_was_parked_has_its_glyph_on_one_line_too(
        self, log: Stream, client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        spread(client, 10)
        client.xadd(STREAM, {"type": "?", "data": "{}"}, id="1700000030000-0")
        async with dashboard(log, tmp_path, count=11) as (app, pilot):
            await until(pilot, lambda: "!" in shown(app), timeout=20)

    async def test_a_trimmed_stream_has_a_break_before_its_first_entry(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        spread(client)
        client.xtrim(STREAM, maxlen=60, approximate=False)
        async with dashboard(log, tmp_path, count=60) as (app, pilot):
            await until(pilot, lambda: "╱" in shown(app), timeout=20)
            assert re.search(r"\d╱█", shown(app))

    async def test_the_cursor_is_dragged_through_moments_and_stays_where_it_is_let_go(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        spread(client)
        async with dashboard(log, tmp_path, count=100) as (app, pilot):
            await counted(pilot, app)
            line = line_of(app)
            start = shown(app).index("█")
            await pilot.mouse_down(line, offset=(start + 10, 0))
            await until(pilot, lambda: main_of(app).time.now is not None, timeout=20)
            first = main_of(app).time.now
            assert first is not None
            for x in (start + 20, start + 40):
                await pilot.hover(line, offset=(x, 0))
                assert shown(app).index("◆") == x, "it goes along at once"
            await until(pilot, lambda: (now := main_of(app).time.now) is not None and now.number > first.number + 20)
            await pilot.hover(line, offset=(start + 30, 0))
            await pilot.mouse_up(line, offset=(start + 30, 0))
            await until(pilot, lambda: (now := main_of(app).time.now) is not None and 30 < now.number < 42)
            await settle(pilot)
            assert shown(app).index("◆") in (start + 29, start + 30)
            await pilot.hover(line, offset=(start + 60, 0))
            assert shown(app).index("◆") in (start + 29, start + 30), "it was let go"

    async def test_a_click_goes_there_and_the_wheel_shows_less(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        publish(client)
        async with dashboard(log, tmp_path) as (app, pilot):
            await counted(pilot, app)
            await pilot.click(line_of(app), offset=(95, 0))
            await as_of(pilot, 9)
            await wheel(pilot, line_of(app), -2)
            await until(pilot, lambda: "1 h" in shown(app), timeout=20)

    async def test_a_stretch_in_which_nothing_came_is_an_empty_line(
        self, log: Stream, client: redis.Redis, tmp_path: Path
    ) -> None:
        spread(client)
        async with dashboard(log, tmp_path, count=100) as (app, pilot):
            await counted(pilot, app)
            for _ in range(4):
                await pilot.press("Z")
                await settle(pilot)
            time = r" +(\d\d-\d\d )?[\d:]+"  # with its day where that was yesterday
            await until(pilot, lambda: re.fullmatch(rf"{time}{time}  1 min *", shown(app)), timeout=20)

    async def test_it_is_asked_for_snapshots_seldom(self, log: Stream, client: redis.Redis, tmp_path: Path) -> None:
        publish(client)
        asked: list[int] = []

        class Counting(Past):
            def snapshots(self) -> list[Stored]:
                asked.append(1)
                return super().snapshots()

        console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
        app = DashboardApp(console, past_of=lambda fold: past_of(log, tmp_path, fold, Counting))
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: main_of(app).time.past is not None, timeout=20)
            await counted(pilot, app)
            before = len(asked)
            for _ in range(5):
                line_of(app).look()
                await settle(pilot)
            assert before >= 1
            assert len(asked) == before
