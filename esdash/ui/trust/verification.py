"""A verification in words, and how it goes on while nobody looks. No textual."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from esdash.counted import counted
from esdash.engine.console import VerificationStatus
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.engine.shown.verification import Verification


class VerificationWatch:
    """Follows verifications from outside: since when one runs, how fast, and when it has ended.

    Whoever shows them may look at any time: an end stays there until somebody has shown it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._begun: float | None = None
        self.ended: VerificationStatus | None = None
        """One that has ended and was not shown yet. Who shows it sets this to None."""

    def look(self, status: VerificationStatus | None) -> None:
        if status is not None and status.running:
            if self._begun is None:
                self._begun = self._clock()
            self.ended = None
        elif self._begun is not None:
            self._begun = None
            self.ended = status

    def rate(self, status: VerificationStatus) -> float:
        """Entries a second since it began; 0 before that can be said."""
        seconds = 0.0 if self._begun is None else self._clock() - self._begun
        return status.done / seconds if seconds > 0 else 0.0


def percent(status: VerificationStatus) -> int:
    """How much is done. 100 only when all is."""
    return min(100, status.done * 100 // status.total) if status.total else 0


def compared(found: "Verification") -> str:
    """What a replay was compared with: `3 snapshots and the live state`."""
    count = sum(segment.snapshot_id is not None for segment in found.segments)
    live = any(segment.snapshot_id is None and segment.found_digest is not None for segment in found.segments)
    snapshots = f"{count:,} snapshot{'' if count == 1 else 's'}" if count or not live else ""
    return " and ".join(filter(None, (snapshots, "the live state" if live else "")))


def summary(status: VerificationStatus) -> tuple[str, str]:
    """How it ended, in a sentence, and its severity: information, warning or error."""
    found = status.result
    if found is None:
        return f"The verification ended without a result. {visible(status.error, 300)}".strip(), "warning"
    if found.holds:
        events = counted(found.entries, "event", "events")
        return f"✓ Verified: the replay of {events} agrees with {compared(found)}.", "information"
    if (first := found.first_difference) is not None:
        what = f"snapshot {visible(first.snapshot_id, 40)}" if first.snapshot_id else "the live state"
        window = f"events {first.start.number + 1:,} to {first.end.number:,}"
        return f"Verification: after {window} the replay and {what} differ.", "error"
    count = len(found.damaged)
    return f"Verification: {count:,} damaged snapshot{'' if count == 1 else 's'}.", "error"
