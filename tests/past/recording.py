"""Tracks for tests: recorded from entries, without a server; and whether one is true to a log."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from esdash.engine.moments.history import History
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.log.stream import Stream
from esdash.past.building.recorder import Recorder
from esdash.past.shown.cursor import Cursor
from esdash.past.track.file import Track
from esdash.past.track.reader import TrackReader
from tests.domains.ways import Present


@contextmanager
def recorded(
    fold: Fold,
    entries: Sequence[Entry],
    *,
    page: int = 1000,
    segment: int = 20_000,
    projection: Projection | None = None,
) -> Iterator[TrackReader]:
    """A reader of the track that entries make after a projection."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "track"
        track = record(path, projection or Projection(fold), entries, page, segment)
        reader = TrackReader(path, fold)
        try:
            yield reader
        finally:
            reader.close()
            track.close()


def record(
    path: Path, projection: Projection, entries: Sequence[Entry], page: int = 1000, segment: int = 20_000
) -> Track:
    """The track that entries make after a projection, in a file."""
    track = Track(path, write=True)
    recorder = Recorder(track, "stream", projection, segment)
    recorder.begin()
    for start in range(0, len(entries), page):
        recorder.add(entries[start : start + page])
    recorder.store()
    return track


def require_true(path: Path, log: Stream, ids: Sequence[bytes], before: int = 0) -> None:
    """Every moment after one of these entries, or some of many, is that of the log; `before` is the ordinal before."""
    fold: Fold = Present()
    reader = TrackReader(path, fold)
    try:
        cursor = Cursor(reader)
        assert reader.built_to == before + len(ids)
        for number in random.Random(1).sample(range(1, len(ids) + 1), min(12, len(ids))):
            projection, _ = History(log, fold).at(ids[number - 1], ignore_snapshots=True)
            cursor.seek(before + number)
            assert fold.digest(cursor.state()) == fold.digest(projection.state)
    finally:
        reader.close()
