"""Tracks for tests: recorded from entries, without a server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.past.reader import TrackReader
from esdash.past.recorder import Recorder
from esdash.past.track import Track


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
