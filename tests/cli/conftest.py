"""Running the program: as a process, and in this one where a process proves nothing more."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import redis

from esdash.cli import run
from esdash.cli.commands.state import outcomes_of, rows_of
from tests.cli.terminals import OpenTerminal, Terminal
from tests.domains.ways import present
from tests.engine.running import sound_event
from tests.model import Model
from tests.strategies import RawEntry, raw_entry

STREAM = "orders"


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The documents on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Call = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An empty home: no settings but those of the test, and that of the domain it runs with (`tests.domains.ways`)."""
    for name in os.environ:
        if name.startswith(("ESDASH_", "XDG_")) or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    if "any_domain" in request.fixturenames and request.getfixturevalue("any_domain") != "shop":
        monkeypatch.setenv("ESDASH_DOMAIN", present().fold().choice)
    return tmp_path


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:  # noqa: ARG001 - the settings of the test
    """Run a command line in this process."""

    def call(*arguments: object) -> Result:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return call


@pytest.fixture
def esdash(home: Path) -> Call:  # noqa: ARG001 - the settings of the test
    """Run the program as a process and wait for its end; `env` adds to the environment, `input` is its stdin."""

    def esdash(*arguments: object, input: str = "", env: dict[str, str] | None = None) -> Result:
        ended = subprocess.run(
            [sys.executable, "-m", "esdash", *map(str, arguments)],
            input=input,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Result(ended.returncode, ended.stdout, ended.stderr)

    return esdash


@pytest.fixture
def shell(home: Path) -> Call:  # noqa: ARG001 - the settings of the test
    """Run the program with the redirections of a shell: `shell(">&-", "state", …)`."""

    def shell(redirections: str, *arguments: object) -> Result:
        ended = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-m", "esdash", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Result(ended.returncode, ended.stdout, ended.stderr)

    return shell


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:  # noqa: ARG001 - the settings of the test
    """Start the program as a process; one that is still there at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **options: Any) -> "subprocess.Popen[str]":
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen(
            [sys.executable, "-m", "esdash", *map(str, arguments)],
            text=True,
            encoding="utf-8",
            **(streams | options),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def open_terminal(home: Path) -> Iterator[OpenTerminal]:  # noqa: ARG001 - the settings of the test
    """Start the program in a terminal."""
    terminals: list[Terminal] = []

    def open_terminal(*arguments: object, **options: object) -> Terminal:
        terminals.append(Terminal(*arguments, **options))  # type: ignore[arg-type]
        return terminals[-1]

    yield open_terminal
    for terminal in terminals:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
        terminal.close()


def day(seed: int, count: int) -> list[RawEntry]:
    """Entries of every kind, of the domain that the test runs with."""
    return present().day(seed, count)


def sounds(count: int = 1) -> list[RawEntry]:
    """So many entries of that domain that are applied to an empty state."""
    return [raw_entry(*sound_event(number)) for number in range(count)]


def rules() -> str:
    """That domain and its version, as people are told."""
    return f"{present().fold().name} {present().fold().version}"


def rows_counted() -> str:
    """A number of that domain which is always there."""
    return f"count({present().cell(1, 1)[0]})"


def said_of(ids: list[str], entries: list[RawEntry]) -> dict[str, Any]:
    """What `esdash state --json` says of these entries, without the members that are not a function of them."""
    fold = present().fold()
    if fold.name == "shop":
        return expected(model_of(ids, entries))
    state = fold.empty()
    for entry_id, entry in zip(ids, entries, strict=True):
        fold.fold(state, [(entry_id.encode(), [part for field in entry for part in field])])
    tables = {
        table: {str(key): cells for key, cells in rows_of(fold, state, table).items()} for table in fold.storage.places
    }
    last = ids[-1] if ids else "0-0"
    return {"last_event_id": last, "ordinal": len(ids), "tables": tables, "outcomes": outcomes_of(fold, state)}


def append(client: redis.Redis, entries: list[RawEntry], stream: str = STREAM) -> list[str]:
    """Append raw entries, fields in their order and repeated ones too; their ids."""
    pipeline = client.pipeline(transaction=False)
    for entry in entries:
        pipeline.execute_command("XADD", stream, "*", *(part for field in entry for part in field))
    return [entry_id.decode() for entry_id in pipeline.execute()]


def model_of(ids: list[str], entries: list[RawEntry]) -> Model:
    """The plain model after these entries."""
    model = Model()
    for entry_id, entry in zip(ids, entries, strict=True):
        model.apply(entry_id, entry)
    return model


def expected(model: Model) -> dict[str, Any]:
    """What `esdash state --json` says of the model, without the members that are not a function of the entries."""
    found = model.document()
    users, items = found.pop("users"), found.pop("items")
    return {**found, "tables": {"users": {user: {"balance": cents} for user, cents in users.items()}, "items": items}}


def stored(client: redis.Redis, stream: str = STREAM) -> list[tuple[str, dict[bytes, bytes]]]:
    """The stream's entries: id, fields."""
    entries: Any = client.xrange(stream)
    return [(entry_id.decode(), fields) for entry_id, fields in entries]


@contextmanager
def closed_pipe() -> Iterator[int]:
    """The end to write to of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def line_with(stream: IO[str] | None, beginning: str) -> str:
    """Read a process's lines until one begins like this. What comes before depends on how busy the machine is."""
    assert stream is not None
    for line in stream:
        if line.startswith(beginning):
            return line
    raise AssertionError(f"the output ended without a line that begins with {beginning!r}")
