"""The newest entries that could not be understood, kept by where they are and found again after a restart."""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from esdash.engine.shown.kept import NOT_KNOWN, rows_of, size_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Fold
from esdash.log.stream import Stream

PARKED: Final = 500
"""Entries kept; `esdash events --outcome parked` lists them all."""

BYTES: Final = 32 * 1024 * 1024
"""That they take at most, where that is less; half of what all entries kept for a screen may take."""


class Mark(NamedTuple):
    """Where a parked entry is."""

    entry_id: bytes
    ordinal: int
    code: int


class _Stretch(NamedTuple):
    """Entries that were folded unseen, of which some were parked."""

    after: bytes
    last: bytes
    first: int
    codes: bytes


class ParkedEntries:
    """Takes note of parked entries while pages are folded. Nothing is ever removed from the stream."""

    def __init__(self, domain: Fold, *, payloads: bool = True) -> None:
        """Without `payloads` only ids and outcomes are kept."""
        codes = {code for code, outcome in enumerate(domain.outcomes) if outcome.name == "parked"}
        self._payloads = payloads
        self._only = None if payloads else domain.keys
        self._parked = codes
        self._others = bytes(code for code in range(256) if code not in codes)
        self._rows: deque[Row] = deque()
        self._size = 0
        self._stretches: deque[_Stretch] = deque(maxlen=PARKED)
        self._window: tuple[Row, ...] = ()

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        self._keep(self._rows_of(first, page, codes))

    def _rows_of(self, first: int, page: Sequence[Entry], codes: bytes) -> list[Row]:
        if not codes.translate(None, self._others):
            return []
        return [
            rows_of(first + place, (page[place],), bytes((code,)), only=self._only)[0]
            for place, code in enumerate(codes)
            if code in self._parked
        ]

    def _keep(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        for row in rows:
            self._rows.append(row)
            self._size += size_of(row)
            while len(self._rows) > PARKED or self._size > BYTES:
                self._size -= size_of(self._rows.popleft())
        self._window = tuple(self._rows)

    def add_unseen(self, first: int, after: bytes, last: bytes, codes: bytes) -> None:
        """A page that another process read was folded, from after one id up to another; `find` will look at it."""
        if codes.translate(None, self._others):
            self._stretches.append(_Stretch(after, last, first, codes))

    def find(self, log: Stream) -> None:
        """Read what `add_unseen` told of, as far as it is among the newest. Raises LogError."""
        wanted: deque[_Stretch] = deque()
        count = 0
        while self._stretches and count < PARKED:
            stretch = self._stretches.pop()
            wanted.appendleft(stretch)
            count += len(stretch.codes.translate(None, self._others))
        self._stretches.clear()
        for after, last, first, codes in wanted:
            found, place = list[Row](), 0
            for page in log.pages(after, last):
                some = codes[place : place + page.count]
                found += self._rows_of(first + place, page.entries[: len(some)], some)
                place += page.count
            # Otherwise entries were deleted meanwhile, and which are left is not known.
            if place == len(codes):
                self._keep(found)

    def recall(self, log: Stream, marks: Sequence[Mark]) -> None:
        """Find again those that a snapshot remembers, unless they left the stream. Raises LogError.

        Without payloads nobody looks whether they are still there.
        """
        self._rows.clear()
        self._window = ()
        self._size = 0
        if self._payloads:
            for mark, entry in zip(marks, log.entries([mark.entry_id for mark in marks]), strict=True):
                if entry is not None:
                    self._keep(rows_of(mark.ordinal, (entry,), bytes((mark.code,))))
        else:
            self._keep([Row(mark.ordinal, mark.entry_id, (), mark.code, mark=NOT_KNOWN) for mark in marks])

    def marks(self) -> list[Mark]:
        """What a snapshot has to remember."""
        return [Mark(row.entry_id, row.ordinal, row.code) for row in self._rows if row.code is not None]

    def rows(self) -> tuple[Row, ...]:
        """The newest parked entries, oldest first."""
        return self._window
