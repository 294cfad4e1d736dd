"""What rules refused and what could not be understood, over a stretch of time: by reason and by row."""

from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from esdash.domain import Format, Table
from esdash.past.shown.moments import parked_codes, refused_codes
from esdash.past.track.decoding import SegmentEntries, SegmentPart
from esdash.past.track.encoding import formats
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader

MOST_ROWS: Final = 500
"""Rows that a board lists."""

FEW_ROWS: Final = 5
"""Rows that are named with a reason."""

_MANY: Final = 1_000_000
"""Pairs of a row and a reason that are held before they are added up."""


class Sum(Struct, frozen=True):
    """The numbers that decided refusals, added up: of one reason, those that are shown alike."""

    shown: Format
    times: int
    """Refusals that had such numbers."""
    needed: int
    short: int
    """By how much more was needed than there was, in all those where it was more."""


class RefusedRow(Struct, frozen=True):
    """A row, with the refusals of entries about it."""

    table: Table
    key: int | str
    count: int
    first: int
    """The ordinal of the first of them."""
    first_ms: int
    """Unix milliseconds of its id."""
    codes: list[tuple[int, int]]
    """Outcomes and how often each, the most frequent first."""


class RefusedReason(Struct, frozen=True):
    """One reason."""

    code: int
    """The outcome."""
    count: int
    first: int
    """The ordinal of the first entry."""
    first_ms: int
    """Unix milliseconds of its id."""
    parts: list[int]
    """How many there were in equal parts of the stretch."""
    sums: list[Sum]
    """Empty where no refusal had numbers."""
    rows: list[RefusedRow]
    """Those with most of these refusals; of each only these are counted."""


class Board(Struct, frozen=True):
    """What was refused and parked in a stretch of time."""

    start: int
    end: int
    """Unix milliseconds; after `start`, up to `end`."""
    until: int
    """The ordinal of the last entry that was looked at."""
    unseen: int
    """What makes an ordinal the number of an entry."""
    entries: int
    """All in the stretch."""
    reasons: list[RefusedReason]
    """The most frequent first."""
    rows: list[RefusedRow]
    """Of tables that are not hidden, those most often refused first; at most MOST_ROWS."""


class Refusals:
    """Counts them, segment after segment."""

    def __init__(self, reader: TrackReader, length: int | None, until: int | None, now: int, parts: int) -> None:
        """Over `length` milliseconds, or all: up to the entry of an ordinal, or up to `now` in Unix milliseconds and
        the last entry there is. Raises TrackError."""
        fold = reader.fold
        self._fold = fold
        self._unseen = reader.origin.unseen
        self._until = reader.built_to if until is None else min(max(until, reader.shown_from), reader.built_to)
        self.next = reader.shown_from + 1
        """The ordinal of the first entry that was not looked at yet."""
        first_ms, self._end = now, now
        if not self.done:
            first_ms, last_ms = reader.segments[0].first_ms, reader.time_of(self._until)
            self._end = max(now, last_ms) if until is None else last_ms
        self._start = first_ms - 1 if length is None else self._end - length
        self._wanted = np.zeros(len(fold.outcomes), bool)
        self._wanted[[*refused_codes(fold), *parked_codes()]] = True
        self._entries = 0
        self._parts = np.zeros((len(fold.outcomes), parts), np.int64)
        self._firsts: dict[int, tuple[int, int]] = {}
        """Of each outcome, the ordinal and the time of its first entry."""
        self._sums: dict[tuple[int, int], list[int]] = {}
        """Of each outcome and format: how often, needed, short."""
        self._rows = [_Rows(table) for table in fold.domain.tables if not table.hidden]

    @property
    def done(self) -> bool:
        """Whether all was looked at."""
        return self.next > self._until

    def take(self, reader: TrackReader) -> None:
        """Look at one more segment. Raises TrackError."""
        place = max(0, reader.segment_of(self.next))
        segment = reader.segments[place]
        begin, self.next = max(self.next, segment.first), segment.last + 1
        if segment.last_ms <= self._start:
            return
        entries = reader.entries(place)
        start = max(begin - segment.first, entries.until(self._start))
        end = min(len(entries), self._until - segment.first + 1)
        self._entries += max(0, end - start)
        chosen = np.zeros(len(entries), bool)
        chosen[start:end] = self._wanted[entries.codes[start:end]]
        found = np.flatnonzero(chosen)
        if not len(found):
            return
        self._count(entries, found, segment.first)
        self._add_up(entries, start, end)
        for rows in self._rows:
            part = reader.part(rows.table.name, rows.table, place)
            if part is not None:
                rows.add(entries, part, chosen, segment.first)

    def board(self) -> Board:
        """What was found so far."""
        together = [row for rows in self._rows for row in rows.most(MOST_ROWS)]
        together.sort(key=lambda row: (-row.count, row.first))
        reasons = [self._reason(code) for code in self._firsts]
        reasons.sort(key=lambda reason: (-reason.count, reason.code))
        until = min(self._until, self.next - 1)
        return Board(self._start, self._end, until, self._unseen, self._entries, reasons, together[:MOST_ROWS])

    def _count(self, entries: SegmentEntries, found: Numbers, first: int) -> None:
        codes, times = entries.codes[found].astype(np.int64), entries.milliseconds[found]
        parts = self._parts.shape[1]
        share = (times.astype(np.float64) - (self._start + 1)) / max(1, self._end - self._start)
        within = np.clip((share * parts).astype(np.int64), 0, parts - 1)
        self._parts += np.bincount(codes * parts + within, minlength=self._parts.size).reshape(self._parts.shape)
        for code, at in zip(*np.unique(codes, return_index=True), strict=True):
            self._firsts.setdefault(int(code), (first + int(found[at]), int(times[at])))

    def _add_up(self, entries: SegmentEntries, start: int, end: int) -> None:
        refused = entries.refused
        inside = slice(*map(int, refused.entries.searchsorted((start, end))))
        needed, available, shown = refused.needed[inside], refused.available[inside], refused.shown[inside]
        codes = entries.codes[refused.entries[inside]].astype(np.int64)
        for code, place in set(zip(codes.tolist(), shown.tolist(), strict=True)):
            alike = (codes == code) & (shown == place)
            lacking = alike & np.array(needed > available, bool)
            total = self._sums.setdefault((code, place), [0, 0, 0])
            total[0] += int(np.count_nonzero(alike))
            total[1] += sum(needed[alike].tolist())
            total[2] += sum(needed[lacking].tolist()) - sum(available[lacking].tolist())

    def _reason(self, code: int) -> RefusedReason:
        first, first_ms = self._firsts[code]
        rows = [row for each in self._rows for row in each.most(FEW_ROWS, code)]
        rows.sort(key=lambda row: (-row.count, row.first))
        known = formats(self._fold)
        sums = [Sum(known[place], *found) for (each, place), found in sorted(self._sums.items()) if each == code]
        parts = self._parts[code].tolist()
        return RefusedReason(code, sum(parts), first, first_ms, parts, sums, rows[:FEW_ROWS])


