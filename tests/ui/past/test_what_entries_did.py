"""What entries moved, of those that the view has without it: after a restore, and at a moment of the past."""

from pathlib import Path

import pytest
import redis
from msgspec.structs import replace

from esdash.engine.shown.kept import row_of
from esdash.engine.shown.view import Phase, Position
from esdash.log.facts import START
from esdash.log.stream import Stream
from esdash.past.building.builder import Builder
from esdash.past.track.folder import TrackFolder
from esdash.ui.app import DashboardApp
from tests.domains.ways import present
from tests.ui.looking import lines_of
from tests.ui.past.keeping import as_of, dashboard, dashboard_over, publish, publish_more
from tests.ui.past.nine import nine
from tests.ui.recorded import RecordedConsole, blank
from tests.ui.stage import until

pytestmark = pytest.mark.usefixtures("any_domain")


def ends(app: DashboardApp, *outcomes: str) -> bool:
    """Whether the lines of the log end with these."""
    lines = [line for line in lines_of(app, "log")[1:] if line.strip()]
    return len(lines) == len(outcomes) and all(map(str.endswith, lines, outcomes))


async def test_what_a_restored_view_does_not_know_is_read_from_the_track(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    fold = present().fold()
    entries = log.page(START)
    codes = fold.fold(fold.empty(), entries)
    rows = tuple(row_of(place, entry, code) for place, (entry, code) in enumerate(zip(entries, codes, strict=True), 1))
    position = Position(rows[-1].entry_id.decode(), 9)
    view = replace(blank(), phase=Phase.LIVE, position=position, state_position=position, rows=rows)
    async with dashboard_over(RecordedConsole(view), log, tmp_path) as (app, pilot):
        await until(pilot, lambda: ends(app, *nine().outcomes[:9]), timeout=20)


async def test_an_entry_that_is_not_in_the_track_yet_is_asked_for_again(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    fold = present().fold()
    console = RecordedConsole(replace(blank(), phase=Phase.LIVE))
    async with dashboard_over(console, log, tmp_path) as (app, pilot):
        publish_more(client, 5)
        entries = log.page(START)
        codes = fold.fold(fold.empty(), entries)
        rows = tuple(
            row_of(place, entry, code) for place, (entry, code) in enumerate(zip(entries, codes, strict=True), 1)
        )
        console.become(position=Position(rows[-1].entry_id.decode(), 10), rows=rows)
        await until(pilot, lambda: ends(app, *nine().outcomes[:9], "✓"), timeout=20)
        tracks = TrackFolder(tmp_path, 100)
        Builder(log, fold, tracks, tracks.file_of(log.server.url, log.name, fold)).run()
        await until(pilot, lambda: ends(app, *nine().outcomes), timeout=20)


async def test_at_a_moment_of_the_past_the_entries_before_it_tell_it_too(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    publish(client)
    async with dashboard(log, tmp_path) as (app, pilot):
        await pilot.press("left_square_bracket")
        await as_of(pilot, 8)
        await until(pilot, lambda: ends(app, *nine().outcomes[:8]), timeout=20)
