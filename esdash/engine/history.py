"""The state at any entry, and what each entry changed: a snapshot before it and the entries since."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Generic

from esdash.engine.console import EngineError
from esdash.engine.domain import Domain, Row, State
from esdash.engine.projection import Projection
from esdash.engine.snapshot import Restoration, restore
from esdash.engine.view import Continuity, Verdict
from esdash.log.continuity import check
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import START, Log, id_parts


def id_before(entry_id: bytes) -> bytes:
    """The greatest id smaller than this one."""
    milliseconds, sequence = id_parts(entry_id)
    if sequence:
        return b"%d-%d" % (milliseconds, sequence - 1)
    return b"%d-%d" % (milliseconds - 1, 2**64 - 1) if milliseconds else START


class History(Generic[State]):
    """Reads the past of one stream; writes nothing. Every method raises LogError for the server."""

    def __init__(self, log: Log, domain: Domain[State], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._domain = domain
        self._store = SnapshotStore(log)
        self._clock = clock

    def at(self, until: bytes | None = None, *, ignore_snapshots: bool = False) -> tuple[Projection[State], Continuity]:
        """The state after the entry `until` (inclusive; None: the newest), and its continuity with the log.

        With a gap or a divergence the projection stands at the last place that can be trusted.
        """
        restoration = self._base(until, ignore_snapshots)
        projection = restoration.projection
        if restoration.continuity.verdict is Verdict.GAP:
            return projection, restoration.continuity
        for page, _ in self._log.pages(projection.last_id, until or b"+"):
            if page:
                projection.apply(page)
        continuity = check(self._log, projection.last_id, projection.ordinal, projection.unseen, projection.anchor)
        return projection, continuity

    def explain(self, after: bytes = START) -> Iterator[tuple[Row, Any]]:
        """Every entry after an id with its ordinal, outcome and the domain's account of what it changed.

        Raises EngineError when entries in between are missing.
        """
        projection = self._before(after)
        for page, _ in self._log.pages(projection.last_id):
            for entry in page:
                yield self._told(projection, entry)

    def details(self, entry_id: bytes) -> tuple[Row, Any]:
        """One entry with what it changed. Raises EngineError when it cannot be told any more."""
        if self._log.entry(entry_id) is None:
            raise EngineError(f"Entry {entry_id.decode()} is not in the stream any more.")
        before = self._before(id_before(entry_id))
        for page, _ in self._log.pages(before.last_id, entry_id):
            if page and page[-1][0] == entry_id:
                if len(page) > 1:
                    before.apply(page[:-1])
                return self._told(before, page[-1])
            if page:
                before.apply(page)
        raise EngineError(f"Entry {entry_id.decode()} is not in the stream any more.")

    def _told(self, projection: Projection[State], entry: Any) -> tuple[Row, Any]:
        code, account = projection.explain(entry)
        return Row(projection.ordinal, entry[0], entry[1], code), account

    def _base(self, until: bytes | None, ignore_snapshots: bool = False) -> Restoration[State]:
        return restore(
            self._log,
            self._store,
            self._domain,
            until=until,
            ignore_snapshots=ignore_snapshots,
            clock=self._clock,
        )

    def _before(self, after: bytes) -> Projection[State]:
        """The projection that stands after the last entry up to an id."""
        restoration = self._base(after)
        if restoration.continuity.verdict is Verdict.GAP:
            raise EngineError(f"What happened then cannot be told: {restoration.continuity.explanation}")
        projection = restoration.projection
        for page, _ in self._log.pages(projection.last_id, after):
            if page:
                projection.apply(page)
        return projection
