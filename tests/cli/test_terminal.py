"""What the dashboard is drawn on: terminals of every kind and size, stopped and continued, with stderr elsewhere."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import append
from tests.cli.terminals import PROGRAM, OpenTerminal, Terminal
from tests.waiting import eventually

TOP_UP = [(b"type", b"TopUp"), (b"data", b'{"user_id":7,"amount":50000}')]


@pytest.fixture(autouse=True)
def _without_a_past(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - the settings of the test
    """Another process builds that, and nothing here is about it: see test_dashboard_endings.py."""
    monkeypatch.setenv("ESDASH_TRACK_MB", "0")


@pytest.fixture
def shop(url: str, client: redis.Redis) -> str:
    """The URL of a server with a stream of one entry."""
    append(client, [TOP_UP])
    return url


class TestWhatItIsDrawnOn:
    @pytest.mark.parametrize("kind", ["dumb", "unknown"])
    def test_a_terminal_that_cannot_be_drawn_on_is_refused(self, open_terminal: OpenTerminal, kind: str) -> None:
        terminal = open_terminal("--url", "redis://127.0.0.1:1", environment={"TERM": kind})
        assert terminal.end() == 2
        assert terminal.shown.startswith("esdash: The dashboard needs a terminal")
        assert f"TERM={kind}" in terminal.shown
        assert "state, events" in terminal.shown
        assert "\x1b" not in terminal.shown

    def test_the_terminals_size_counts_and_not_what_the_environment_says(
        self, open_terminal: OpenTerminal, shop: str
    ) -> None:
        terminal = open_terminal("--url", shop, environment={"COLUMNS": "61", "LINES": "17"})
        terminal.read_until("CONTINUOUS")
        terminal.read_until("\x1b[30;1H")
        place = len(terminal.drawn)
        terminal.resize(120, 40)
        terminal.read_until("\x1b[40;1H", since=place)
        terminal.type("q")
        assert terminal.end() == 0

    def test_the_tour_has_a_server_and_a_log_of_its_own(
        self, open_terminal: OpenTerminal, shop: str, client: redis.Redis, tmp_path: Path
    ) -> None:
        own = tmp_path / "own"
        own.mkdir()
        terminal = open_terminal("--url", shop, "--data-dir", own, "tour")
        terminal.read_until("1/11")
        terminal.read_until("CONTINUOUS")
        terminal.type("q")
        assert terminal.end() == 0
        assert client.keys() == [b"orders"], "no snapshot is stored either"
        assert client.xlen("orders") == 1
        assert list(own.iterdir()) == []

    def test_stderr_may_be_a_file_and_the_kind_empty(
        self, open_terminal: OpenTerminal, shop: str, tmp_path: Path
    ) -> None:
        with (tmp_path / "errors").open("w") as errors:
            terminal = open_terminal("--url", shop, stderr=errors.fileno(), environment={"TERM": ""})
        terminal.read_until("CONTINUOUS")
        terminal.type("q")
        assert terminal.end() == 0
        assert (tmp_path / "errors").read_text() == ""

    @pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
    def test_where_the_locale_is_not_utf_8_it_is_drawn_in_ascii(
        self, open_terminal: OpenTerminal, url: str, client: redis.Redis, encoding: str
    ) -> None:
        item = b'{"item_id":"caf\xc3\xa9 \xe6\x97\xa5","count":1,"price":1}'
        append(client, [[(b"type", b"AddItem"), (b"data", item)]])
        terminal = open_terminal("--url", url, environment={"PYTHONIOENCODING": encoding})
        terminal.read_until("cafe ??")
        terminal.read_until("CONTINUOUS")
        terminal.read_until("* LIVE")
        terminal.type("q")
        assert terminal.end() == 0
        assert terminal.drawn.isascii()
        assert "\\u" not in terminal.shown

    @pytest.mark.parametrize(
        ("environment", "shown"),
        [
            ({"LANG": None, "TERM": None}, "● LIVE"),
            ({"LANG": "C"}, "* LIVE"),
            ({"LC_ALL": "POSIX", "LANG": "de_DE.UTF-8"}, "* LIVE"),
            ({"LC_ALL": "C.UTF-8", "LANG": "C"}, "● LIVE"),
            ({"LANG": "C.UTF-8", "TERM": "linux"}, "* LIVE"),
        ],
    )
    def test_ascii_is_drawn_where_the_locale_or_the_console_has_no_more(
        self, open_terminal: OpenTerminal, shop: str, environment: dict[str, str | None], shown: str
    ) -> None:
        nothing_said = dict.fromkeys(("LC_ALL", "LC_CTYPE"))
        terminal = open_terminal("--url", shop, environment=nothing_said | environment)
        terminal.read_until("CONTINUOUS")
        terminal.read_until(shown)
        terminal.type("q")
        assert terminal.end() == 0
        assert terminal.drawn.isascii() == (shown == "* LIVE")

    def test_bytes_that_are_no_text_are_no_reason_to_end(self, open_terminal: OpenTerminal, shop: str) -> None:
        terminal = open_terminal("--url", shop)
        terminal.read_until("CONTINUOUS")
        os.write(terminal.descriptor, b"\xff\xc3\xe1")
        terminal.read_until("Top up", since=terminal.type("t"))
        terminal.type("\x11")
        assert terminal.end() == 0


class Shell(Terminal):
    """A shell with job control that has started the program."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(command=("/bin/sh", "-i"), environment={"PS1": "$ ", "ENV": None})
        self.read_until("$ ")
        command = " ".join([*PROGRAM, *map(str, arguments)])
        self.type(f"{command}\n")
        self.read_until("CONTINUOUS")
        self.job = self.foreground

    @property
    def foreground(self) -> int:
        """The process group that has the terminal."""
        return os.tcgetpgrp(self.descriptor)

    def state(self) -> str:
        """Of the program, as in `ps`: T when it is stopped, Z or nothing when it has ended."""
        try:
            return Path(f"/proc/{self.job}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return ""

    def until_stopped(self) -> None:
        """The program is stopped, and the shell asks for the next command."""
        eventually(lambda: self.read(0) and self.foreground == self.process.pid and self.state() == "T")


@pytest.fixture
def shell(shop: str, home: Path) -> Iterator[Shell]:  # noqa: ARG001 - the settings of the test
    """A shell that has started the program."""
    started = Shell("--url", shop)
    yield started
    for process in (started.job, started.process.pid):
        if Path(f"/proc/{process}").exists():
            os.kill(process, signal.SIGKILL)
    started.process.wait()
    started.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
class TestStoppedByAShell:
    @pytest.mark.parametrize("how", ["Ctrl+Z in a dialog", "SIGTSTP", "SIGSTOP in a dialog"])
    def test_after_fg_everything_is_drawn_again(self, shell: Shell, how: str) -> None:
        if "dialog" in how:
            shell.read_until("Publish", since=shell.type("t"))
        raw = shell.attributes
        if how.startswith("Ctrl+Z"):
            shell.type("\x1a")
        else:
            os.kill(shell.job, signal.Signals[how.split()[0]])
        shell.until_stopped()
        if "SIGSTOP" not in how:
            shell.read_until("\x1b[?1049l")  # the shell's own screen is there
        place = shell.type("fg\n")
        for text in ("\x1b[?1049h", "CONTINUOUS", "Balances", "500.00", "Help", *(["Publish"] * ("dialog" in how))):
            shell.read_until(text, since=place)
        assert shell.attributes == raw
        shell.type("\x11")
        eventually(lambda: shell.read(0) and shell.foreground == shell.process.pid)
        shell.read_until("ended 40", since=shell.type("echo ended $((40 + $?))\n"))
        assert shell.attributes != raw

    def test_in_the_background_it_stays_stopped_and_can_be_ended(self, shell: Shell) -> None:
        shell.type("\x1a")
        shell.until_stopped()
        shell.read_until("Stopped")  # all that the program drew before has come
        place = shell.type("bg\n")
        shell.until_stopped()
        assert b"\x1b[" not in shell.drawn[place:], "the terminal is the shell's"
        os.kill(shell.job, signal.SIGTERM)
        os.kill(shell.job, signal.SIGCONT)
        eventually(lambda: shell.state() in ("Z", ""))

    def test_one_that_is_stopped_outright_can_be_ended_too(self, shell: Shell) -> None:
        os.kill(shell.job, signal.SIGSTOP)
        shell.until_stopped()
        os.kill(shell.job, signal.SIGTERM)
        shell.type("bg\n")
        eventually(lambda: shell.state() in ("Z", ""))

    @pytest.mark.parametrize("how", ["SIGTSTP", "SIGSTOP"])
    def test_a_closed_window_ends_one_that_is_stopped(self, shell: Shell, how: str) -> None:
        os.kill(shell.job, signal.Signals[how])
        shell.until_stopped()
        shell.close()
        eventually(lambda: shell.state() in ("Z", ""))


def test_where_no_shell_could_continue_it_it_goes_on(open_terminal: OpenTerminal, shop: str) -> None:
    terminal = open_terminal("--url", shop)
    terminal.read_until("CONTINUOUS")
    terminal.read_until("CONTINUOUS", since=terminal.type("\x1a"))
    terminal.type("q")
    assert terminal.end() == 0
