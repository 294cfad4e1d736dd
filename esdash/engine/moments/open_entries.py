"""Which parked entries are open and which are corrected, for those who do not follow the stream: `doctor`, `events`."""

from collections.abc import Sequence
from typing import Final

from esdash.engine.console import EngineError
from esdash.engine.moments.history import History
from esdash.engine.projection import Projection
from esdash.engine.shown.corrections import CorrectionTracker
from esdash.engine.shown.parked import ParkedEntries
from esdash.engine.shown.row import Row
from esdash.engine.snapshots.snapshot import Journal
from esdash.fold.folding import Entry, Fold
from esdash.log.stream import Stream

AHEAD: Final = 100_000
"""Corrections that are known at a time to one who reads ahead: as many as there are keys in the window."""


class OpenEntries:
    """Counts those of the newest parked entries that are open, while a state is made (`History.at`)."""

    def __init__(self, log: Stream, domain: Fold) -> None:
        self._log = log
        self._parked = ParkedEntries(domain)
        self._corrections = CorrectionTracker(domain)

    def begin(self, journal: Journal) -> None:
        """What a snapshot remembers. Raises LogError."""
        self._parked.recall(self._log, journal.parked)
        self._corrections.recall(journal.corrections)

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        self._parked.add(first, page, codes)
        self._corrections.add(first, page, codes)

    def count(self) -> tuple[int, int]:
        """How many are known, the newest of those that are still in the stream, and how many of them are open."""
        rows = self._parked.rows()
        known = [self._corrections.current().of_parked(row) for row in rows]
        return len(rows), sum(correction is None or correction.done is None for correction in known)


class ReadAhead:
    """What corrects the parked entries of an account that goes from old to new. Reads nothing before it is asked."""

    def __init__(self, history: History, domain: Fold) -> None:
        self._history = history
        self._corrections = CorrectionTracker(domain, (AHEAD, 0))
        self._projection: Projection | None = None
        self._lost = False

    def corrected_by(self, row: Row, nth: int) -> int | None:
        """The number (#n) of the entry that corrects a parked one, itself the `nth`; None for none up to now, or where
        the log does not tell. Raises LogError.
        """
        if not self._lost:
            try:
                if self._projection is None:
                    self._projection = self._history.before(row.entry_id)
                if nth > self._projection.ordinal + self._projection.unseen:
                    self._history.advance(self._projection, self._corrections.add)
            except EngineError:
                # Whatever is missing between here and the end: what is known up to there still holds.
                self._lost = True
        correction = self._corrections.current().of_parked(row)
        if correction is None or correction.done is None or self._projection is None:
            return None
        return correction.done.ordinal + self._projection.unseen
