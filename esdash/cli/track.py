"""The track of the past that a dashboard keeps of a stream, for commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from esdash.cli.failures import FailedError
from esdash.config import Settings
from esdash.engine.moments.history import id_before
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.query.questions import Question

if TYPE_CHECKING:
    from esdash.past.entries.listing import TrackListing
    from esdash.past.track.reader import TrackReader

T = TypeVar("T")


def track_of(settings: Settings, log: Stream, fold: Fold) -> Path | None:
    """Its file; None where none is there."""
    from esdash.past.track.folder import FOLDER, TrackFolder

    if settings.track_dir is None or not settings.track_mb:
        return None
    folder = TrackFolder(settings.track_dir / FOLDER, settings.track_mb)
    path = folder.file_of(log.server.url, log.name, fold)
    return path if path.exists() else None


def by_track(
    settings: Settings,
    log: Stream,
    fold: Fold,
    until: bytes | None,
    tell: "Callable[[TrackReader], T | None]",
) -> T | None:
    """What a function tells by the track, where that has all up to the entry `until` (None: to the newest).

    None where it has not, or the function says None: it is a cache, and folding tells the same.
    """
    path = track_of(settings, log, fold)
    if path is None:
        return None
    from esdash.past.track.packing import TrackError
    from esdash.past.whole import whole_track

    reader = whole_track(log, fold, path, until)
    if reader is None:
        return None
    try:
        return tell(reader)
    except TrackError:
        return None
    finally:
        reader.close()


@contextmanager
def listing_by_track(
    settings: Settings, log: Stream, fold: Fold, question: Question, begin: bytes, until: bytes | None
) -> "Iterator[TrackListing | None]":
    """What a question asks for from an id on up to another, by the track where that has all; None where it has not.

    Raises FailedError where the track is changed or damaged while it is listed.
    """
    path = track_of(settings, log, fold)
    if path is None:
        yield None
        return
    from esdash.past.entries.listing import TrackListing, lists_all
    from esdash.past.track.packing import TrackError
    from esdash.past.whole import whole_track

    reader = whole_track(log, fold, path, until)
    if reader is None:
        yield None
        return
    try:
        if lists_all(log, reader):
            first = reader.ordinal_of(id_before(begin)) + 1
            last = reader.built_to if until is None else reader.ordinal_of(until)
            yield TrackListing(log, fold, reader, question, first, last)
        else:
            yield None
    except TrackError as error:
        raise FailedError(f"The past that is kept was changed while it was listed: {error} Run it again.") from error
    finally:
        reader.close()
