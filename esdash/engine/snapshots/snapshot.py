"""Reading stored snapshots, and restoring the newest one that can be trusted."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from esdash.engine.projection import Projection
from esdash.engine.shown.corrections import Correction
from esdash.engine.shown.parked import Mark
from esdash.engine.shown.view import Continuity, Position, Rung, SnapshotInfo, Verdict
from esdash.engine.shown.viewer import ChangeMark
from esdash.fold.folding import Fold
from esdash.log.continuity import unseen_before
from esdash.log.headers import Header, Unreadable
from esdash.log.snapshots import DamagedError, SnapshotStore
from esdash.log.stream import START, Stream, StreamFacts, id_parts

CONDEMNED: Final = "a verification found that the entries make another state of it"
"""Why a condemned snapshot is not used."""

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
    changes: list[ChangeMark] = []
    """What changed last, as far as it is remembered for people; the newest last."""


_decode_journal = msgspec.msgpack.Decoder(Journal).decode


class Restoration(Struct, frozen=True):
    """What the ladder led to."""

    projection: Projection
    continuity: Continuity
    """Of the place the projection stands at; GAP means that nothing may be applied to it."""
    rungs: tuple[Rung, ...]
    header: Header | None
    """None: from the beginning of the stream."""
    journal: Journal
    seconds: float
    foreign: tuple[Header, ...] = ()
    """Snapshots that had never before been found to be of another history."""


def load(header: Header, store: SnapshotStore, domain: Fold, *, believe: bool = False) -> tuple[Projection, Journal]:
    """A stored snapshot's projection, proven to be what was taken; with `believe`, but for its digest.

    Raises DamagedError saying what is wrong with it, LogError for the server.
    """
    require_version(header, domain)
    # All bytes are checked before the first is believed.
    chunks = list(store.chunks(header))
    try:
        journal = _decode_journal(chunks[0])
        _require_sense(journal, domain)
        state = domain.load(chunks[1:])
        digest = header.digest if believe else domain.digest(state)
    except (msgspec.MsgspecError, ValueError, IndexError, OverflowError) as error:
        raise DamagedError(_unfit(header, domain, f"it cannot be read: {error}")) from error
    if digest != header.digest:
        raise DamagedError(_unfit(header, domain, "the digest of its state is wrong"))
    if sum(state.counts) != header.ordinal:
        raise DamagedError(f"its state is not that of {header.ordinal:,} entries")
    position = Position(header.last_event_id, header.ordinal, header.unseen)
    projection = Projection.restored(domain, state, position, header.unseen, header.anchor)
    projection.confirmed = header.confirmed
    projection.edited = header.fingerprint != domain.fingerprint
    return projection, journal


def _unfit(header: Header, domain: Fold, why: str) -> str:
    """What is said of a state that the domain cannot make sense of."""
    if header.fingerprint == domain.fingerprint:
        return why
    return (
        f"its tables or reasons are others than the rules of {domain.name} declare now: they were edited, and their "
        "version should have changed"
    )


def _require_sense(journal: Journal, domain: Fold) -> None:
    """Raises ValueError for entry ids and outcomes that cannot be."""
    tried = [attempt for _, known in journal.corrections for attempt in (known.last, known.done) if attempt is not None]
    marks = [(mark.entry_id, mark.code) for mark in journal.parked]
    marks += [(attempt.entry_id, attempt.code) for attempt in tried]
    codes = {code for _, code in (*journal.recent, *marks)}
    if unknown := codes.difference(range(len(domain.outcomes))):
        raise ValueError(f"there is no outcome {min(unknown)}")
    if unknown_tables := {mark.table for mark in journal.changes}.difference(domain.storage.places):
        raise ValueError(f"there is no table {min(unknown_tables)}")
    for entry_id, _ in (*journal.recent, *marks, *((mark.change.entry_id.encode(), 0) for mark in journal.changes)):
        if max(id_parts(entry_id)) >= 2**64:
            raise ValueError("an entry id is too large")


def require_version(header: Header, domain: Fold) -> None:
    """Raises DamagedError for a snapshot that was made by other rules."""
    if header.domain != domain.name:
        raise DamagedError(f"it is a snapshot of another domain, {header.domain}")
    if header.version != domain.version:
        raise DamagedError(f"it was made by version {header.version} of the rules, not {domain.version}")


def is_usable(header: Header, store: SnapshotStore, domain: Fold) -> bool:
    """Whether a consumer could restore a stored snapshot and go on. Raises LogError."""
    if header.condemned:
        return False
    try:
        if store.continuity(header).verdict not in (Verdict.CONTINUOUS, Verdict.UNKNOWN):
            return False
        load(header, store, domain)
    except DamagedError:
        return False
    return True


def restore(
    log: Stream,
    store: SnapshotStore,
    domain: Fold,
    *,
    until: bytes | None = None,
    ignore_snapshots: bool = False,
    clock: Callable[[], float],
    on_rung: Callable[[tuple[Rung, ...]], object] = id,
) -> Restoration:
    """Climb down the ladder: the newest complete snapshot, older ones, partial ones, the beginning of the stream.

    A snapshot is used when its checksum, versions, digest and continuity hold. Where there is a gap behind each, the
    first of them is used all the same: the continuity says so, and nothing may be applied to it. A more partial one
    takes its place only if a person agreed to lose what it has not seen. The beginning has a gap, too, when entries are
    gone that a snapshot, of whatever rules, has seen. With `until`, only snapshots at or before that entry count.
    Raises LogError.
    """
    begun = clock()
    rungs: list[Rung] = []
    broken: list[tuple[Header, Continuity]] = []
    foreign: list[Header] = []
    out_of_use: list[int] = []
    """How much those of this history have not seen that cannot be used."""
    # A domain that is for looking only stores none, and has no quarrel with those of the domain whose stream it is.
    headers = [] if domain.readonly else store.offered()

    def failed(header: Header | Unreadable, reason: str) -> None:
        position = Position()
        if isinstance(header, Header):
            position = Position(header.last_event_id, header.ordinal, header.unseen)
        rungs.append(Rung(header.snapshot_id, position, reason))
        on_rung(tuple(rungs))

    def used(header: Header, continuity: Continuity) -> Restoration | None:
        try:
            projection, journal = load(header, store, domain)
        except DamagedError as error:
            out_of_use.append(header.unseen)
            failed(header, str(error))
            return None
        tried = [rung for rung in rungs if rung.snapshot_id != header.snapshot_id]
        rung = Rung(header.snapshot_id, projection.position, None)
        return Restoration(projection, continuity, (*tried, rung), header, journal, clock() - begun, tuple(foreign))

    if store.denial and not ignore_snapshots and not domain.readonly:
        rungs.append(Rung("", Position(), store.denial))
        on_rung(tuple(rungs))
    for header in [] if ignore_snapshots else headers:
        if isinstance(header, Unreadable):
            failed(header, header.reason)
            continue
        if until is not None and id_parts(header.last_event_id) > id_parts(until):
            continue
        try:
            require_version(header, domain)
        except DamagedError as error:
            failed(header, str(error))
            continue
        continuity = store.continuity(header)
        if header.condemned:
            out_of_use.append(header.unseen)
            failed(header, CONDEMNED)
        elif continuity.verdict is Verdict.DIVERGED:
            # That a snapshot was set aside was told when it was.
            if not header.foreign:
                foreign.append(header)
                failed(header, continuity.explanation)
        elif continuity.verdict is Verdict.GAP:
            broken.append((header, continuity))
            out_of_use.append(header.unseen)
            failed(header, continuity.explanation)
        elif out_of_use and header.unseen > min(out_of_use) and not header.confirmed:
            failed(header, f"it has not seen {header.unseen:,} entries, which nobody agreed to lose")
        elif (restoration := used(header, continuity)) is not None:
            return restoration
    if until is not None and broken and all(header.last_event_id.encode() != until for header, _ in broken):
        facts = log.facts()
        if id_parts(facts.first_id or until) <= id_parts(until) and _was_agreed(
            unseen_before(facts), headers, store, domain
        ):
            broken = []
    for header, continuity in sorted(broken, key=lambda each: not each[0].confirmed):
        if (restoration := used(header, continuity)) is not None:
            return restoration
    tried = {rung.snapshot_id for rung in rungs if rung.snapshot_id}
    if not tried.issubset(header.snapshot_id for header in store.offered()):
        # Newer ones took the place of these while they were tried.
        return restore(log, store, domain, until=until, clock=clock, on_rung=on_rung)
    rungs.append(Rung(None, Position(), None))
    projection, continuity = _beginning(log, store, headers, domain, agreed=ignore_snapshots)
    return Restoration(projection, continuity, tuple(rungs), None, Journal(), clock() - begun, tuple(foreign))


def _beginning(
    log: Stream, store: SnapshotStore, headers: Sequence[Header | Unreadable], domain: Fold, *, agreed: bool
) -> tuple[Projection, Continuity]:
    """The empty state, and whether entries are gone that a snapshot has seen; if so, whether a person `agreed`."""
    facts = log.facts()
    gone, seen = _gone(log, store, headers, facts)
    projection = Projection(domain, gone)
    if seen and not agreed and not _was_agreed(gone, headers, store, domain):
        are = "entry is" if seen == 1 else "entries are"
        return projection, Continuity(
            Verdict.GAP,
            seen,
            START.decode(),
            facts.first_id.decode() if facts.first_id else None,
            gone - seen,
            f"{seen:,} {are} gone from the stream, and no snapshot that had seen {'it' if seen == 1 else 'them'} can "
            "be used.",
        )
    projection.confirmed = gone if seen else 0
    verdict = Verdict.UNKNOWN if facts.entries_added is None else Verdict.CONTINUOUS
    return projection, Continuity(verdict, unseen_before_start=gone)


def _was_agreed(gone: int, headers: Sequence[Header | Unreadable], store: SnapshotStore, domain: Fold) -> bool:
    """Whether a snapshot that can be used, be it later than what is asked for, was made without these entries."""
    return any(
        isinstance(header, Header) and header.confirmed >= gone and is_usable(header, store, domain)
        for header in headers
    )


def forgotten(log: Stream, store: SnapshotStore) -> int:
    """How many entries that a snapshot has seen are gone, so that a rebuild would forget them. Raises LogError."""
    return _gone(log, store, store.offered(), log.facts())[1]


def _gone(
    log: Stream, store: SnapshotStore, headers: Sequence[Header | Unreadable], facts: StreamFacts
) -> tuple[int, int]:
    """Entries that left the stream, and how many of them a snapshot, readable or not, of whatever rules, has seen."""
    gone = fewest = unseen_before(facts)
    for header in headers:
        if isinstance(header, Unreadable):
            fewest = min(fewest, header.unseen)
        elif header.unseen < fewest or facts.entries_added is None:
            if store.continuity(header).verdict is Verdict.DIVERGED:
                continue
            if facts.entries_added is None:
                # The server does not count what left the stream; the snapshot has counted what it saw.
                after, length = 0, facts.length
                for page in log.pages(header.last_event_id.encode()):
                    # Read together with the page, or what is appended meanwhile would look as if it were gone.
                    after, length = after + page.count, page.evidence.facts.length
                gone = max(gone, header.ordinal + header.unseen + after - length)
            fewest = min(fewest, header.unseen)
    return gone, max(0, gone - fewest)


def info(header: Header) -> SnapshotInfo:
    """What a screen shows of a snapshot."""
    return SnapshotInfo(
        header.snapshot_id,
        Position(header.last_event_id, header.ordinal, header.unseen),
        header.created_ms,
        header.size,
        header.seconds,
        header.digest,
        header.unseen,
    )


def newest(store: SnapshotStore, domain: Fold) -> SnapshotInfo | None:
    """The newest snapshot of the stream's present history that these rules made. Raises LogError."""
    header = store.newest(domain.rules)
    return None if header is None else info(header)
