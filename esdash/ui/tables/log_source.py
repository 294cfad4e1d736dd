"""The lines of the event log: every entry and what the fold decided about it."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.cache import LRUCache

from esdash.engine.row import Row
from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.ui.paint.drawing import clock_time, milliseconds_of
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.relation import Relation, relation_of, rows_of
from esdash.ui.tables.rows_source import WAITING
from esdash.ui.tables.table_source import Searchable
from esdash.visible import visible
from esdash.words.entries import describe, type_of, write
from esdash.words.outcomes import GLYPHS, shortfall

REMEMBERED: Final = 12_000
"""Entries of which is remembered what a filter looks at: more than a view has."""
_SHORT_TYPE: Final = 14
"""Cells of a type's name that there should be room for."""
_SHORT_OUTCOME: Final = 26
"""Cells of an outcome with its reason that there should be room for."""


def columns_of(fold: Fold) -> tuple[Column, ...]:
    """The log's columns, with room for the names that the domain uses."""
    type_width = max((len(each.wire_name) for each in fold.publishable), default=7)
    reason_width = max((len(outcome.reason or "") for outcome in fold.outcomes), default=0) + 2
    return (
        Column("time", "time", Kind.TEXT, least=11, rank=3),
        Column("ordinal", "#", Kind.NUMBER, rank=2),
        Column("id", "id", Kind.NUMBER, rank=4),
        Column("type", "type", Kind.TEXT, least=max(7, min(type_width, _SHORT_TYPE)), rank=1),
        Column("what", "what", Kind.TEXT, least=22, stretch=3),
        Column("outcome", "outcome", Kind.TEXT, least=max(21, min(reason_width, _SHORT_OUTCOME)), stretch=1),
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


class LogSource(Searchable):
    """What the log panel shows."""

    def __init__(self, fold: Fold, hint: Sequence[str] = ()) -> None:
        self.columns: Sequence[Column] = columns_of(fold)
        self.needle = ""
        """Text that a line contains, whatever its case, or a relation: `account:A`."""
        self._fold = fold
        self._relation: Relation | None = None
        self._needle_folded = ""
        # What entries say does not change, and reading ten thousand of them for each key takes too long.
        self._lines: LRUCache[tuple[int, bytes], str] = LRUCache(REMEMBERED)
        self._rows_of: LRUCache[tuple[int, bytes], frozenset[tuple[str, int | str]]] = LRUCache(REMEMBERED)
        self.behind = False
        """Entries were folded, but which they were is not known yet: the consumer replays."""
        self.known = False
        """A consumer has looked into the stream."""
        self._hint = hint
        self.rows: Sequence[Row] = ()
        """All of them, whether they match the filter or not."""
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
        self._widest = [8, 3, 15, self.columns[3].least, 36, max(31, self.columns[5].least + 11)]

    @property
    def total(self) -> int:
        """Entries, whether they match the filter or not."""
        return len(self.rows)

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
        if rows:
            # Entries of another day than today take more, and at midnight all become such.
            self._widest[0] = max(self._widest[0], len(clock_time(milliseconds_of(rows[0].entry_id), now)))
        if len(rows) == len(self.rows) and (not rows or rows[-1] is self.rows[-1]):
            return
        if not rows or rows[-1].ordinal < self._last:  # the consumer began anew
            self._cells.clear()
            self._matches.clear()
            self._scanned = 0
        self.rows = rows
        self._first, self._last = (rows[0].ordinal, rows[-1].ordinal) if rows else (0, 0)
        if rows:
            self._widest[1] = max(self._widest[1], len(f"{self._last + unseen:,}"))
            self._widest[2] = max(self._widest[2], len(rows[-1].entry_id))
        self._scan()

    def search(self, needle: str) -> None:
        """Only lines whose id, type, story, outcome or reason contain this text, in any case; or about one row."""
        self.needle = needle.strip()
        self._needle_folded = self.needle.casefold()
        self._relation = relation_of(self._fold, needle)
        self._matches.clear()
        self._scanned = 0
        self._scan()

    def __len__(self) -> int:
        return len(self._matches) if self.needle else len(self.rows)

    def row(self, index: int) -> Row:
        """The entry on a line."""
        return self.rows[self._matches[index] - self._first if self.needle else index]

    def after(self, ordinal: int) -> int:
        """Lines that stand for entries after this ordinal."""
        if self.needle:
            return len(self._matches) - bisect_left(self._matches, ordinal + 1)
        return max(0, min(self._last - ordinal, len(self.rows)))

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
        self._widest[2] = max(self._widest[2], len(visible(row.entry_id.decode("utf-8", "backslashreplace"))))
        outcome = outcome_cell(self._fold, row)
        # What was short is worth its room; all of the numbers are shown where there is more of it.
        self._widest[5] = max(self._widest[5], cell_len(outcome.shorter[0] if outcome.shorter else outcome.text))
        return (*entry_cells(self._fold, row, self._now, self._unseen), outcome)

    def _scan(self) -> None:
        """Try the rows that are new against the needle."""
        if not self.needle:
            return
        gone = bisect_left(self._matches, self._first)
        del self._matches[:gone]
        start = max(0, self._scanned + 1 - self._first)
        for place in range(start, len(self.rows)):
            if self._is_wanted(self.rows[place]):
                self._matches.append(self._first + place)
        self._scanned = self._last

    def _is_wanted(self, row: Row) -> bool:
        if self._relation is not None:
            return self._relation.holds(self._about(row))
        return self._needle_folded in self._searched(row)

    def _searched(self, row: Row) -> str:
        """What a text is looked for in."""
        key = row.ordinal, row.entry_id
        line = self._lines.get(key)
        if line is None:
            fold = self._fold
            name, reason = fold.outcomes[row.code] if row.code is not None else ("", None)
            entry_id = row.entry_id.decode("utf-8", "backslashreplace")
            told = f"{entry_id} {type_of(fold, row.fields)} {describe(fold, row.fields)} {name} {reason or ''}"
            line = self._lines[key] = told.casefold()
        return line

    def _about(self, row: Row) -> "frozenset[tuple[str, int | str]]":
        """The rows that an entry is about."""
        key = row.ordinal, row.entry_id
        rows = self._rows_of.get(key)
        if rows is None:
            rows = self._rows_of[key] = frozenset(rows_of(self._fold, row))
        return rows


def the_newest(count: int, older: int) -> str:
    """What was looked at, where it is not the whole log: `the newest 10,000 of 270,000 entries`."""
    return f"the newest {count:,} of {count + older:,} entries"


def entry_cells(fold: Fold, row: Row, now: float, unseen: int) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    """Time, number, id, type and content of an entry. `unseen` ones came before the first of all."""
    return (
        Cell(clock_time(milliseconds_of(row.entry_id), now), "dim"),
        Cell(f"{row.ordinal + unseen:,}" if row.ordinal else "—", "dim"),
        Cell(visible(row.entry_id.decode("utf-8", "backslashreplace")), "dim"),
        Cell(visible(type_of(fold, row.fields)) or "—"),
        Cell(visible(describe(fold, row.fields))),
    )


def outcome_cell(fold: Fold, row: Row) -> Cell:
    """An outcome with its glyph, its reason and, where there is room, the numbers that decided it."""
    if row.code is None:
        return Cell("· not known any more", "dim", ("· not known",))
    name, reason = fold.outcomes[row.code]
    glyph, style = MARKS[name]
    if reason is None:
        return Cell(f"{glyph} {name}", style)
    plain = (f"{glyph} {name} · {reason}", f"{glyph} {reason}")
    decided = shortfall(row.told)
    if row.told is None or row.told.needed is None or row.told.available is None or not decided:
        return Cell(plain[0], style, plain[1:])
    decided = visible(decided, 100)
    short = row.told.needed - row.told.available
    brief = f"short {visible(write(row.told.shown, short), 40)}" if short > 0 else decided
    return Cell(f"{plain[0]} · {decided}", style, (f"{plain[0]} · {brief}", f"{plain[1]} · {brief}", *plain))


def counts_text(outcomes: Sequence[Outcome], counts: Iterable[int], width: int) -> str:
    """`✓ 1,234 applied  ✗ 12 rejected (out_of_stock 7, unknown_user 5)`: as many reasons as fit, the frequent first."""
    totals: dict[str, int] = {}
    reasons: dict[str, list[tuple[int, str]]] = {}
    for (name, reason), count in zip(outcomes, counts, strict=False):
        if count:
            totals[name] = totals.get(name, 0) + count
            if reason is not None:
                reasons.setdefault(name, []).append((count, reason))
    for most in (len(outcomes), 3, 2, 1, 0):
        told = []
        for name, total in ((name, totals[name]) for name in MARKS if name in totals):
            frequent = sorted(reasons.get(name, ()), reverse=True)
            named = [f"{reason} {count:,}" for count, reason in frequent[:most]]
            why = f" ({', '.join([*named, *(['…'] if len(frequent) > most else [])])})" if named else ""
            told.append(f"{MARKS[name].glyph} {total:,} {name}{why}")
        text = "  ".join(told)
        if len(text) <= width:
            break
    return text
