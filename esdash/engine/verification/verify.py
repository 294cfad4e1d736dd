"""Verification: a full replay compared with every stored snapshot on the way, and with the live state at the end.

The stream is cut at the snapshots. Each segment starts from the snapshot before it and must arrive at the one after it,
so segments are checked side by side, a process each. A flawed snapshot is found by the segment that leads to it.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import msgspec

from esdash.counted import counted
from esdash.engine.console import EngineError
from esdash.engine.moments.history import BrokenError
from esdash.engine.shown.verification import Segment, Verification
from esdash.engine.shown.view import Position, Verdict
from esdash.engine.snapshots import snapshot
from esdash.engine.verification.segment import Report, Task
from esdash.fold.folding import Fold
from esdash.log import child
from esdash.log.child import InterruptedWaitError, Pipe, SilentError
from esdash.log.continuity import Continuity, unseen_before
from esdash.log.snapshots import DamagedError, Header, SnapshotStore
from esdash.log.stream import Stream, id_parts

SILENCE: Final = 30.0
"""Seconds after which one that says nothing must be stopped, or stuck."""

_STOPPED: Final = "The verification was stopped."


def verify(
    log: Stream,
    domain: Fold,
    *,
    live: tuple[Position, str] | None = None,
    processes: int | None = None,
    on_progress: Callable[[int, int], object] = max,
    stop: threading.Event | None = None,
) -> Verification:
    """Replay the stream from the beginning and compare.

    `live` is a running consumer's position and digest. `on_progress` hears entries done and entries in all, from any
    thread. Raises LogError, and EngineError when it was stopped or continuity is broken.
    """
    begun = time.monotonic()
    stop = stop or threading.Event()
    facts = log.facts()
    damaged, skipped, headers = _sort_out(log, domain)
    unseen = headers[0].unseen if headers else unseen_before(facts)
    # From the beginning only when all that the first snapshot saw is still there.
    from_start = unseen_before(facts) == unseen
    if not from_start:
        _drop_unfounded(log, domain, headers, damaged)
    tasks, ends = _cut(log, domain, headers, from_start, unseen, live)
    total = sum(end.ordinal - start.ordinal for start, end, _ in ends)
    processes = processes or os.cpu_count() or 1
    done = [0] * len(tasks)

    def run(number: int) -> Report:
        def progressed(count: int) -> None:
            done[number] = count
            on_progress(sum(done), total)

        try:
            return check_apart(msgspec.structs.replace(tasks[number], ahead=len(tasks) < processes), progressed, stop)
        except BaseException as error:
            # One that fails ends the others; what they say then is not the reason.
            failures.append(error)
            stop.set()
            raise

    failures: list[BaseException] = []
    with ThreadPoolExecutor(processes, thread_name_prefix="verify") as pool:
        try:
            reports = list(pool.map(run, range(len(tasks))))
        except EngineError:
            raise failures[0] from None
        finally:
            stop.set()
    segments = []
    missing = 0 if from_start else headers[0].ordinal if headers else unseen
    for report, (start, end, found) in zip(reports, ends, strict=True):
        vanished = end.ordinal - report.ordinal
        if facts.entries_added is None and found is not None and vanished > 0:
            # The server could not tell that entries were trimmed or deleted; a replay without them proves nothing.
            missing += vanished
            if isinstance(found, Header):
                gone = counted(vanished, "entry before it is", "entries before it are")
                skipped.append((found.snapshot_id, f"{gone} not in the stream any more"))
            continue
        end_id = found.snapshot_id if isinstance(found, Header) else None
        found_digest = report.found if isinstance(found, Header) else found
        if isinstance(found, Header) and found.digest != report.digest:
            found_digest = found.digest
        arrived = Position(end.last_event_id, report.ordinal, unseen)
        segments.append(
            Segment(
                start,
                arrived,
                end_id,
                report.digest or "",
                found_digest,
                tuple(report.differences),
                tuple(report.broken),
            )
        )
    entries = sum(report.done for report in reports)
    return Verification(
        tuple(segments), tuple(damaged), tuple(skipped), missing + unseen, entries, time.monotonic() - begun
    )


def _sort_out(log: Stream, domain: Fold) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[Header]]:
    """Which snapshots cannot be believed, which say nothing here, and the others in the order of the stream."""
    damaged: list[tuple[str, str]] = []
    skipped: list[tuple[str, str]] = []
    good: list[Header] = []
    gap: Continuity | None = None
    store = SnapshotStore(log)
    headers = store.offered()
    if store.denial:
        skipped.append(("all of them", store.denial.rstrip(".")))
    for header in headers:
        if not isinstance(header, Header):
            damaged.append((header.snapshot_id, header.reason))
            continue
        if header.rules != (domain.name, domain.version):
            skipped.append((header.snapshot_id, "it was made by other rules"))
            continue
        found = store.continuity(header)
        if found.verdict is Verdict.GAP:
            # Trimming past a snapshot is fine as long as another one stands before what is left.
            gap = gap or found
            skipped.append((header.snapshot_id, "entries after it are not in the stream any more"))
            continue
        if found.verdict is Verdict.DIVERGED:
            skipped.append((header.snapshot_id, found.explanation))
        elif good and good[0].unseen != header.unseen:
            skipped.append((header.snapshot_id, "it began at another place of the stream"))
        else:
            try:
                snapshot.load(header, store, domain, believe=True)
            except DamagedError as error:
                damaged.append((header.snapshot_id, str(error)))
            else:
                good.append(header)
    if gap is not None and not good:
        raise BrokenError(gap, "Nothing can be verified")
    return damaged, skipped, good[::-1]


def _drop_unfounded(log: Stream, domain: Fold, headers: list[Header], damaged: list[tuple[str, str]]) -> None:
    """The snapshot that the replay starts from is checked by no segment: its own digest must hold."""
    while headers:
        try:
            snapshot.load(headers[0], SnapshotStore(log), domain)
        except DamagedError as error:
            damaged.append((headers.pop(0).snapshot_id, str(error)))
        else:
            return


def _cut(
    log: Stream,
    domain: Fold,
    headers: list[Header],
    from_start: bool,
    unseen: int,
    live: tuple[Position, str] | None,
) -> tuple[list[Task], list[tuple[Position, Position, Header | str | None]]]:
    """The segments: what their processes are told; and start, end and what should be found there."""
    tasks: list[Task] = []
    ends: list[tuple[Position, Position, Header | str | None]] = []
    start, start_id = Position(unseen=unseen), None
    remaining = list(headers)
    if not from_start and remaining:
        first = remaining.pop(0)
        start, start_id = Position(first.last_event_id, first.ordinal, unseen), first.snapshot_id

    def add(end: Position, end_id: str | None, found: Header | str | None) -> None:
        tasks.append(
            Task(
                url=log.server.url,
                stream=log.name,
                domain=domain.choice,
                start=start_id,
                unseen=unseen,
                until=end.last_event_id,
                end=end_id,
                archive=log.archive_root,
                ahead=False,
            )
        )
        ends.append((start, end, found))

    for header in remaining:
        end = Position(header.last_event_id, header.ordinal, unseen)
        add(end, header.snapshot_id, header)
        start, start_id = end, header.snapshot_id
    if live is not None:
        if id_parts(live[0].last_event_id) >= id_parts(start.last_event_id):
            add(live[0], None, live[1])
    else:
        facts = log.facts()
        if facts.entries_added is not None:
            newest = facts.entries_added - unseen
        else:
            more = id_parts(facts.last_id) > id_parts(start.last_event_id)
            newest = max(facts.length, start.ordinal + more)
        if newest > start.ordinal:
            add(Position(facts.last_id.decode(), newest, unseen), None, None)
    return tasks, ends


def check_apart(task: Task, progressed: Callable[[int], None], stop: threading.Event) -> Report:
    """Check a segment in a process of its own. The URL goes through a pipe, for it may hold a password."""
    if stop.is_set():
        raise EngineError(_STOPPED)
    report = Report(0, error="its process ended unexpectedly")
    try:
        process = child.start("esdash.engine.verification.segment:main", stdin=subprocess.PIPE)
    except OSError as error:
        told = f"A segment could not be verified: its process cannot be started: {error.strerror}."
        raise EngineError(told) from error
    with process:
        assert process.stdin is not None
        # A process that died at once has no use for its task, and its end says so.
        with suppress(BrokenPipeError):
            process.stdin.write(msgspec.json.encode(task))
            process.stdin.close()
        try:
            for line in Pipe(process.stdout, SILENCE, stop.is_set).lines():
                report = msgspec.json.decode(line, type=Report)
                progressed(report.done)
                if stop.is_set():
                    raise InterruptedWaitError
        except InterruptedWaitError:
            raise EngineError(_STOPPED) from None
        except SilentError:
            raise EngineError(
                "A segment could not be verified: its process does nothing any more. Look whether it was stopped."
            ) from None
        finally:
            process.kill()
    if report.digest is None:
        reason = report.error.rstrip(".") or "its process ended unexpectedly"
        raise EngineError(f"A segment could not be verified: {reason}.")
    return report
