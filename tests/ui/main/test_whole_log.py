"""The log reaches the first entry of the stream, and answers questions about all of them: a real server and track."""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from esdash.engine.consumer.consumer import ConsumerSettings
from esdash.engine.live import LiveConsole
from esdash.engine.moments.asking import Asked, Examined
from esdash.engine.shown.view import Phase
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.service import Past
from esdash.past.track.folder import TrackFolder
from esdash.query.questions import read_question
from esdash.ui.app import DashboardApp
from esdash.ui.tables.log_panel import LogPanel
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.log_table import LogTable
from esdash.ui.trust.details import DetailsScreen
from esdash.words.asked import schema_of
from tests.domains.ways import present
from tests.engine.running import STREAM, RunningConsumer, publish, publish_day, stored
from tests.past.test_searching import plainly
from tests.ui.any_domain import key, one, press, title
from tests.ui.looking import cursor_line, is_applied, lines_of, main_of, panel_of, text_of, told
from tests.ui.recorded import WALL, History
from tests.ui.stage import Stage, until, write

pytestmark = pytest.mark.usefixtures("any_domain")

COUNT = 1600
"""Entries, of which the view of a consumer that was restored has the newest thousand."""

SIZE = (139, 40)
"""One column less than what has room for a preview beside the panels."""


@pytest.fixture
def ids(url: str, client: redis.Redis) -> list[bytes]:
    """A day in the stream, and a snapshot at its end."""
    ids = publish_day(client, COUNT)
    with RunningConsumer(url) as consumer:
        consumer.until_live(ids[-1])
    return ids


@asynccontextmanager
async def dashboard(
    log: Stream, folder: Path, *, begun: bool = True, size: tuple[int, int] = SIZE
) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """A dashboard that is live, over a track of all there is now; unless `begun`, its log may not know that yet."""

    def past(fold: Fold) -> Past:
        tracks = TrackFolder(folder, 100)
        path = tracks.file_of(log.server.url, log.name, fold)
        Builder(log, fold, tracks, path, segment=400).run()
        return Past(log, fold, path)

    console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
    app = DashboardApp(console, past_of=past)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: console.view.phase is Phase.LIVE, timeout=20)
        if begun:
            await until(pilot, lambda: log_of(app).lines.entries.beginning, timeout=20)
        yield app, pilot


def log_of(app: DashboardApp) -> LogPanel:
    panel = panel_of(app, "log")
    assert isinstance(panel, LogPanel)
    return panel


def numbers(app: DashboardApp) -> list[int]:
    """Those in view."""
    return [int(line.split()[1].replace(",", "")) for line in lines_of(app, "log")[1:] if line.strip()]


def waits(app: DashboardApp) -> bool:
    """Whether a line in view is not read yet."""
    return any(line.startswith("…") for line in lines_of(app, "log")[1:])


async def ask(pilot: Pilot[None], app: DashboardApp, question: str) -> None:
    """Type a question, and wait until it is answered."""
    log_of(app).start_filter(question)
    await answered(pilot, app)


async def answered(pilot: Pilot[None], app: DashboardApp) -> None:
    lines = log_of(app).lines
    await until(
        pilot,
        lambda: lines.answer is not None and lines.answer.newest and lines.searched is None and not waits(app),
        timeout=20,
    )


def publish_again(client: redis.Redis, log: Stream, number: int) -> None:
    """Append what an entry says once more."""
    fields = stored(log)[number - 1][1]
    publish(client, [list(zip(fields[::2], fields[1::2], strict=True))])


def shown(app: DashboardApp) -> list[int]:
    """The ordinals of all lines, whether in view or not."""
    lines = log_of(app).lines
    return [lines.identity(index) for index in range(len(lines))]


