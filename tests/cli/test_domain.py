"""`esdash domain`: what the authors of a domain need."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]
import pytest
import redis

from esdash.fold.loading import load
from tests.cli.conftest import Call, append
from tests.strategies import raw_entry
from tests.waiting import eventually


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_example_that_new_writes_keeps_its_promises(call: Call, here: Path) -> None:
    written = call("domain", "new", "garage")
    assert (written.code, written.err) == (0, "")
    assert "esdash domain check garage.py" in written.out
    assert "parking" not in (here / "garage.py").read_text()
    checked = call("domain", "check", "garage.py", "--json")
    assert checked.code == 0, checked
    document = checked.json
    assert document["holds"] is True
    assert document["broken"] == []
    assert document["domain"] == "garage"
    assert document["reasons_never_given"] == []
    assert len(document["promises"]) >= 12


def test_a_broken_promise_exits_with_3_and_is_told_with_input_and_line(call: Call, here: Path) -> None:
    call("domain", "new", "garage")
    source = (here / "garage.py").read_text().replace('return "unknown_car"', 'return "no_such_car"')
    (here / "garage.py").write_text(source)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.startswith("def parked"))
    checked = call("domain", "check", "garage.py", "--json")
    assert checked.code == 3
    assert checked.json["holds"] is False
    (broken,) = checked.json["broken"]
    assert broken["where"] == f"garage.py:{line}"
    assert broken["promise"] == "A rule returns None, a reason of the domain, or a Refusal."
    assert [entry["type"] for entry in broken["input"]] == ["Parked"]


ENDLESS = """
from msgspec import Struct
from esdash.domain import Column, Domain, EventType, Table

class Gone(Struct, frozen=True):
    n: int

def gone(state, event):
    while True:
        pass

CARS = Table("cars", "car", int, (Column("c"),))
GARAGE = Domain(name="g", version="1", tables=(CARS,), events=(EventType(Gone, gone),))
"""


def test_a_check_that_is_told_to_end_leaves_nothing(
    start: "Callable[..., subprocess.Popen[str]]", here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "garage.py").write_text(ENDLESS)
    (here / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(here / "temporary"))
    process = start("domain", "check", "garage.py")
    eventually(lambda: list(here.glob("temporary/*/trying")))
    began = psutil.Process(process.pid).children(recursive=True)
    assert began
    process.terminate()
    assert process.wait(30) == 143
    assert list(here.glob("temporary/*")) == []
    eventually(lambda: not any(each.is_running() for each in began))


@pytest.mark.parametrize("name", ["", "two words", "1st", "class", "a/b", "../up", "_hidden", "ä", "x" * 65])
def test_a_name_that_is_none_is_refused(call: Call, here: Path, name: str) -> None:
    refused = call("domain", "new", name)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("esdash: ")
    assert list(here.iterdir()) == []


def test_a_file_that_is_there_is_left_as_it_is(call: Call, here: Path) -> None:
    (here / "garage.py").write_text("mine")
    refused = call("domain", "new", "garage")
    assert refused.code == 2
    assert "garage.py already" in refused.err
    assert (here / "garage.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = (\n", "garage.py:1: "),
        ("\nimport nothing_like_this\n", "garage.py:2: "),
        ("x = 1\n", "there is no Domain in it"),
    ],
)
def test_a_file_that_cannot_be_loaded_exits_with_2(call: Call, here: Path, source: str, said: str) -> None:
    (here / "garage.py").write_text(source)
    refused = call("domain", "check", "garage.py", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert len(refused.err.splitlines()) == 1


def test_a_file_that_is_not_there_exits_with_2(call: Call, here: Path) -> None:  # noqa: ARG001
    refused = call("domain", "check", "nowhere.py")
    assert refused.code == 2
    assert refused.err == "esdash: There is no file nowhere.py.\n"


def test_fast_is_refused_with_the_line_that_cannot_be_proved(call: Call, here: Path) -> None:
    call("domain", "new", "garage")
    source = (here / "garage.py").read_text()
    source = source.replace("    sample=sample,", "    sample=sample,\n    fast=True,")
    (here / "garage.py").write_text(source)
    assert load("garage.py").domain.fast, "it is proved"
    late = '    if event.hours > 200:\n        return "unknown_car"\n\n\n# A condition'
    source = source.replace("\n\n# A condition", f"{late}", 1)
    (here / "garage.py").write_text(source)
    line = source.splitlines().index("    if event.hours > 200:") + 2
    refused = call("domain", "check", "garage.py")
    assert refused.code == 2
    assert f"garage.py:{line}: fast is not proved: it can still refuse here" in refused.err


def test_the_entries_of_a_stream_that_is_named_are_tried_too(
    call: Call, here: Path, client: redis.Redis, url: str
) -> None:
    call("domain", "new", "garage")
    source = (here / "garage.py").read_text()
    source = source.replace(
        "    balance = state.cars.balance\n",
        '    assert event.plate[::-1] != "LAER"\n    balance = state.cars.balance\n',
    )
    (here / "garage.py").write_text(source)
    append(client, [raw_entry("Parked", b'{"plate": "REAL"}')], "garages")
    untold = call("domain", "check", "garage.py", "--url", url)
    assert (untold.code, untold.err) == (0, "")
    for told in ("✓ A refusal leaves no trace.", "µs of CPU time", "A row of cars takes about"):
        assert told in untold.out
    line = next(number for number, text in enumerate(source.splitlines(), 1) if '!= "LAER"' in text)
    checked = call("domain", "check", "garage.py", "--url", url, "--stream", "garages")
    assert checked.code == 3
    assert f"✗ garage.py:{line}: " in checked.out
    assert 'type=Parked data={"plate": "REAL"}' in checked.out
    absent = call("domain", "check", "garage.py", "--url", url, "--stream", "elsewhere")
    assert absent.code != 0
    assert "elsewhere" in absent.err
