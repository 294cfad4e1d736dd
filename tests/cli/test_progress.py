"""How far long work has come."""

import sys

import pytest
import redis

from esdash.cli import progress as shown
from esdash.cli.progress import Progress
from esdash.engine.moments.history import History
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.cli.conftest import Call, append, day, rows_counted
from tests.domains.ways import present

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]


@pytest.fixture
def log(url: str, client: redis.Redis, any_domain: str) -> Stream:  # noqa: ARG001 - of that domain
    append(client, day(1, 1500))
    return Stream(Server(url), "orders")


def look(log: Stream) -> None:
    """Fold everything, with what is shown of it."""
    with Progress(log) as progress:
        history = History(log, present().fold(), on_page=progress)
        list(history.explain(history.before(b"0-1")))
    log.server.close()


def lose_the_server(log: Stream) -> None:
    """Fold everything, and then no more."""
    with Progress(log) as progress:
        history = History(log, present().fold(), on_page=progress)
        list(history.explain(history.before(b"0-1")))
        raise ConnectionError


def test_is_one_line_on_a_terminal_that_goes_in_the_end(
    log: Stream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    look(log)
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.split("\r")
    assert "1,500 of 1,500 entries\x1b[K" in lines
    assert lines[-1] == "\x1b[K"
    assert "\n" not in printed.err


def test_is_nothing_elsewhere(log: Stream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shown, "SECONDS", 0)
    look(log)
    assert capsys.readouterr() == ("", "")


COMMANDS = (
    ("events", "--tail", 1),
    ("events",),
    ("find", "COUNT > 1000000"),
    ("diff", "first", "now"),
    ("why", "COUNT"),
)


@pytest.mark.parametrize("terminal", [False, True])
def test_commands_say_how_far_they_are_on_a_terminal_alone(
    call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    append(client, day(1, 50))
    monkeypatch.setattr(shown, "SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    for command in COMMANDS:
        arguments = [str(each).replace("COUNT", rows_counted()) for each in command]
        assert ("50 of 50 entries\x1b[K" in call(*arguments, "--json", "--url", url).err) is terminal, arguments


def test_an_error_does_not_follow_it_on_its_line(
    log: Stream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shown, "SECONDS", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with pytest.raises(ConnectionError):
        lose_the_server(log)
    log.server.close()
    lines = capsys.readouterr().err.split("\r")
    assert any("of 1,500 entries" in line for line in lines)
    assert lines[-1] == "\x1b[K"
