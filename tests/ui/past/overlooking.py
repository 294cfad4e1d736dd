"""A screen over the past of a track, without a server that is asked and without a main screen."""

from collections.abc import Sequence
from pathlib import Path

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.log.server import Server
from esdash.log.stream import Stream
from esdash.past.service import Past
from esdash.past.track import Track
from tests.past.recording import record


def past_of(folder: Path, fold: Fold, entries: Sequence[Entry], segment: int = 20_000) -> tuple[Past, Track]:
    """The past that entries make, and the file that it is in; its log is not asked."""
    path = folder / "track"
    track = record(path, Projection(fold), entries, segment=segment)
    return Past(Stream(Server("redis://nowhere.invalid"), "stream"), fold, path), track
