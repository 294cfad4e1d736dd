"""Consumers and logs on the shared server."""

from collections.abc import Iterator

import pytest

from esdash.log.server import Server
from esdash.log.stream import Stream
from tests.engine.running import STREAM


@pytest.fixture
def log(url: str) -> Iterator[Stream]:
    """The stream on the shared server, for the test itself."""
    log = Stream(Server(url), STREAM)
    yield log
    log.server.close()
