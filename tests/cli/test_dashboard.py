"""`esdash` without a command, on a terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esdash.log import embedded
from tests.cli.conftest import Call
from tests.waiting import eventually


class Terminal:
    """The program in a terminal of 100×30."""

    def __init__(self, *arguments: object, controlling: bool = True) -> None:
        """Unless it is the `controlling` one, its end sends no signal."""
        self._terminal, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

        def take_the_terminal() -> None:
            os.setsid()
            if controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-m", "esdash", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color"},
            preexec_fn=take_the_terminal,
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str = "", timeout: float = 30) -> None:
        """Read what is drawn until a text appears; without one, until the program ends."""
        deadline = time.monotonic() + timeout
        while not text or text not in self.shown:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if not select.select([self._terminal], [], [], 0.1)[0]:
                continue
            try:
                self.shown += os.read(self._terminal, 65536).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                assert not text, self.shown[-2000:]
                return

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def close(self) -> None:
        """Close the window."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def end(self) -> int:
        """Wait for the program's end; its exit code."""
        if self._terminal >= 0:
            self.read_until()
        return self.process.wait(timeout=30)


@pytest.fixture
def open_terminal(home: Path) -> Iterator[Callable[..., Terminal]]:  # noqa: ARG001 - the settings of the test
    """Start the program in a terminal."""
    terminals: list[Terminal] = []

    def open_terminal(*arguments: object, controlling: bool = True) -> Terminal:
        terminals.append(Terminal(*arguments, controlling=controlling))
        return terminals[-1]

    yield open_terminal
    for terminal in terminals:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
        terminal.close()


def test_it_starts_a_server_shows_what_is_published_and_stops_it(
    open_terminal: Callable[..., Terminal], call: Call, data_dir: Path
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
def test_however_it_ends_the_server_is_stopped(
    open_terminal: Callable[..., Terminal], data_dir: Path, ending: str
) -> None:
    terminal = open_terminal("--data-dir", data_dir, controlling=ending != "a terminal that is gone")
    terminal.read_until("CONTINUOUS")
    if ending == "SIGTERM":
        terminal.process.send_signal(signal.SIGTERM)
    else:
        terminal.close()
    assert terminal.end() == 0
    assert not embedded.status(data_dir).running


def test_it_opens_without_a_server_and_says_so(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal("--url", "redis://bob:s3cret@127.0.0.1:1")
    terminal.read_until("refused")
    terminal.type("q")
    assert terminal.end() == 0
    assert "s3cret" not in terminal.shown


@pytest.mark.parametrize(
    ("settings", "told"), [('theme = "tartan"', "tartan"), ('[keys]\nfrobnicate = "x"', "frobnicate")]
)
def test_settings_that_name_nothing_are_2(
    open_terminal: Callable[..., Terminal], tmp_path: Path, settings: str, told: str
) -> None:
    (tmp_path / "settings").write_text(settings)
    terminal = open_terminal("--config", tmp_path / "settings", "--url", "redis://127.0.0.1:1")
    assert terminal.end() == 2
    assert terminal.shown.startswith("esdash: ")
    assert told in terminal.shown
