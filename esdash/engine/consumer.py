"""The consumer: restore, replay, follow; one thread that owns the state (DESIGN.md, Phases of the consumer)."""

import gc
import queue
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, NamedTuple, NoReturn

from esdash.counted import counted
from esdash.engine import snapshot
from esdash.engine.console import EngineError
from esdash.engine.corrections import noting
from esdash.engine.display import Display
from esdash.engine.guard import DivergedError, HaltError, check_page, check_position, forgotten_by, unbroken
from esdash.engine.kept import is_same
from esdash.engine.orphans import Trail, Way, mark_of, orphans_of, way_of
from esdash.engine.projection import Projection, blaming
from esdash.engine.row import Row
from esdash.engine.snapshotter import Snapshotter
from esdash.engine.view import Continuity, Phase, Position, Progress, Restored, Rung, Verdict, View
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold, Told
from esdash.log.errors import LogError, UnreadableReplyError
from esdash.log.follower import Follower
from esdash.log.headers import Header
from esdash.log.pages import Page
from esdash.log.readahead import PackedPage, read_ahead
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Log, StreamFacts

IDLE_SECONDS: Final = 0.1
"""How long one read waits for new entries; what a person asks for is done after it at the latest."""

RETRY_SECONDS: Final = (0.25, 10.0)
"""First and longest wait before connecting again; it doubles, and half of it is drawn by lot."""

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
    watched: bool = True
    """Whether somebody looks at the state: views have pictures of it."""
    once: bool = False
    """Return when caught up, and raise what goes wrong instead of trying again."""


class _Anew(NamedTuple):
    """Asks for the state to be restored anew."""

    why: str


_Request = str | Fold | _Anew | Future[tuple[Position, str]]


class _Stop(BaseException):
    """The consumer was asked to end."""


class _Restart(BaseException):
    """The memory was dropped on purpose."""


