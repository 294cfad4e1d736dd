"""`esdash` without a command, on a terminal."""

import signal
from pathlib import Path

import pytest
import redis

from esdash.log.embedded_server import embedded
from tests.cli.conftest import Call
from tests.cli.terminals import OpenTerminal
from tests.waiting import eventually


def test_it_starts_a_server_shows_what_is_published_and_stops_it(
    open_terminal: OpenTerminal, call: Call, data_dir: Path
) -> None:
    terminal = open_terminal("--data-dir", data_dir)
    eventually(lambda: embedded.status(data_dir).responding)
    assert call("publish", "add-item", "gizmo", 5, "--price", 1, "--data-dir", data_dir).code == 0
    terminal.read_until("gizmo")
    terminal.type("q")
    assert terminal.end() == 0
    assert not embedded.status(data_dir).running
    assert len(call("snapshot", "list", "--json", "--data-dir", data_dir).json) == 1


@pytest.mark.parametrize("ending", ["SIGTERM", "a closed window", "a terminal that is gone"])
def test_however_it_ends_the_server_is_stopped(open_terminal: OpenTerminal, data_dir: Path, ending: str) -> None:
    without_a_past: dict[str, str | None] = {"ESDASH_TRACK_MB": "0"} if ending != "SIGTERM" else {}
    controlling = ending != "a terminal that is gone"
    terminal = open_terminal("--data-dir", data_dir, controlling=controlling, environment=without_a_past)
    terminal.read_until("CONTINUOUS")
    if ending == "SIGTERM":
        terminal.process.send_signal(signal.SIGTERM)
    else:
        terminal.close()
    assert terminal.end() == 0
    assert not embedded.status(data_dir).running


def test_a_stream_of_anything_is_shown_raw_at_a_key(open_terminal: OpenTerminal, url: str, client: redis.Redis) -> None:
    for degrees in range(20, 25):
        client.xadd("orders", {"event": "measured", "degrees": degrees})
    terminal = open_terminal("--url", url)
    terminal.read_until("missing_field")
    terminal.type("W")
    terminal.read_until("Types")
    terminal.type("q")
    assert terminal.end() == 0


def test_it_opens_without_a_server_and_says_so(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text('[profiles.staging]\nurl = "redis://bob:s3cret@127.0.0.1:1"')
    terminal = open_terminal("--config", tmp_path / "settings", "--profile", "staging")
    terminal.read_until("staging")
    terminal.read_until("refused")
    terminal.type("q")
    assert terminal.end() == 0
    assert "s3cret" not in terminal.shown


def test_settings_that_name_nothing_are_2(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    (tmp_path / "settings").write_text('theme = "tartan"')
    terminal = open_terminal("--config", tmp_path / "settings", "--url", "redis://127.0.0.1:1")
    assert terminal.end() == 2
    assert terminal.shown.startswith("esdash: ")
    assert "tartan" in terminal.shown


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[keys]\nfrobnicate = "x"', "frobnicate"),
        ('keys = { order = "c" }', "crash"),
        ('[questions]\nbig = "amont>100"', "Did you mean amount?"),
        ('[questions]\nbig = "amount>100"\n[keys]\nask_big = "c"', "crash"),
    ],
)
def test_keys_and_questions_that_name_nothing_are_2(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, told: str
) -> None:
    """They are told before anything is drawn, so that this process needs no terminal for it."""
    monkeypatch.setattr("esdash.cli.commands.dashboard.require_terminal", lambda: None)
    monkeypatch.setattr("esdash.ui.terminal.wait_until_in_front", lambda _: True)
    monkeypatch.setenv("TEXTUAL_FPS", "60")
    (tmp_path / "settings").write_text(settings)
    with (tmp_path / "settings").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        refused = call("--config", tmp_path / "settings", "--url", "redis://127.0.0.1:1")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("esdash: ")
    assert told in refused.err
