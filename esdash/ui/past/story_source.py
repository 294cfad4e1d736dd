"""The lines of a row's story: each entry that changed it or is about it, the newest first."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from esdash.domain import Column as StateColumn
from esdash.domain import Table
from esdash.fold.folding import Fold
from esdash.ui.paint.drawing import clock_time, fit, milliseconds_of
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.lines import Lines, widest
from esdash.ui.tables.log_cells import MARKS
from esdash.visible import visible
from esdash.words.changes import is_amount, moved, title_of
from esdash.words.entries import GONE, describe, type_of, write
from esdash.words.outcomes import shortfall

if TYPE_CHECKING:
    from esdash.engine.shown.row import Row
    from esdash.past.numbers.story import StoryLine

Told = tuple["StoryLine", "Row | None"]
"""What an entry did to the row, and the entry itself; None where it has left the stream."""

NEAR: Final = 50
"""Lines from the last known one at which further ones are wanted."""

ENTRY: Final = 40
"""Cells of what an entry said that there should be room for."""

_SHORTER: Final = (90, 75, 60, 50, 40, 32, 24, 16, 8)
"""Cells to which what an entry said is cut before it is left out by how much it was short."""

_TEXT: Final = 30
"""Characters of a text that are shown."""


class StorySource(Lines):
    """For each column of the table how far it moved and what it was then, beside what the entry said."""

    def __init__(self, fold: Fold, table: Table, unseen: int, wall_clock: Callable[[], float]) -> None:
        """`unseen` entries had left the stream before the history began."""
        columns = (
            Column("time", "time", least=11, rank=3),
            Column("ordinal", "#", Kind.NUMBER, rank=2),
            *(each for place, column in enumerate(table.columns) for each in _columns(place, column)),
            Column("outcome", "", least=1, rank=1),
            Column("what", "entry", least=16, stretch=1),
        )
        super().__init__(columns, self._made, lambda told: told[0].ordinal)
        self.told = "looking into the past …"
        self._fold = fold
        self._table = table
        self._unseen = unseen
        self._wall_clock = wall_clock

    def add(self, lines: Sequence[Told]) -> None:
        """These are older than all before."""
        made = widest(map(self._made, lines)) or self._wanted
        wanted = list(map(max, self._wanted, made))
        # Else what refused an entry would have no room beside what it says.
        wanted[-1] = min(wanted[-1], ENTRY)
        self.show([*self.lines, *lines], "No entry was about it.", wanted)

    def _made(self, told: Told) -> tuple[Cell, ...]:
        line, row = told
        outcome = self._fold.outcomes[line.code]
        mark = MARKS[outcome.name]
        refused = "" if outcome.name == "applied" else f"{mark.glyph} {outcome.reason or outcome.name}"
        return (
            Cell(clock_time(milliseconds_of(line.entry_id), self._wall_clock()), "dim"),
            Cell(f"{line.ordinal + self._unseen:,}", "dim"),
            *(cell for column in self._table.columns for cell in self._number(line, column)),
            Cell(refused, mark.style, (mark.glyph,) if refused else ()),
            self._entry(row),
        )

    def _number(self, line: "StoryLine", column: StateColumn) -> Iterator[Cell]:
        change = next((each for each in line.changes if each.column == column.name), None)
        if is_amount(column):
            by = "" if change is None else visible(moved(column, change.before, change.after), 60)
            yield Cell(by, "bad" if by.startswith("−") else "good")
        yield Cell(
            "" if change is None else visible(write(column.shown, change.after), 60 if column.kind is int else _TEXT)
        )

    def _entry(self, row: "Row | None") -> Cell:
        if row is None or not row.fields:
            return Cell(GONE, "dim")
        told = f"{visible(type_of(self._fold, row.fields), 30)}  {visible(describe(self._fold, row.fields), 120)}"
        decided = visible(shortfall(row.told), 120)
        if not decided:
            return Cell(told)
        # By how much it was short matters more than the end of a long event.
        short = decided[max(decided.find("short "), 0) :]
        shorter = (f"{fit(told, cells).rstrip()} · {short}" for cells in _SHORTER if cells < cell_len(told))
        return Cell(f"{told} · {decided}", "", (f"{told} · {short}", *shorter, short))


def _columns(place: int, column: StateColumn) -> Iterator[Column]:
    """Of the first columns of a table the most is kept where there is little room. Times and texts behind the second
    take none from what the entries said."""
    kind = Kind.NUMBER if column.kind is int else Kind.TEXT
    if is_amount(column):
        yield Column(f"moved {place}", "±", kind, rank=4 + 2 * place)
    extra = place > 1 and not is_amount(column)
    rank = 5 + 2 * place + 1_000 * extra
    yield Column(f"after {place}", visible(title_of(column), 24), kind, least=8, rank=rank, extra=extra)
