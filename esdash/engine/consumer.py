"""The consumer: restore, replay, follow; one thread that owns the state (DESIGN.md, Phases of the consumer)."""

import gc
import queue
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, Generic, NoReturn

from esdash.engine import snapshot
from esdash.engine.console import EngineError
from esdash.engine.domain import Domain, Entry, Row, State
from esdash.engine.meter import RateMeter
from esdash.engine.parked import ParkedEntries
from esdash.engine.projection import Projection
from esdash.engine.rows import RecentRows
from esdash.engine.snapshotter import Snapshotter
from esdash.engine.view import (
    Continuity,
    Notice,
    Phase,
    Position,
    Progress,
    Restored,
    Rung,
    Verdict,
    View,
)
from esdash.log.continuity import check, nothing_vanished
from esdash.log.errors import LogError
from esdash.log.readahead import read_ahead
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Follower, Log, StreamFacts, id_parts

VIEW_SECONDS: Final = 0.1
"""A new view is published at most this often."""

IDLE_SECONDS: Final = 0.1
"""How long one read waits for new entries; what a person asks for is done after it at the latest."""

CHECK_SECONDS: Final = 5.0
"""Between two full continuity checks."""

RETRY_SECONDS: Final = (0.25, 10.0)
"""First and longest wait before connecting again; it doubles, and half of it is drawn by lot."""

NOTICES: Final = 20

FAR: Final = 50_000
"""Entries behind from which a second process pays: it takes about a tenth of a second to start."""


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """How a consumer works."""

    snapshot_seconds: float = 30.0
    """Between two periodic snapshots, when something changed; 0 takes none by itself."""
    write_snapshots: bool = True
    """False: none at all."""
    ignore_snapshots: bool = False
    """Start from the beginning of the stream."""
    readonly: bool = False
    """Write nothing to the server."""
    once: bool = False
    """Return when caught up, and raise what goes wrong instead of trying again."""


_Request = str | Future[tuple[Position, str]]


class _Stop(BaseException):
    """The consumer was asked to end."""


class _Restart(BaseException):
    """The memory was dropped on purpose."""


class HaltError(Exception):
    """Continuity is broken: nothing may be applied until a person chooses."""

    def __init__(self, continuity: Continuity) -> None:
        super().__init__(continuity.explanation)
        self.continuity = continuity


class DivergedError(Exception):
    """The log is not the one that the state was made from."""

    def __init__(self, continuity: Continuity) -> None:
        super().__init__(continuity.explanation)
        self.continuity = continuity


