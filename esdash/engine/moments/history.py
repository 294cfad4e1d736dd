"""The state at any entry, and what each entry changed: a snapshot before it and the entries since."""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, count
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from esdash.counted import counted
from esdash.engine.console import EngineError
from esdash.engine.guard import check_page, check_position, lag_of
from esdash.engine.projection import Projection
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Continuity, Rung, Verdict
from esdash.engine.snapshots.snapshot import Journal, Restoration, load, restore
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold, Told
from esdash.log.pages import PackedPage
from esdash.log.reading.follower import Follower
from esdash.log.reading.readahead import read_ahead
from esdash.log.snapshots import DamagedError, Header, SnapshotStore
from esdash.log.stream import START, Page, Stream, id_parts

FOLLOW_SECONDS: Final = 1.0
"""How long one read waits for new entries."""


class BrokenError(EngineError):
    """Entries are missing, so that nothing after them can be told."""

    def __init__(self, continuity: Continuity, consequence: str = "What happened then cannot be told") -> None:
        super().__init__(f"{consequence}: {continuity.explanation}")
        self.continuity = continuity


def id_before(entry_id: bytes) -> bytes:
    """The greatest id smaller than this one."""
    milliseconds, sequence = id_parts(entry_id)
    if sequence:
        return b"%d-%d" % (milliseconds, sequence - 1)
    return b"%d-%d" % (milliseconds - 1, 2**64 - 1) if milliseconds else START


class Beginning(Struct, frozen=True):
    """Where an account of entries begins."""

    projection: Projection
    snapshot_id: str | None = None
    """The snapshot it had to begin with, since what came before it cannot be told any more; None: as was asked."""
    left_out: int = 0
    """Entries that were asked for and are still in the stream, but lie before that snapshot."""
    number: int = 0
    """Of that snapshot's entry; the projection moves on from there."""


