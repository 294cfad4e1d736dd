"""What a consumer holds: the state with its position, where it has been in the log, and what is shown of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.consumer.display import Display
from esdash.engine.consumer.orphans import Trail, Way, mark_of
from esdash.engine.consumer.requests import Checkpoint
from esdash.engine.guard import check_page, forgotten_by, lag_of, unbroken
from esdash.engine.projection import Projection, blaming
from esdash.engine.shown.view import Continuity, Phase, Verdict
from esdash.engine.snapshots.snapshotter import Snapshotter
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold, Told
from esdash.log.errors import LogError, UnreadableReplyError
from esdash.log.pages import PackedPage, Page
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream

if TYPE_CHECKING:
    from esdash.engine.invariants.watching import EntryOf, InvariantWatch


class SpoiledError(Exception):
    """Something was applied to the state that is no entry, so that it is nothing to go on with."""

    def __init__(self, reason: UnreadableReplyError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Clocks(Struct, frozen=True):
    """What tells the time."""

    clock: Callable[[], float]
    """Seconds, from anywhere on."""
    wall_clock: Callable[[], float]
    """Unix time in seconds."""


class Memory:
    """Belongs to the thread that folds. Without a projection until there is a state, and again after `drop`."""

    def __init__(
        self, log: Stream, fold: Fold, clocks: Clocks, *, watched: bool, readonly: bool, snapshot_seconds: float
    ) -> None:
        """`watched`: somebody looks at the state. `snapshot_seconds` lie between two periodic snapshots; 0: none."""
        self.log = log
        self.fold = fold
        self.clock = clocks.clock
        self.store = SnapshotStore(log)
        self.display = Display(fold, log.server.name, log.name, readonly, clocks.clock, watched=watched)
        self.on_view: Callable[[], object] = int
        """Called after each new view."""
        self.on_folded: Callable[[float], object] = float
        """Called with the seconds that each page took to fold."""
        self.projection: Projection | None = None
        self.watch: InvariantWatch | None = None
        """Watches the domain's invariants, where it has some."""
        self.former: Way | None = None
        """The history that the log turned out not to be, until it is known what was lost of it."""
        self._trail = Trail()
        self._clocks = clocks
        self._watched = watched
        self._snapshot_seconds = snapshot_seconds
        self.snapshots = self._new_snapshotter()

    def _new_snapshotter(self) -> Snapshotter:
        return Snapshotter(
            self.store,
            self.fold,
            self._snapshot_seconds,
            self.display.notify,
            clock=self.clock,
            wall_clock=self._clocks.wall_clock,
        )

    def drop(self) -> None:
        """Forget the state and what was shown of it."""
        self.projection = self.watch = None
        self._trail = Trail()
        self.display.forget()
        self.snapshots = self._new_snapshotter()

    def use(self, fold: Fold) -> None:
        """Fold by other rules, when what was made by the former ones is dropped next."""
        self.fold = self.display.domain = fold

    def begin_with(self, projection: Projection) -> None:
        """A state was restored: go on from it. What watches invariants is imported where there are some."""
        self.projection = projection
        if self.fold.domain.invariants:
            from esdash.engine.invariants.turning import Stopwatch
            from esdash.engine.invariants.watching import InvariantWatch

            self.watch = InvariantWatch(projection, stopwatch=Stopwatch(self.clock))

    def remember_way(self) -> None:
        """Keep in mind what was applied, when nothing is kept in mind yet."""
        projection = self.projection
        if projection is not None and self.former is None:
            rows = self.display.rows(projection)
            self.former = Way(self._trail, mark_of(projection), max(0, projection.unseen), rows)

    def publish(self, *, force: bool = False) -> None:
        """Publish a view, when one is due; with `force` in any case."""
        self.display.snapshot, self.display.snapshot_note = self.snapshots.newest, self.snapshots.note
        if self.watch is not None and self.projection is not None:
            self.watch.catch_up(self.projection, force=force)
            self.display.invariants = self.watch.now
            for severity, text in self.watch.news():
                self.display.notify(severity, text)
        self.display.lease_holder = self.snapshots.lease_holder
        if self.display.publish(self.projection, force=force):
            self.on_view()

    def tick(self, projection: Projection) -> None:
        """Take a snapshot when one is due. Raises LogError."""
        self.snapshots.tick(projection, lambda: self.display.journal(projection))

    @property
    def known(self) -> Projection:
        """The projection, where there must be one."""
        assert self.projection is not None, "a state was restored"
        return self.projection

    # Snapshots and digests

    def trust_rules(self) -> None:
        """The rules that were edited make the same state."""
        self.display.edited = False
        if self.projection is not None:
            self.projection.edited = False

    def store_snapshot(self) -> None:
        """Begin a snapshot that somebody wants; a notice tells how it went."""
        projection = self.known
        self.snapshots.take(projection, lambda: self.display.journal(projection))

    def leave_snapshot(self, store: bool, regret: str) -> None:
        """Make the state whole, and `store` a last snapshot of it; where it fails, say so after `regret`."""
        projection = self.projection
        if projection is None:
            return
        try:
            self.snapshots.settle(projection)
            if store:
                self.snapshots.farewell(projection, lambda: self.display.journal(projection))
        except LogError as error:
            self.display.notify("warning", f"{regret}: {error}")

    def answer(self, checkpoint: Checkpoint) -> None:
        """Tell where the state stands, and its digest."""
        projection = self.projection
        if projection is None or self.snapshots.forked:
            why = "The state cannot be looked at just now. Try again in a moment."
            checkpoint.answer.set_exception(EngineError(why))
        else:
            checkpoint.answer.set_result((projection.position, self.fold.digest(projection.state)))

    def count_waiting(self, gap: Continuity | None) -> None:
        """Find out how many entries wait after the position, or behind a gap, where the server still answers."""
        if self.projection is not None:
            with suppress(LogError):  # it is worth no more than what was known before
                self.display.lag = lag_of(self.projection, self.log.facts(), gap)

    # What stands between a page and the state

    def guard(self, projection: Projection, page: Page | PackedPage) -> None:
        """Let a page be applied only when nothing vanished before its end, and it follows what was applied.

        Raises HaltError, DivergedError, LogError.
        """
        found = check_page(self.log, projection, page)
        if projection.ordinal:
            self._trail.leave(mark_of(projection))
        if found.verdict is Verdict.GAP and projection.ordinal == 0 and self.display.phase is Phase.REPLAYING:
            # What left the stream between the first look at it and the first page was never there to be missed.
            projection.unseen += found.missing
            found = Continuity(Verdict.CONTINUOUS, unseen_before_start=projection.unseen)
        self.display.continuity = unbroken(found)
        self.display.forgotten = forgotten_by(projection, page.evidence)

    def apply(self, projection: Projection, page: Page) -> None:
        """Fold a page and show it. Raises DomainError, SpoiledError."""
        if not page.entries:
            return
        first = projection.ordinal + 1
        told: list[Told] | None = [] if self._watched or self.watch is not None else None
        shown = told if self._watched else None
        with _noticing_nonsense(page.entries):
            try:
                with self._timed():
                    codes = projection.apply(page.entries, told)
            except DomainError as error:
                self.display.applied(first, page.entries[: len(error.codes)], error.codes, shown)
                self._see(projection, told, page.entries.__getitem__)
                raise
            self.display.applied(first, page.entries, codes, shown)
        self._see(projection, told, page.entries.__getitem__)

    def apply_ahead(self, projection: Projection, page: Page | PackedPage) -> None:
        """Fold a page that was read ahead, and perhaps packed, and show it. Raises DomainError, SpoiledError."""
        first, after = projection.ordinal + 1, projection.last_id
        told: list[Told] | None = None if self.watch is None else []
        with _noticing_nonsense(page.entries if isinstance(page, Page) else ()):
            with self._timed():
                codes = projection.apply_ahead(page, told)
            self.display.applied_ahead(first, after, page, codes)
        self._see(projection, told, lambda place: self._entry(page, after, place))

    def _see(self, projection: Projection, told: Sequence[Told] | None, entry_of: "EntryOf") -> None:
        if self.watch is not None and told is not None:
            self.watch.see(projection, told, entry_of)

    def _entry(self, page: Page | PackedPage, after: bytes, place: int) -> Entry | None:
        """An entry of a page that begins after an id. Of a packed one the log is asked once more, where it answers."""
        if isinstance(page, Page):
            return page.entries[place]
        with suppress(LogError):
            return next(islice(chain.from_iterable(each.entries for each in self.log.pages(after)), place, None), None)
        return None

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = self.clock()
        yield
        self.on_folded(self.clock() - begun)


@contextmanager
def _noticing_nonsense(page: Sequence[Entry]) -> Iterator[None]:
    """That something is no entry is found out too late now and then. Raises SpoiledError."""
    try:
        with blaming(page):
            yield
    except UnreadableReplyError as error:
        raise SpoiledError(error) from error
