"""A track that has all that a stream has, for who would otherwise fold it once more."""

from pathlib import Path

from esdash.fold.folding import Fold
from esdash.log.continuity import Verdict, check
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.packing import TrackError
from esdash.past.reader import TrackReader
from esdash.past.track import FORMAT


def whole_track(log: Stream, fold: Fold, path: Path | None, until: bytes | None) -> TrackReader | None:
    """The track in a file, to be closed, where it is of this stream and reaches to the entry `until` (None: to the
    newest). Raises LogError."""
    if path is None:
        return None
    try:
        reader = TrackReader(path, fold)
    except TrackError:
        return None
    if _is_whole(log, reader, until):
        return reader
    reader.close()
    return None


def _is_whole(log: Stream, reader: TrackReader, until: bytes | None) -> bool:
    if not reader.segments or reader.origin.format != FORMAT:
        return False
    last = reader.segments[-1]
    wanted = until or log.facts().last_id
    if id_parts(last.last_id) < id_parts(wanted):
        return False
    found = check(log, last.last_id, last.last, reader.origin.unseen, last.anchor)
    return found.verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN)
