"""Paths, names and a server's words reach the terminal as text, never as something that it obeys."""

import unicodedata
from pathlib import Path

import pytest
import redis

from esdash.log.embedded_server.embedded import EmbeddedServer
from tests.cli.conftest import Call, Result, append
from tests.strategies import raw_entry

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202e\u200bname"

TOP_UP = raw_entry("TopUp", b'{"user_id": 1, "amount": 100}')


def require_text(result: Result) -> None:
    """Nothing in it is obeyed or hidden by a terminal."""
    for char in result.out + result.err:
        assert char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn"), result


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["people", "json"])
def test_a_data_directory_of_any_name_is_shown_as_text(call: Call, data_dir: Path, as_json: list[str]) -> None:
    place = data_dir / HOSTILE
    with EmbeddedServer.join(place):
        for command in ("server status", "server stop", "state"):
            shown = call(*command.split(), *as_json, "--data-dir", place)
            assert shown.out or shown.err
            require_text(shown)
    require_text(call("server", "status", *as_json, "--data-dir", place))
    (place / "server.conf").unlink()
    (place / "server.conf").symlink_to(data_dir / "elsewhere")
    for command in ("state", "doctor", "bench", "server stop"):
        require_text(call(*command.split(), *as_json, "--data-dir", place))


def test_a_stream_a_socket_and_a_settings_file_of_any_name_are_shown_as_text(
    call: Call, url: str, client: redis.Redis, home: Path
) -> None:
    append(client, [TOP_UP], HOSTILE)
    commands = ("state", "events", "snapshot take", "snapshot list", "verify", "doctor", "consume --once")
    for command in commands:
        shown = call(*command.split(), "--url", url, "--stream", HOSTILE)
        assert shown.code in (0, 3), shown
        require_text(shown)
    for command in commands:
        for option in (
            *(("--url", f"unix://{home / HOSTILE}"), ("--url", f"redis://{HOSTILE}:1"), ("--config", home / HOSTILE)),
            *(("--stream", f"{HOSTILE}2", "--url", url), (f"--{HOSTILE}",), (HOSTILE,)),
        ):
            shown = call(*command.split(), *option)
            assert shown.code != 0 or option[0] == "--stream", shown
            require_text(shown)


def test_a_snapshot_of_any_name_is_shown_as_text(call: Call, url: str, client: redis.Redis) -> None:
    append(client, [TOP_UP])
    client.hset("esdash:{orders}:snapshots", HOSTILE, "nonsense")
    client.hset(f"esdash:{{orders}}:snapshot:{HOSTILE}", "0", b"nonsense")
    for command in ("snapshot list", "doctor", "verify", "state", "consume --once"):
        require_text(call(*command.split(), "--url", url))
    for command in ("show", "delete"):
        require_text(call("snapshot", command, HOSTILE, "--url", url))
