"""How far long work has come."""

import sys

import pytest
import redis

from esdash.cli import progress as shown
from esdash.cli.progress import Progress
from esdash.engine.history import History
from esdash.log.server import Server
from esdash.log.stream import Stream
from tests.cli.conftest import Call, append
from tests.domains.shop import shop
from tests.strategies import seeded_entries


@pytest.fixture
def log(url: str, client: redis.Redis) -> Stream:
    append(client, seeded_entries(1, 1500))
    return Stream(Server(url), "orders")


def look(log: Stream) -> None:
    """Fold everything, with what is shown of it."""
    progress = Progress(log)
    history = History(log, shop(), on_page=progress)
    list(history.explain(history.before(b"0-1")))
    progress.clear()
    log.server.close()


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


def test_commands_say_nothing_of_it_in_a_pipe(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 50))
    for arguments in (("events", "--tail", 1), ("find", "count(users) > 0"), ("diff", "first", "now")):
        assert call(*arguments, "--json", "--url", url).err == ""
