"""A track that has all that a stream has, for who would otherwise fold it once more."""

from pathlib import Path

from esdash.engine.projection import Projection
from esdash.fold.folding import Fold
from esdash.log.continuity import Standing, Verdict, check
from esdash.log.facts import id_parts
from esdash.log.stream import Stream, anchor_of
from esdash.past.shown.cursor import Cursor
from esdash.past.track.packing import TrackError
from esdash.past.track.reader import TrackReader


def whole_track(log: Stream, fold: Fold, path: Path, until: bytes | None) -> TrackReader | None:
    """The track in a file, to be closed, where it is of this stream and reaches to the entry `until` (None: to the
    newest). Raises LogError."""
    try:
        reader = TrackReader(path, fold, still=True)
    except TrackError:
        return None
    if _is_whole(log, reader, until):
        return reader
    reader.close()
    return None


def projection_by(log: Stream, reader: TrackReader, until: bytes) -> Projection | None:
    """The state after the last entry up to an id; None where the track does not have it, or the log no longer has that
    entry. Raises TrackError, LogError."""
    ordinal = reader.ordinal_of(until)
    if ordinal <= reader.shown_from:
        return None
    (entry,) = log.entries([reader.id_of(ordinal)])
    if entry is None:
        return None
    cursor = Cursor(reader)
    cursor.seek(ordinal)
    return cursor.projection(anchor_of(entry))


def _is_whole(log: Stream, reader: TrackReader, until: bytes | None) -> bool:
    # Of what a track does not begin with, folding may tell: snapshots and the stream may reach further back.
    if reader.shown_from or not is_of(log, reader):
        return False
    return id_parts(reader.last_id) >= id_parts(until or log.facts().last_id)


def is_of(log: Stream, reader: TrackReader) -> bool:
    """Whether a track that is not empty is of this log, as it is now. Raises LogError."""
    if not reader.segments:
        return False
    last = reader.segments[-1]
    found = check(log, Standing(last.last_id, last.last, reader.origin.unseen, last.anchor))
    return found.verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN)
