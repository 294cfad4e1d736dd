"""`esdash bench`: what it promises, never how fast."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import STREAM, Call, append, stored
from tests.servers import RunningServer
from tests.strategies import raw_entry
from tests.waiting import eventually

TOP_UP = raw_entry("TopUp", b'{"user_id": 1, "amount": 1}')


def scratch_keys(client: redis.Redis) -> list[bytes]:
    """The scratch streams on the server."""
    found: Any = client.keys("*bench*")
    return list(found)


def test_the_document_has_what_was_measured(call: Call, url: str) -> None:
    result = call("bench", "--url", url, "--yes", "--entries", 1000, "--json")
    assert result.code == 0, result.err
    found = result.json
    assert found["entries"] == 1000
    for what in ("publish", "read", "replay"):
        assert found[what]["events_per_second"] > 0
    latency = found["latency"]
    assert 0 < latency["p50_ms"] <= latency["p99_ms"] <= latency["max_ms"]
    assert latency["append_p50_ms"] > 0
    assert latency["events"] > 100
    assert "valkey" in found["server"]


def test_people_read_a_few_lines_and_hear_what_is_going_on(call: Call, url: str) -> None:
    result = call("bench", "--url", url, "--yes", "--entries", 1000)
    assert result.code == 0, result.err
    assert [line.split()[0] for line in result.out.splitlines()] == [
        "server", "publish", "read", "replay", "latency", "append",
    ]  # fmt: skip
    assert "replaying" in result.err


def test_nothing_is_left_and_the_stream_is_not_touched(call: Call, url: str, client: redis.Redis) -> None:
    append(client, [TOP_UP])
    before = stored(client)
    assert call("bench", "--url", url, "--yes", "--entries", 1000).code == 0
    assert client.keys("*") == [STREAM.encode()]
    assert stored(client) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_ended_on_the_way(
    start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis, number: signal.Signals
) -> None:
    process = start("bench", "--url", url, "--stream", "shop", "--yes", "--entries", 50_000)
    (key,) = eventually(lambda: scratch_keys(client))
    assert key.startswith(b"esdash:{shop}:bench:"), "it shares the stream's slot"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, 128 + number)
    assert "Traceback" not in err
    assert scratch_keys(client) == []


def test_nothing_is_left_when_something_goes_wrong(
    call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        assert scratch_keys(client)
        raise OSError(5, "it failed")

    monkeypatch.setattr("esdash.engine.consumer.consumer.Consumer.run", fail)
    assert call("bench", "--url", url, "--yes", "--entries", 1000).code == 1
    assert scratch_keys(client) == []


def test_a_killed_one_leaves_a_stream_that_expires(
    start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis
) -> None:
    process = start("bench", "--url", url, "--yes", "--entries", 50_000)
    eventually(lambda: scratch_keys(client) and client.ttl(scratch_keys(client)[0]) > 0)
    process.kill()
    process.communicate()
    (key,) = scratch_keys(client)
    assert 0 < int(str(client.ttl(key))) <= 3600


def test_a_server_of_somebody_else_needs_a_yes(call: Call, url: str, client: redis.Redis) -> None:
    result = call("bench", "--url", url, "--entries", 1000)
    assert result.code == 2
    assert "--yes" in result.err
    assert result.out == ""
    assert client.keys("*") == []


def test_the_embedded_server_needs_none(call: Call, data_dir: Path) -> None:
    result = call("bench", "--data-dir", data_dir, "--entries", 1000, "--json")
    assert result.code == 0, result.err
    assert result.json["server"].startswith("embedded")


def test_readonly_refuses(call: Call, url: str, client: redis.Redis) -> None:
    result = call("bench", "--url", url, "--yes", "--readonly")
    assert result.code == 1
    assert "readonly" in result.err
    assert client.keys("*") == []


@pytest.mark.parametrize("entries", ["999", "1000001", "many"])
def test_a_number_of_entries_that_makes_no_sense_is_refused(call: Call, url: str, entries: str) -> None:
    assert call("bench", "--url", url, "--yes", "--entries", entries).code == 2


def test_a_server_that_is_not_there_is_said_plainly(call: Call, tmp_path: Path) -> None:
    result = call("bench", "--url", f"unix://{tmp_path}/nobody", "--yes")
    assert result.code == 5


def test_a_server_that_evicts_the_scratch_stream_is_found_out(
    call: Call, new_server: Callable[..., RunningServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server()
    with server.client() as client:
        from esdash.engine.console import Published
        from esdash.engine.publishing.publisher import Publisher

        publish_many = Publisher.publish_many

        def publish_and_lose(publisher: Publisher, events: Any) -> Iterator[Published]:
            yield from publish_many(publisher, events)
            (scratch,) = scratch_keys(client)
            client.xtrim(scratch, maxlen=10, approximate=False)

        monkeypatch.setattr(Publisher, "publish_many", publish_and_lose)
        result = call("bench", "--url", server.url, "--yes", "--entries", 1000)
        assert result.code == 1
        assert "lost entries" in result.err
        assert scratch_keys(client) == []
