"""What an operator should know: server, persistence, memory, continuity, snapshots, clock; each with a judgement."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from esdash.counted import counted
from esdash.engine.moments.history import History
from esdash.engine.moments.open_entries import OpenEntries
from esdash.engine.operations.findings import (
    Finding,
    Status,
    continuity_finding,
    durability_finding,
    duration,
    entries,
    eviction_finding,
    expiry_finding,
    memory_finding,
    parked_finding,
    persistence_finding,
    role_finding,
    size,
    version_finding,
)
from esdash.engine.projection import Projection
from esdash.engine.snapshots import snapshot
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.log.continuity import Verdict
from esdash.log.errors import ForbiddenError, LogError, RefusedError, UnreachableError
from esdash.log.inspection import Inspection, inspect_server, key_sizes, times_to_live
from esdash.log.keys import key_prefix
from esdash.log.snapshots import DamagedError, Header, SnapshotStore
from esdash.log.stream import Stream, StreamFacts, id_parts

if TYPE_CHECKING:
    from esdash.engine.operations.breaks import ByPast

SKEW_SECONDS: Final = 2.0
"""Clocks this far apart are worth a word."""

FEW_ENTRIES: Final = 100_000
"""So many are replayed in a fraction of a second."""


def fault_of(store: SnapshotStore, domain: Fold, header: Header) -> tuple[str | None, Projection | None]:
    """Why a stored snapshot cannot be used, or None; and its state, when it is one of this history. Raises LogError."""
    try:
        projection, _ = snapshot.load(header, store, domain)
    except DamagedError as error:
        return str(error), None
    if header.condemned:
        return snapshot.CONDEMNED, None
    continuity = store.continuity(header)
    if continuity.verdict is Verdict.DIVERGED:
        return continuity.explanation, None
    return (continuity.explanation if continuity.verdict is Verdict.GAP else None), projection


class Doctor:
    """Looks at everything; writes nothing."""

    def __init__(
        self,
        log: Stream,
        domain: Fold,
        *,
        snapshot_seconds: float,
        by_past: "ByPast" = lambda _: None,
        archive_fault: str = "",
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`snapshot_seconds`: how often snapshots are meant to be taken. `wall_clock` gives Unix seconds. `by_past`
        tells when an invariant was broken, where folding would take longer. `archive_fault`: why the log is not read
        through the archive that was named.
        """
        self._log = log
        self._domain = domain
        self._snapshot_seconds = snapshot_seconds
        self._by_past = by_past
        self._archive_fault = archive_fault
        self._wall_clock = wall_clock

    def examine(self) -> Iterator[Finding]:
        """One finding after the other. Raises UnreachableError when the server does not answer."""
        self._log.server.facts()
        yield from self._archive()
        yield from self._guarded("server", self._server)
        yield from self._guarded("stream", self._stream)
        yield from self._guarded("state", self._state)
        yield from self._guarded("snapshots", self._snapshots)
        yield from self._guarded("expiry", self._expiry)
        yield from self._guarded("keys", self._keys)

    def _archive(self) -> Iterator[Finding]:
        """What is wrong with the archive: everything else is looked at without it then."""
        if self._log.archive_root:
            from esdash.log.archive.segment import ArchiveError

            try:
                self._log.facts()
            except ArchiveError as error:
                self._archive_fault = str(error)
                self._log = Stream(self._log.server, self._log.name)
            except RefusedError:
                return  # which is said of the stream
        if self._archive_fault:
            yield Finding("archive", Status.PROBLEM, self._archive_fault, "All that follows is said without it.")

    def _guarded(self, name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
        try:
            yield from look()
        except UnreachableError:
            raise
        except DomainError as error:
            advice = "No consumer gets past that entry before the file is mended: `esdash domain check` tries it."
            yield Finding("rules", Status.PROBLEM, str(error), advice)
        except ForbiddenError as error:
            status = Status.PROBLEM if name in ("stream", "state") else Status.WARNING
            yield Finding(name, status, str(error), "Without this right esdash cannot look at it.")
        except LogError as error:
            yield Finding(name, Status.PROBLEM, str(error), "Until this is mended, esdash cannot look at it.")

    def _server(self) -> Iterator[Finding]:
        try:
            server = inspect_server(self._log.server)
        except RefusedError as error:
            yield Finding("server", Status.WARNING, str(error), "Let this user run INFO to have it examined.")
            return
        yield version_finding(server)
        yield _client()
        yield role_finding(server)
        yield persistence_finding(server)
        yield durability_finding(server)
        yield eviction_finding(server)
        yield memory_finding(server)
        yield self._clock(server, self._log.facts())

    def _clock(self, server: Inspection, facts: StreamFacts) -> Finding:
        if server.clock_ms is None:
            return Finding(
                "clock", Status.WARNING, "The server does not tell its time.", "Let this user run TIME (+time)."
            )
        skew = server.clock_ms / 1000 - self._wall_clock()
        ahead = id_parts(facts.last_id)[0] / 1000 - server.clock_ms / 1000
        if ahead > SKEW_SECONDS:
            return Finding(
                "clock",
                Status.WARNING,
                f"The newest id, {facts.last_id.decode()}, is {duration(ahead)} ahead of the server's clock.",
                "New entries get ids of that time until the clock has caught up: their times are wrong, their order "
                "is right. Look whether the server's clock was set back, or somebody chose an id by hand.",
            )
        if abs(skew) > SKEW_SECONDS:
            return Finding(
                "clock",
                Status.WARNING,
                f"The server's clock is {duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} this machine's.",
                "Times of entries are the server's. Keep both clocks right, for instance with NTP.",
            )
        return Finding("clock", Status.OK, f"{skew * 1000:+,.0f} ms between the server's clock and this machine's.")

    def _stream(self) -> Iterator[Finding]:
        facts = self._log.facts()
        if not facts.exists or facts.first_id is None:
            seen = f"{self._log.name} has no entries."
            yield Finding("stream", Status.OK, seen, "Publish some, or check the name, if that is not what you expect.")
            return
        first, last = (id_parts(entry_id)[0] / 1000 for entry_id in (facts.first_id, facts.last_id))
        yield Finding(
            "stream",
            Status.OK,
            f"{self._log.name} has {entries(facts.length)}"
            + (f" of {facts.entries_added:,} ever added" if facts.entries_added not in (None, facts.length) else "")
            + f", over {duration(last - first)}, the last {duration(self._wall_clock() - last)} ago.",
        )
        if self._log.archive_root:
            since = facts.length - self._log.archived
            yield Finding(
                "archive",
                Status.OK,
                f"{self._log.archive_root} tells {entries(self._log.archived)} of these; {since:,} came since.",
                "" if self._log.archived else "It has nothing of this stream: `esdash archive` adds it.",
            )

    def _state(self) -> Iterator[Finding]:
        open_entries = OpenEntries(self._log, self._domain)
        projection, continuity = History(self._log, self._domain).at(watcher=open_entries)
        yield continuity_finding(continuity)
        counts: dict[str, dict[str, int]] = {}
        for outcome, count in zip(self._domain.outcomes, projection.state.counts, strict=True):
            if count:
                counts.setdefault(outcome.name, {})[outcome.reason or ""] = count
        total = {name: sum(reasons.values()) for name, reasons in counts.items()}
        if parked := total.get("parked", 0):
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts["parked"].items())
            yield parked_finding(parked, reasons, *open_entries.count())
        else:
            yield Finding("parked", Status.OK, "Every entry can be understood.")
        yield Finding(
            "duplicates",
            Status.OK,
            f"{entries(total.get('duplicate', 0))} repeated a key and changed nothing; "
            f"{total.get('rejected', 0):,} were rejected and {total.get('applied', 0):,} applied, of "
            f"{projection.ordinal:,}.",
        )
        if self._domain.domain.invariants:
            from esdash.engine.operations.breaks import invariant_findings

            yield from invariant_findings(self._log, projection, self._by_past)

    def _snapshots(self) -> Iterator[Finding]:
        if self._domain.readonly:
            yield Finding("snapshots", Status.OK, f"{self._domain.name} stores none, and uses none.")
            return
        store = SnapshotStore(self._log)
        faults: list[str] = []
        good: list[Header] = []
        others: Counter[tuple[str, str]] = Counter()
        for header in store.headers():
            if isinstance(header, Header) and header.rules != self._domain.rules:
                others[header.rules] += 1
                continue
            reason, projection = (
                fault_of(store, self._domain, header) if isinstance(header, Header) else (header.reason, None)
            )
            # A gap behind it is no fault of the snapshot, and is said of the stream.
            if reason is not None and projection is None:
                faults.append(f"{header.snapshot_id}: {reason}")
            elif isinstance(header, Header):
                good.append(header)
        yield self._newest(good, store.lease_holder(self._domain.rules))
        if good and good[0].fingerprint != self._domain.fingerprint:
            yield Finding(
                "edited rules",
                Status.WARNING,
                "The source of the rules was edited since that snapshot was taken, and their version was not.",
                "`esdash verify` says whether they make the same state; a consumer looks into it by itself.",
            )
        for (name, version), count in others.items():
            yield Finding(
                "other versions",
                Status.OK,
                f"{counted(count, 'snapshot was', 'snapshots were')} made by version {version} of {name}, "
                f"not by version {self._domain.version} of {self._domain.name}, which this esdash has.",
                f"If nobody uses them any more, `esdash snapshot delete --version '{name} {version}'` removes them.",
            )
        if faults:
            yield Finding(
                "damaged snapshots",
                Status.WARNING,
                f"{len(faults)} cannot be used. {'; '.join(faults)}.".replace("..", "."),
                "Nothing is lost: the next good one is used, or the stream from its beginning. `esdash snapshot "
                "delete` removes them.",
            )

    def _newest(self, good: list[Header], holder: str | None) -> Finding:
        facts = self._log.facts()
        who = f" {holder} takes them." if holder else " Nobody is taking them now."
        if not good:
            return Finding(
                "snapshots",
                Status.WARNING if facts.length > FEW_ENTRIES else Status.OK,
                f"There is none that can be used: a start replays {entries(facts.length)}.{who}",
                "`esdash snapshot take` takes one, and a running consumer does now and then." if facts.length else "",
            )
        newest = good[0]
        age = self._wall_clock() - newest.created_ms / 1000
        seen = f"{len(good)} can be used; the newest, {newest.snapshot_id}, is {duration(age)} old"
        behind = 0
        if facts.entries_added is not None:
            behind = max(0, facts.entries_added - newest.unseen - newest.ordinal)
            seen += f" and {entries(behind)} behind"
        seen += f".{who}"
        late = self._snapshot_seconds and age > 10 * self._snapshot_seconds
        if behind > FEW_ENTRIES and late:
            return Finding(
                "snapshots", Status.WARNING, seen, "Start a consumer, or take one with `esdash snapshot take`."
            )
        return Finding("snapshots", Status.OK, seen)

    def _expiry(self) -> Iterator[Finding]:
        index, *stored = self._own_keys()
        try:
            found = times_to_live(self._log.server, [self._log.name, index, *stored])
        except RefusedError as error:
            yield Finding(
                "expiry",
                Status.WARNING,
                str(error),
                "Let this user run PTTL (+pttl), to know that no key is deleted in time.",
            )
            return
        yield expiry_finding(self._log.name, found)

    def _own_keys(self) -> list[str]:
        """The keys of the snapshots: their index first. None of them may expire."""
        prefix = key_prefix(self._log.name)
        headers = SnapshotStore(self._log).headers()
        return [f"{prefix}snapshots", *(f"{prefix}snapshot:{header.snapshot_id}" for header in headers)]

    def _keys(self) -> Iterator[Finding]:
        prefix = key_prefix(self._log.name)
        own = [*self._own_keys(), SnapshotStore(self._log).lease_key(self._domain.rules)]
        try:
            sizes = key_sizes(self._log.server, [self._log.name, *own])
        except RefusedError as error:
            yield Finding(
                "keys",
                Status.WARNING,
                str(error),
                "Let this user run MEMORY USAGE (+memory|usage) to have them measured.",
            )
            return
        stream = sizes.pop(self._log.name, 0)
        own_size = size(sum(sizes.values()))
        yield Finding(
            "keys",
            Status.OK,
            f"The stream takes {size(stream)}; esdash's own {len(sizes)} keys, {prefix}*, take {own_size}.",
        )


def _client() -> Finding:
    if find_spec("hiredis") is not None:
        return Finding("client", Status.OK, "redis-py with hiredis.")
    return Finding(
        "client", Status.WARNING, "hiredis is missing: replay takes ten times as long.", "Run `pip install hiredis`."
    )
