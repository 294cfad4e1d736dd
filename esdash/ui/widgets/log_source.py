"""The lines of the event log: every entry and what the fold decided about it."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from textual.cache import LRUCache

from esdash.engine.domain import Row
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.story import describe, type_of
from esdash.ui.reasons import GLYPHS
from esdash.ui.widgets.balances import WAITING
from esdash.ui.widgets.columns import Cell, Column, Kind
from esdash.ui.widgets.drawing import clock_time, milliseconds_of
from esdash.ui.widgets.line_table import Order
from esdash.visible import visible

_COLUMNS = (
    Column("time", "time", Kind.TEXT, least=11, rank=3),
    Column("ordinal", "#", Kind.NUMBER, rank=2),
    Column("id", "id", Kind.NUMBER, rank=4),
    Column("type", "type", Kind.TEXT, least=7, rank=1),
    Column("what", "what", Kind.TEXT, least=22, stretch=3),
    Column("outcome", "outcome", Kind.TEXT, least=21, stretch=1),
)


class Mark(NamedTuple):
    """How an outcome looks; the glyph tells it without the colour."""

    glyph: str
    style: str


MARKS: Final = {
    "applied": Mark(GLYPHS["applied"], "good"),
    "rejected": Mark(GLYPHS["rejected"], "bad"),
    "parked": Mark(GLYPHS["parked"], "warning"),
    "duplicate": Mark(GLYPHS["duplicate"], "information"),
}


class LogSource:
    """What the log panel shows."""

    columns = _COLUMNS
    order: Order | None = None

    def __init__(self, hint: Sequence[str] = ()) -> None:
        self.needle = ""
        """Text that a line contains, whatever its case."""
        self.behind = False
        """Entries were folded, but which they were is not known yet: the consumer replays."""
        self.known = False
        """A consumer has looked into the stream."""
        self._hint = hint
        self._rows: Sequence[Row] = ()
        self._first = 0
        """The ordinal of the first row."""
        self._last = 0
        self._matches: list[int] = []
        """Ordinals of the rows that match the needle."""
        self._scanned = 0
        """Rows up to this ordinal were tried against the needle."""
        self._now = 0.0
        self._unseen = 0
        self._cells: LRUCache[tuple[int, bytes, int | None, int], tuple[Cell, ...]] = LRUCache(1024)
        self._widest = [8, 3, 15, 7, 36, 31]

    @property
    def total(self) -> int:
        """Entries, whether they match the filter or not."""
        return len(self._rows)

    @property
    def older(self) -> int:
        """Entries before the first line: they are in the log, but not here, and a filter does not look at them."""
        return max(0, self._first - 1)

    def update(self, rows: Sequence[Row], now: float, unseen: int = 0) -> None:
        """Show other rows; `now` in Unix seconds. `unseen` entries came before the first of all."""
        self._now = now
        if unseen != self._unseen:
            self._unseen = unseen
            self._cells.clear()
        if len(rows) == len(self._rows) and (not rows or rows[-1] is self._rows[-1]):
            return
        if not rows or rows[-1].ordinal < self._last:  # the consumer began anew
            self._cells.clear()
            self._matches.clear()
            self._scanned = 0
        self._rows = rows
        self._first, self._last = (rows[0].ordinal, rows[-1].ordinal) if rows else (0, 0)
        if rows:
            self._widest[0] = max(self._widest[0], len(clock_time(milliseconds_of(rows[0].entry_id), now)))
            self._widest[1] = max(self._widest[1], len(f"{self._last + unseen:,}"))
            self._widest[2] = max(self._widest[2], len(rows[-1].entry_id))
        self._scan()

    def search(self, needle: str) -> None:
        """Only lines whose id, type, story, outcome or reason contain this text, in any case."""
        self.needle = needle
        self._matches.clear()
        self._scanned = 0
        self._scan()

    def __len__(self) -> int:
        return len(self._matches) if self.needle else len(self._rows)

    def row(self, index: int) -> Row:
        """The entry on a line."""
        return self._rows[self._matches[index] - self._first if self.needle else index]

    def after(self, ordinal: int) -> int:
        """Lines that stand for entries after this ordinal."""
        if self.needle:
            return len(self._matches) - bisect_left(self._matches, ordinal + 1)
        return max(0, min(self._last - ordinal, len(self._rows)))

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One line."""
        row = self.row(index)
        key = (row.ordinal, row.entry_id, row.code, int(self._now // 86400))
        cells = self._cells.get(key)
        if cells is None:
            cells = self._cells[key] = self._describe(row)
        return cells

    def identity(self, index: int) -> Hashable:
        """The ordinal."""
        return self._matches[index] if self.needle else self._first + index

    def find(self, identity: Hashable) -> int | None:
        """Where the entry is, or its nearest neighbour when it is filtered out or too old."""
        if not len(self) or not isinstance(identity, int):
            return None
        place = bisect_left(self._matches, identity) if self.needle else identity - self._first
        return max(0, min(place, len(self) - 1))

    def sort(self, order: Order) -> None:
        """The log has one order."""

    def wanted(self) -> Sequence[int]:
        """Cells for the widest content so far."""
        return self._widest

    def hint(self) -> Sequence[str]:
        """What to do about an empty panel."""
        if self.older:
            return (
                f"None of {the_newest(self.total, self.older)} matches.",
                "`esdash events` reads those before them.",
            )
        if self.total:
            return ("no entry matches",)
        if self.behind:
            return ("The newest entries show here", "when the replay has caught up.")
        return self._hint if self.known else WAITING

    def _describe(self, row: Row) -> tuple[Cell, ...]:
        entry_id = visible(row.entry_id.decode("utf-8", "backslashreplace"))
        self._widest[2] = max(self._widest[2], len(entry_id))
        return (
            Cell(clock_time(milliseconds_of(row.entry_id), self._now), "dim"),
            Cell(f"{row.ordinal + self._unseen:,}" if row.ordinal else "—", "dim"),
            Cell(entry_id, "dim"),
            Cell(visible(type_of(row.fields)) or "—"),
            Cell(visible(describe(row.fields))),
            outcome_cell(row.code),
        )

    def _scan(self) -> None:
        """Try the rows that are new against the needle."""
        if not self.needle:
            return
        needle = self.needle.casefold()
        gone = bisect_left(self._matches, self._first)
        del self._matches[:gone]
        start = max(0, self._scanned + 1 - self._first)
        for place in range(start, len(self._rows)):
            if needle in _searched(self._rows[place]):
                self._matches.append(self._first + place)
        self._scanned = self._last


def the_newest(count: int, older: int) -> str:
    """What was looked at, where it is not the whole log: `the newest 10,000 of 270,000 entries`."""
    return f"the newest {count:,} of {count + older:,} entries"


def outcome_cell(code: int | None) -> Cell:
    """An outcome with its glyph and its reason."""
    if code is None:
        return Cell("· not known any more", "dim", "· not known")
    name, reason = OUTCOMES[code]
    glyph, style = MARKS[name]
    if reason is None:
        return Cell(f"{glyph} {name}", style)
    return Cell(f"{glyph} {name} · {reason}", style, f"{glyph} {reason}")


def _searched(row: Row) -> str:
    name, reason = OUTCOMES[row.code] if row.code is not None else ("", None)
    entry_id = row.entry_id.decode("utf-8", "backslashreplace")
    return f"{entry_id} {type_of(row.fields)} {describe(row.fields)} {name} {reason or ''}".casefold()


def counts_text(counts: Iterable[int], width: int) -> str:
    """`✓ 1,234 applied  ✗ 12 rejected (out_of_stock 7, unknown_user 5)`: as many reasons as fit, the frequent first."""
    totals: dict[str, int] = {}
    reasons: dict[str, list[tuple[int, str]]] = {}
    for (name, reason), count in zip(OUTCOMES, counts, strict=False):
        if count:
            totals[name] = totals.get(name, 0) + count
            if reason is not None:
                reasons.setdefault(name, []).append((count, reason))
    for most in (len(OUTCOMES), 3, 2, 1, 0):
        told = []
        for name, total in totals.items():
            frequent = sorted(reasons.get(name, ()), reverse=True)
            named = [f"{reason} {count:,}" for count, reason in frequent[:most]]
            why = f" ({', '.join([*named, *(['…'] if len(frequent) > most else [])])})" if named else ""
            told.append(f"{MARKS[name].glyph} {total:,} {name}{why}")
        text = "  ".join(told)
        if len(text) <= width:
            break
    return text
