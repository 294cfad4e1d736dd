"""The process that folds by rules that are being written: each save is told, whatever stands in the file."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
import redis

from esdash.fold.apart import Apart
from esdash.log.stream import Stream
from esdash.whatif.rules_process import RulesProcess
from esdash.whatif.telling import Result, Told
from esdash.whatif.watch import FileWatch
from tests.waiting import eventually
from tests.whatif.test_rules import GIVEN, SOURCE, publish

RICH = SOURCE.replace(GIVEN, GIVEN.replace("0", "120"))
STRICTER = RICH.replace("event.amount > balance", "event.amount + 100 > balance")


@pytest.fixture(autouse=True)
def _no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are saved twice within a second here."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A bank of which the rules lie in another file beside it."""
    rules, declared = RICH.split("BANK = Domain(")
    (tmp_path / "rules_of_bank.py").write_text(rules)
    file = tmp_path / "bank.py"
    imported = "from esdash.domain import MONEY, TEXT, Column, Domain, EventType, Table\n"
    file.write_text(f"{imported}from rules_of_bank import *\nBANK = Domain({declared}")
    return file


@pytest.fixture
def process(log: Stream, file: Path, client: redis.Redis) -> Iterator[RulesProcess]:
    """It has folded ten transfers."""
    publish(client, 10)
    process = RulesProcess(log, file)
    begin(process)
    yield process
    process.close()


def begin(process: RulesProcess) -> None:
    """Until a save would be told."""
    process.begin(Apart(str(process.file)).fold)
    eventually(lambda: process.told == Told())


def saved(process: RulesProcess, source: str, name: str = "rules_of_bank.py") -> Told:
    """What is told of it."""
    before = process.told.saved_ms
    process.file.with_name(name).write_text(source)

    def told() -> Told | None:
        told = process.told
        return told if told.saved_ms > before and not told.folding else None

    found = eventually(told)
    assert found is not None
    return found


def rules(source: str) -> str:
    return source.split("BANK = Domain(")[0]


def result(told: Told) -> Result:
    assert told.result is not None, told
    return told.result


def test_a_save_tells_what_would_be_otherwise(process: RulesProcess, client: redis.Redis) -> None:
    found = result(saved(process, rules(STRICTER)))
    assert (found.entries, found.decided_count, found.differ, found.same_version) == (12, 10, True, True)
    first = found.decided[0]
    assert (first.number, first.type, first.was.name, first.now.reason) == (
        3,
        "Transferred",
        "applied",
        "insufficient_funds",
    )
    # The money went to and fro.
    assert (found.number_count, found.numbers) == (0, [])
    client.xadd("orders", {"type": "Transferred", "data": '{"source":"A","target":"B","amount":30}'})
    found = result(saved(process, rules(STRICTER) + "# again\n"))
    assert (found.entries, found.decided_count) == (13, 11)
    assert [(each.name, each.was, each.now, each.moved) for each in found.numbers] == [
        ("accounts:A.balance", "0.90", "1.20", "+0.30"),
        ("accounts:B.balance", "1.50", "1.20", "−0.30"),
    ]
    found = result(saved(process, rules(RICH)))
    assert (found.differ, found.entries) == (False, 13)


def test_what_does_not_load_or_fails_is_said_and_mended(process: RulesProcess) -> None:
    broken = rules(RICH)[:-30] + "\n(\n"
    assert saved(process, broken).error.startswith(f"rules_of_bank.py:{len(broken.splitlines())}: ")
    failing = rules(RICH).replace("balance[event.target] += event.amount", "balance[event.target] += event.amout")
    line = failing.splitlines().index("    balance[event.target] += event.amout") + 1
    assert saved(process, failing).error.startswith(f"The new rules fail on #3, rules_of_bank.py:{line}: ")
    process.file.with_name("rules_of_bank.py").unlink()
    eventually(lambda: "No module named" in process.told.error)
    assert result(saved(process, rules(RICH))).differ is False
    # As some editors save: a new file takes the place of the old one.
    process.file.with_name("new").write_text(rules(STRICTER))
    before = process.told
    process.file.with_name("new").replace(process.file.with_name("rules_of_bank.py"))
    eventually(lambda: process.told is not before and process.told.result is not None)
    assert result(process.told).decided_count == 10


