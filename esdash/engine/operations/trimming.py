"""Trimming: which entries may leave a stream, and the proof that nothing is lost by it.

What an archive holds to the byte, what the snapshot that stays was made from, and what no consumer group needs, may go.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from msgspec import Struct

from esdash.counted import counted
from esdash.engine.console import EngineError
from esdash.engine.moments.history import History, id_before
from esdash.engine.moments.places import id_after
from esdash.engine.projection import Projection
from esdash.engine.snapshots import snapshot
from esdash.fold.folding import Fold
from esdash.log.archive.folder import Archive
from esdash.log.archive.through import ArchivedStream
from esdash.log.continuity import Verdict
from esdash.log.facts import START, Entry, StreamFacts, anchor_of, id_parts
from esdash.log.snapshots import DamagedError, Header, Pin, SnapshotStore
from esdash.log.stream import Stream
from esdash.log.survey import first_pending, readers_of
from esdash.visible import visible


class UnprovedError(EngineError):
    """The archive does not stand for what would be removed."""


class Bound(Struct, frozen=True):
    """What needs entries to stay."""

    what: str
    """`archive`, `snapshot`, `group` or `place`."""
    name: str
    minid: bytes
    """The least id that must stay."""
    why: str


class Plan(Struct, frozen=True):
    """What may be removed from a stream."""

    facts: StreamFacts
    bounds: tuple[Bound, ...]
    snapshot: Header | None
    """The newest one of these rules whose entries are archived: what would be removed is in its state."""
    refusal: str
    """Why nothing may be removed whatever the bounds say; empty where that is not so."""

    @property
    def minid(self) -> bytes:
        """The least id that must stay: what is before it may go."""
        return min((bound.minid for bound in self.bounds), key=id_parts, default=START)


def plan(log: Stream, store: SnapshotStore, fold: Fold, archive: Archive | None, until: bytes | None = None) -> Plan:
    """What may be removed, up to an id (inclusive; None: as much as may). Reads only. Raises LogError."""
    facts = log.facts()
    headers = [each for each in store.headers() if isinstance(each, Header)]
    own = _newest_usable(store, fold, headers, archive)
    bounds = list(_of_others(store, fold, headers))
    if own is not None:
        why = f"a replay of {fold.name} {fold.version} begins there"
        bounds.append(Bound("snapshot", own.snapshot_id, own.last_event_id.encode(), why))
    if archive is not None:
        why = f"it has {counted(archive.count, 'entry', 'entries')}, up to there"
        bounds.append(Bound("archive", str(archive.folder), id_after(archive.last_id), why))
    if facts.exists:
        bounds += _of_groups(log, facts)
    if until is not None:
        bounds.append(Bound("place", "--until", id_after(until), "as was asked"))
    return Plan(facts, tuple(bounds), own, _refusal(fold, archive, own, headers))


def pin_archived(store: SnapshotStore, archive: Archive) -> list[Header]:
    """Keep the newest snapshot of each version of the rules whose entries are all archived; which these are.

    Else newer ones would take its place, and nothing could be proved by it when the stream is trimmed. Raises LogError.
    """
    pinned: dict[tuple[str, str], Header] = {}
    for header in store.headers():
        if not isinstance(header, Header) or header.condemned or header.rules in pinned:
            continue
        if id_parts(header.last_event_id) <= id_parts(archive.last_id):
            verdict = store.continuity(header).verdict
            if verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN):
                pinned[header.rules] = header
    for header in pinned.values():
        store.pin(header)
    return list(pinned.values())


def _refusal(fold: Fold, archive: Archive | None, own: Header | None, headers: Sequence[Header]) -> str:
    if archive is None:
        return "Nothing is removed without an archive: make one with `esdash archive DIR`, and name it with --archive."
    if not archive.segments:
        return f"The archive {archive.root} has nothing of {visible(archive.stream)}: `esdash archive` adds it."
    if own is None:
        which = f"{fold.name} {fold.version}"
        if any(each.rules == (fold.name, fold.version) for each in headers):
            return (
                f"No snapshot of {which} can be used whose entries are all archived. Take one with `esdash snapshot "
                "take`, then run `esdash archive` again."
            )
        return (
            f"There is no snapshot of {which}, so every entry is needed to make the state. Take one with `esdash "
            "snapshot take`, then run `esdash archive` again."
        )
    return ""


def _newest_usable(
    store: SnapshotStore, fold: Fold, headers: Sequence[Header], archive: Archive | None
) -> Header | None:
    """The best snapshot of these rules that can be used; with an archive, the best whose entries it has."""
    for header in headers:
        if header.rules != (fold.name, fold.version):
            continue
        if archive is not None and id_parts(header.last_event_id) > id_parts(archive.last_id):
            continue
        if snapshot.is_usable(header, store, fold):
            return header
    return None


def _of_others(store: SnapshotStore, fold: Fold, headers: Sequence[Header]) -> Iterator[Bound]:
    """The newest snapshot of each other domain or version: whoever uses it replays from there."""
    known = {(fold.name, fold.version)}
    for header in headers:
        if header.rules in known or header.condemned:
            continue
        if store.continuity(header).verdict in (Verdict.CONTINUOUS, Verdict.UNKNOWN):
            known.add(header.rules)
            name = f"{visible(header.domain)} {visible(header.version)}"
            why = f"the newest of {name}; if nobody uses that, `esdash snapshot delete --version '{name}'` drops it"
            yield Bound("snapshot", header.snapshot_id, header.last_event_id.encode(), why)


def _of_groups(log: Stream, facts: StreamFacts) -> Iterator[Bound]:
    first = facts.first_id or START
    for group in readers_of(log).groups:
        minid = id_after(group.last_delivered_id.encode())
        got = group.last_delivered_id
        why = "it has got none yet" if got.encode() == START else f"it got entries up to {got}"
        if group.pending:
            waiting = first_pending(log, group.name, first)
            if waiting is not None and id_parts(waiting) < id_parts(minid):
                minid, why = waiting, f"{waiting.decode()} waits to be acknowledged"
        yield Bound("group", visible(group.name), minid, why)


def prove(
    log: Stream, store: SnapshotStore, fold: Fold, archive: Archive, found: Plan, progressed: Callable[[int], object]
) -> int:
    """Read back what would be removed, and fold the archive to the snapshot's digest; how many entries would go.

    `progressed` hears how many entries were read. Raises UnprovedError, DomainError, LogError.
    """
    header = found.snapshot
    assert header is not None, "without one nothing is removed"
    count = _compared(log, archive, id_before(found.minid), progressed)
    projection = _base(store, fold, archive, header)
    through = ArchivedStream(log.server, log.name, archive.root)
    history = History(through, fold, on_page=lambda each: progressed(count + each.ordinal))
    history.advance_far(projection, lambda *_: None, header.last_event_id.encode(), fold.packing)
    digest = fold.digest(projection.state)
    if digest != header.digest or projection.ordinal != header.ordinal:
        raise UnprovedError(
            f"The archive makes another state than snapshot {header.snapshot_id} has: {digest}, not {header.digest}. "
            "`esdash verify` tells which is wrong. Nothing was removed."
        )
    return count


def _compared(log: Stream, archive: Archive, until: bytes, progressed: Callable[[int], object]) -> int:
    """How many entries the stream has up to an id, each of which is the same in the archive."""
    archived = _entries(archive, until)
    count = 0
    for page in log.pages(START, until):
        for entry in page.entries:
            kept = next((each for each in archived if id_parts(each[0]) >= id_parts(entry[0])), None)
            if kept is None or kept[0] != entry[0] or list(kept[1]) != list(entry[1]):
                raise UnprovedError(
                    f"Entry {entry[0].decode()} is not in the archive {archive.folder} as it is in the stream. "
                    "Nothing was removed."
                )
        count += page.count
        progressed(count)
    return count


def _entries(archive: Archive, until: bytes) -> Iterator[Entry]:
    for block in archive.blocks(START, until):
        yield from block


def _base(store: SnapshotStore, fold: Fold, archive: Archive, header: Header) -> Projection:
    """What a fold of the archive can begin with: a snapshot that an earlier trim proved, its beginning, or where that
    lacks entries the oldest snapshot after it."""
    older = [
        each
        for each in store.headers()
        if isinstance(each, Header)
        and (each.rules, each.unseen) == (header.rules, header.unseen)
        and archive.unseen <= each.ordinal + each.unseen <= header.ordinal + header.unseen
    ]
    whole = archive.unseen == header.unseen
    for each in older[::-1]:
        proved = each.pinned == Pin.TRIMMED
        if not proved and (whole or each.snapshot_id == header.snapshot_id):
            continue
        entry = archive.entry(each.last_event_id.encode())
        if entry is not None and anchor_of(entry) == each.anchor and not each.condemned:
            with suppress(DamagedError):
                return snapshot.load(each, store, fold)[0]
    if whole:
        return Projection(fold, archive.unseen)
    raise UnprovedError(
        f"The archive begins after {counted(archive.unseen, 'entry', 'entries')} that it never had, and there is no "
        f"older snapshot from which it can be folded to {header.snapshot_id}. Nothing was removed; when a newer "
        "snapshot has been taken and archived, it can be."
    )


def trim(store: SnapshotStore, found: Plan) -> int:
    """Remove what was proved, in one step on the server; how many entries. Raises UnprovedError, LogError."""
    header = found.snapshot
    assert header is not None, "without one nothing is removed"
    answer = store.trim(header, found.minid)
    if answer.isdecimal():
        return int(answer)
    word, _, name = answer.partition(" ")
    reasons = {
        "snapshot": f"snapshot {header.snapshot_id} was deleted meanwhile",
        "changed": "the log is another one than the one that was read",
        "group": f"the consumer group {visible(name)} needs some of it by now",
    }
    raise UnprovedError(f"Nothing was removed: {reasons.get(word, 'the server does not say why')}. Try again.")
