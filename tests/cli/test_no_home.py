"""A user without a home directory, as in many containers: asked for only where it is needed."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from esdash import config
from tests.cli.conftest import Call


@pytest.fixture(params=["unset", "relative"])
def homeless(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME names no directory, and the user has no entry in the list of users."""
    assert home

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(os, "getlogin", nobody)
    if request.param == "unset":
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", "not/absolute")


@pytest.mark.usefixtures("homeless")
class TestWithoutAHome:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("publish", "top-up", "7", "1"),
            ("produce", "--count", "3"),
            ("consume", "--once"),
            ("state",),
            ("events",),
            ("snapshot", "list"),
            ("verify",),
            ("doctor",),
        ],
    )
    def test_a_server_that_is_named_is_enough(
        self, call: Call, url: str, client: redis.Redis, arguments: tuple[str, ...]
    ) -> None:
        client.xadd("orders", {"type": "TopUp", "data": '{"user_id": 7, "amount": 1}'})
        assert call(*arguments, "--url", url).code in (0, 3)

    @pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("completion", "bash"), ("state", "--help")])
    def test_what_needs_none_does_not_ask_for_one(self, call: Call, arguments: tuple[str, ...]) -> None:
        assert call(*arguments).code == 0

    @pytest.mark.parametrize("arguments", [("state",), ("consume", "--once"), ("server", "status"), ("server", "stop")])
    def test_the_embedded_server_asks_for_a_data_directory(self, call: Call, arguments: tuple[str, ...]) -> None:
        refused = call(*arguments)
        assert refused.code == 2
        assert "no home directory" in refused.err
        assert "--data-dir" in refused.err
        assert refused.err.count("\n") == 1

    def test_a_data_directory_is_enough_for_it(self, call: Call, data_dir: Path) -> None:
        assert call("consume", "--once", "--data-dir", data_dir).code == 0
        assert call("server", "status", "--data-dir", data_dir).code == 0

    def test_settings_that_are_named_are_read(self, call: Call, tmp_path: Path) -> None:
        file = tmp_path / "settings.toml"
        file.write_text('url = "redis://127.0.0.1:1"')
        assert call("state", "--config", file).code == 5

    def test_a_place_of_the_environment_is_a_home_of_its_own(
        self, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        (tmp_path / "esdash").mkdir()
        (tmp_path / "esdash" / "config.toml").write_text('url = "redis://127.0.0.1:1"')
        assert call("state").code == 5


@pytest.mark.parametrize("answer", [Path("~/.config/esdash"), None])
def test_every_way_in_which_a_home_is_missing_is_one(monkeypatch: pytest.MonkeyPatch, answer: Path | None) -> None:
    def place(_: str) -> Path:
        if answer is None:
            raise RuntimeError("could not determine the home directory")
        return answer

    find: Callable[[str], Path] = place
    monkeypatch.setattr("platformdirs.user_config_path", find)
    monkeypatch.setattr("platformdirs.user_data_path", find)
    assert config.usual_file() is None
    with pytest.raises(config.ConfigError, match="--data-dir"):
        config.place_of_data(config.Settings())