@pytest.mark.domains_in_turn
class TestReachingTheFirstEntry:
    async def test_a_key_goes_there_and_the_entries_are_read(
        self, log: Stream, ids: list[bytes], tmp_path: Path
    ) -> None:
        async with dashboard(log, tmp_path) as (app, pilot):
            assert log_of(app).heading == f"{title('log')} · {COUNT:,}"
            await pilot.press(press("log"), "g")
            await until(pilot, lambda: not waits(app))
            assert numbers(app)[:3] == [1, 2, 3]
            await pilot.press("z")
            await pilot.pause()
            assert ids[0].decode() in cursor_line(app, "log")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, DetailsScreen))
            assert isinstance(app.screen, DetailsScreen)
            assert app.screen.row.ordinal == 1

    async def test_a_page_up_after_the_other_misses_none(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        async with dashboard(log, tmp_path, size=(160, 120)) as (app, pilot):
            seen: set[int] = set()
            await pilot.press(press("log"), "z")
            rows = {row.ordinal: row for row in plainly(present().fold(), stored(log))}
            while 1 not in seen:
                await until(pilot, lambda: not waits(app))
                for line in lines_of(app, "log")[1:]:
                    number = int(line.split()[1].replace(",", ""))
                    assert line.split()[2] == ids[number - 1].decode()
                    outcome = app.engine.fold.outcomes[rows[number].code or 0]
                    assert is_applied(line) if outcome.name == "applied" else (outcome.reason or outcome.name) in line
                    seen.add(number)
                await pilot.press("pageup")
            assert seen == set(range(1, COUNT + 1))

    async def test_dragging_the_bar_to_the_top(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            table = log_of(app).table
            x = table.size.width - 1
            await pilot.mouse_down(table, offset=(x, table.size.height - 1))
            await pilot.hover(table, offset=(x, 5))
            await pilot.hover(table, offset=(x, 1))
            await pilot.mouse_up(table, offset=(x, 1))
            await until(pilot, lambda: numbers(app)[:1] == [1] and not waits(app))

    async def test_memory_is_bounded_however_much_is_looked_at(
        self, log: Stream, ids: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        del ids
        monkeypatch.setattr("esdash.ui.tables.log_rows.KEPT", 300)
        async with dashboard(log, tmp_path) as (app, pilot):
            await pilot.press(press("log"), "g")
            entries = log_of(app).lines.entries
            for _ in range(10):
                await until(pilot, lambda: not waits(app))
                await pilot.press("pagedown", "pagedown")
            there = [ordinal for ordinal in range(1, entries.first) if entries.get(ordinal) is not None]
            assert 0 < len(there) <= 300

    async def test_what_left_the_stream_is_said(
        self, log: Stream, client: redis.Redis, ids: list[bytes], tmp_path: Path
    ) -> None:
        async with dashboard(log, tmp_path) as (app, pilot):
            client.xtrim(STREAM, minid=ids[3], approximate=False)
            await pilot.press(press("log"), "g")
            await until(pilot, lambda: not waits(app))
            gone = ["gone from the str" in line for line in lines_of(app, "log")[1:]]
            assert gone[:5] == [True, True, True, False, False]

    async def test_without_a_past_it_is_the_newest(self, log: Stream, ids: list[bytes]) -> None:
        console = LiveConsole(log, present().fold(), ConsumerSettings(snapshot_seconds=0), seed=1)
        app = DashboardApp(console)
        async with app.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: console.view.phase is Phase.LIVE and log_of(app).lines.total, timeout=20)
            assert log_of(app).heading == f"{title('log')} · newest 1,000 of {len(ids):,}"
            await pilot.press(press("log"), "g")
            assert numbers(app)[0] == len(ids) - 999
            log_of(app).start_filter("since:#7")
            await pilot.pause()
            assert any("can only be found where a past is kept" in line for line in text_of(app))
            log_of(app).lines.can_begin(1)  # one came
            assert log_of(app).lines.wrong is None
            assert log_of(app).lines.answer is not None


@pytest.mark.domains_in_turn
class TestAsking:
    async def test_what_is_shown_is_what_all_entries_filtered_are(
        self, log: Stream, ids: list[bytes], tmp_path: Path, any_domain: str
    ) -> None:
        del ids
        fold = present().fold()
        rows = list(plainly(fold, stored(log)))
        async with dashboard(log, tmp_path) as (app, pilot):
            for question in (
                "outcome:rejected",
                f"type:{fold.publishable[0].wire_name} -outcome:applied",
                present().asked,
                f"{present().asked} outcome:applied",
                f"reason:unknown_type or {present().asked}",
                "since:2000-01-01 /unkn/",
                *(("user:3 amount>1", "reason:unknown_type or item:hdd", "balance") if any_domain == "shop" else ()),
            ):
                asks = Asked(fold, read_question(question, schema_of(fold), 2e9), lambda _: (0, 0))
                wanted = [row.ordinal for row in rows if asks(Examined(fold, row, 0))]
                await ask(pilot, app, question)
                assert shown(app) == wanted
                assert log_of(app).heading == f"{title('log')} · {question} · {len(wanted):,} of {COUNT:,}"
                await pilot.press(press("log"), "g")
                await until(pilot, lambda: not waits(app))
                assert numbers(app)[:20] == wanted[:20]
                await pilot.press("G", "escape")
                await until(pilot, lambda: log_of(app).lines.answer is None)

    async def test_places_are_looked_up(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await ask(pilot, app, "since:#300 until:#302")
            assert shown(app) == [300, 301, 302]

    async def test_new_entries_are_hits_as_well(
        self, log: Stream, client: redis.Redis, ids: list[bytes], tmp_path: Path
    ) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await ask(pilot, app, present().asked)
            before = shown(app)
            publish_again(client, log, before[0])
            await until(pilot, lambda: shown(app) == [*before, COUNT + 1], timeout=20)

    async def test_none_is_said_once_all_were_looked_at(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await write(pilot, "/nosuchthing")
            lines = log_of(app).lines

            def said() -> bool:
                text = "\n".join(lines_of(app, "log"))
                assert ("no entry matches" in text) <= (lines.searched is None)
                return "no entry matches" in text

            await until(pilot, said, timeout=20)
            await pilot.press("escape")
            assert len(lines) == COUNT

    async def test_escape_gives_up(self, log: Stream, client: redis.Redis, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            # The track is not kept up here, so that a search for these waits for it.
            publish_again(client, log, 1)
            await until(pilot, lambda: app.engine.view.position.ordinal == COUNT + 1, timeout=20)
            await ask(pilot, app, present().asked)
            await pilot.press(press("log"), "escape")
            assert log_of(app).lines.answer is None
            assert log_of(app).heading == f"{title('log')} · {COUNT + 1:,}"

    async def test_a_click_on_a_counted_outcome_shows_exactly_those(
        self, log: Stream, ids: list[bytes], tmp_path: Path
    ) -> None:
        del ids
        rows = plainly(present().fold(), stored(log))
        async with dashboard(log, tmp_path) as (app, pilot):
            screen = text_of(app)
            y = next(y for y, line in enumerate(screen) if " rejected " in line and " applied " in line)
            await pilot.click(offset=(screen[y].index("rejected "), y))
            await answered(pilot, app)
            outcomes = present().fold().outcomes
            assert shown(app) == [row.ordinal for row in rows if outcomes[row.code or 0].name == "rejected"]

    async def test_in_the_past_it_shows_those_up_to_the_moment(
        self, log: Stream, ids: list[bytes], tmp_path: Path
    ) -> None:
        del ids
        fold = present().fold()
        asks = Asked(fold, read_question(present().asked, schema_of(fold), 0), lambda _: (0, 0))
        hits = [row.ordinal for row in plainly(fold, stored(log)) if asks(Examined(fold, row, 0))]
        async with dashboard(log, tmp_path) as (app, pilot):
            time = main_of(app).time
            time.go_to(hits[3])
            await until(pilot, lambda: log_of(app).lines.entries.last == hits[3], timeout=20)
            await ask(pilot, app, present().asked)
            assert shown(app) == hits[:4]
            time.go_to(hits[5])
            await until(pilot, lambda: log_of(app).lines.entries.last == hits[5], timeout=20)
            assert shown(app) == hits[:6]
            time.action_now()
            assert shown(app) == hits

    async def test_n_goes_to_the_hits_among_all_the_others(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await pilot.press("N")
            assert any("Ask for something first" in line for line in told(app))
            await ask(pilot, app, f"{present().asked} outcome:rejected")
            hits = shown(app)
            await pilot.press(press("log"), "home", "n")
            table = log_of(app).log_table
            assert (table.selected, len(log_of(app).lines)) == (hits[1], COUNT)
            await pilot.press("n", "n", "N")
            assert table.selected == hits[2]
            await pilot.press("N", "N", "N")
            await until(pilot, lambda: any("There is no hit before this entry." in line for line in told(app)))
            assert table.selected == hits[0]
            await until(pilot, lambda: not waits(app))
            assert f" {hits[0]:,} " in cursor_line(app, "log")
            await pilot.press("escape")
            assert log_of(app).lines.answer is None


def test_what_is_not_read_yet_is_a_dim_line_and_wanted() -> None:
    wanted: list[bool] = []
    history = History().sound(*range(1, 901))
    source = LogSource(history.fold, missing=lambda: wanted.append(True))
    source.update(history.rows[600:], 0.0)
    assert (len(source), source.older) == (300, 600)
    source.can_begin(1)
    assert (len(source), source.older, source.total) == (900, 0, 900)
    cells = source.cells(9)
    assert [cell.text for cell in cells] == ["…", "10", "…", "…", "…", "…"]
    assert {cell.style for cell in cells} == {"dim"}
    assert (wanted, source.entries.missing) == ([True], list(range(1, 251)))
    source.add(history.rows[:250])
    assert f"{one()} {key(10)}" in source.cells(9)[4].text
    source.update(history.rows[:7], 0.0)
    assert len(source) == 7, "another history"
    assert source.entries.get(9) is None


@pytest.mark.domains_in_turn
class TestTyping:
    async def test_what_is_wrong_is_pointed_at(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await pilot.press(press("log"))
            await write(pilot, f"/{one()}:3 typ:Order ")
            screen = text_of(app)
            y = next(y for y, line in enumerate(screen) if f"/ {one()}:3 typ:Order" in line)
            # From the right: what stands in the tables at the left may be twice as wide.
            assert screen[y][::-1].index("pyt") == screen[y + 1][::-1].index("^^^")
            assert "There is no typ to ask for. Did you mean type?" in screen[y + 2]
            assert log_of(app).heading.startswith(f"{title('log')} · {one()}:3 typ · "), (
                "what was understood last is still shown"
            )

    async def test_names_are_completed(self, log: Stream, ids: list[bytes], tmp_path: Path) -> None:
        del ids
        async with dashboard(log, tmp_path) as (app, pilot):
            await pilot.press(press("log"))
            await write(pilot, "/outcome:r")
            assert any("Tab rejected" in line for line in text_of(app))
            await pilot.press("tab")
            assert log_of(app).input.value == "outcome:rejected"
            await write(pilot, " ty")
            await pilot.press("tab")
            assert log_of(app).input.value == "outcome:rejected type:"
            await pilot.press("tab", "tab")
            values = schema_of(present().fold()).known_types
            assert log_of(app).input.value == f"outcome:rejected type:{values[1]}"
            await pilot.press("enter")
            assert app.focused is log_of(app).table

    async def test_what_is_typed_after_a_tab_that_completes_nothing_is_no_command(
        self, log: Stream, ids: list[bytes], tmp_path: Path
    ) -> None:
        async with dashboard(log, tmp_path) as (app, pilot):
            await pilot.press(press("log"))
            await write(pilot, "/nothing")
            await pilot.press("tab", "shift+tab", "b")
            assert log_of(app).input.value == "nothingb"
            assert app.focused is log_of(app).input
            assert len(stored(log)) == len(ids)


def test_a_longer_history_is_another_one_too() -> None:
    former, other = History(step_ms=1_000).sound(*range(60)), History(step_ms=2_000).sound(*range(90))
    source = LogSource(former.fold)
    source.can_begin(1)
    source.update(former.rows[50:], 0.0)
    source.add(former.rows[:50])
    before = source.history
    source.update(former.rows[50:], 1.0)
    assert source.history == before
    assert source.row(3) == former.rows[3]
    source.update(other.rows[55:], 2.0)
    assert source.history == before + 1
    assert source.row(3) is None, "what was read was of the former one"


class _Lines(Screen[None]):
    """Nothing but the lines of a log."""

    def __init__(self, source: LogSource) -> None:
        super().__init__()
        self.table = LogTable(source, id="log")

    def compose(self) -> ComposeResult:
        yield self.table


async def test_the_time_of_an_entry_that_was_read_is_whole() -> None:
    day = 86_400_000
    history = History(first_ms=int(WALL * 1000) - 2 * day, step_ms=day // 400).sound(*range(800))
    source = LogSource(history.fold)
    source.update(history.rows[780:], WALL)
    stage = Stage(screen := _Lines(source))
    async with stage.run_test(size=(76, 20)) as pilot:
        source.can_begin(1)
        screen.table.sync()
        await pilot.pause()
        assert re.match(r" \d\d:\d\d:\d\d ", stage.plain.splitlines()[-2])
        screen.table.move_to(0)
        source.add(history.rows[:250])
        screen.table.sync()
        await pilot.pause()
        assert re.match(r"▌06-13 \d\d:\d\d ", stage.plain.splitlines()[1])


def test_at_the_beginning_of_a_past_that_is_kept_no_replay_is_waited_for() -> None:
    source = LogSource(present().fold())
    source.behind = source.known = True
    source.update((), 0.0, moment=10)
    assert source.hint() == ("Of the entries before this moment", "none is kept with the past.")


def test_at_midnight_all_times_are_those_of_another_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        midnight = 1_750_011_300  # 2025-06-16 there, where no day begins with that of UTC
        history = History(first_ms=(midnight - 60) * 1000).sound(1)
        source = LogSource(history.fold)
        source.update(history.rows, midnight - 1)
        assert source.cells(0)[0].text == "23:59:00"
        source.update(history.rows, midnight)
        assert source.cells(0)[0].text == "06-15 23:59"
    finally:
        monkeypatch.undo()
        time.tzset()
