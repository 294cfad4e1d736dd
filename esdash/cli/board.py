"""The board of refusals without a screen: from the past that a dashboard keeps, or from one that is made for it."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from esdash.cli.failures import FailedError
from esdash.cli.places import begin_of
from esdash.cli.progress import Progress
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.fold.folding import Fold
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.query.places import Place

if TYPE_CHECKING:
    from esdash.past.entries.board import Board
    from esdash.past.track.reader import TrackReader


def board_of(
    settings: Settings, log: Stream, fold: Fold, first: Place | None, until: bytes | None, progress: Progress
) -> "Board":
    """What was refused and parked, from a place on and up to an id. Raises FailedError, LogError, EngineError."""
    from esdash.past.building.builder import Builder
    from esdash.past.track.folder import TrackFolder
    from esdash.past.track.packing import TrackError
    from esdash.past.track.reader import TrackReader

    begin_ms = None if first is None else id_parts(begin_of(log, first))[0]

    def count(reader: "TrackReader") -> "Board":
        return _counted(reader, begin_ms, until)

    found = by_track(settings, log, fold, until, count)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="esdash-") as name:
        folder = TrackFolder(Path(name), 2**20)
        path = folder.file_of(log.server.url, log.name, fold)
        try:
            Builder(log, fold, folder, path, progressed=lambda done, _: progress.tell(done)).run()
            reader = TrackReader(path, fold, still=True)
            try:
                return count(reader)
            finally:
                reader.close()
        except TrackError as error:
            raise FailedError(f"The board cannot be counted: {str(error).rstrip('.')}.") from error


def _counted(reader: "TrackReader", begin_ms: int | None, until: bytes | None) -> "Board":
    from esdash.past.entries.board import Refusals

    now = int(time.time() * 1000)
    last = None if until is None else reader.ordinal_of(until)
    end = reader.time_of(reader.built_to if last is None else last) if reader.segments else now
    if last is None:
        end = max(end, now)
    # What came in the first millisecond counts.
    length = None if begin_ms is None else max(0, end - begin_ms + 1)
    refusals = Refusals(reader, length, last, now, parts=1)
    while not refusals.done:
        refusals.take(reader)
    return refusals.board()
