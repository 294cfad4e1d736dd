"""A log on the shared server, and a folder for tracks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esdash.log.server import Server
from esdash.log.stream import Stream
from esdash.past.folder import TrackFolder
from tests.engine.running import STREAM


@pytest.fixture
def log(url: str) -> Iterator[Stream]:
    """The stream on the shared server, for the test itself."""
    log = Stream(Server(url), STREAM)
    yield log
    log.server.close()


@pytest.fixture
def folder(tmp_path: Path) -> TrackFolder:
    """A folder for tracks."""
    return TrackFolder(tmp_path / "past", 100)
