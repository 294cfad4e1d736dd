"""What differs between two moments of a stream: the numbers of the state, and the entries that lie between them."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.moments.numbers_between import numbers_between
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position
from esdash.engine.snapshots.snapshot import load
from esdash.fold.cells import Change
from esdash.fold.folding import Entry, Fold
from esdash.fold.outcomes import Outcome
from esdash.log.facts import id_parts
from esdash.log.headers import Header
from esdash.log.snapshots import DamagedError, SnapshotStore
from esdash.log.stream import Stream

Kind = tuple[str, Outcome]
"""Of an entry: its type, and what became of it."""


class Moment(Struct, frozen=True):
    """A moment that is compared with another."""

    entry_id: bytes
    """The last entry that counts."""
    snapshot_id: str = ""
    """The snapshot that shows it, when it was named by one."""


class Distance(Struct, frozen=True):
    """What differs."""

    first: Position
    second: Position
    numbers: Sequence[Change]
    """Before: at the first moment; after: at the second. By table, key and column."""
    entries: "Counter[Kind] | None"
    """How many of each kind lie between the two; None where they are gone from the stream."""


def distance(log: Stream, history: History, fold: Fold, first: Moment, second: Moment) -> Distance:
    """Compare two moments, whichever is the earlier. A snapshot that is named is compared as it was stored.

    Raises EngineError (BrokenError where entries are missing), LogError.
    """
    turned = id_parts(second.entry_id) < id_parts(first.entry_id)
    early, late = (second, first) if turned else (first, second)
    projection = _standing(log, history, fold, early)
    begin = projection.position
    before = projection.state.fork()
    stored = _loaded(log, fold, late.snapshot_id) if late.snapshot_id else None
    entries: Counter[Kind] | None = Counter()

    def count(_: int, page: Sequence[Entry], codes: bytes) -> None:
        assert entries is not None
        for (__, fields), code in zip(page, codes, strict=True):
            entries[fold.sorter.type_of(fields), fold.outcomes[code]] += 1

    try:
        history.advance(projection, count, late.entry_id)
    except BrokenError:
        if stored is None:
            raise
        entries = None
    if stored is None:
        end, after = projection.position, projection.state
    else:
        end, after = stored.position, stored.state
    changes = numbers_between(fold, before, fold, after)
    if turned:
        return Distance(end, begin, [_turned(change) for change in changes], entries)
    return Distance(begin, end, list(changes), entries)


def _standing(log: Stream, history: History, fold: Fold, moment: Moment) -> Projection:
    return _loaded(log, fold, moment.snapshot_id) if moment.snapshot_id else history.after(moment.entry_id)


def _loaded(log: Stream, fold: Fold, snapshot_id: str) -> Projection:
    """The state of a stored snapshot. Raises EngineError saying what is wrong with it, LogError."""
    store = SnapshotStore(log)
    for header in store.offered():
        if header.snapshot_id == snapshot_id and isinstance(header, Header):
            try:
                return load(header, store, fold)[0]
            except DamagedError as error:
                raise EngineError(f"Snapshot {snapshot_id} cannot be compared: {error}.") from error
    raise EngineError(f"There is no snapshot {snapshot_id} any more. `esdash snapshot list` shows those there are.")


def _turned(change: Change) -> Change:
    return Change(change.table, change.key, change.column, change.after, change.before)
