"""Taking snapshots of a projection, and restoring the newest one that can be trusted."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final, Generic

import msgspec
from msgspec import Struct

from esdash.engine.corrections import Correction
from esdash.engine.domain import Domain, State
from esdash.engine.parked import Mark
from esdash.engine.projection import Projection
from esdash.engine.view import Continuity, Position, Rung, SnapshotInfo, Verdict
from esdash.log.continuity import check, unseen_before
from esdash.log.snapshots import DamagedError, Draft, Header, SnapshotStore, Unreadable
from esdash.log.stream import START, Log, id_parts

JOURNAL: Final = 1000
"""Outcomes of the last entries kept in a snapshot, so that the log is not empty after a restart."""


class Journal(Struct, array_like=True, frozen=True):
    """What a snapshot remembers beside the state, for people."""

    recent: list[tuple[bytes, int]] = []
    """(entry id, outcome code) of the last entries, oldest first; at most JOURNAL."""
    parked: list[Mark] = []
    """The newest entries that could not be understood, oldest first."""
    corrections: list[tuple[bytes, Correction]] = []
    """What was published for those, and for orphans, by the first key of each; those decided last come last."""


_decode_journal = msgspec.msgpack.Decoder(Journal).decode


@dataclass(frozen=True, slots=True)
class Restoration(Generic[State]):
    """What the ladder led to."""

    projection: Projection[State]
    continuity: Continuity
    """Of the place the projection stands at; GAP means that nothing may be applied to it."""
    rungs: tuple[Rung, ...]
    header: Header | None
    """None: from the beginning of the stream."""
    journal: Journal
    seconds: float


def process_name() -> str:
    """Who this process is to others on the same stream: `host:1234`."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Taking(Generic[State]):
    """A snapshot of a projection as it is at this moment; stored by `store`, which may run in another thread."""

    def __init__(
        self,
        projection: Projection[State],
        state: State,
        journal: Journal,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`state` is the projection's, or a fork of it."""
        self.state = state
        self.ordinal = projection.ordinal
        self._domain = projection.domain
        self._position = projection.position
        self._unseen = projection.unseen
        self._anchor = projection.anchor or ""
        self._journal = journal
        self._clock = clock
        self._begun = clock()
        self._created_ms = round(wall_clock() * 1000)

    def store(self, store: SnapshotStore) -> Header:
        """Write it. Raises LogError; then nothing is stored."""
        draft = Draft(
            last_event_id=self._position.last_event_id,
            ordinal=self.ordinal,
            unseen=self._unseen,
            anchor=self._anchor,
            fold_version=self._domain.fold_version,
            digest=self._domain.digest(self.state),
            created_ms=self._created_ms,
            owner=process_name(),
        )
        chunks = chain([msgspec.msgpack.encode(self._journal)], self._domain.dump(self.state))
        return store.write(draft, chunks, begun=self._begun, clock=self._clock)


def take(
    projection: Projection[State],
    journal: Journal,
    store: SnapshotStore,
    *,
    clock: Callable[[], float],
    wall_clock: Callable[[], float],
) -> Header:
    """Store the projection as it is now. Raises LogError; then nothing is stored."""
    return Taking(projection, projection.state, journal, clock=clock, wall_clock=wall_clock).store(store)


def load(
    header: Header, store: SnapshotStore, domain: Domain[State], *, believe: bool = False
) -> tuple[Projection[State], Journal]:
    """A stored snapshot's projection, proven to be what was taken; with `believe`, but for its digest.

    Raises DamagedError saying what is wrong with it, LogError for the server.
    """
    if header.fold_version != domain.fold_version:
        raise DamagedError(f"it was made by other rules ({header.fold_version}, not {domain.fold_version})")
    # All bytes are checked before the first is believed.
    chunks = list(store.chunks(header))
    try:
        journal = _decode_journal(chunks[0])
        _require_sense(journal, domain)
        state = domain.load(chunks[1:])
        digest = header.digest if believe else domain.digest(state)
    except (msgspec.MsgspecError, ValueError, IndexError, OverflowError) as error:
        raise DamagedError(f"it cannot be read: {error}") from error
    if digest != header.digest:
        raise DamagedError("the digest of its state is wrong")
    if sum(domain.counts(state)) != header.ordinal:
        raise DamagedError(f"its state is not that of {header.ordinal:,} entries")
    position = Position(header.last_event_id, header.ordinal)
    return Projection.restored(domain, state, position, header.unseen, header.anchor), journal


def _require_sense(journal: Journal, domain: Domain[State]) -> None:
    """Raises ValueError for entry ids and outcomes that cannot be."""
    tried = [attempt for _, known in journal.corrections for attempt in (known.last, known.done) if attempt is not None]
    marks = [(mark.entry_id, mark.code) for mark in journal.parked]
    marks += [(attempt.entry_id, attempt.code) for attempt in tried]
    codes = {code for _, code in (*journal.recent, *marks)}
    if unknown := codes.difference(range(len(domain.outcomes))):
        raise ValueError(f"there is no outcome {min(unknown)}")
    for entry_id, _ in (*journal.recent, *marks):
        if max(id_parts(entry_id)) >= 2**64:
            raise ValueError("an entry id is too large")


def restore(
    log: Log,
    store: SnapshotStore,
    domain: Domain[State],
    *,
    until: bytes | None = None,
    ignore_snapshots: bool = False,
    clock: Callable[[], float],
    on_rung: Callable[[tuple[Rung, ...]], object] = id,
) -> Restoration[State]:
    """Climb down the ladder: the newest snapshot, older ones, the beginning of the stream.

    A snapshot is used when its checksum, versions, digest and continuity hold. One with a gap behind it is used, too,
    since every older one has the same gap: its continuity says so, and nothing may be applied to it. The beginning has
    a gap, too, when entries are gone that a snapshot, of whatever rules, has seen.
    With `until`, only snapshots at or before that entry count. Raises LogError.
    """
    begun = clock()
    rungs: list[Rung] = []
    for header in [] if ignore_snapshots else store.headers():
        if isinstance(header, Unreadable):
            rungs.append(Rung(header.snapshot_id, Position(), header.reason))
            on_rung(tuple(rungs))
            continue
        position = Position(header.last_event_id, header.ordinal)
        if until is not None and id_parts(header.last_event_id) > id_parts(until):
            continue
        try:
            continuity = check(log, position.last_event_id.encode(), header.ordinal, header.unseen, header.anchor)
            if continuity.verdict is Verdict.DIVERGED:
                raise DamagedError(continuity.explanation)
            projection, journal = load(header, store, domain)
        except DamagedError as error:
            rungs.append(Rung(header.snapshot_id, position, str(error)))
            on_rung(tuple(rungs))
            continue
        rungs.append(Rung(header.snapshot_id, position, None))
        return Restoration(projection, continuity, tuple(rungs), header, journal, clock() - begun)
    rungs.append(Rung(None, Position(), None))
    start = _beginning(log, None if ignore_snapshots else store.newest())
    projection = Projection(domain, start.unseen_before_start)
    return Restoration(projection, start, tuple(rungs), None, Journal(), clock() - begun)


def _beginning(log: Log, newest: Header | None) -> Continuity:
    facts = log.facts()
    unseen = unseen_before(facts)
    if facts.entries_added is None:
        return Continuity(Verdict.UNKNOWN, unseen_before_start=unseen)
    if newest is not None and newest.unseen < unseen:
        return check(log, START, 0, newest.unseen, None)
    return Continuity(Verdict.CONTINUOUS, unseen_before_start=unseen)


def info(header: Header) -> SnapshotInfo:
    """What a screen shows of a snapshot."""
    return SnapshotInfo(
        header.snapshot_id,
        Position(header.last_event_id, header.ordinal),
        header.created_ms,
        header.size,
        header.seconds,
        header.digest,
    )


def newest(store: SnapshotStore) -> SnapshotInfo | None:
    """The newest snapshot of the stream's present history. Raises LogError."""
    header = store.newest()
    return None if header is None else info(header)
