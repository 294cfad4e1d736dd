"""One stream, as an operator compares it with others."""

from collections.abc import Callable
from typing import Final, TypeVar

from msgspec import Struct

from esdash.log.errors import RefusedError
from esdash.log.facts import id_parts
from esdash.log.inspection import key_sizes, times_to_live
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from esdash.log.survey import Readers, readers_of

_Told = TypeVar("_Told")

RATE_OF: Final = 100
"""Entries over which the rate is taken."""


class StreamSummary(Struct, frozen=True):
    """One stream. What the server does not tell, or not to whoever asks, is None."""

    name: str
    node: str | None
    """Host and port of the one that has it, in a cluster."""
    length: int
    entries_added: int | None
    """Ever."""
    first_id: str | None
    last_id: str
    rate: float | None
    """Entries a second over the last RATE_OF; 0 where the last one is older than they took."""
    memory: int | None
    """Bytes."""
    expires_ms: int | None
    """Until the stream itself expires; None: never."""
    domain: str | None
    """Of its best snapshot, with the version."""
    snapshot_id: str | None
    snapshot_ms: int | None
    """When it was taken, Unix ms."""
    behind: int | None
    """Entries after it: a start replays these."""
    continuity: str | None
    """Between it and the end of the stream."""
    keeper: str | None
    """Which consumer takes the snapshots now."""
    readers: Readers


def summary_of(log: Stream, place: str, now_ms: int) -> StreamSummary | None:
    """What there is to tell of one, on a node of this name; None where it is not there. Raises LogError."""
    facts = log.facts()
    if not facts.exists:
        return None
    store = SnapshotStore(log)
    header = next((each for each in store.offered() if isinstance(each, Header) and not each.condemned), None)
    behind = None
    if header is not None and facts.entries_added is not None:
        behind = max(0, facts.entries_added - header.ordinal - header.unseen)
    return StreamSummary(
        log.name,
        place or None,
        facts.length,
        facts.entries_added,
        None if facts.first_id is None else facts.first_id.decode(),
        facts.last_id.decode(),
        _rate(log, now_ms),
        _allowed(lambda: key_sizes(log.server, [log.name]).get(log.name)),
        _allowed(lambda: times_to_live(log.server, [log.name]).get(log.name)),
        None if header is None else f"{header.domain} {header.version}",
        None if header is None else header.snapshot_id,
        None if header is None else header.created_ms,
        behind,
        None if header is None else str(store.continuity(header)),
        None if header is None else _allowed(lambda: store.lease_holder(header.rules)),
        _allowed(lambda: readers_of(log)) or Readers(),
    )


def _rate(log: Stream, now_ms: int) -> float | None:
    page = log.newest(count=RATE_OF)
    if len(page) < 2:
        return None
    first, last = (id_parts(entry_id)[0] for entry_id, _ in (page[0], page[-1]))
    took = max(1, last - first)
    return 0.0 if now_ms - last > took + 1000 else len(page) * 1000 / max(took, now_ms - first)


def _allowed(ask: Callable[[], _Told]) -> _Told | None:
    try:
        return ask()
    except RefusedError:
        return None
