"""The track of the past that a dashboard keeps of a stream, for commands."""

from pathlib import Path
from typing import TYPE_CHECKING

from esdash.config import Settings

if TYPE_CHECKING:
    from esdash.fold.folding import Fold
    from esdash.log.stream import Stream


def track_of(settings: Settings, log: "Stream", fold: "Fold") -> Path | None:
    """Its file; None where none is there."""
    from esdash.past.folder import FOLDER, TrackFolder

    if settings.track_dir is None or not settings.track_mb:
        return None
    folder = TrackFolder(settings.track_dir / FOLDER, settings.track_mb)
    path = folder.file_of(log.server.url, log.name, fold)
    return path if path.exists() else None
