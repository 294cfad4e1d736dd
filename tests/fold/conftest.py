"""What tests of the fold share."""

from pathlib import Path

import pytest

from tests.fold.declaring import Declare


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Writes and imports the domains of a test."""
    return Declare(tmp_path)
