"""The lines of a list of single entries: parked ones, orphans."""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from msgspec.structs import replace
from textual.cache import LRUCache

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.ui.paint.drawing import clock_time, day, milliseconds_of
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.log_cells import MARKS, entry_cells, outcome_cell
from esdash.ui.tables.table_source import Source
from esdash.ui.trust.standing import Standing

_COLUMNS: Final = (
    Column("time", "time", Kind.TEXT, least=11, rank=4),
    Column("ordinal", "#", Kind.NUMBER, rank=5),
    Column("id", "id", Kind.NUMBER, rank=2),
    Column("type", "type", Kind.TEXT, least=7, rank=3),
    Column("outcome", "reason", Kind.TEXT, least=14),
    Column("what", "payload", Kind.TEXT, least=10, stretch=1, rank=6),
    Column("done", "", Kind.TEXT, least=7, rank=1),
)

_TYPE: Final = 16
"""Cells that a type may want."""


class EntrySource(Source):
    """Entries, newest or oldest first, with what was done about each."""

    def __init__(self, fold: Fold, stands: Callable[[Row], Standing], *, parked: bool) -> None:
        """`stands` tells how an entry stands.

        A list of parked entries shows the newest first, and of their outcomes the reasons only.
        """
        self._fold = fold
        self._stands = stands
        self._parked = parked
        self.columns = _COLUMNS if parked else _named(_COLUMNS, outcome="outcome", what="what")
        self._type = min(max((len(each.wire_name) for each in fold.domain.events), default=0), _TYPE)
        """Cells of the longest type."""
        self._given: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._places: dict[Hashable, int] = {}
        self._now = 0.0
        self._unseen = 0
        self._clock = 8
        """Cells of the widest time."""
        self._id = 15
        """Cells of the widest id."""
        self._cells: LRUCache[Hashable, tuple[Cell, ...]] = LRUCache(512)

    def update(self, rows: Sequence[Row], now: float, unseen: int = 0) -> None:
        """Show these, given oldest first; `now` in Unix seconds. `unseen` entries came before the first of all."""
        self._now = now
        if unseen != self._unseen:
            self._unseen = unseen
            self._cells.clear()
        if rows is self._given:
            return
        self._given = rows
        self._rows = rows[::-1] if self._parked else rows
        self._places = {_identity(row): place for place, row in enumerate(self._rows)}
        times = (clock_time(milliseconds_of(row.entry_id), now) for row in (*rows[:1], *rows[-1:]))
        self._clock = max((self._clock, *map(len, times)))
        self._id = max((self._id, *(len(row.entry_id) for row in rows)))

    def row(self, index: int) -> Row:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def cells(self, index: int) -> tuple[Cell, ...]:
        row = self._rows[index]
        standing = self._stands(row)
        key = (_identity(row), row.code, standing, day(self._now))
        cells = self._cells.get(key)
        if cells is None:
            cells = self._cells[key] = self._describe(row, standing)
        return cells

    def identity(self, index: int) -> Hashable:
        """Id and ordinal: after a failover another entry may have the same id."""
        return _identity(self._rows[index])

    def find(self, identity: Hashable) -> int | None:
        return self._places.get(identity)

    def wanted(self) -> Sequence[int]:
        digits = max((len(f"{row.ordinal + self._unseen:,}") for row in (*self._rows[:1], *self._rows[-1:])), default=1)
        return (self._clock, digits, self._id, max(8, self._type), 21 if self._parked else 30, 36, 20)

    def _describe(self, row: Row, standing: Standing) -> tuple[Cell, ...]:
        *known, content = entry_cells(self._fold, row, self._now, self._unseen)
        outcome = self._reason(row.code) if self._parked else outcome_cell(self._fold, row)
        return (*known, outcome, content, Cell(standing.cell, standing.style, (standing.brief,)))

    def _reason(self, code: int | None) -> Cell:
        reason = "" if code is None else self._fold.outcomes[code].reason or ""
        return Cell(f"{MARKS['parked'].glyph} {reason}", MARKS["parked"].style)


def _named(columns: Sequence[Column], **titles: str) -> tuple[Column, ...]:
    """The columns with other titles, by what they are called."""
    return tuple(replace(column, title=titles.get(column.key, column.title)) for column in columns)


def _identity(row: Row) -> tuple[bytes, int]:
    return row.entry_id, row.ordinal
