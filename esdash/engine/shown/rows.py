"""The newest entries with their outcomes, for a screen."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, overload

from msgspec import Struct

from esdash.engine.shown.kept import NOT_KNOWN, row_of, rows_of, size_at_most, size_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Told
from esdash.fold.keys import Keys

ROWS: Final = 10_000
"""Entries kept."""

BYTES: Final = 32 * 1024 * 1024
"""That they take at most, where that is less; half of what all entries kept for a screen may take."""

_EAGER: Final = 2 * 1024 * 1024
"""Bytes from which a page is not kept until somebody looks, but what is kept of it."""


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

    def __init__(self, only: Keys | None = None) -> None:
        """Of the fields perhaps `only` the keys are kept."""
        self._only = only
        self._rows: list[Row] = []
        self._size = 0
        """Bytes of the rows, or more."""
        self._waiting: deque[_Waiting] = deque()
        self._waiting_count = 0
        self._waiting_size = 0

    @property
    def waiting(self) -> bool:
        """Whether pages were added since somebody looked."""
        return bool(self._waiting)

    def add(self, first: int, page: Sequence[Entry], codes: bytes, told: Sequence[Told] | None = None) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        size = size_at_most(page) if self._only is None else _EAGER
        if size < _EAGER:
            self._wait(_Waiting(len(page), size, first, page, codes, told))
        else:
            rows = rows_of(first, page, codes, told, only=self._only)
            self._wait(_Waiting(len(page), sum(map(size_of, rows)), rows=rows))

    def _wait(self, page: "_Waiting") -> None:
        self._waiting.append(page)
        self._waiting_count += page.count
        self._waiting_size += page.size
        while self._waiting_count - self._waiting[0].count >= ROWS or (
            self._waiting_size > BYTES and len(self._waiting) > 1
        ):
            oldest = self._waiting.popleft()
            self._waiting_count -= oldest.count
            self._waiting_size -= oldest.size

    def recall(self, entries: Iterable[Entry], journal: Sequence[tuple[bytes, int]], ordinal: int) -> list[Row]:
        """Begin with the last entries before a snapshot at `ordinal`, newest first; the rows made, oldest first.

        The journal has their ids and outcomes, oldest first. Goes back as far as entries and journal agree, for past an
        entry that was deleted the ordinals are not known, and as far as there is room.
        """
        rows: deque[Row] = deque()
        size = 0
        for entry, (expected, code) in zip(entries, reversed(journal), strict=False):
            row = row_of(ordinal - len(rows), entry, code)
            size += size_of(row)
            if row.entry_id != expected or size > BYTES:
                break
            rows.appendleft(row)
        return self._begin_with(list(rows))

    def recall_unseen(self, journal: Sequence[tuple[bytes, int]], ordinal: int) -> None:
        """Begin with what a snapshot at `ordinal` remembers of the last entries, none of which is looked at."""
        first = ordinal - len(journal) + 1
        self._begin_with(
            [Row(first + place, entry_id, (), code, mark=NOT_KNOWN) for place, (entry_id, code) in enumerate(journal)]
        )

    def _begin_with(self, rows: list[Row]) -> list[Row]:
        self._waiting.clear()
        self._waiting_count = self._waiting_size = 0
        self._rows = rows
        self._size = sum(map(size_of, rows))
        return rows

    def settle(self) -> list[Row]:
        """Make rows of the pages added since the last time; those new rows."""
        added: list[Row] = []
        for page in self._waiting:
            added += page.rows or rows_of(page.first, page.entries, page.codes, page.told)
        size, self._waiting_size, self._waiting_count = self._waiting_size, 0, 0
        self._waiting.clear()
        if not added:
            return added
        consecutive = bool(self._rows) and self._rows[-1].ordinal + 1 == added[0].ordinal
        if not consecutive or len(self._rows) + len(added) > 2 * ROWS or self._size + size > BYTES:
            # Views hold on to the old list; the new one begins with what still fits.
            self._rows = _newest(((self._rows if consecutive else []) + added)[-ROWS:])
            self._size = sum(map(size_of, self._rows))
        else:
            self._rows.extend(added)
            self._size += size
        return added

    def window(self) -> RowWindow:
        """The newest rows as they are now, oldest first, ordinals consecutive; at most ROWS, and BYTES."""
        return RowWindow(self._rows, max(0, len(self._rows) - ROWS), len(self._rows))


class _Waiting(Struct, frozen=True):
    """A page that nobody has looked at yet: entries, or rows where they were made at once."""

    count: int
    size: int
    first: int = 0
    entries: Sequence[Entry] = ()
    codes: bytes = b""
    told: Sequence[Told] | None = None
    rows: Sequence[Row] = ()


def _newest(rows: list[Row]) -> list[Row]:
    """Those for which there is room, and some room left, so that this is not done for each new one."""
    room = BYTES * 3 // 4
    for place in range(len(rows) - 1, -1, -1):
        room -= size_of(rows[place])
        if room < 0:
            return rows[place + 1 :] or rows[-1:]
    return rows
