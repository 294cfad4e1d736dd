"""When snapshots are taken, and by whom: periodically under a lease, on demand, as a farewell."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from esdash.engine.projection import Projection
from esdash.engine.shown.view import SnapshotInfo
from esdash.engine.snapshots import snapshot, taking
from esdash.engine.snapshots.snapshot import Journal
from esdash.engine.snapshots.taking import Taking
from esdash.fold.folding import Fold
from esdash.log.errors import ElsewhereError, ForbiddenError, LogError, RefusedError
from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore

LARGE: Final = 20_000
"""Rows of a state from which its snapshot is made in another thread: below, the fold stops for some 10 ms."""

LEASE_PERIODS: Final = 2
"""The lease on periodic snapshots lasts this many periods, so a dead owner's ends soon."""


class Notify(Protocol):
    """How a person is told."""

    def __call__(self, severity: str, text: str) -> None:
        """Severity is information, warning or error."""


class Snapshotter:
    """Takes the snapshots of one consumer. Belongs to the thread that folds; only the writing may be in another."""

    def __init__(
        self,
        store: SnapshotStore,
        domain: Fold,
        seconds: float,
        notify: Notify,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`seconds` lie between two periodic snapshots; 0 takes none by itself."""
        self._store = store
        self._domain = domain
        self._seconds = seconds
        self._notify = notify
        self._clock = clock
        self._wall_clock = wall_clock
        self._due = clock() + seconds
        self._ordinal = 0
        self._background: _Background | None = None
        self._took_writes = False
        self.newest: SnapshotInfo | None = None
        """The newest stored snapshot, as far as is known."""
        self.note = ""
        """Why the last one failed, or who takes them."""
        self.lease_holder = ""
        """Who had the lease when it was last asked for; empty when that is not known."""

    @property
    def forked(self) -> bool:
        """Whether the projection's state is shared with a snapshot that is being written: it has no digest then."""
        return self._background is not None

    def restored(self, ordinal: int) -> None:
        """The consumer starts anew at `ordinal`, from whatever is stored. Raises LogError."""
        self._background = None
        self._ordinal = ordinal
        self._due = self._clock() + self._seconds
        self.newest = snapshot.newest(self._store, self._domain)
        self.note = self._store.denial

    def tick(self, projection: Projection, journal: Callable[[], Journal]) -> None:
        """Do what is due: finish a snapshot that was written, begin a periodic one. Raises LogError."""
        if self._background is not None and not self._background.is_alive():
            self._finish(projection)
        if not self._seconds or self._store.denial or self._clock() < self._due or self._background is not None:
            return
        self._due = self._clock() + self._seconds
        if projection.ordinal == self._ordinal:
            return
        name = taking.process_name()
        try:
            holder = self._store.hold_lease(self._domain.rules, name, self._seconds * LEASE_PERIODS)
        except RefusedError as error:
            if isinstance(error, ElsewhereError) and self._took_writes:
                # So it is not where the stream is any more: look for that again.
                self._took_writes = False
                raise
            # A replica, a full memory, a server without scripts: following goes on all the same. Said once.
            if self.note != str(error):
                self._notify("warning", f"No snapshots are taken: {error}")
            self.note = str(error)
            self.lease_holder = ""
            return
        self._took_writes = True
        self.lease_holder = holder
        if holder == name:
            self._begin(projection, journal(), asked=False)
        else:
            self.note = f"taken by {holder}"
            self.newest = snapshot.newest(self._store, self._domain)

    def take(self, projection: Projection, journal: Callable[[], Journal]) -> None:
        """A person wants one now."""
        if projection.ordinal == 0:
            self._notify("information", "No snapshot: nothing has happened yet.")
        elif self._background is not None:
            self._notify("information", "A snapshot is being written already.")
        else:
            self._begin(projection, journal(), asked=True)

    def farewell(self, projection: Projection, journal: Callable[[], Journal]) -> None:
        """Leave a snapshot of the end, when something changed, and the lease to others. Raises LogError."""
        if self._background is not None:
            self._finish(projection)
        # Who may not even read snapshots has been told so.
        if projection.ordinal != self._ordinal and not self._store.denial:
            self._run(Taking(projection, projection.state, journal(), clock=self._clock, wall_clock=self._wall_clock))
        with suppress(ForbiddenError):  # who may not run scripts holds none
            self._store.release_lease(self._domain.rules, taking.process_name())

    def settle(self, projection: Projection) -> None:
        """Make the state whole again, whatever becomes of a snapshot that is being written."""
        if self._background is not None:
            self._finish(projection)

    def _begin(self, projection: Projection, journal: Journal, *, asked: bool) -> None:
        domain = projection.domain
        large = domain.size(projection.state) >= LARGE
        state = projection.state.fork() if large else projection.state
        taking = Taking(projection, state, journal, clock=self._clock, wall_clock=self._wall_clock)
        if large:
            self._background = _Background(taking, self._store, asked)
            self._background.start()
        else:
            self._run(taking, asked=asked)

    def _run(self, taking: Taking, *, asked: bool = False) -> None:
        try:
            self._succeeded(taking.store(self._store), asked)
        except LogError as error:
            self._failed(error, asked)

    def _finish(self, projection: Projection) -> None:
        background = self._background
        assert background is not None
        background.join()
        self._background = None
        projection.state.join()
        if background.header is not None:
            self._succeeded(background.header, background.asked)
        elif isinstance(background.error, LogError):
            self._failed(background.error, background.asked)
        elif background.error is not None:  # as where this thread makes the snapshot itself
            raise background.error

    def _succeeded(self, header: Header, asked: bool) -> None:
        self.newest = snapshot.info(header)
        self.note = ""
        self._ordinal = header.ordinal
        self._due = self._clock() + self._seconds
        if asked:
            kilobytes = max(1, header.size // 1024)
            self._notify(
                "information",
                f"Snapshot {header.snapshot_id} taken in {header.seconds * 1000:,.0f} ms, {kilobytes:,} kB.",
            )

    def _failed(self, error: LogError, asked: bool) -> None:
        # Said once, however often it is tried in vain.
        if asked or self.note != str(error):
            self._notify("warning", str(error))
        self.note = str(error)


class _Background(threading.Thread):
    """Writes one snapshot."""

    def __init__(self, taking: Taking, store: SnapshotStore, asked: bool) -> None:
        super().__init__(name="snapshot", daemon=True)
        self.taking = taking
        self.asked = asked
        self.header: Header | None = None
        self.error: Exception | None = None
        self._store = store

    def run(self) -> None:
        try:
            self.header = self.taking.store(self._store)
        except Exception as error:  # noqa: BLE001 - the thread of the fold looks at it
            self.error = error
