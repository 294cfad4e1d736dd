"""One segment of a verification, in a process of its own: a replay from one snapshot to the next."""

import gc
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec
from msgspec import Struct

from esdash.engine.projection import Projection
from esdash.engine.snapshots import snapshot
from esdash.fold import loading
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.fold.loading import DomainFileError
from esdash.fold.stored import Difference
from esdash.log.errors import LogError
from esdash.log.finding import server_of, stream_on
from esdash.log.reading.readahead import read_ahead
from esdash.log.snapshots import DamagedError, Header, SnapshotStore

DIFFERENCES: Final = 20
"""How many differing numbers are named."""

PROGRESS_SECONDS: Final = 0.1

ALIVE_SECONDS: Final = 1.0
"""How often a process says that it is there, whatever it does."""


class Task(Struct, frozen=True):
    """One segment, as its process is told."""

    url: str
    stream: str
    domain: str
    start: str | None
    """Snapshot id; None for the beginning of the stream."""
    unseen: int
    until: str
    end: str | None
    """Snapshot id to arrive at."""
    ahead: bool
    """Whether a core is free for a process that reads ahead."""
    archive: str = ""
    """The folder of the archive through which the stream is read; empty without one."""


class Report(Struct, frozen=True):
    """What a segment's process says: how far it is, and at the end what it found."""

    done: int
    digest: str | None = None
    ordinal: int = 0
    found: str | None = None
    """The digest of the state that is stored at the end, made anew; the header may say another."""
    differences: list[Difference] = []
    broken: list[str] = []
    """Names of the invariants that do not hold at the end, or cannot tell."""
    error: str = ""


def main() -> None:
    """The program of one segment: reads a task from standard input, writes reports as JSON lines."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    gc.disable()

    saying = threading.Lock()
    last = Report(0)

    def say(report: Report | None) -> None:
        """Write a report, or the last one once more."""
        nonlocal last
        with saying:
            last = report or last
            sys.stdout.buffer.write(msgspec.json.encode(last) + b"\n")
            sys.stdout.buffer.flush()

    def say_again() -> None:
        while not ended.wait(ALIVE_SECONDS):
            with suppress(BrokenPipeError):
                say(None)

    ended = threading.Event()
    threading.Thread(target=say_again, daemon=True).start()
    try:
        report = check_segment(task, loading.load(task.domain), lambda done: say(Report(done)))
        ended.set()
        say(report)
    except (LogError, DamagedError, DomainError, DomainFileError) as error:
        ended.set()
        say(Report(0, error=str(error)))
    except BrokenPipeError:
        # Whoever asked has gone.
        pass


def check_segment(task: Task, domain: Fold, progressed: Callable[[int], None]) -> Report:
    """Replay a segment and compare. Raises LogError, DamagedError, DomainError."""
    log = stream_on(server_of(task.url, task.stream), task.stream, task.archive)
    store = SnapshotStore(log)
    headers = {header.snapshot_id: header for header in store.offered() if isinstance(header, Header)}
    projection = Projection(domain, task.unseen)
    if task.start is not None:
        projection, _ = snapshot.load(_known(headers, task.start), store, domain, believe=True)
    started = projection.ordinal
    due = 0.0

    def advanced() -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due:
            due = now + PROGRESS_SECONDS
            progressed(projection.ordinal - started)

    until = task.until.encode()
    if task.ahead:
        for page in read_ahead(log, projection.last_id, until, domain.packing):
            projection.apply_ahead(page)
            advanced()
    for page in log.pages(projection.last_id, until):
        if page.entries:
            projection.apply(page.entries)
            advanced()
    digest = domain.digest(projection.state)
    report = Report(projection.ordinal - started, digest, projection.ordinal, broken=_broken(projection))
    if task.end is None:
        return report
    stored, _ = snapshot.load(_known(headers, task.end), store, domain, believe=True)
    found = domain.digest(stored.state)
    differences = domain.differences(projection.state, stored.state, DIFFERENCES) if found != digest else ()
    return msgspec.structs.replace(report, found=found, differences=list(differences))


def _broken(projection: Projection) -> list[str]:
    if not projection.domain.domain.invariants or not projection.ordinal:
        return []
    from esdash.engine.invariants.asked import unheld_in

    return unheld_in(projection.domain, projection.state)


def _known(headers: dict[str, Header], snapshot_id: str) -> Header:
    try:
        return headers[snapshot_id]
    except KeyError:
        raise DamagedError(f"snapshot {snapshot_id} was removed meanwhile") from None