class Consumer:
    """Folds one stream into a state and publishes views of it.

    `run` belongs to one thread. Other threads read `view` and call `ask`.
    """

    def __init__(
        self,
        log: Log,
        domain: Fold,
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
        self.on_view: Callable[[], object] = int
        """Called after each new view, in the thread that runs the consumer."""
        self.on_edited: Callable[[], object] = int
        """Called there when it is live with a state whose snapshot was made by another source of the same version."""
        self._edited = False
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._projection: Projection | None = None
        self._ignore_snapshots = self._settings.ignore_snapshots
        self._agreed_to_forget = False
        self._failures = 0
        self._replays_far = True
        """Whether a long way is left to a second process; no more when a function of the domain failed on it."""
        self._trail = Trail()
        self._former: Way | None = None
        self._display = Display(
            domain, log.server_name, log.stream, self._settings.readonly, clock, watched=self._settings.watched
        )
        self._snapshots = self._new_snapshotter()

    def _new_snapshotter(self) -> Snapshotter:
        return Snapshotter(
            self._store,
            self._settings.snapshot_seconds if self._may_write() else 0,
            self._display.notify,
            clock=self._clock,
            wall_clock=self._wall_clock,
        )

    @property
    def view(self) -> View:
        """The newest picture; for any thread."""
        return self._display.view

    @property
    def projection(self) -> Projection | None:
        """The state and its position; for the thread that runs the consumer, or after it ended."""
        return self._projection

    def ask(self, request: str) -> None:
        """Have something done between two pages: `snapshot`, `crash`, `rebuild`, `stay`, `reviewed` or `stop`."""
        self._requests.put(request)

    def restore_anew(self, why: str) -> None:
        """Restore the state once more, from another snapshot than before; `why` is told, a sentence."""
        self._requests.put(_Anew(why))

    def reload(self, fold: Fold) -> None:
        """Go on with other rules, from the newest snapshot that they can use."""
        self._requests.put(fold)

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
                if not self._failures:
                    self._change_phase(Phase.CONNECTING)
                self._connect()
                self._consume()
                return
            except _Stop:
                self._say_farewell()
                return
            except _Restart:
                self._failures = 0
            except DomainError as error:
                try:
                    self._stop_before(error)
                except _Stop:
                    self._change_phase(Phase.STOPPED)
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
        elif isinstance(error, HaltError) and self._nothing_applied():
            # A log that came to where there was none before: a snapshot may have seen what is missing.
            self._drop_memory()
        elif self._settings.once:
            if isinstance(error, HaltError):
                self._display.continuity = error.continuity
                self._publish(force=True)
            raise error
        elif isinstance(error, HaltError):
            self._halt(error.continuity)
        else:
            self._wait_for_server(str(error), self._failures)

    def _stop_before(self, error: DomainError) -> None:
        """Halt before an entry on which a function of the domain failed."""
        if error.spoiled:
            # The state is half of what that entry does; from here on every write is checked and can be undone, and
            # pages come as they are.
            self._replays_far = False
            self._drop_memory()
            raise _Restart
        if self._projection is not None:
            self._keep_last_good_state(self._projection)
        if not self._settings.watched or self._settings.once:
            raise error
        self._wait_halted(str(error))

    def _nothing_applied(self) -> bool:
        return self._display.phase is Phase.LIVE and self._projection is not None and self._projection.ordinal == 0

    # Phases

    def _connect(self) -> None:
        self._log.locate()
        facts = self._log.server()
        self._display.server = f"{self._log.server_name} · {facts.product} {facts.version}"

    def _consume(self) -> None:
        projection = self._projection
        if projection is None:
            projection = self._restore()
        else:
            self._display.continuity = unbroken(check_position(self._log, projection))
        self._replay(projection)
        if self._settings.once:
            self._change_phase(Phase.LIVE)
            self._say_farewell()
            return
        self._follow(projection)

    def _restore(self) -> Projection:
        display = self._display
        display.restored = Restored(())
        self._change_phase(Phase.RESTORING)

        def tried(rungs: tuple[Rung, ...]) -> None:
            display.restored = Restored(rungs)
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
        self._edited = display.edited = restoration.edited()
        projection = restoration.projection
        self._agreed_to_forget = restoration.header is None and projection.confirmed > 0
        display.restored = Restored(
            restoration.rungs,
            restoration.header.snapshot_id if restoration.header else None,
            projection.position,
            restoration.seconds,
        )
        display.continuity = restoration.continuity
        display.forgotten = forgotten_by(projection, self._log.evidence(projection.last_id))
        self._snapshots.restored(projection.ordinal)
        if projection.ordinal:
            display.recall(self._log, projection, restoration.journal)
        self._find_orphans(projection, restoration.foreign)
        # Only now, so that what could not be shown for want of a connection is not left out at the next attempt.
        self._projection = projection
        self._publish(force=True)
        unbroken(restoration.continuity)
        return projection

    def _replay(self, projection: Projection) -> None:
        self._change_phase(Phase.REPLAYING)
        started, begun = projection.ordinal, self._clock()
        display = self._display
        restored = display.restored or Restored((), None, projection.position)
        # The collector finds nothing in a fold and takes a fifth of its time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for page in chain(self._replay_far(projection), self._replay_near(projection)):
                self._obey()
                lag = display.lag = self._lag_of(projection, page.evidence.facts)
                done = projection.ordinal - started
                elapsed = self._clock() - begun
                rate = done / elapsed if elapsed > 0 else 0.0
                display.progress = Progress(done, done + lag, rate, lag / rate if rate else None)
                # A replay may take longer than the time between two snapshots, or never catch up.
                self._snapshots.tick(projection, lambda: display.journal(projection))
                self._publish()
        finally:
            display.progress = None
            if collecting:
                gc.enable()
        if not restored.done:
            display.restored = replace(
                restored,
                replayed=projection.ordinal - restored.position.ordinal,
                replay_seconds=self._clock() - begun,
                done=True,
            )

    def _replay_far(self, projection: Projection) -> Iterator[Page | PackedPage]:
        """A long way with a second process that reads and packs; up to the last entries, which a screen shows."""
        if not self._replays_far or self._lag_of(projection, self._log.facts()) < FAR or self._display.orphans:
            # Whether orphans are in the log again is told by the keys that they had, which the other process ignores.
            return
        newest = self._log.newest()
        if not newest:
            return
        pages = read_ahead(
            self._log,
            projection.last_id,
            newest[0][0],
            self._domain.packing,
            noting(self._domain),
            interrupted=lambda: not self._requests.empty(),
        )
        for page in pages:
            first, after = projection.ordinal + 1, projection.last_id
            self._guard(projection, page)
            with self._forgetting_nonsense(page.entries if isinstance(page, Page) else ()):
                self._display.applied_ahead(first, after, page, projection.apply_ahead(page))
            yield page
        self._display.parked.find(self._log)

    def _replay_near(self, projection: Projection) -> Iterator[Page]:
        for page in self._log.pages(projection.last_id):
            self._guard(projection, page)
            self._apply(projection, page)
            yield page

    def _follow(self, projection: Projection) -> None:
        self._change_phase(Phase.LIVE)
        if self._agreed_to_forget:
            # Or the next start would find the snapshots from before the gap, and halt at it again.
            self._agreed_to_forget = False
            self._take_asked_snapshot()
        if self._edited:
            self._edited = False
            self.on_edited()
        with self._log.connection() as connection:
            follower = Follower(self._log, connection)
            wait = IDLE_SECONDS
            while True:
                self._obey()
                page = follower.next(projection.last_id, wait)
                self._failures = 0
                self._guard(projection, page)
                self._apply(projection, page)
                self._display.lag = self._lag_of(projection, page.evidence.facts)
                self._snapshots.tick(projection, lambda: self._display.journal(projection))
                self._publish()
                wait = self._display.seconds_to_show(IDLE_SECONDS)

    def _halt(self, continuity: Continuity) -> NoReturn:
        if self._projection is not None:
            self._keep_last_good_state(self._projection)
            with suppress(LogError):  # how many wait is worth no more than what was known before
                self._display.lag = self._lag_of(self._projection, self._log.facts(), continuity)
        self._display.continuity = continuity
        self._wait_halted(continuity.explanation)

    def _wait_halted(self, why: str) -> NoReturn:
        self._change_phase(Phase.HALTED, why)
        while True:
            self._obey(self._requests.get())
            self._publish(force=True)

    def _wait_for_server(self, reason: str, failures: int) -> None:
        first, longest = RETRY_SECONDS
        delay = min(longest, first * 2 ** min(failures - 1, 10))
        delay *= 0.5 + self._chance() / 2
        self._display.retry_at = retry_at = self._clock() + delay
        self._change_phase(Phase.DISCONNECTED, reason)
        try:
            while (left := retry_at - self._clock()) > 0:
                try:
                    self._obey(self._requests.get(timeout=left))
                    self._publish(force=True)
                except queue.Empty:
                    break
        finally:
            self._display.retry_at = None

    def _heal(self, continuity: Continuity) -> None:
        """Back to the newest snapshot that the log still contains; what was applied after it may be orphaned."""
        if self._projection is not None and self._former is None:
            rows = self._display.rows(self._projection)
            self._former = Way(self._trail, mark_of(self._projection), max(0, self._projection.unseen), rows)
        self._display.notify("warning", f"{continuity.explanation} Going back to the newest snapshot that still fits.")
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
            elif isinstance(request, _Anew):
                self._display.notify("warning", request.why)
                self._drop_memory()
                raise _Restart
            elif request == "reviewed":
                self._display.edited = False
                self._publish(force=True)
            elif isinstance(request, Fold):
                self._domain = request
                self._display.domain = request
                self._replays_far = True
                self._drop_memory()
                raise _Restart
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
            elif request == "stay" and self._display.phase is Phase.HALTED:
                self._display.notify("information", "Staying on the last good state; nothing is applied or published.")
                self._publish(force=True)
            request = None

    def _apply(self, projection: Projection, page: Page) -> None:
        if page.entries:
            first = projection.ordinal + 1
            told: list[Told] | None = [] if self._settings.watched else None
            with self._forgetting_nonsense(page.entries):
                try:
                    codes = projection.apply(page.entries, told)
                except DomainError as error:
                    self._display.applied(first, page.entries[: len(error.codes)], error.codes, told)
                    raise
                self._display.applied(first, page.entries, codes, told)

    @contextmanager
    def _forgetting_nonsense(self, page: Sequence[Entry]) -> Iterator[None]:
        """Drop a state to which something was applied that is no entry, which is found out too late now and then."""
        try:
            with blaming(page):
                yield
        except UnreadableReplyError:
            self._drop_memory()
            raise

    def _guard(self, projection: Projection, page: Page | PackedPage) -> None:
        """Let a page be applied only when nothing vanished before its end, and it follows what was applied."""
        found = check_page(self._log, projection, page)
        if projection.ordinal:
            self._trail.leave(mark_of(projection))
        if found.verdict is Verdict.GAP and projection.ordinal == 0 and self._display.phase is Phase.REPLAYING:
            # What left the stream between the first look at it and the first page was never there to be missed.
            projection.unseen += found.missing
            found = Continuity(Verdict.CONTINUOUS, unseen_before_start=projection.unseen)
        self._display.continuity = unbroken(found)
        self._display.forgotten = forgotten_by(projection, page.evidence)

    def _lag_of(self, projection: Projection, facts: StreamFacts, gap: Continuity | None = None) -> int:
        """Entries after the position; what vanished in a gap is none."""
        if facts.entries_added is None:
            return 0 if facts.last_id == projection.last_id else max(0, facts.length - projection.ordinal)
        not_there = gap.unseen_before_start + gap.missing if gap else projection.unseen
        return max(0, facts.entries_added - not_there - projection.ordinal)

    def _find_orphans(self, projection: Projection, foreign: Sequence[Header]) -> None:
        """Of the entries that had been applied when the log diverged, those that are gone.

        What another consumer had applied is told by the snapshots that do not fit the log any more.
        """
        former = self._former or way_of(foreign)
        if former is None:
            return
        gone = orphans_of(former, self._log, mark_of(projection))
        still_gone = self._gone(self._display.orphans)
        unlisted = self._display.orphans_gone - len(self._display.orphans) if still_gone else 0
        self._former = None
        self._display.orphans = (*still_gone, *gone.known)
        self._display.orphans_gone = len(still_gone) + unlisted + gone.count
        if gone.count:
            self._display.notify(
                "warning",
                f"{counted(gone.count, 'entry', 'entries')} had been applied and "
                f"{'is' if gone.count == 1 else 'are'} gone from the log.",
            )

    def _gone(self, rows: Iterable[Row]) -> list[Row]:
        rows = list(rows)
        found = self._log.entries([row.entry_id for row in rows])
        return [row for row, entry in zip(rows, found, strict=True) if entry is None or not is_same(row, entry)]

    # Snapshots

    def _may_write(self) -> bool:
        return self._settings.write_snapshots and not self._settings.readonly

    def _take_asked_snapshot(self) -> None:
        if not self._may_write():
            self._display.notify("warning", "No snapshot: this consumer writes none.")
        elif self._projection is None or self._display.phase is not Phase.LIVE:
            self._display.notify("warning", f"No snapshot: the consumer is {self._display.phase}, not live.")
        else:
            projection = self._projection
            self._snapshots.take(projection, lambda: self._display.journal(projection))

    def _keep_last_good_state(self, projection: Projection) -> None:
        """When halting: what was applied since the last snapshot may be gone from the stream, and so never replayed."""
        try:
            self._snapshots.settle(projection)
            if self._may_write():
                self._snapshots.farewell(projection, lambda: self._display.journal(projection))
        except LogError as error:
            self._display.notify("warning", f"The last good state could not be stored: {error}")

    def _say_farewell(self) -> None:
        """A last snapshot, when the state is sound and has changed."""
        try:
            projection = self._projection
            if projection is not None:
                self._snapshots.settle(projection)
                if self._display.phase is Phase.LIVE and self._may_write():
                    self._snapshots.farewell(projection, lambda: self._display.journal(projection))
        except LogError as error:
            self._display.notify("warning", f"No farewell snapshot: {error}")
        self._change_phase(Phase.STOPPED)

    # What is shown

    def _drop_memory(self) -> None:
        self._projection = None
        self._trail = Trail()
        self._display.forget()
        self._snapshots = self._new_snapshotter()

    def _change_phase(self, phase: Phase, note: str = "") -> None:
        self._display.enter(phase, note)
        self._publish(force=True)

    def _publish(self, *, force: bool = False) -> None:
        self._display.snapshot, self._display.snapshot_note = self._snapshots.newest, self._snapshots.note
        if self._display.publish(self._projection, force=force):
            self.on_view()
