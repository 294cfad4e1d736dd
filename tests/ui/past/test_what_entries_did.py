"""What entries moved, of those that the view has without it: after a restore, and at a moment of the past."""

from pathlib import Path

import redis
from msgspec.structs import replace

from esdash.engine.kept import row_of
from esdash.engine.view import Phase, Position
from esdash.log.facts import START
from esdash.log.stream import Stream
from esdash.past.building import Builder
from esdash.past.folder import TrackFolder
from tests.domains.shop import shop
from tests.ui.looking import lines_of
from tests.ui.past.keeping import as_of, dashboard, dashboard_over, publish, top_up
from tests.ui.recorded import RecordedConsole, blank
from tests.ui.stage import until

OUTCOMES = ["+30.00", "+20", "+20.00", "unknown_type", "−17.00", "insufficient_funds", "−17.00", "+1.00", "+1.00"]


def told(lines: list[str]) -> list[str]:
    """The last word of each line of the log."""
    return [line.split()[-1] for line in lines[1:] if line.strip()]


async def test_what_a_restored_view_does_not_know_is_read_from_the_track(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    fold = shop()
    entries = log.page(START)
    codes = fold.fold(fold.empty(), entries)
    rows = tuple(row_of(place, entry, code) for place, (entry, code) in enumerate(zip(entries, codes, strict=True), 1))
    position = Position(rows[-1].entry_id.decode(), 9)
    view = replace(blank(), phase=Phase.LIVE, position=position, state_position=position, rows=rows)
    async with dashboard_over(RecordedConsole(view), log, tmp_path) as (app, pilot):
        await until(pilot, lambda: told(lines_of(app, "log")) == OUTCOMES, timeout=20)


async def test_an_entry_that_is_not_in_the_track_yet_is_asked_for_again(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    fold = shop()
    console = RecordedConsole(replace(blank(), phase=Phase.LIVE))
    async with dashboard_over(console, log, tmp_path) as (app, pilot):
        top_up(client, 7, 500)
        entries = log.page(START)
        codes = fold.fold(fold.empty(), entries)
        rows = tuple(
            row_of(place, entry, code) for place, (entry, code) in enumerate(zip(entries, codes, strict=True), 1)
        )
        console.become(position=Position(rows[-1].entry_id.decode(), 10), rows=rows)
        await until(pilot, lambda: told(lines_of(app, "log")) == [*OUTCOMES, "✓"], timeout=20)
        tracks = TrackFolder(tmp_path, 100)
        Builder(log, fold, tracks, tracks.file_of(log.server.url, log.name, fold)).run()
        await until(pilot, lambda: told(lines_of(app, "log")) == [*OUTCOMES, "+5.00"], timeout=20)


async def test_at_a_moment_of_the_past_the_entries_before_it_tell_it_too(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await until(pilot, lambda: told(lines_of(app, "log")) == OUTCOMES[:8], timeout=20)
