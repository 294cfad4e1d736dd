"""The newest entries with their outcomes, for a screen."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, overload

from esdash.engine.domain import Entry, Row

ROWS: Final = 10_000
"""Entries kept."""


class RowWindow(Sequence[Row]):
    """Some rows of a list that only grows: what a view shows does not change when more are added."""

    __slots__ = ("_rows", "_start", "_stop")

    def __init__(self, rows: list[Row], start: int, stop: int) -> None:
        self._rows = rows
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            places = range(self._start, self._stop)[index]
            return [self._rows[place] for place in places]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._rows[self._start + index]


class RecentRows:
    """Takes whole pages at almost no cost, and makes rows of the newest entries when somebody looks."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._pages: deque[tuple[int, list[Entry], bytes]] = deque()
        self._waiting = 0

    @property
    def waiting(self) -> bool:
        """Whether pages were added since somebody looked."""
        return bool(self._pages)

    def add(self, first: int, page: list[Entry], codes: bytes) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        self._pages.append((first, page, codes))
        self._waiting += len(page)
        while self._waiting - len(self._pages[0][1]) >= ROWS:
            self._waiting -= len(self._pages.popleft()[1])

    def recall(self, entries: Sequence[Entry], journal: Iterable[tuple[bytes, int]], ordinal: int) -> list[Row]:
        """Begin with the last entries before a snapshot at `ordinal`, both oldest first; the rows made.

        Goes back as far as entries and journal agree: past an entry that was deleted the ordinals are not known.
        """
        rows: deque[Row] = deque()
        for (entry_id, fields), (expected, code) in zip(reversed(entries), reversed(list(journal)), strict=False):
            if entry_id != expected:
                break
            rows.appendleft(Row(ordinal, entry_id, fields, code))
            ordinal -= 1
        self._pages.clear()
        self._waiting = 0
        self._rows = list(rows)
        return self._rows

    def settle(self) -> list[Row]:
        """Make rows of the pages added since the last time; those new rows."""
        added: list[Row] = []
        for first, page, codes in self._pages:
            ordinals = range(first, first + len(page))
            added += [
                Row(ordinal, entry_id, fields, code)
                for ordinal, (entry_id, fields), code in zip(ordinals, page, codes, strict=True)
            ]
        self._pages.clear()
        self._waiting = 0
        if not added:
            return added
        consecutive = bool(self._rows) and self._rows[-1].ordinal + 1 == added[0].ordinal
        if not consecutive or len(self._rows) + len(added) > 2 * ROWS:
            # Views hold on to the old list; the new one begins with what still fits.
            self._rows = ((self._rows if consecutive else []) + added)[-ROWS:]
        else:
            self._rows.extend(added)
        return added

    def window(self) -> RowWindow:
        """The newest rows as they are now, oldest first, ordinals consecutive; at most ROWS."""
        return RowWindow(self._rows, max(0, len(self._rows) - ROWS), len(self._rows))
