"""Commands beside the past that a dashboard keeps."""

from pathlib import Path

import platformdirs
import pytest
import redis

from esdash.log.server import Server
from esdash.log.stream import Stream
from esdash.past.building import Builder
from esdash.past.folder import FOLDER, TrackFolder
from tests.cli.conftest import Call, append
from tests.domains.shop import shop
from tests.strategies import seeded_entries


@pytest.fixture
def track(home: Path, url: str, client: redis.Redis) -> Path:  # noqa: ARG001 - the folder is that of the test
    """The track of 300 entries, as a dashboard keeps it."""
    append(client, seeded_entries(1, 300))
    folder = TrackFolder(platformdirs.user_cache_path("esdash") / FOLDER, 10)
    path = folder.file_of(url, "orders", shop())
    stream = Stream(Server(url), "orders")
    Builder(stream, shop(), folder, path).run()
    stream.server.close()
    return path


def test_it_is_verified_where_snapshots_are(call: Call, url: str, track: Path) -> None:
    assert call("snapshot", "take", "--url", url).code == 0
    found = call("verify", "--json", "--url", url)
    assert found.code == 0
    assert found.json["past"] == {"moments": 1, "wrong": []}
    assert "✓ the past that is kept: the same at 1 place" in call("verify", "--url", url).out
    assert track.exists()


def test_without_one_nothing_is_said(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 30))
    assert call("verify", "--json", "--url", url).json["past"] == {"moments": 0, "wrong": []}
    assert "past" not in call("verify", "--url", url).out
