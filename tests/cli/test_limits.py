"""What a machine, or a limit that is set for the program, has too little of: a sentence, and nothing half-written."""

import errno
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from esdash.cli import spool as spools
from esdash.ui import remembered
from tests.cli.conftest import Call, append
from tests.strategies import seeded_entries


@contextmanager
def no_room() -> Iterator[None]:
    """No file may grow in this block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_half_of_a_domain_is_left(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with no_room():
        failed = call("domain", "new", "garage")
    assert (failed.code, failed.err) == (1, f"esdash: {os.strerror(errno.EFBIG)}.\n")
    assert call("domain", "new", "garage").code == 0


def test_an_export_names_its_file(call: Call, tmp_path: Path, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 5))
    file = tmp_path / "all.jsonl"
    with no_room():
        failed = call("export", "--all", "--output", file, "--url", url)
    assert (failed.code, failed.err) == (1, f"esdash: {os.strerror(errno.EFBIG)}: {file}.\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_spooled_names_the_folder(
    call: Call, tmp_path: Path, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(client, seeded_entries(1, 50))
    monkeypatch.setattr(spools, "MEMORY", 100)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with no_room():
        failed = call("events", "--reverse", "--url", url)
    assert (failed.code, failed.err) == (1, f"esdash: {os.strerror(errno.EFBIG)}: {tmp_path}.\n")


def test_what_is_remembered_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.json"
    with no_room():
        remembered.write(file, remembered.Remembered("nord"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("can't start new thread"), "No more threads may be started"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "ulimit -n"),
    ],
)
def test_what_there_is_too_little_of_is_a_sentence(
    call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    append(client, seeded_entries(1, 5))

    def lacking(_: threading.Thread) -> None:
        raise error

    monkeypatch.setattr(threading.Thread, "start", lacking)
    failed = call("verify", "--url", url)
    assert (failed.code, failed.out) == (1, "")
    assert said in failed.err
    assert failed.err.count("\n") == 1


def test_a_process_that_cannot_be_started_is_named(
    call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(client, seeded_entries(1, 5))

    def lacking(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("subprocess.Popen", lacking)
    failed = call("verify", "--url", url)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith("esdash: A segment could not be verified: its process cannot be started: ")
