"""The snapshots that are stored, as moments of the past."""

from msgspec import Struct

from esdash.fold.folding import Fold
from esdash.log.facts import id_parts
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream


class Stored(Struct, frozen=True):
    """A snapshot that is stored."""

    snapshot_id: str
    number: int
    """Of its entry, as people count."""
    entry_ms: int
    """Unix milliseconds of the entry's id."""
    created_ms: int
    """Unix milliseconds, by the clock of whoever took it."""


def stored_snapshots(log: Stream, fold: Fold) -> list[Stored]:
    """Those that the domain could use, the newest first. Raises LogError.

    One of other rules or of another history is no moment of this past.
    """
    domain = fold.domain
    usable = [
        each
        for each in SnapshotStore(log).offered()
        if isinstance(each, Header)
        and (each.domain, each.version) == (domain.name, domain.version)
        and not (each.condemned or each.foreign)
    ]
    return [
        Stored(
            each.snapshot_id,
            each.ordinal + each.unseen,
            id_parts(each.last_event_id.encode())[0],
            each.created_ms,
        )
        for each in sorted(usable, key=lambda each: -each.created_ms)
    ]
