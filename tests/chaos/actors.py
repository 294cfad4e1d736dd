"""Who takes part in a disaster: a publisher that never gives up, real consumer processes, and an auditor."""

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from esdash.engine.console import EngineError
from esdash.engine.moments.history import History
from esdash.engine.publishing import publisher as publishing
from esdash.engine.publishing.publisher import Publisher
from esdash.engine.snapshots.snapshot import load
from esdash.log.errors import LogError
from esdash.log.servers.server import Server
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from tests.domains.shop import Shop
from tests.engine.running import STREAM, document, model_of, pairs, stored
from tests.model import Model
from tests.waiting import eventually

FIRST_USER = 1_000_000

_PAUSE = 0.005
"""Seconds between two batches."""


class Customers:
    """Publishes in a thread: customer after customer tops up 1.00, once, however often it must be sent.

    Use it as a context manager; leaving waits until what was begun is acknowledged.
    """

    def __init__(self, url: str, *, batch: int = 20, timeout: float = 0.5) -> None:
        self._log = Stream(Server(url, timeout=timeout), STREAM)
        self._publisher = Publisher(self._log)
        self._batch = batch
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged: dict[int, str] = {}
        """Entry id by user."""
        self.complaints: list[str] = []
        """What the publisher was told when something failed."""

    def __enter__(self) -> "Customers":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(30)
        self._publisher.close()
        self._log.server.close()
        assert error is not None or not self._thread.is_alive(), f"never acknowledged: {self.complaints[-1:]}"

    def more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count
        eventually(lambda: len(self.acknowledged) >= wanted, timeout=30)

    def _run(self) -> None:
        users = itertools.count(FIRST_USER)
        # Steadily, not as fast as it can: a consumer shall be able to keep up.
        while not self._stopping.wait(_PAUSE):
            batch = [next(users) for _ in range(self._batch)]
            events = [("TopUp", b'{"user_id":%d,"amount":100}' % user, f"key-{user}") for user in batch]
            while True:
                try:
                    published = list(self._publisher.publish_many(events))
                except EngineError as error:
                    self.complaints.append(str(error))
                    # The keys make it safe.
                    if not self._stopping.wait(publishing.PAUSE_SECONDS):
                        continue
                    if len(self.complaints) > 300:
                        return
                    continue
                self.acknowledged.update((user, each.entry_id) for user, each in zip(batch, published, strict=True))
                break


class ConsumerProcess:
    """`esdash consume` in a process of its own, every warning an error."""

    def __init__(
        self, url: str, folder: Path, *, snapshot_seconds: float = 0.1, arguments: tuple[str, ...] = ("--json",)
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / "out", folder / "err"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ESDASH_")}
        environment |= {
            "ESDASH_URL": url,
            "ESDASH_STREAM": STREAM,
            "ESDASH_SNAPSHOT_SECONDS": str(snapshot_seconds),
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "esdash", "consume", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=environment,
                start_new_session=True,
            )

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What it said on stdout so far, line by line."""
        lines = self._out.read_text("utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]

    @property
    def complaints(self) -> str:
        """What it said on stderr so far."""
        return self._err.read_text("utf-8")

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def until_phase(self, phase: str, times: int = 1) -> None:
        """Wait until it has said so many times that it is in a phase."""
        try:
            eventually(lambda: sum(report["phase"] == phase for report in self.reports) >= times, timeout=30)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.reports}\n{self.complaints}") from error

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> int:
        """SIGTERM: a farewell snapshot and an end; the exit code."""
        self._process.terminate()
        return self._process.wait(30)

    def wait(self) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(30)

    def close(self) -> None:
        """Make sure that it is gone, and that it never lost its composure."""
        if self.running:
            self.kill()
        complaints = self.complaints
        assert "Traceback" not in complaints, complaints
        assert "Warning" not in complaints, complaints


def settled(url: str) -> int:
    """Wait until a snapshot has been taken of the end of the log; its ordinal."""
    log = Stream(Server(url), STREAM)
    store = SnapshotStore(log)

    def caught_up() -> int:
        newest = store.newest()
        return newest.ordinal if newest and newest.last_event_id.encode() == log.facts().last_id else 0

    try:
        return eventually(caught_up, timeout=30, ignore=LogError)
    finally:
        log.server.close()


def sound(log: Stream) -> str:
    """What is said of a log of which nothing is missing: a server before 7.0 cannot tell."""
    return "UNKNOWN" if log.facts().entries_added is None else "CONTINUOUS"


def audit(url: str, customers: Customers | None = None, *, lost: bool = False) -> Model:
    """Hold everything that is stored against a separate fold of the whole log; that fold.

    Every snapshot is the state at its position; a restore and a full replay both arrive where the model does; each
    customer topped up once and, unless some were `lost` on purpose, everything acknowledged is there.
    """
    log = Stream(Server(url), STREAM)
    shop = Shop()
    entries = stored(log)
    store = SnapshotStore(log)
    # Those of former histories are still there where a stream was made again: they are of other entries.
    snapshots = {header.last_event_id: header for header in store.headers() if isinstance(header, Header)}
    model = Model()
    for ordinal, (entry_id, fields) in enumerate(entries, 1):
        model.apply(entry_id.decode(), pairs(fields))
        if (header := snapshots.get(entry_id.decode())) is not None:
            projection, _ = load(header, store, shop)
            assert (header.ordinal, document(projection)) == (ordinal, model.document()), (
                f"{header.snapshot_id} is wrong"
            )
    expected = model.document()
    for ignore_snapshots in (False, True):
        projection, continuity = History(log, shop).at(ignore_snapshots=ignore_snapshots)
        assert str(continuity) == sound(log)
        assert document(projection) == expected
    log.server.close()
    if customers is not None:
        there = {user: balance for user, balance in model.users.items() if user >= FIRST_USER}
        assert set(there.values()) <= {100}, "nobody topped up twice"
        if not lost:
            assert customers.acknowledged.keys() <= there.keys()
            ids = {entry_id.decode() for entry_id, _ in entries}
            assert ids.issuperset(customers.acknowledged.values())
    return model


__all__ = ["STREAM", "ConsumerProcess", "Customers", "audit", "model_of", "settled", "sound", "stored"]
