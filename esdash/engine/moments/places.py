"""Where in a stream a place is: what a person named (`query.places`) as the ids that it reaches from and to."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from esdash.engine.console import EngineError
from esdash.engine.moments.history import id_before
from esdash.log.continuity import Verdict
from esdash.log.facts import START, id_parts
from esdash.log.snapshots import Header, SnapshotStore
from esdash.log.stream import Stream
from esdash.query.places import GREATEST, Between, End, Id, Numbered, OfSnapshot, Place
from esdash.query.terms import Since, Until

TOO_OLD: Final = (
    "The server is older than Redis 7 and does not count entries: #n is counted from the nearest snapshot, or from the "
    "oldest entry there is, as if nothing had been trimmed or deleted."
)


class NoPlaceError(EngineError):
    """The place that was named is not in this stream: gone, not there yet, or of another history."""


class _Mark(NamedTuple):
    """An entry whose number is known."""

    number: int
    entry_id: bytes


def id_after(entry_id: bytes) -> bytes:
    """The least id greater than this one; the greatest of all for itself."""
    milliseconds, sequence = id_parts(entry_id)
    if sequence < GREATEST:
        return b"%d-%d" % (milliseconds, sequence + 1)
    return b"%d-0" % (milliseconds + 1) if milliseconds < GREATEST else entry_id


def begin_of(log: Stream, place: Place, on_note: Callable[[str], object] = id) -> bytes:
    """The least id that a range which begins with the place may hold.

    `on_note` hears what had to be assumed, a sentence. Raises NoPlaceError, LogError.
    """
    if isinstance(place, Between):
        return _joined(place.first)
    if isinstance(place, OfSnapshot):
        return id_after(_of_snapshot(log, place.snapshot_id))
    if place is End.NOW:
        return id_after(log.facts().last_id)
    return _entry(log, place, on_note)


def end_of(log: Stream, place: Place, on_note: Callable[[str], object] = id) -> bytes:
    """The greatest id up to and with the place.

    `on_note` hears what had to be assumed, a sentence. Raises NoPlaceError, LogError.
    """
    if isinstance(place, Between):
        return _joined(place.last)
    if isinstance(place, OfSnapshot):
        return _of_snapshot(log, place.snapshot_id)
    if place is End.NOW:
        return log.facts().last_id
    return _entry(log, place, on_note)


class Reached:
    """What `since:` and `until:` of a question reach from and to; each is looked up once."""

    def __init__(self, log: Stream, on_note: Callable[[str], object] = id) -> None:
        """`on_note` hears what had to be assumed."""
        self._log = log
        self._on_note = on_note
        self._found: dict[Since | Until, bytes] = {}

    def reached(self, term: Since | Until) -> bytes:
        """An id. Raises NoPlaceError, LogError."""
        if term not in self._found:
            reach = begin_of if isinstance(term, Since) else end_of
            self._found[term] = reach(self._log, term.place, self._on_note)
        return self._found[term]

    def __call__(self, term: Since | Until) -> Id:
        """The same, as ids compare."""
        return id_parts(self.reached(term))


def _joined(entry_id: Id) -> bytes:
    return b"%d-%d" % entry_id


def _entry(log: Stream, place: Place, on_note: Callable[[str], object]) -> bytes:
    if isinstance(place, Numbered):
        return _Numbers(log, on_note).find(place.number)
    return log.facts().first_id or START


def _of_snapshot(log: Stream, snapshot_id: str) -> bytes:
    store = SnapshotStore(log)
    for header in store.offered():
        if header.snapshot_id != snapshot_id:
            continue
        if not isinstance(header, Header):
            raise NoPlaceError(f"Snapshot {snapshot_id} cannot be read: {header.reason}.")
        if store.continuity(header).verdict is Verdict.DIVERGED:
            raise NoPlaceError(f"Snapshot {snapshot_id} is of another history than the stream has now.")
        return header.last_event_id.encode()
    raise NoPlaceError(f"There is no snapshot {snapshot_id}. `esdash snapshot list` shows those there are.")


class _Numbers:
    """Finds the n-th entry ever added.

    A server counts entries, but cannot tell the number of one. Known are those of the newest entry, of snapshots, and
    of the oldest entry where none was deleted behind it; from the nearest of them entries are counted, page by page.
    """

    def __init__(self, log: Stream, on_note: Callable[[str], object]) -> None:
        self._log = log
        self._facts = facts = log.facts()
        store = SnapshotStore(log)
        headers = [
            header
            for header in store.offered()
            if isinstance(header, Header) and store.continuity(header).verdict is not Verdict.DIVERGED
        ]
        self._marks = [_Mark(header.ordinal + header.unseen, header.last_event_id.encode()) for header in headers]
        self._deleted = facts.max_deleted_id
        if headers:
            self._marks.append(_Mark(min(header.unseen for header in headers), START))
        else:
            # Nobody has read the stream: then all that is missing is missing before its oldest entry.
            self._deleted = START
        self._oldest: _Mark | None = None
        """Right before the oldest entry there is, where its number is known."""
        if facts.entries_added is None:
            on_note(TOO_OLD)
            if not headers:
                self._oldest = _Mark(0, START)
        else:
            self._marks.append(_Mark(facts.entries_added, facts.last_id))
            if facts.first_id is not None and id_parts(self._deleted) < id_parts(facts.first_id):
                self._oldest = _Mark(facts.entries_added - facts.length, id_before(facts.first_id))
        self._marks.sort()

    def find(self, number: int) -> bytes:
        """Its id. Raises NoPlaceError, LogError."""
        for mark in self._marks:
            if mark.number == number and mark.entry_id != START:
                return mark.entry_id
        marks = sorted([*self._marks, self._oldest]) if self._oldest else self._marks
        above = next((mark for mark in marks if mark.number >= number), None)
        below = next((mark for mark in reversed(marks) if mark.number < number), None)
        if below is None or (above is None and self._facts.entries_added is not None):
            raise self._missing(number)
        if above is None:
            found = self._forward(below, number - below.number)
        elif id_parts(self._deleted) > id_parts(below.entry_id):
            found = self._past_deleted(below, above, number)
        else:
            found = self._nearest(below, above, number)
        if found is None:
            raise self._missing(number)
        return found

    def _nearest(self, below: _Mark, above: _Mark, number: int) -> bytes | None:
        """Where nothing was deleted: forward when nothing is trimmed, otherwise, or when it is nearer, backward."""
        first = self._facts.first_id
        whole = below is self._oldest or (first is not None and id_parts(first) <= id_parts(below.entry_id))
        if whole and number - below.number <= above.number - number:
            found = self._forward(below, number - below.number)
            if self._log.facts().first_id == first:
                return found
            # Trimmed meanwhile, so entries may have been missed. Counted from the newer end none can be.
        return self._backward(below, above, number)

    def _past_deleted(self, below: _Mark, above: _Mark, number: int) -> bytes | None:
        found = self._backward(below, above, number)
        if found is not None and id_parts(found) > id_parts(self._deleted):
            return found
        if sum(1 for _ in self._ids_after(below.entry_id, above.entry_id)) == above.number - below.number:
            return self._forward(below, number - below.number)
        raise NoPlaceError(
            f"Which entry is #{number:,} cannot be told: between #{below.number:,} and #{above.number:,} entries were "
            "deleted. Name it by its id."
        )

    def _forward(self, below: _Mark, steps: int) -> bytes | None:
        """The entry so many after a mark."""
        for passed, entry_id in enumerate(self._ids_after(below.entry_id), 1):
            if passed == steps:
                return entry_id
        return None

    def _backward(self, below: _Mark, above: _Mark, number: int) -> bytes | None:
        """The entry between two marks that has so many entries after it, up to the upper mark."""
        steps, until = above.number - number, above.entry_id
        passed = 0
        while page := self._log.newest(until):
            if passed + len(page) > steps:
                found = page[-1 - (steps - passed)][0]
                return found if id_parts(found) > id_parts(below.entry_id) else None
            passed += len(page)
            if page[0][0] == b"0-1":
                return None
            until = id_before(page[0][0])
        return None

    def _ids_after(self, after: bytes, until: bytes = b"+") -> Iterator[bytes]:
        while page := self._log.page(after, until):
            for entry_id, _ in page:
                yield entry_id
            after = page[-1][0]

    def _missing(self, number: int) -> NoPlaceError:
        facts = self._facts
        newest = facts.entries_added
        if newest is None:
            last = self._oldest or self._marks[-1]
            newest = last.number + sum(1 for _ in self._ids_after(last.entry_id))
        if number > newest:
            there_is = f"the newest entry is #{newest:,}" if newest > 0 else "the stream has had no entries"
            return NoPlaceError(f"Entry #{number:,} is not there yet: {there_is}.")
        if facts.first_id is None:
            there_is = "the stream is empty"
        elif self._oldest:
            there_is = f"the stream holds #{self._oldest.number + 1:,} to #{newest:,}"
        else:
            there_is = f"the stream holds entries from {facts.first_id.decode()} to #{newest:,}"
        if self._log.archive_root and not self._log.archived:
            there_is += f", and the archive {self._log.archive_root} has nothing of it"
        return NoPlaceError(f"Entry #{number:,} is gone, trimmed or deleted: {there_is}.")