class Consumer(Generic[State]):
    """Folds one stream into a state and publishes views of it.

    `run` belongs to one thread. Other threads read `view` and call `ask`.
    """

    def __init__(
        self,
        log: Log,
        domain: Domain[State],
        settings: ConsumerSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`clock` and `wall_clock` give seconds; `chance` gives numbers in 0…1 for the jitter."""
        self._log = log
        self._domain = domain
        self._settings = settings or ConsumerSettings()
        self._store = SnapshotStore(log)
        self._clock = clock
        self._wall_clock = wall_clock
        self._chance = chance
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._projection: Projection[State] | None = None
        self._ignore_snapshots = self._settings.ignore_snapshots
        self._failures = 0
        self._meter = RateMeter(clock)
        self._suspects: dict[bytes, Row] = {}
        self._orphans: tuple[Row, ...] = ()
        self._forget()
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._noticed = 0
        self.view = View(
            number=0,
            phase=Phase.CONNECTING,
            phase_note="",
            phase_since=clock(),
            retry_at=None,
            server=log.server_name,
            stream=log.stream,
            readonly=self._settings.readonly,
            position=Position(),
            state_position=Position(),
            lag=0,
            rate=0.0,
            rates=self._meter.history(),
            progress=None,
            restored=None,
            snapshot=None,
            snapshot_note="",
            continuity=None,
            rows=(),
            orphans=(),
            state=None,
            notices=(),
        )
        """The newest picture; replaced as a whole."""

    def _forget(self) -> None:
        self._phase = Phase.CONNECTING
        self._phase_note = ""
        self._phase_since = self._clock()
        self._retry_at: float | None = None
        self._server = self._log.server_name
        self._lag = 0
        self._progress: Progress | None = None
        self._restored: Restored | None = None
        self._snapshots: Snapshotter[State] = Snapshotter(
            self._store,
            self._settings.snapshot_seconds if self._may_write() else 0,
            self._notify,
            clock=self._clock,
            wall_clock=self._wall_clock,
        )
        self._continuity: Continuity | None = None
        self._viewer = self._domain.viewer()
        self._rows = RecentRows()
        self._parked = ParkedEntries(self._domain)
        self._view_due = 0.0
        self._shown: object = None
        self._state_view: Any = None
        self._state_due = 0.0
        self._state_position = Position()

    @property
    def projection(self) -> Projection[State] | None:
        """The state and its position; for the thread that runs the consumer, or after it ended."""
        return self._projection

    def ask(self, request: str) -> None:
        """Have something done between two pages: `snapshot`, `crash`, `rebuild`, `stay` or `stop`."""
        self._requests.put(request)

    def checkpoint(self) -> "Future[tuple[Position, str]]":
        """The position and the digest of the state there, made between two pages; EngineError where there is none."""
        answer: Future[tuple[Position, str]] = Future()
        self._requests.put(answer)
        return answer

    def run(self) -> None:
        """Consume until asked to stop.

        With `once`, returns when caught up, and raises LogError, HaltError; otherwise goes on whatever happens.
        """
        while True:
            try:
                self._change_phase(Phase.CONNECTING)
                self._connect()
                self._consume()
                return
            except _Stop:
                self._say_farewell()
                return
            except _Restart:
                self._failures = 0
            except (HaltError, DivergedError, LogError) as error:
                try:
                    self._recover(error)
                except _Stop:
                    self._change_phase(Phase.STOPPED)
                    return
                except _Restart:
                    self._failures = 0

    def _recover(self, error: HaltError | DivergedError | LogError) -> None:
        """Do what lets the next attempt succeed. With `once`, raises what the caller must deal with."""
        self._failures += 1
        if isinstance(error, DivergedError):
            self._heal(error.continuity)
            if self._failures > 1:
                # A log that is another one at every look, as behind a proxy that points now here, now there.
                if self._settings.once:
                    raise LogError(str(error)) from error
                self._wait_for_server(str(error), self._failures - 1)
        elif self._settings.once:
            raise error
        elif isinstance(error, HaltError):
            self._halt(error.continuity)
        else:
            self._wait_for_server(str(error), self._failures)

    # Phases

    def _connect(self) -> None:
        self._log.locate()
        facts = self._log.server()
        self._server = f"{self._log.server_name} · {facts.product} {facts.version}"

    def _consume(self) -> None:
        projection = self._projection
        if projection is None:
            projection = self._restore()
        else:
            self._continuity = self._judged(self._check(projection))
        self._replay(projection)
        if self._settings.once:
            self._change_phase(Phase.LIVE)
            self._say_farewell()
            return
        self._follow(projection)

    def _restore(self) -> Projection[State]:
        self._restored = Restored(())
        self._change_phase(Phase.RESTORING)

        def tried(rungs: tuple[Rung, ...]) -> None:
            self._restored = Restored(rungs)
            self._publish(force=True)

        restoration = snapshot.restore(
            self._log,
            self._store,
            self._domain,
            ignore_snapshots=self._ignore_snapshots,
            clock=self._clock,
            on_rung=tried,
        )
        self._ignore_snapshots = False
        projection = self._projection = restoration.projection
        self._viewer = self._domain.viewer()
        self._restored = Restored(
            restoration.rungs,
            restoration.header.snapshot_id if restoration.header else None,
            projection.position,
            restoration.seconds,
        )
        self._continuity = restoration.continuity
        self._snapshots.restored(projection.ordinal)
        if projection.ordinal:
            entries = self._log.newest(projection.last_id, snapshot.JOURNAL)
            rows = self._rows.recall(entries, restoration.journal.recent, projection.ordinal)
            self._viewer.observe(projection.state, rows)
            self._parked.recall(self._log, restoration.journal.parked)
        self._find_orphans()
        self._judged(restoration.continuity)
        return projection

    def _replay(self, projection: Projection[State]) -> None:
        self._change_phase(Phase.REPLAYING)
        started, begun = projection.ordinal, self._clock()
        restored = self._restored or Restored((), None, projection.position)
        # The collector finds nothing in a fold and takes a fifth of its time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for facts in chain(self._replay_far(projection), self._replay_near(projection)):
                self._obey()
                self._lag = self._lag_of(projection, facts)
                done = projection.ordinal - started
                elapsed = self._clock() - begun
                rate = done / elapsed if elapsed > 0 else 0.0
                self._progress = Progress(done, done + self._lag, rate, self._lag / rate if rate else None)
                self._publish()
        finally:
            self._progress = None
            if collecting:
                gc.enable()
        if not restored.done:
            self._restored = replace(
                restored,
                replayed=projection.ordinal - restored.position.ordinal,
                replay_seconds=self._clock() - begun,
                done=True,
            )

    def _replay_far(self, projection: Projection[State]) -> Iterator[StreamFacts]:
        """A long way with a second process that reads and packs; up to the last entries, which a screen shows."""
        if self._lag_of(projection, self._log.facts()) < FAR:
            return
        newest = self._log.newest()
        if not newest:
            return
        for frame in read_ahead(self._log, projection.last_id, newest[0][0], self._domain.packing):
            facts = frame.facts()
            self._guard(projection, facts, frame.count, frame.last_entry[0])
            first, after, last = projection.ordinal + 1, projection.last_id, frame.last_entry
            self._parked.add_unseen(first, after, last[0], projection.apply_packed(frame.packed, last))
            self._meter.add(frame.count)
            yield facts
        self._parked.find(self._log)

    def _replay_near(self, projection: Projection[State]) -> Iterator[StreamFacts]:
        for page, facts in self._log.pages(projection.last_id):
            self._guard(projection, facts, len(page), page[-1][0] if page else projection.last_id)
            if page:
                self._apply(projection, page)
            yield facts

    def _follow(self, projection: Projection[State]) -> None:
        self._change_phase(Phase.LIVE)
        check_at = self._clock() + CHECK_SECONDS
        with self._log.connection() as connection:
            follower = Follower(self._log, connection)
            wait = IDLE_SECONDS
            while True:
                self._obey()
                page, facts = follower.next(projection.last_id, wait)
                self._failures = 0
                self._guard(projection, facts, len(page), page[-1][0] if page else projection.last_id)
                if page:
                    self._apply(projection, page)
                self._lag = self._lag_of(projection, facts)
                now = self._clock()
                if now >= check_at:
                    check_at = now + CHECK_SECONDS
                    self._continuity = self._judged(self._check(projection))
                self._snapshots.tick(projection, self._journal)
                self._publish()
                # A page that waits to be shown must not wait for the next entry.
                wait = max(0.001, min(IDLE_SECONDS, self._view_due - now)) if self._rows.waiting else IDLE_SECONDS

    def _halt(self, continuity: Continuity) -> NoReturn:
        self._continuity = continuity
        self._change_phase(Phase.HALTED, continuity.explanation)
        while True:
            self._obey(self._requests.get())
            self._publish(force=True)

    def _wait_for_server(self, reason: str, failures: int) -> None:
        first, longest = RETRY_SECONDS
        delay = min(longest, first * 2 ** min(failures - 1, 10))
        delay *= 0.5 + self._chance() / 2
        self._retry_at = self._clock() + delay
        if self._phase is Phase.DISCONNECTED:
            self._phase_note = reason
            self._publish(force=True)
        else:
            self._change_phase(Phase.DISCONNECTED, reason)
        try:
            while (left := self._retry_at - self._clock()) > 0:
                try:
                    self._obey(self._requests.get(timeout=left))
                    self._publish(force=True)
                except queue.Empty:
                    break
        finally:
            self._retry_at = None

    def _heal(self, continuity: Continuity) -> None:
        """Back to the newest snapshot that the log still contains; what was applied after it may be orphaned."""
        self._settle_rows()
        self._suspects.update((row.entry_id, row) for row in self._rows.window())
        self._notify("warning", f"{continuity.explanation} Going back to the newest snapshot that still fits.")
        self._drop_memory()

    # Between two pages

    def _answer(self, request: "Future[tuple[Position, str]]") -> None:
        projection = self._projection
        if projection is None or self._snapshots.forked:
            request.set_exception(EngineError("The state cannot be looked at just now. Try again in a moment."))
        else:
            request.set_result((projection.position, self._domain.digest(projection.state)))

    def _obey(self, request: "_Request | None" = None) -> None:
        while True:
            if request is None:
                try:
                    request = self._requests.get_nowait()
                except queue.Empty:
                    return
            if isinstance(request, Future):
                self._answer(request)
            elif request == "stop":
                raise _Stop
            elif request == "crash":
                self._drop_memory()
                raise _Restart
            elif request == "rebuild":
                self._drop_memory()
                self._ignore_snapshots = True
                raise _Restart
            elif request == "snapshot":
                self._take_asked_snapshot()
            elif request == "stay" and self._phase is Phase.HALTED:
                self._notify("information", "Staying on the last good state; nothing is applied or published.")
                self._publish(force=True)
            request = None

    def _apply(self, projection: Projection[State], page: list[Entry]) -> None:
        first = projection.ordinal + 1
        codes = projection.apply(page)
        self._meter.add(len(page))
        self._rows.add(first, page, codes)
        self._parked.add(first, page, codes)

    def _guard(self, projection: Projection[State], facts: StreamFacts, count: int, end: bytes) -> None:
        """Let a page of `count` entries be applied only when nothing vanished between the position and its end."""
        if nothing_vanished(facts, projection.last_id, projection.ordinal, projection.unseen, count, end):
            return
        if facts.entries_added is None and id_parts(facts.last_id) >= id_parts(projection.last_id):
            return
        if count:
            # Trimmed since it was read, the page may be whole all the same: then the count after it is right.
            continuity = check(self._log, end, projection.ordinal + count, projection.unseen, None, exact=True)
            if continuity.verdict is Verdict.GAP and not self._attaching(projection):
                continuity = self._check(projection)
        else:
            continuity = self._check(projection)
        if continuity.verdict is Verdict.GAP and self._attaching(projection):
            # What left the stream between the first look at it and the first page was never there to be missed.
            projection.unseen += continuity.missing
            self._continuity = Continuity(Verdict.CONTINUOUS, unseen_before_start=projection.unseen)
            return
        self._judged(continuity)

    def _attaching(self, projection: Projection[State]) -> bool:
        return projection.ordinal == 0 and self._phase is Phase.REPLAYING

    def _check(self, projection: Projection[State]) -> Continuity:
        return check(self._log, projection.last_id, projection.ordinal, projection.unseen, projection.anchor)

    def _judged(self, continuity: Continuity) -> Continuity:
        if continuity.verdict is Verdict.GAP:
            raise HaltError(continuity)
        if continuity.verdict is Verdict.DIVERGED:
            raise DivergedError(continuity)
        return continuity

    def _lag_of(self, projection: Projection[State], facts: StreamFacts) -> int:
        if facts.entries_added is None:
            return 0 if facts.last_id == projection.last_id else max(0, facts.length - projection.ordinal)
        return max(0, facts.entries_added - projection.unseen - projection.ordinal)

    def _find_orphans(self) -> None:
        """Of the entries that had been applied when the log diverged, those that are gone."""
        if not self._suspects:
            return
        gone, still_gone = self._gone(self._suspects.values()), self._gone(self._orphans)
        self._suspects.clear()
        self._orphans = (*still_gone, *gone)
        if gone:
            self._notify(
                "warning",
                f"{len(gone):,} {'entry' if len(gone) == 1 else 'entries'} had been applied and "
                f"{'is' if len(gone) == 1 else 'are'} gone from the log.",
            )

    def _gone(self, rows: Iterable[Row]) -> list[Row]:
        rows = list(rows)
        found = self._log.entries([row.entry_id for row in rows])
        return [row for row, entry in zip(rows, found, strict=True) if entry is None or entry[1] != row.fields]

    # Snapshots

    def _may_write(self) -> bool:
        return self._settings.write_snapshots and not self._settings.readonly

    def _take_asked_snapshot(self) -> None:
        if not self._may_write():
            self._notify("warning", "No snapshot: this consumer writes none.")
        elif self._projection is None or self._phase is not Phase.LIVE:
            self._notify("warning", f"No snapshot: the consumer is {self._phase}, not live.")
        else:
            self._snapshots.take(self._projection, self._journal)

    def _journal(self) -> snapshot.Journal:
        self._settle_rows()
        rows = self._rows.window()[-snapshot.JOURNAL :]
        recent = [(row.entry_id, row.code) for row in rows if row.code is not None]
        return snapshot.Journal(recent, self._parked.marks())

    def _say_farewell(self) -> None:
        """A last snapshot, when the state is sound and has changed."""
        try:
            if self._projection is not None:
                self._snapshots.settle(self._projection)
                if self._phase is Phase.LIVE and self._may_write():
                    self._snapshots.farewell(self._projection, self._journal)
        except LogError as error:
            self._notify("warning", f"No farewell snapshot: {error}")
        self._change_phase(Phase.STOPPED)

    # Views

    def _drop_memory(self) -> None:
        self._projection = None
        self._forget()

    def _notify(self, severity: str, text: str) -> None:
        self._noticed += 1
        self._notices.append(Notice(self._noticed, severity, text))

    def _change_phase(self, phase: Phase, note: str = "") -> None:
        if phase is not self._phase:
            self._phase_since = self._clock()
        self._phase, self._phase_note = phase, note
        self._publish(force=True)

    def _appearance(self) -> object:
        """Everything a view shows, cheap to compare."""
        return (
            self._phase,
            self._phase_note,
            self._retry_at,
            self._server,
            self._projection.position if self._projection else Position(),
            self._lag,
            self._meter.history(),
            self._restored,
            self._snapshots.newest,
            self._snapshots.note,
            self._continuity,
            self._noticed,
            self._orphans,
        )

    def _settle_rows(self) -> None:
        rows = self._rows.settle()
        if rows and self._projection is not None:
            self._viewer.observe(self._projection.state, rows)

    def _publish(self, *, force: bool = False) -> None:
        now = self._clock()
        if now < self._view_due and not force:
            return
        self._view_due = now + VIEW_SECONDS
        projection = self._projection
        position = projection.position if projection else Position()
        look_again = (
            projection is not None
            and (self._state_view is None or position != self._state_position)
            and not self._snapshots.forked
            and now >= self._state_due
        )
        appearance = self._appearance()
        if appearance == self._shown and not look_again and not force:
            return
        self._shown = appearance
        self._settle_rows()
        if projection is None:
            self._state_view = None
        elif look_again:
            self._state_view = self._viewer.view(projection.state)
            self._state_position = position
            # A picture of a huge state takes long: all of them together may take a tenth of the time.
            self._state_due = now + (self._clock() - now) * 10
        self.view = View(
            number=self.view.number + 1,
            phase=self._phase,
            phase_note=self._phase_note,
            phase_since=self._phase_since,
            retry_at=self._retry_at,
            server=self._server,
            stream=self._log.stream,
            readonly=self._settings.readonly,
            position=position,
            state_position=self._state_position,
            lag=self._lag,
            rate=self._meter.rate(),
            rates=self._meter.history(),
            progress=self._progress,
            restored=self._restored,
            snapshot=self._snapshots.newest,
            snapshot_note=self._snapshots.note,
            continuity=self._continuity,
            rows=self._rows.window(),
            orphans=self._orphans,
            state=self._state_view,
            notices=tuple(self._notices),
            parked=self._parked.rows(),
        )
