"""Consumers and logs on the shared server."""

from collections.abc import Iterator

import pytest

from esdash.log.stream import Log
from tests.engine.running import STREAM


@pytest.fixture
def log(url: str) -> Iterator[Log]:
    """The stream on the shared server, for the test itself."""
    log = Log(url, STREAM)
    yield log
    log.close()
