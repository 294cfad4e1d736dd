"""A log on the shared server, and a folder for tracks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esdash.log.stream import Log
from esdash.past.folder import TrackFolder
from tests.engine.running import STREAM


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    """The stream on the shared server, for the test itself."""
    log = Log(url, STREAM)
    yield log
    log.close()


@pytest.fixture
def folder(tmp_path: Path) -> TrackFolder:
    """A folder for tracks."""
    return TrackFolder(tmp_path / "past", 100)