class _Rows:
    """How often entries about the rows of a table were refused, by reason."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._numbers: dict[str, int] = {}
        """Of keys that are texts."""
        self._found: list[NDArray[np.int64]] = []
        """Arrays of lines: code, key or its number, how often, the first ordinal and its time modulo 2^64."""
        self._held = 0

    def add(self, entries: SegmentEntries, part: SegmentPart, chosen: NDArray[np.bool_], first: int) -> None:
        """Those among the chosen entries of a segment that begins with an ordinal."""
        rows, at = part.changes
        kept = chosen[at]
        rows, at = rows[kept], at[kept]
        if not len(at):
            return
        keys = self._as_numbers(part.keys[rows])
        codes = entries.codes[at].astype(np.int64)
        ones = np.ones(len(at), np.int64)
        self._found.append(
            _added_up(np.stack((codes, keys, ones, at + first, entries.milliseconds[at].view(np.int64))))
        )
        self._held += self._found[-1].shape[1]
        if self._held > _MANY:
            self._together()
            self._held = 0

    def most(self, count: int, code: int | None = None) -> list[RefusedRow]:
        """The rows that were refused most, perhaps for one reason."""
        every = self._together()
        if code is not None:
            every = every[:, every[0] == code]
        by_row = every.copy()
        by_row[0] = 0
        by_row = _added_up(by_row)
        chosen = np.lexsort((by_row[3], -by_row[2]))[:count]
        by_row = by_row[:, chosen]
        codes: dict[int, list[tuple[int, int]]] = {}
        for each, number, times in every[:3, np.isin(every[1], by_row[1])].T.tolist():
            codes.setdefault(number, []).append((each, times))
        names = list(self._numbers)
        return [
            RefusedRow(
                self.table,
                number if self.table.key is int else names[number],
                times,
                first,
                first_ms % 2**64,
                sorted(codes[number], key=lambda pair: -pair[1]),
            )
            for _, number, times, first, first_ms in by_row.T.tolist()
        ]

    def _together(self) -> NDArray[np.int64]:
        every = np.concatenate(self._found, axis=1) if self._found else np.empty((5, 0), np.int64)
        self._found = [_added_up(every)]
        return self._found[0]

    def _as_numbers(self, keys: Any) -> Numbers:
        if self.table.key is int:
            return np.asarray(keys, np.int64)
        known = self._numbers
        return np.fromiter((known.setdefault(key, len(known)) for key in keys), np.int64, len(keys))


def _added_up(lines: NDArray[np.int64]) -> NDArray[np.int64]:
    """One line of each code and key, by both."""
    if not lines.shape[1]:
        return lines
    lines = lines[:, np.lexsort((lines[3], lines[1], lines[0]))]
    again = (lines[0, 1:] == lines[0, :-1]) & (lines[1, 1:] == lines[1, :-1])
    begins = np.flatnonzero(np.append(True, ~again))
    return np.stack(
        (
            lines[0, begins],
            lines[1, begins],
            np.add.reduceat(lines[2], begins),
            lines[3, begins],
            lines[4, begins],
        )
    )
