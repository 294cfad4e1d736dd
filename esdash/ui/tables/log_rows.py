"""Entries of the log by their ordinals: the newest are those of the view, others are read when they are looked at."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace
from textual.cache import LRUCache

from esdash.engine.shown.row import Row

KEPT: Final = 4_000
"""Entries that are kept beside those of the view."""

BLOCK: Final = 250
"""Entries that are read at a time, at least."""


class LogRows:
    """What is here of the log, and what is missing."""

    def __init__(self) -> None:
        self.newest: Sequence[Row] = ()
        """Of the view, oldest first."""
        self.first = self.last = 0
        """Ordinals of the first of them, and of the last entry that is shown."""
        self.beginning = 0
        """The ordinal of the first entry that can be read; 0: none can but those of the view."""
        self.missing: list[int] = []
        """Ordinals that somebody wanted to see, ascending."""
        self.untold: list[int] = []
        """Ordinals of entries that are here, but not what they did, which somebody wanted to see, ascending."""
        self._read: LRUCache[int, Row] = LRUCache(KEPT)

    @property
    def start(self) -> int:
        """The ordinal of the first line."""
        return min(self.first, self.beginning) if self.beginning else self.first

    def show(self, rows: Sequence[Row], last: int) -> None:
        """The view has these rows; the last entry that is shown has this ordinal."""
        self.newest, self.last = rows, last
        self.first = rows[0].ordinal if rows else last + 1

    def get(self, ordinal: int) -> Row | None:
        """An entry; None while it is not here."""
        if not self.first <= ordinal <= self.last:
            return self._read.get(ordinal)
        row = self.newest[ordinal - self.first]
        told = self._read.get(ordinal) if row.told is None else None
        return told if told is not None and told.entry_id == row.entry_id else row

    def is_untold(self, row: Row) -> bool:
        """Whether it can be read what an entry did that is here."""
        return row.told is None and row.ordinal >= self.beginning > 0 and row.ordinal not in self._read

    def want(self, ordinals: Iterable[int]) -> None:
        """Note which of these, ascending, are not here, or not what they did."""
        missing, untold = list[int](), list[int]()
        for ordinal in ordinals:
            row = self.get(ordinal)
            if row is None:
                missing.append(ordinal)
            elif self.is_untold(row):
                untold.append(ordinal)
        self.missing, self.untold = _added(self.missing, missing), _added(self.untold, untold)

    def want_around(self, ordinal: int) -> None:
        """Note an entry, with those that are read along with it."""
        start = max(self.start, (ordinal - 1) // BLOCK * BLOCK + 1)
        self.want(range(start, min(start + BLOCK, max(self.first, self.last + 1))))

    def add(self, rows: Iterable[Row]) -> None:
        """These were read."""
        for row in rows:
            here = self.newest[row.ordinal - self.first] if self.first <= row.ordinal <= self.last else row
            # The view has an entry that has left the stream since.
            same = here.entry_id == row.entry_id
            self._read[row.ordinal] = replace(here, told=row.told) if same else row

    def forget(self) -> None:
        """The history is another one."""
        self._read.clear()
        self.missing.clear()
        self.untold.clear()

    def around(self, row: Row) -> Sequence[Row]:
        """The neighbours of an entry that are here, with it, oldest first."""
        if self.first <= row.ordinal <= self.last:
            return self.newest
        first = last = row.ordinal
        while first - 1 in self._read:
            first -= 1
        while last + 1 in self._read:
            last += 1
        return [self._read[ordinal] for ordinal in range(first, last + 1)]


def _added(noted: list[int], more: list[int]) -> list[int]:
    """What was passed on the way to somewhere else is not wanted any more."""
    return sorted({*noted, *more}) if len(noted) <= 2 * BLOCK else more
