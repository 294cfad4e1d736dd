"""However it is told to, and whatever it is doing, the dashboard ends."""

import signal
import socket
from collections.abc import Iterator

import pytest
import redis

from tests.cli.conftest import append
from tests.cli.terminals import OpenTerminal, Terminal

TOP_UP = [(b"type", b"TopUp"), (b"data", b'{"user_id":7,"amount":50000}')]
SECONDS = 12.0
"""In which it has to be gone."""


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"


class Situations:
    """The dashboard, brought into one of them."""

    NAMES = ("starting", "connecting", "in a dialog, paused", "verifying", "under load", "halted")
    """Live and at rest: see test_dashboard.py."""

    def __init__(self, open_terminal: OpenTerminal, client: redis.Redis, url: str, silent: str) -> None:
        self._open = open_terminal
        self._client = client
        self._url = url
        self._silent = silent

    def bring(self, name: str, *, past: bool = False, **options: object) -> Terminal:
        """Bring one there; with a `past`, another process builds that."""
        append(self._client, [TOP_UP])
        if not past:
            options["environment"] = {"ESDASH_TRACK_MB": "0"}
        terminal = self._open("--url", self._silent if name == "connecting" else self._url, **options)
        terminal.read_until("\x1b[?1049h")
        if name == "starting":
            return terminal
        terminal.read_until("CONNECTING")
        if name == "connecting":
            return terminal
        terminal.read_until("CONTINUOUS")
        terminal.read_until("500.00")  # it has read what there is
        match name:
            case "in a dialog, paused":
                terminal.read_until("PAUSED", since=terminal.type(" "))
                terminal.read_until("Publish", since=terminal.type("t"))
            case "verifying":
                terminal.read_until("Segments", since=terminal.type("v"))
            case "under load":
                terminal.read_until("Stop producing", since=terminal.type("p"))
            case "halted":
                with self._client.pipeline() as vanishing:
                    vanishing.xadd("orders", {"type": "x"}, id="9999999999999-1")
                    vanishing.xadd("orders", {"type": "x"}, id="9999999999999-2")
                    vanishing.xdel("orders", "9999999999999-1")
                    vanishing.execute()
                terminal.read_until("HALTED")
        return terminal


@pytest.fixture
def situations(open_terminal: OpenTerminal, client: redis.Redis, url: str, silent: str) -> Situations:
    """Bring a dashboard into a situation."""
    return Situations(open_terminal, client, url, silent)


@pytest.mark.parametrize("name", Situations.NAMES)
def test_sigterm_ends_it(situations: Situations, name: str) -> None:
    terminal = situations.bring(name, past=name in ("verifying", "under load"))
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end(SECONDS) in (0, 143)
    assert "Traceback" not in terminal.shown
    assert terminal.shown.rindex("\x1b[?1049l") > terminal.shown.rindex("\x1b[?1049h"), "the terminal is given back"


@pytest.mark.parametrize("name", ["in a dialog, paused", "under load"])
def test_it_does_not_outlive_its_terminal_under_nohup_either(situations: Situations, name: str) -> None:
    terminal = situations.bring(name, past=True, ignored=(signal.SIGHUP,))
    terminal.close()
    terminal.end(SECONDS)


@pytest.mark.parametrize("ending", ["SIGTERM", "a closed window", "a terminal that is gone"])
def test_a_terminal_that_takes_nothing_in_does_not_keep_it(situations: Situations, ending: str) -> None:
    terminal = situations.bring("live", controlling=ending != "a terminal that is gone")
    # What is drawn from now on is not read: soon the terminal holds all that it can.
    terminal.type("p" + "+" * 12)
    terminal.type("".join("z" for _ in range(200)))
    if ending == "SIGTERM":
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(SECONDS) == 0
    else:
        terminal.close()
        terminal.end(SECONDS)
