"""The lines of a difference: each number that is another one at the other moment."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from esdash.domain import Column as StateColumn
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.stored import number_name
from esdash.ui.paint.drawing import fit
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.lines import Lines
from esdash.visible import visible
from esdash.words.changes import column_of, moved
from esdash.words.entries import write

if TYPE_CHECKING:
    from esdash.past.numbers.difference import ColumnDifference, Differences

COLUMNS: Final = (
    Column("number", "number", Kind.TEXT, least=16, stretch=1),
    Column("before", "before", Kind.NUMBER, rank=2),
    Column("after", "after", Kind.NUMBER, rank=1),
    Column("moved", "difference", Kind.NUMBER),
)

_TEXT: Final = 30
"""Characters of a text that are shown."""

_SHORTER: Final = (20, 12, 6)
"""Cells of a text where there is less room."""


class DifferenceSource(Lines):
    """Numbers that differ, made into text when they are seen."""

    def __init__(self, fold: Fold) -> None:
        super().__init__(COLUMNS, partial(number_cells, fold))
        self.told = "looking into the past …"

    def show_found(self, found: "Differences") -> None:
        """Show these, in columns that suit the greatest of all of them."""
        widest = [self._widest(each) for each in found.columns]
        self.show(found, "No number differs.", [max(cells) for cells in zip(*widest, strict=True)])

    def change(self, index: int) -> Change | None:
        """The number of a line; None where there is no such line."""
        return self.lines[index] if 0 <= index < len(self) else None

    def _widest(self, found: "ColumnDifference") -> tuple[int, ...]:
        """Cells that a column would like for each of the columns here."""
        places = {0, len(found.before.keys) - 1}
        for cells in (found.before, found.after):
            if cells.values.dtype == object:
                places |= set(range(min(200, len(cells.keys))))
            else:
                places |= {int(cells.values.argmin()), int(cells.values.argmax())}
        if found.column.kind is int:
            moved = found.after.values.astype(float) - found.before.values.astype(float)
            places |= {int(moved.argmin()), int(moved.argmax())}
        lines = [self._make(found.change(place)) for place in places]
        return tuple(max(cell_len(line[place].text) for line in lines) for place in range(len(COLUMNS)))


def number_cells(fold: Fold, change: Change) -> tuple[Cell, ...]:
    """A number's name, what it was, what it became, and by how much."""
    _, column = column_of(fold, change.table, change.column)
    return (
        _name(change),
        _value(column, change.before, "dim" if change.before is None else ""),
        _value(column, change.after, "dim" if change.after is None else ""),
        Cell(visible(moved(column, change.before, change.after), 60), "strong"),
    )


def _name(change: Change) -> Cell:
    key = visible(str(change.key), 60)
    whole = visible(number_name(change.table, change.key, change.column), 120)
    shorter = (f"{change.table}:{fit(key, cells).rstrip()}.{change.column}" for cells in _SHORTER)
    return Cell(whole, "", (*shorter, f"{key}.{change.column}", f"{fit(key, 8).rstrip()}.{change.column}"))


def _value(column: StateColumn, value: Any, style: str) -> Cell:
    text = visible(write(column.shown, value), 120 if column.kind is int else _TEXT)
    if column.kind is int:
        return Cell(text, style)
    return Cell(text, style, tuple(fit(text, cells) for cells in _SHORTER if cell_len(text) > cells))
