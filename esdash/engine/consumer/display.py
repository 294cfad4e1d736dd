"""What a screen is shown of a consumer: gathered while it works, published as one immutable view."""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import starmap
from typing import Final

from esdash.engine.projection import Projection
from esdash.engine.shown.corrections import CorrectionTracker, Noted
from esdash.engine.shown.meter import RateMeter
from esdash.engine.shown.parked import ParkedEntries
from esdash.engine.shown.picture import Picture
from esdash.engine.shown.row import Row
from esdash.engine.shown.rows import RecentRows
from esdash.engine.shown.view import (
    Continuity,
    Notice,
    Phase,
    Position,
    Progress,
    Restored,
    SnapshotInfo,
    View,
    Watched,
)
from esdash.engine.shown.viewer import Viewer, load_numpy
from esdash.engine.snapshots.snapshot import JOURNAL, Journal
from esdash.fold.folding import Entry, Fold, Told
from esdash.log.pages import PackedPage, Page
from esdash.log.stream import Stream

VIEW_SECONDS: Final = 0.025
"""A new view is published at most this often."""

STATE_SHARE: Final = 10
"""A picture of a huge state takes long: all of them together take at most one part in so many of the time."""

NOTICES: Final = 20


class Display:
    """Belongs to the consumer's thread; only `view` is for others."""

    def __init__(
        self,
        domain: Fold,
        server: str,
        stream: str,
        readonly: bool,
        clock: Callable[[], float],
        *,
        watched: bool = True,
    ) -> None:
        """`server` is what people see of it; `clock` gives seconds.

        Unless `watched`, views have no state in them, and of entries only ids and outcomes.
        """
        self._watched = watched
        self.domain = domain
        self._stream = stream
        self._readonly = readonly
        self._clock = clock
        self.meter = RateMeter(clock)
        self.server = server
        self.orphans: tuple[Row, ...] = ()
        self.orphans_gone = 0
        self._notices: deque[Notice] = deque(maxlen=NOTICES)
        self._noticed = 0
        self._number = -1
        self.forget()
        self.view = self._picture(Position())
        """The newest picture; replaced as a whole."""

    def forget(self) -> None:
        """Drop what belongs to a state that is no more; notices and orphans stay."""
        self.phase = Phase.CONNECTING
        self.phase_note = ""
        self._phase_since = self._clock()
        self.retry_at: float | None = None
        self.lag = 0
        self.progress: Progress | None = None
        self.restored: Restored | None = None
        self.snapshot: SnapshotInfo | None = None
        self.snapshot_note = ""
        self.lease_holder = ""
        self._counts: tuple[int, ...] = ()
        self.continuity: Continuity | None = None
        self.forgotten = 0
        self.edited = False
        self.invariants: tuple[Watched, ...] = ()
        self.parked = ParkedEntries(self.domain, payloads=self._watched)
        self.corrections = CorrectionTracker(self.domain)
        self._viewer = Viewer(self.domain)
        self._rows = RecentRows(None if self._watched else self.domain.keys)
        self._due = 0.0
        self._shown: object = None
        self._state_view: Picture | None = None
        self._state_due = 0.0
        self._state_position = Position()

    def notify(self, severity: str, text: str) -> None:
        """Tell a person, with the next view."""
        self._noticed += 1
        self._notices.append(Notice(self._noticed, severity, text))

    def enter(self, phase: Phase, note: str = "", retry_at: float | None = None) -> None:
        """The consumer is in another phase, or there is something else to say of it."""
        if phase is not self.phase:
            self._phase_since = self._clock()
            if phase in (Phase.LIVE, Phase.HALTED):
                self._state_due = 0.0
            elif phase is Phase.RESTORING:
                self.restored = Restored(())
        self.phase, self.phase_note, self.retry_at = phase, note, retry_at

    def recall(self, log: Stream, projection: Projection, journal: Journal) -> None:
        """Show the last entries before a snapshot, and the parked ones it remembers. Raises LogError."""
        if self._watched:
            entries = reversed(log.newest(projection.last_id, JOURNAL))
            self._rows.recall(entries, journal.recent, projection.ordinal)
            self._viewer.recall(journal.changes)
        else:
            self._rows.recall_unseen(journal.recent, projection.ordinal)
        self.parked.recall(log, journal.parked)
        self.corrections.recall(journal.corrections)

    def applied(self, first: int, page: Sequence[Entry], codes: bytes, told: Sequence[Told] | None = None) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        self.meter.add(len(page))
        self._rows.add(first, page, codes, told)
        self.parked.add(first, page, codes)
        self.corrections.watch(self.orphans)
        self.corrections.add(first, page, codes)

    def applied_ahead(self, first: int, after: bytes, page: Page | PackedPage, codes: bytes) -> None:
        """A page that another process has read was folded; it began after an id."""
        self.meter.add(page.count)
        if page.last_entry is not None:
            self.parked.add_unseen(first, after, page.last_entry[0], codes)
        if isinstance(page, Page):
            self.corrections.add(first, page.entries, codes)
        else:
            self.corrections.add_noted(first, starmap(Noted, page.noted), codes)

    def rows(self, projection: Projection | None) -> tuple[Row, ...]:
        """The newest entries up to a projection, oldest first."""
        self._settle(projection)
        return tuple(self._rows.window())

    def journal(self, projection: Projection) -> Journal:
        """What a snapshot of the projection should remember for people."""
        self._settle(projection)
        rows = self._rows.window()[-JOURNAL:]
        recent = [(row.entry_id, row.code) for row in rows if row.code is not None]
        return Journal(recent, self.parked.marks(), self.corrections.marks(), self._viewer.marks())

    def seconds_to_show(self, longest: float) -> float:
        """How long one may wait for the next entry without keeping a person from seeing the last one."""
        return max(0.001, min(longest, self._due - self._clock())) if self._rows.waiting else longest

    def publish(self, projection: Projection | None, *, force: bool = False) -> bool:
        """Publish a view, when one is due and it differs from the last; with `force` in any case. Whether it did."""
        now = self._clock()
        if now < self._due and not force:
            return False
        position = projection.position if projection else Position()
        outdated = self._state_view is None or position != self._state_position
        look_again = self._watched and projection is not None and outdated and now >= self._state_due
        appearance = self._appearance(position)
        if appearance == self._shown and not look_again and not force:
            return False
        # Only now: what comes after a time in which nothing happened is shown at once.
        self._due = now + VIEW_SECONDS
        self._shown = appearance
        self._settle(projection)
        self._counts = tuple(projection.state.counts) if projection is not None else ()
        if projection is None:
            self._state_view = None
        elif look_again:
            load_numpy()
            begun = self._clock()
            self._state_view = self._viewer.view(projection.state)
            self._state_position = position
            self._state_due = now + (self._clock() - begun) * STATE_SHARE
        self.view = self._picture(position)
        return True

    def _settle(self, projection: Projection | None) -> None:
        rows = self._rows.settle()
        if rows and projection is not None and self._watched:
            self._viewer.observe(rows)

    def _appearance(self, position: Position) -> object:
        """Everything a view shows beside the state, cheap to compare."""
        return (
            position,
            self.phase,
            self.phase_note,
            self.retry_at,
            self.server,
            self.lag,
            self.meter.history(),
            self.restored,
            self.snapshot,
            self.snapshot_note,
            self.lease_holder,
            self.continuity,
            self.forgotten,
            self.edited,
            self.invariants,
            self._noticed,
            self.orphans,
        )

    def _picture(self, position: Position) -> View:
        self._number += 1
        return View(
            number=self._number,
            phase=self.phase,
            phase_note=self.phase_note,
            phase_since=self._phase_since,
            retry_at=self.retry_at,
            server=self.server,
            stream=self._stream,
            readonly=self._readonly,
            position=position,
            state_position=self._state_position,
            lag=self.lag,
            rate=self.meter.rate() if self.phase in (Phase.REPLAYING, Phase.LIVE) else 0.0,
            rates=self.meter.history(),
            progress=self.progress,
            restored=self.restored,
            snapshot=self.snapshot,
            snapshot_note=self.snapshot_note,
            continuity=self.continuity,
            forgotten=self.forgotten,
            edited=self.edited,
            invariants=self.invariants,
            rows=self._rows.window(),
            orphans=self.orphans,
            orphans_gone=self.orphans_gone,
            state=self._state_view,
            notices=tuple(self._notices),
            parked=self.parked.rows(),
            corrections=self.corrections.current(),
            counts=self._counts,
            lease_holder=self.lease_holder,
        )
