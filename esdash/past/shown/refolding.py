"""A moment where there is no track of it yet: folded once more, from the nearest snapshot on."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from esdash.engine.console import EngineError
from esdash.engine.moments.history import BrokenError, History, id_before
from esdash.engine.moments.places import end_of
from esdash.engine.shown.kept import row_of, rows_of
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Verdict
from esdash.engine.shown.viewer import Viewer
from esdash.engine.snapshots.snapshot import Journal
from esdash.fold.folding import Entry, Fold
from esdash.log.facts import id_parts
from esdash.log.headers import Header
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.past.shown.moments import ROWS, Moment
from esdash.query.places import Numbered

FAR: Final = 300_000
"""Entries that are folded for one moment, at most: a second or so."""


class _Last:
    """Keeps the last entries that were folded."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque(maxlen=ROWS)

    def begin(self, journal: Journal) -> None:
        """What came before the snapshot is not told."""

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page was folded."""
        self.rows.extend(rows_of(first, page, codes))


def refolded(log: Stream, fold: Fold, ordinal: int, unseen: int) -> tuple[Moment, Sequence[Row]] | None:
    """The moment after an entry, and the last entries up to it; None where that would take too long.

    Raises EngineError where it cannot be told, LogError, DomainError.
    """
    nearest = max(
        (
            header.ordinal
            for header in SnapshotStore(log).offered()
            if isinstance(header, Header) and header.ordinal < ordinal and header.unseen == unseen
        ),
        default=0,
    )
    if ordinal - nearest > FAR:
        return None
    entry_id = end_of(log, Numbered(ordinal + unseen))
    entry = log.entry(entry_id)
    if entry is None:
        raise EngineError(f"Entry #{ordinal + unseen:,} is not in the stream any more.")
    last = _Last()
    projection, continuity = History(log, fold).at(id_before(entry_id), watcher=last)
    if continuity.verdict in (Verdict.GAP, Verdict.DIVERGED):
        raise BrokenError(continuity)
    code, told = projection.explain(entry)
    picture = Viewer(fold).view(projection.state)
    moment = Moment(projection.position, id_parts(entry_id)[0], picture, told.changes)
    return moment, [*last.rows, row_of(projection.ordinal, entry, code, told)][-ROWS:]
