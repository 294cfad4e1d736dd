"""`esdash dev`: the dashboard of a domain while its file is being written."""

import os
import signal
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
import redis

from tests.cli.conftest import Call
from tests.cli.terminals import OpenTerminal
from tests.waiting import eventually
from tests.whatif.test_rules import publish
from tests.whatif.test_rules_process import RICH, STRICTER


def its_processes(process: int) -> list[psutil.Process]:
    """Those that it has started, and those that these have."""
    return list(psutil.Process(process).children(recursive=True))


@pytest.mark.parametrize("ending", ["q", "kill -9"])
def test_a_save_is_told_and_nothing_is_left_behind(
    open_terminal: OpenTerminal, url: str, client: redis.Redis, tmp_path: Path, ending: str
) -> None:
    publish(client, 11)
    file = tmp_path / "bank.py"
    file.write_text(RICH)
    terminal = open_terminal("dev", file, "--url", url)
    terminal.read_until("is watched")
    file.write_text(STRICTER)
    terminal.read_until("2 numbers, 11 entries from #3")
    assert not (tmp_path / "__pycache__").exists()
    # Rules that never come back end with the dashboard, too.
    since = len(terminal.drawn)
    file.write_text(STRICTER + "\nwhile True:\n    pass\n")
    terminal.read_until("folding", since=since)
    started = its_processes(terminal.process.pid)
    assert any("rules_child" in " ".join(each.cmdline()) for each in started)
    if ending == "q":
        terminal.type("q")
        assert terminal.end() == 0
    else:
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
    eventually(lambda: not [each for each in started if each.is_running() and each.status() != psutil.STATUS_ZOMBIE])


def test_what_is_no_file_is_refused(call: Call, esdash: Call, tmp_path: Path) -> None:
    for name in ("shop", "tests.domains.bank:BANK"):
        refused = call("dev", name)
        assert refused.code == 2
        assert "no file to watch" in refused.err
    without = esdash("dev", tmp_path / "bank.py")
    assert without.code == 2
    assert "needs a terminal" in without.err
    assert call("dev").code == 2
