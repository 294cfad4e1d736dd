"""What a screen may know of a consumer: one immutable value, replaced as a whole.

The consumer's thread publishes a new `View` between pages by a single assignment; a screen polls it. Nothing here
is ever changed after it was published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from esdash.engine.shown.corrections import NOTHING, Corrections
from esdash.engine.shown.picture import Picture
from esdash.engine.shown.row import Row
from esdash.log.continuity import Continuity as Continuity
from esdash.log.continuity import Verdict as Verdict
from esdash.visible import visible


class Phase(StrEnum):
    """Where the consumer stands; `engine.consumer.lifecycle` decides what leads from one to another."""

    CONNECTING = "connecting"
    RESTORING = "restoring"
    REPLAYING = "replaying"
    LIVE = "live"
    DISCONNECTED = "disconnected"
    HALTED = "halted"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Position:
    """How far the fold has come."""

    last_event_id: str = "0-0"
    ordinal: int = 0
    """Entries consumed since the first one, whatever their outcome."""
    unseen: int = field(default=0, compare=False)
    """Entries that had left the stream before the first one was read."""

    @property
    def number(self) -> int:
        """`#n` for people: the last entry is the n-th that was ever added, the same in every history."""
        return self.ordinal + self.unseen


class Rung(Struct, frozen=True):
    """One step of the restore ladder."""

    snapshot_id: str | None
    """None for the beginning of the stream; empty for all there may be, which this user may not read."""
    position: Position
    reason: str | None
    """Why it was not used; None for the rung that was."""


class Restored(Struct, frozen=True):
    """Where the state came from, and what was replayed since."""

    rungs: tuple[Rung, ...]
    """Every rung tried, newest first; the last is the one used, once there is one."""
    snapshot_id: str | None = None
    """None: from the beginning of the stream."""
    position: Position = Position()
    """Where the replay began: this many entries did not have to be replayed."""
    load_seconds: float = 0.0
    replayed: int = 0
    replay_seconds: float = 0.0
    done: bool = False
    """The replay has caught up."""


class Progress(Struct, frozen=True):
    """A long job: a replay, a verification."""

    done: int
    total: int
    rate: float
    """Entries a second, lately."""
    seconds_left: float | None


class Turning(Struct, frozen=True):
    """The entry behind which an invariant is broken, or holds again."""

    position: Position
    type: str = ""
    """As text; empty where it is not known."""

    @property
    def named(self) -> str:
        """For people, `#1,204 Transferred`."""
        return f"#{self.position.number:,} {visible(self.type, 40)}".rstrip()


class Watched(Struct, frozen=True):
    """How an invariant of the domain stands."""

    name: str
    broken: Turning | None = None
    """Where it was broken last; None: never, as far as this consumer saw."""
    mended: Turning | None = None
    """Where it held again after that."""
    held_at: int = 0
    """Up to which ordinal it was seen to hold before it was broken: to the entry before, or one further back where not
    every entry was looked at."""
    from_snapshot: bool = False
    """It was broken already in the state of the snapshot, by an entry before."""
    times: int = 0
    """How often it was broken."""
    failed: str = ""
    """Why it is watched no more; empty while it is."""

    @property
    def holds(self) -> bool:
        """Whether it does now, as far as it is known."""
        return self.broken is None or self.mended is not None

    @property
    def exact(self) -> bool:
        """Whether it is known which entry broke it."""
        return self.broken is not None and self.held_at + 1 == self.broken.position.ordinal


class SnapshotInfo(Struct, frozen=True):
    """A stored snapshot."""

    snapshot_id: str
    position: Position
    created_ms: int
    """Unix time in milliseconds, by the clock of whoever took it."""
    size: int
    """Bytes."""
    seconds: float
    """How long taking it took."""
    digest: str
    unseen: int = 0
    """Entries that were gone before its history began; 0: it is complete."""


class Notice(Struct, frozen=True):
    """Something that happened, worth a notification: a snapshot was taken, a publication failed."""

    number: int
    """Grows by one."""
    severity: str
    """information, warning or error."""
    text: str
    """One or two plain sentences."""


class View(Struct, frozen=True):
    """The consumer at one moment."""

    number: int
    """Grows by one with each view."""
    phase: Phase
    phase_note: str
    """A sentence about the phase: why there is no connection, what the operator can choose."""
    phase_since: float
    """time.monotonic() of the change to this phase."""
    retry_at: float | None
    """time.monotonic() of the next attempt, while disconnected."""
    server: str
    """What to show for the server: `embedded valkey 8.1.8`, `redis://host:6379 redis 7.2`. Never a password."""
    stream: str
    readonly: bool
    position: Position
    state_position: Position
    """The position that `state` shows; behind `position` while views of a huge state are taken less often."""
    lag: int
    """Entries in the stream after the position, as last heard."""
    rate: float
    """Entries folded a second, over the last second or so."""
    rates: tuple[float, ...]
    """The same for each of the last 60 seconds, oldest first."""
    progress: Progress | None
    """While replaying."""
    restored: Restored | None
    snapshot: SnapshotInfo | None
    """The newest stored snapshot."""
    snapshot_note: str
    """Why the last snapshot failed, or who takes them; empty when all is well."""
    continuity: Continuity | None
    """None before the first check."""
    rows: Sequence[Row]
    """The newest entries, oldest first; at most 10,000. Ordinals are consecutive."""
    orphans: tuple[Row, ...]
    """Entries that had been applied and are gone from the log, as far as they are known; oldest first."""
    state: Picture | None
    """A picture of the state; None before the first."""
    notices: tuple[Notice, ...]
    """The last few."""
    parked: tuple[Row, ...] = ()
    """The newest entries that could not be understood, oldest first; at most 500."""
    corrections: Corrections = NOTHING
    """What was published in the place of parked entries and orphans."""
    orphans_gone: int = 0
    """How many there are, known or not."""
    forgotten: int = 0
    """Entries that were seen and left the stream since: a rebuild would forget them."""

    invariants: tuple[Watched, ...] = ()
    """Those of the domain, in the order of its declaration; none before there is a state."""

    edited: bool = False
    """The source of the rules was edited since the snapshot that the state came from, and their version was not."""
    counts: tuple[int, ...] = ()
    """Entries by outcome code at the position; empty where there is no state."""
    lease_holder: str = ""
    """Who took the periodic snapshots when this consumer last asked, `host:1234`; empty: it has not asked."""

    def nth(self, ordinal: int) -> int:
        """An ordinal as people see it: the n-th entry that was ever added, the same in every history."""
        return ordinal + (self.continuity.unseen_before_start if self.continuity else 0)

    @property
    def broken(self) -> tuple[Watched, ...]:
        """The invariants that do not hold now."""
        return tuple(each for each in self.invariants if not each.holds)
