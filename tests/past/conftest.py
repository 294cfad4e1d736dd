"""A log on the shared server, and a folder for tracks."""

from pathlib import Path

import pytest

from esdash.past.track.folder import TrackFolder


@pytest.fixture
def folder(tmp_path: Path) -> TrackFolder:
    """A folder for tracks."""
    return TrackFolder(tmp_path / "past", 100)
