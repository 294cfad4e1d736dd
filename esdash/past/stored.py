"""The snapshots that are stored, as moments of the past."""

from msgspec import Struct

from esdash.fold.folding import Fold
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream


class Stored(Struct, frozen=True):
    """A snapshot that is stored."""

    snapshot_id: str
    number: int
    """Of its entry, as people count."""
    created_ms: int
    """Unix milliseconds, by the clock of whoever took it."""


def stored_snapshots(log: Stream, fold: Fold) -> list[Stored]:
    """Those of a domain whose headers can be read, the newest first. Raises LogError."""
    headers = [each for each in SnapshotStore(log).offered() if isinstance(each, Header)]
    return [
        Stored(each.snapshot_id, each.ordinal + each.unseen, each.created_ms)
        for each in sorted(headers, key=lambda each: -each.created_ms)
        if each.domain == fold.name
    ]