class Watcher(Protocol):
    """Sees what a state is made of."""

    def begin(self, journal: Journal) -> None:
        """What the snapshot that it begins with remembers."""

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page that was applied; its first entry has ordinal `first`."""


Seen = Callable[[int, Sequence[Entry], bytes], object]
"""`Watcher.add`."""

SeenAhead = Callable[[int, Page | PackedPage, bytes], object]
"""The same, of a page that may be packed."""

FAR: Final = 50_000
"""Entries from which a second process pays that reads ahead: it takes about a tenth of a second to start."""


class History:
    """Reads the past of one stream; writes nothing. Every method raises LogError for the server."""

    def __init__(
        self,
        log: Stream,
        domain: Fold,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_page: Callable[[Projection], object] = id,
    ) -> None:
        """`on_page` hears of each projection that moves on, page after page."""
        self._on_page = on_page
        self._log = log
        self._domain = domain
        self._store = SnapshotStore(log)
        self._clock = clock
        self.edited = False
        """Whether the last state is of a snapshot that another source of the same version made."""

    def at(
        self,
        until: bytes | None = None,
        *,
        ignore_snapshots: bool = False,
        on_rung: Callable[[tuple[Rung, ...]], object] = id,
        watcher: Watcher | None = None,
    ) -> tuple[Projection, Continuity]:
        """The state after the entry `until` (inclusive; None: the newest), and its continuity with the log.

        With a gap or a divergence the projection stands at the last place that can be trusted. `on_rung` hears of the
        snapshots that could not be used, as `restore` tells.
        """
        restoration = self._base(until, ignore_snapshots, on_rung)
        if watcher is not None:
            watcher.begin(restoration.journal)
        projection, continuity = restoration.projection, restoration.continuity
        if continuity.verdict is Verdict.GAP:
            if projection.ordinal and projection.last_id == until:
                # What is missing is missing behind the place that was asked for, so the snapshot was used after all.
                on_rung(())
                return projection, Continuity(Verdict.CONTINUOUS, unseen_before_start=projection.unseen)
            return projection, continuity if until is None else self._with_a_way_on(continuity)
        try:
            self.advance(projection, None if watcher is None else watcher.add, until or b"+")
        except BrokenError as error:
            return projection, error.continuity
        return projection, check_position(self._log, projection)

    def before(self, first: bytes) -> Projection:
        """The state before the entry `first`, or where it would be. Raises BrokenError when entries are missing."""
        return self.after(id_before(first))

    def after(self, last: bytes) -> Projection:
        """The state after the last entry up to an id. Raises BrokenError when entries are missing."""
        restoration = self._base(last)
        if restoration.continuity.verdict is Verdict.GAP:
            raise BrokenError(self._with_a_way_on(restoration.continuity))
        projection = restoration.projection
        self.advance(projection, until=last)
        return projection

    def since(self, first: bytes, until: bytes | None = None) -> Beginning:
        """The state before the entry `first`, or the oldest one after it that can be told.

        Raises BrokenError when there is none, or none before the entry `until`.
        """
        try:
            return Beginning(self.before(first))
        except BrokenError:
            found = self._oldest()
            if found is None or (until is not None and id_parts(until) <= id_parts(found[0].last_event_id)):
                raise
        header, projection = found
        if id_parts(header.last_event_id) < id_parts(first):
            self.advance(projection, until=id_before(first))
            return Beginning(projection)
        number = projection.ordinal + projection.unseen
        return Beginning(projection, header.snapshot_id, self._still_there(first, header), number)

    def last(self, count: int, until: bytes | None = None) -> bytes | None:
        """The first of the last entries, so many of them up to an id; None where there are fewer."""
        last = b"+" if until is None else until
        while page := self._log.newest(last):
            if len(page) >= count:
                return page[-count][0]
            count -= len(page)
            if page[0][0] == b"0-1":
                break
            last = id_before(page[0][0])
        return None

    def explain(self, projection: Projection, *, until: bytes = b"+", follow: bool = False) -> Iterator[Row]:
        """Every entry after a projection, which moves on, up to an id, with ordinal, outcome and what it did.

        With `follow` goes on with what is appended, for ever. Raises BrokenError when entries in between are missing.
        """
        for page in self._log.pages(projection.last_id, until):
            yield from self._told_of(projection, page)
        if follow:
            with self._log.connection() as connection:
                follower = Follower(self._log, connection)
                while True:
                    yield from self._told_of(projection, follower.next(projection.last_id, FOLLOW_SECONDS))

    def details(self, entry_id: bytes) -> Row:
        """One entry with what it changed. Raises EngineError (BrokenError) when it cannot be told any more."""
        if self._log.entry(entry_id) is None:
            raise EngineError(f"Entry {entry_id.decode()} is not in the stream any more.")
        before = self.before(entry_id)
        for page in self._log.pages(before.last_id, entry_id):
            self._require_whole(before, page)
            *earlier, last = page.entries or [(b"", [])]
            found = last[0] == entry_id
            if entries := earlier if found else page.entries:
                before.apply(entries)
            if found:
                return self._told(before, last)
        raise EngineError(f"Entry {entry_id.decode()} is not in the stream any more.")

    def advance(
        self,
        projection: Projection,
        seen: Seen | None = None,
        until: bytes = b"+",
        told: Callable[[Sequence[Entry], Sequence[Told]], object] | None = None,
    ) -> None:
        """Apply the entries up to an id, else all there are. Raises BrokenError before those that others are missing
        in front of. `told` hears of each page what its entries did.
        """
        for page in self._log.pages(projection.last_id, until):
            self._require_whole(projection, page)
            if page.entries:
                first = projection.ordinal + 1
                did: list[Told] | None = None if told is None else []
                codes = projection.apply(page.entries, did)
                self._on_page(projection)
                if told is not None and did is not None:
                    told(page.entries, did)
                if seen is not None:
                    seen(first, page.entries, codes)

    def advance_far(self, projection: Projection, seen: SeenAhead, until: bytes, packing: str) -> None:
        """`advance`, for whoever looks at all entries: of many, a second process reads and packs by `packing`.

        Without that each page is read here. Raises DomainError as `Projection.apply_ahead`.
        """
        # The collector finds nothing in a fold and takes a fifth of its time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for page in chain(self._far(projection, until, packing), self._near(projection, until)):
                self._require_whole(projection, page)
                if page.count:
                    first = projection.ordinal + 1
                    codes = projection.apply_ahead(page)
                    self._on_page(projection)
                    seen(first, page, codes)
        finally:
            if collecting:
                gc.enable()

    def _far(self, projection: Projection, until: bytes, packing: str) -> Iterator[Page | PackedPage]:
        if packing and lag_of(projection, self._log.facts()) >= FAR:
            yield from read_ahead(self._log, projection.last_id, until, packing)

    def _near(self, projection: Projection, until: bytes) -> Iterator[Page]:
        yield from self._log.pages(projection.last_id, until)

    def _told(self, projection: Projection, entry: Entry) -> Row:
        code, told = projection.explain(entry)
        return Row(projection.ordinal, entry[0], entry[1], code, told=told)

    def _told_of(self, projection: Projection, page: Page) -> Iterator[Row]:
        """A page is folded as a whole, which takes a fifth of the time; so the projection may be ahead of the rows."""
        self._require_whole(projection, page)
        if not page.entries:
            return
        first, told = projection.ordinal + 1, list[Told]()
        failed: DomainError | None = None
        try:
            codes = projection.apply(page.entries, told)
        except DomainError as error:
            codes, failed = error.codes, error
        self._on_page(projection)
        for ordinal, (entry_id, fields), code, did in zip(count(first), page.entries, codes, told, strict=False):
            yield Row(ordinal, entry_id, fields, code, told=did)
        if failed is not None:
            raise failed

    def _require_whole(self, projection: Projection, page: Page | PackedPage) -> None:
        """Raises BrokenError when entries before the end of the page are missing, or it follows something else."""
        found = check_page(self._log, projection, page)
        if found.verdict is Verdict.GAP and projection.ordinal == 0:
            # What left the stream between the first look at it and the first page was never there to be missed.
            projection.unseen += found.missing
        elif found.verdict in (Verdict.GAP, Verdict.DIVERGED):
            raise BrokenError(found)

    def _base(
        self,
        until: bytes | None,
        ignore_snapshots: bool = False,
        on_rung: Callable[[tuple[Rung, ...]], object] = id,
    ) -> Restoration:
        found = restore(
            self._log,
            self._store,
            self._domain,
            until=until,
            ignore_snapshots=ignore_snapshots,
            clock=self._clock,
            on_rung=on_rung,
        )
        self.edited = found.projection.edited
        return found

    def _oldest(self) -> tuple[Header, Projection] | None:
        """The oldest snapshot that the stream goes on from, in the history of the state as it is now."""
        newest = self._base(None)
        if newest.continuity.verdict is Verdict.GAP:
            return None
        headers = [header for header in self._store.offered() if isinstance(header, Header)]
        for header in sorted(headers, key=lambda header: header.ordinal):
            if header.unseen != newest.projection.unseen:
                continue
            if self._store.continuity(header).verdict in (Verdict.GAP, Verdict.DIVERGED):
                continue
            try:
                return header, load(header, self._store, self._domain)[0]
            except DamagedError:
                continue
        return None

    def _with_a_way_on(self, gap: Continuity) -> Continuity:
        """The gap before a place in the past, in words for whoever asked for that place."""
        found = self._oldest()
        if found is None:
            return gap
        header, projection = found
        gone = counted(gap.missing, "entry is", "entries are")
        number = projection.ordinal + projection.unseen
        return replace(
            gap,
            explanation=f"{gone} gone from the stream. The oldest place that can be told is #{number:,}, "
            f"snapshot:{header.snapshot_id}.",
        )

    def _still_there(self, first: bytes, header: Header) -> int:
        """Entries in the stream from an id on up to the one at the snapshot."""
        facts = self._log.facts()
        if facts.entries_added is not None and id_parts(facts.first_id or START) >= id_parts(first):
            return max(0, facts.length - (facts.entries_added - header.ordinal - header.unseen))
        return sum(page.count for page in self._log.pages(id_before(first), header.last_event_id.encode()))
