"""Archiving and trimming beside publishers and consumers, and killed at any moment: nothing is lost."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esdash.log.archive.folder import Archive
from esdash.log.archive.writing import archive
from esdash.log.facts import START
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from tests.chaos.actors import STREAM, ConsumerProcess, Customers
from tests.engine.running import publish_day
from tests.model import Model
from tests.servers import RunningServer
from tests.waiting import eventually

NewServer = Callable[..., RunningServer]


def program(home: Path, *arguments: object, url: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESDASH_")}
    return subprocess.Popen(
        [sys.executable, "-m", "esdash", *map(str, arguments), "--url", url],
        env={**environment, "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(home: Path, *arguments: object, url: str) -> Any:
    process = program(home, *arguments, "--json", url=url)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out)


def test_an_archive_that_is_killed_while_it_writes_goes_on(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server(appendonly="no")
    with server.client() as client:
        publish_day(client, 60_000)
    log = Stream(Server(server.url), STREAM)
    root = tmp_path / "archive"
    for _ in range(3):
        process = program(tmp_path, "archive", root, url=server.url)
        eventually(lambda: list(root.rglob("*.part")) or process.poll() is not None)  # noqa: B023
        process.kill()
        process.communicate()
        with server.client() as client:
            publish_day(client, 500)
    kept = Archive(root, STREAM)
    archive(log, kept)
    assert not list(root.rglob("*.part"))
    assert sum(kept.check()) == kept.count == log.facts().length
    pages = (entry for page in log.pages(START) for entry in page.entries)
    assert all(
        one == other for one, other in zip((e for block in kept.blocks(START) for e in block), pages, strict=True)
    )
    log.server.close()


@pytest.mark.two_generations
def test_a_stream_is_trimmed_again_and_again_under_its_consumers(
    new_server: NewServer, consume: Callable[..., ConsumerProcess], tmp_path: Path
) -> None:
    server = new_server(appendonly="no")
    root = tmp_path / "archive"
    root.mkdir()
    with server.client() as client:
        publish_day(client, 500)
    removed = 0
    with Customers(server.url) as customers:
        plain = consume(server.url, snapshot_seconds=0.2)
        through = consume(server.url, snapshot_seconds=0.2, arguments=("--json", "--archive", str(root)))
        plain.until_phase("live")
        through.until_phase("live")
        while removed < 1000:
            customers.more(200)
            told(tmp_path, "archive", root, url=server.url)
            removed += told(tmp_path, "trim", "--archive", root, "--yes", url=server.url)["removed"]
        customers.more(100)
    assert (plain.running, through.running) == (True, True)
    assert (plain.terminate(), through.terminate()) == (0, 0)
    model = Model()
    log = Stream(Server(server.url), STREAM)
    archive(log, Archive(root, STREAM))
    for block in Archive(root, STREAM).blocks(START):
        for entry_id, fields in block:
            model.apply(entry_id.decode(), list(zip(fields[::2], fields[1::2], strict=True)))
    log.server.close()
    for options in ((), ("--archive", root)):
        state = told(tmp_path, "state", *options, url=server.url)
        assert (state["ordinal"], state["unseen"], state["continuity"]) == (model.ordinal, 0, state["continuity"])
        assert {key: row["balance"] for key, row in state["tables"]["users"].items()} == model.document()["users"]
    replayed = told(tmp_path, "verify", "--archive", root, url=server.url)
    assert (replayed["holds"], replayed["entries"]) == (True, model.ordinal)
