"""What a verification found."""

from msgspec import Struct

from esdash.engine.shown.view import Position
from esdash.fold.stored import Difference


class Segment(Struct, frozen=True):
    """A stretch of the stream that was replayed."""

    start: Position
    end: Position
    snapshot_id: str | None
    """The snapshot at its end; None for the newest entry or the live state."""
    replayed_digest: str
    found_digest: str | None
    """Of the snapshot or the live state; None where there is nothing to compare with."""
    differences: tuple[Difference, ...]
    broken: tuple[str, ...] = ()
    """Names of the domain's invariants that do not hold in the state that the replay arrived at, or cannot tell."""

    @property
    def holds(self) -> bool:
        """Whether the replay arrived at what was found."""
        return self.found_digest is None or self.found_digest == self.replayed_digest


class Verification(Struct, frozen=True):
    """What a verification found."""

    segments: tuple[Segment, ...]
    """In the order of the stream."""
    damaged: tuple[tuple[str, str], ...]
    """(snapshot id, reason) of snapshots that cannot be believed."""
    skipped: tuple[tuple[str, str], ...]
    """(snapshot id, reason) of snapshots that say nothing about this replay, such as those made by other rules."""
    unseen: int
    """Entries that are not in the stream any more, so that nobody can replay them."""
    entries: int
    seconds: float

    @property
    def first_difference(self) -> Segment | None:
        """The first segment whose end is not what the replay arrived at."""
        return next((segment for segment in self.segments if not segment.holds), None)

    @property
    def broken(self) -> tuple[str, ...] | None:
        """The invariants that do not hold at the end of all; None where the replay went on to it from a snapshot that
        it had not arrived at, and so from no state that is known to be right."""
        if not all(segment.holds for segment in self.segments[:-1]):
            return None
        return self.segments[-1].broken if self.segments else ()

    @property
    def holds(self) -> bool:
        """Whether everything agreed."""
        return not self.damaged and self.first_difference is None
