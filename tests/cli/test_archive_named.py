"""What is named to `esdash archive`: folders and streams, of which some cannot be archived."""

from pathlib import Path

import pytest
import redis

from tests.cli.conftest import STREAM, Call


@pytest.fixture
def at(call: Call, url: str) -> Call:
    """Run a command on the shared server."""
    return lambda *arguments: call(*arguments, "--url", url)


def test_one_that_cannot_be_archived_does_not_keep_the_others(at: Call, client: redis.Redis, tmp_path: Path) -> None:
    client.set("text", "1")
    client.xadd("b", {"x": "1"})
    told = at("archive", tmp_path, "text", "none", "b", "--json")
    assert (told.code, [each["stream"] for each in told.lines]) == (1, ["b"])
    assert "holds something that is not a stream" in told.err
    assert "There is no stream 'none'" in told.err


def test_an_empty_stream(at: Call, client: redis.Redis, tmp_path: Path) -> None:
    client.xgroup_create(STREAM, "g", mkstream=True)
    assert "orders: the stream has no entries" in at("archive", tmp_path).out


@pytest.mark.parametrize("typed", ["", "~nobody-of-this-name/x"])
def test_a_folder_that_is_none(at: Call, client: redis.Redis, typed: str) -> None:
    client.xadd(STREAM, {"x": "1"})
    assert at("archive", typed).code == 2
    assert at("archive", "somewhere", "").code == 2
    assert at("archive", "somewhere", "\udcff").code == 2
