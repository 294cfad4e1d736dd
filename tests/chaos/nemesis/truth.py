"""What a log has ever had, known without asking esdash; and what nobody could tell from the outside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

Entry = tuple[bytes, tuple[bytes, ...] | None]
"""id and fields (name, value, …); no fields: counted by the server, seen by nobody (XSETID ENTRIESADDED)."""

Parts = tuple[int, int]


def parts(entry_id: bytes | str) -> Parts:
    """Ids compare as these."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence)


def text(at: Parts) -> bytes:
    """The id again."""
    return b"%d-%d" % at


@dataclass
class TrueLog:
    """One stream: every entry it has ever had, oldest first, and which of them are gone."""

    history: list[Entry] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    """Indexes into the history."""
    last_id: Parts = (0, 0)
    max_deleted: Parts = (0, 0)

    def copy(self) -> TrueLog:
        """Another one, equal to this."""
        return TrueLog(list(self.history), set(self.gone), self.last_id, self.max_deleted)

    @property
    def present(self) -> list[int]:
        """Indexes of the entries that are still there."""
        return [index for index in range(len(self.history)) if index not in self.gone]

    def append(self, entry_id: bytes, fields: Sequence[bytes]) -> None:
        """XADD."""
        self.history.append((entry_id, tuple(fields)))
        self.last_id = parts(entry_id)

    def trim(self, length: int) -> None:
        """XTRIM MAXLEN = length."""
        there = self.present
        self.gone.update(there[: max(0, len(there) - length)])

    def delete(self, indexes: Iterable[int]) -> None:
        """XDEL."""
        for index in indexes:
            if index not in self.gone:
                self.gone.add(index)
                self.max_deleted = max(self.max_deleted, parts(self.history[index][0]))

    def set_id(self, last_id: Parts, vanished: int) -> None:
        """XSETID last_id ENTRIESADDED (as many as before, and `vanished` more that nobody saw)."""
        for _ in range(vanished):
            self.gone.add(len(self.history))
            self.history.append((text(last_id), None))
            # As on a server that had it: what was counted and is not there was deleted.
            self.max_deleted = last_id
        self.last_id = last_id

    def missing_after(self, index: int, absent: frozenset[int] = frozenset()) -> int:
        """How many entries behind the first `index` are gone, but for those that were `absent` already."""
        return sum(one >= index and one not in absent for one in self.gone)

    def may_have_had(self, at: Parts, count: int) -> bool:
        """Whether the `count`-th entry may have had this id and be gone now, for all that the server tells."""
        ids = [parts(self.history[index][0]) for index in self.present]
        explained = not ids or ids[0] > at or self.max_deleted >= at
        after = sum(one > at for one in ids)
        return at not in ids and explained and self.last_id >= at and len(self.history) - after >= count

    def seen(self, absent: frozenset[int], ordinal: int, position: str) -> int | None:
        """How far somebody has come who never saw the `absent` ones, and has now read so many, up to the id `position`.

        As the index of the next entry; None when nobody can have come there.
        """
        if not ordinal:
            return 0
        count = 0
        for index, (entry_id, _) in enumerate(self.history):
            if index not in absent:
                count += 1
                if count == ordinal:
                    return index + 1 if entry_id == position.encode() else None
        return None


def common(one: Sequence[Entry], other: Sequence[Entry]) -> int:
    """How many entries two histories have in common before they part."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def looks_like(
    log: TrueLog, foreign: Sequence[Entry], absences: Iterable[frozenset[int]], *, counted: bool = True
) -> int | None:
    """Where a state of another history could not be told from one of this log, counted in entries; None: nowhere.

    What tells them apart is the entry at the position and, where that was trimmed or deleted, how many entries there
    were; those that were absent when somebody first looked count at once, wherever they stood. Should both fit by
    accident, nobody can tell: such a log must not be made. A server before Redis 7 has not `counted`, and does not
    know what was deleted either.
    """
    if foreign == log.history[: len(foreign)]:
        return None
    start = common(log.history, foreign)
    there = log.present
    ids = [parts(log.history[index][0]) for index in there]
    entries = {log.history[index] for index in there}
    first = ids[0] if ids else None
    for index in range(start + 1, len(foreign) + 1):
        entry = foreign[index - 1]
        at = parts(entry[0])
        if entry in entries:
            return index
        later = bisect_right(ids, at)
        at_same_id = later and ids[later - 1] == at
        explained = first is None or first > at or log.max_deleted >= at or not counted
        if log.last_id < at or at_same_id or not explained:
            continue
        missing = len(log.history) - index - (len(ids) - later)
        if not counted or missing in {sum(one >= index for one in absent) for absent in absences}:
            return index
    return None
