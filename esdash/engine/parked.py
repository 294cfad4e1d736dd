"""The newest entries that could not be understood, kept by where they are and found again after a restart."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from esdash.engine.domain import Domain, Entry, Row
from esdash.log.stream import Log

PARKED: Final = 500
"""Entries kept; `esdash events --outcome parked` lists them all."""


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

    def __init__(self, domain: Domain[Any]) -> None:
        codes = {code for code, outcome in enumerate(domain.outcomes) if outcome.name == "parked"}
        self._parked = codes
        self._others = bytes(code for code in range(256) if code not in codes)
        self._rows: deque[Row] = deque(maxlen=PARKED)
        self._stretches: deque[_Stretch] = deque(maxlen=PARKED)
        self._window: tuple[Row, ...] = ()

    def add(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page was folded; its first entry has ordinal `first`."""
        if not codes.translate(None, self._others):
            return
        for ordinal, (entry_id, fields), code in zip(range(first, first + len(page)), page, codes, strict=True):
            if code in self._parked:
                self._rows.append(Row(ordinal, entry_id, fields, code))
        self._window = tuple(self._rows)

    def add_unseen(self, first: int, after: bytes, last: bytes, codes: bytes) -> None:
        """A page that another process read was folded, from after one id up to another; `find` will look at it."""
        if codes.translate(None, self._others):
            self._stretches.append(_Stretch(after, last, first, codes))

    def find(self, log: Log) -> None:
        """Read what `add_unseen` told of, as far as it is among the newest. Raises LogError."""
        wanted: deque[_Stretch] = deque()
        count = 0
        while self._stretches and count < PARKED:
            stretch = self._stretches.pop()
            wanted.appendleft(stretch)
            count += len(stretch.codes.translate(None, self._others))
        self._stretches.clear()
        for after, last, first, codes in wanted:
            page = log.page(after, last, count=len(codes))
            if len(page) == len(codes):
                self.add(first, page, codes)

    def recall(self, log: Log, marks: Iterable[Mark]) -> None:
        """Find again those that a snapshot remembers, unless they left the stream. Raises LogError."""
        marks = list(marks)
        found = log.entries([mark.entry_id for mark in marks])
        self._rows.clear()
        for mark, entry in zip(marks, found, strict=True):
            if entry is not None:
                self._rows.append(Row(mark.ordinal, *entry, mark.code))
        self._window = tuple(self._rows)

    def marks(self) -> list[Mark]:
        """What a snapshot has to remember."""
        return [Mark(row.entry_id, row.ordinal, row.code) for row in self._rows if row.code is not None]

    def rows(self) -> tuple[Row, ...]:
        """The newest parked entries, oldest first."""
        return self._window
