"""Whether a track shows the states that a replay made."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.past.shown.cursor import Cursor
from esdash.past.track.folder import remove
from esdash.past.track.packing import TrackError
from esdash.past.track.reader import TrackReader
from esdash.past.whole import is_of


class Checked(Struct, frozen=True):
    """What was found of a track."""

    moments: int
    """That were compared."""
    wrong: list[int]
    """Ordinals after which it shows another state; then it was deleted, to be built anew."""


def check(log: Stream, path: Path, fold: Fold, unseen: int, digests: Iterable[tuple[int, str]]) -> Checked:
    """Compare a track with (ordinal, digest) of states that were replayed after so many `unseen` entries.

    A track that is not there, cannot be read, or is of another history than the log, has no moments. Raises LogError.
    """
    moments, wrong = 0, list[int]()
    try:
        reader = TrackReader(path, fold, still=True)
    except TrackError:
        return Checked(0, [])
    try:
        if reader.origin.unseen != unseen or not is_of(log, reader):
            return Checked(0, [])
        cursor = Cursor(reader)
        for ordinal, digest in digests:
            if reader.shown_from <= ordinal <= reader.built_to:
                cursor.seek(ordinal)
                moments += 1
                if fold.digest(cursor.state()) != digest:
                    wrong.append(ordinal)
    except TrackError:
        return Checked(moments, wrong)
    finally:
        reader.close()
        if wrong:
            remove(path)
    return Checked(moments, wrong)