def test_rules_that_never_come_back_are_replaced_by_the_next_save(process: RulesProcess) -> None:
    looping = rules(RICH).replace(
        "def opened(state, event):", "def opened(state, event):\n    while True:\n        pass"
    )
    before = process.told
    process.file.with_name("rules_of_bank.py").write_text(looping)
    eventually(lambda: process.told is not before and process.told.folding)
    assert result(saved(process, rules(STRICTER))).decided_count == 10


def test_what_the_rules_print_or_end_gets_in_nobodys_way(process: RulesProcess) -> None:
    noisy = "import os, sys\nos.write(1, b'{}\\n')\nsys.stdout.write('x')\n" + rules(STRICTER)
    assert result(saved(process, noisy)).decided_count == 10
    assert saved(process, "import os\nos._exit(0)\n").error.endswith("ended unexpectedly.")
    assert result(saved(process, rules(STRICTER))).decided_count == 10


def test_the_new_rules_become_the_old_ones(process: RulesProcess) -> None:
    assert result(saved(process, rules(STRICTER))).differ
    begin(process)
    assert result(saved(process, rules(STRICTER) + "\n")).differ is False
    assert result(saved(process, rules(RICH))).decided_count == 10


def test_a_stream_that_is_cut_or_made_again_is_folded_anew(process: RulesProcess, client: redis.Redis) -> None:
    client.xtrim("orders", maxlen=4, approximate=False)
    found = result(saved(process, rules(STRICTER)))
    assert (found.entries, found.differ) == (4, False)
    client.delete("orders")
    publish(client, 6)
    assert result(saved(process, rules(STRICTER) + "\n")).decided_count == 6


def processes() -> list[psutil.Process]:
    """Those that fold by other rules."""
    return [each for each in psutil.Process().children(recursive=True) if "rules_child" in " ".join(each.cmdline())]


def test_all_of_it_ends_with_whoever_started_it(url: str, file: Path, client: redis.Redis) -> None:
    publish(client, 3)
    script = """
import sys
from pathlib import Path
from esdash.fold.apart import Apart
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.whatif.rules_process import RulesProcess
process = RulesProcess(Stream(Server(sys.argv[1]), "orders"), Path(sys.argv[2]))
process.begin(Apart(sys.argv[2]).fold)
while process.told.folding: pass
print("ready", flush=True)
while not process.told.folding: pass
print("folding", flush=True)
sys.stdin.read()
"""
    parent = subprocess.Popen(
        [sys.executable, "-B", "-c", script, url, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    looping = "while True:\n    pass\n"
    file.write_text(looping)
    assert parent.stdout.readline() == "folding\n"
    eventually(lambda: len(processes()) == 2)
    started = processes()
    parent.kill()
    eventually(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in started))
    parent.communicate()


class TestTheWatch:
    def test_a_change_is_told_once_it_rests(self, file: Path) -> None:
        watch = FileWatch(file)
        assert [watch.look() for _ in range(3)] == [False] * 3
        file.write_text(file.read_text() + "# 1\n")
        first = watch.look()
        file.write_text(file.read_text() + "# 2\n")
        assert [first, *(watch.look() for _ in range(4))] == [False, False, True, False, False]

    def test_what_it_imports_and_what_it_lacks_counts(self, file: Path) -> None:
        watch = FileWatch(file)
        helper = file.with_name("rules_of_bank.py")
        helper.unlink()
        assert [watch.look() for _ in range(3)] == [False, True, False]
        helper.write_text(RICH)
        assert [watch.look() for _ in range(3)] == [False, True, False]
        file.with_name("note.txt").write_text("nothing")
        os.utime(file.parent)
        assert [watch.look() for _ in range(2)] == [False, False]

    def test_what_a_broken_file_imported_still_counts(self, file: Path) -> None:
        watch = FileWatch(file)
        file.write_text("from rules_of_bank import (")
        assert [watch.look() for _ in range(2)] == [False, True]
        file.with_name("rules_of_bank.py").write_text("x = 1")
        assert [watch.look() for _ in range(2)] == [False, True]
