"""SIGINT, SIGTERM and SIGHUP: at whatever moment they come, the program ends, and never in a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import append
from tests.strategies import seeded_entries

PROGRAM = """
import os, sys
count, number = int(sys.argv[1]), int(sys.argv[2])
sys.argv[:3] = ["esdash"]
def hook(event, _):
    global count
    if event == "import":
        count -= 1
        if count == 0:
            os.kill(os.getpid(), number)
sys.addaudithook(hook)
from esdash.__main__ import main
main()
"""
"""The program, which is told to end at its n-th import."""

COMMANDS = {
    "publish": ("publish", "top-up", "7", "1", "--wait"),
    "consume": ("consume", "--once"),
    "state": ("state", "--json"),
    "doctor": ("doctor",),
    "bad input": ("state", "--at", "nonsense"),
    "help": ("--help",),
}


def run(script: str, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_told_to_end_at_any_import_it_does_without_a_word(
    home: Path, url: str, client: redis.Redis, command: str
) -> None:
    assert home
    append(client, seeded_entries(1, 20))
    for turn, count in enumerate((3, 40, 160, 320)):
        number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[turn % 3]
        ended = run(PROGRAM, count, int(number), *COMMANDS[command], ESDASH_URL=url)
        assert "Traceback" not in ended.stderr, (count, ended.stderr)
        assert "Exception ignored" not in ended.stderr, (count, ended.stderr)
        # Or the system ended it before esdash's first line, or it was done before that import.
        assert ended.returncode in (128 + number, -number, 0, 2, 3), (count, ended.stderr)
        assert ended.returncode in (0, 2, 3) or ended.stderr == ""


LOST = """
import os, signal, sys
from esdash import signals
signals.end_at_once()
class Lost:
    def __del__(self):
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass
class Named:
    def __set_name__(self, *_):
        os.kill(os.getpid(), number)
        for _ in range(1000):
            pass
number, way = int(sys.argv[1]), sys.argv[2]
import esdash.cli
def program(_):
    with signals.ending_in_order():
        if way == "a destructor":
            Lost()
        else:
            type("Class", (), {"name": Named()})
        signal.pause()
esdash.cli.run = program
sys.argv = ["esdash"]
esdash.cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", ["a destructor", "the making of a class"])
def test_an_ending_that_nobody_hears_is_not_lost(number: signal.Signals, way: str) -> None:
    ended = run(LOST, int(number), way)
    assert (ended.stderr, ended.returncode) == ("", 128 + number)


def test_a_password_in_the_command_line_makes_no_moment_of_its_own(home: Path) -> None:
    """The program starts itself anew then; what comes in between is heard afterwards."""
    assert home
    script = (
        "import os, signal, sys; import esdash.cli.secrecy as secrecy; execve = os.execve\n"
        "def told(*arguments):\n    os.kill(os.getpid(), signal.SIGINT)\n    execve(*arguments)\n"
        "os.execve = told\nfrom esdash.__main__ import main\nsys.orig_argv[1:3] = ['-m', 'esdash']\nmain()"
    )
    ended = run(script, "state", "--url", "redis://:s3cret@127.0.0.1:1")
    assert (ended.stderr, ended.returncode) == ("", 130)


def test_what_the_shell_ignores_for_it_is_ignored_but_sigterm(home: Path) -> None:
    assert home
    script = (
        "import signal; [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]\n"
        "from esdash import signals; signals.end_at_once()\n"
        "print([signal.getsignal(n) is signal.SIG_IGN for n in signals.NUMBERS])"
    )
    assert run(script).stdout == "[True, False, True]\n"
