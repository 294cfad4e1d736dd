"""Columns that adapt to the width they get: the least important leave first, and numbers are never cut."""

from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

from msgspec import Struct
from rich.cells import cell_len

from esdash.ui.paint.drawing import bar, cells_of, fit, fit_number

_LONG_TITLE: Final = 14
"""Cells of a title that a column of numbers is given in any case."""


class Kind(Enum):
    """How a column is drawn."""

    TEXT = "text"
    """At the left; cut with … where it is too long."""
    NUMBER = "number"
    """At the right; whole, or …."""
    BAR = "bar"
    """A horizontal bar of the cell's fraction."""


class Column(Struct, frozen=True):
    """One column of a table."""

    key: str
    """What sorting calls it."""
    title: str
    kind: Kind = Kind.TEXT
    least: int = 4
    """Cells under which the column is not worth drawing; a number needs all of its cells anyway."""
    rank: int = 0
    """The highest rank leaves first when there is no room; rank 0 never leaves."""
    extra: bool = False
    """Whether it leaves before any other gets less than it would like. Those have the highest ranks."""
    stretch: int = 0
    """Its share of the cells that are left over."""
    sortable: bool = False
    starts_descending: bool = False
    """Which order the first click on the title gives."""
    short: str = ""
    """Instead of the title where that does not fit."""


class Cell(NamedTuple):
    """What stands in one column of one line."""

    text: str
    style: str = ""
    """A name that `Painted.paint` knows."""
    shorter: tuple[str, ...] = ()
    """Instead of the text where that does not fit, the longest first."""
    fraction: float = 0.0
    """Of a bar, 0…1."""


def arrange(
    columns: Sequence[Column], wanted: Sequence[int], width: int, gap: int, sorted_by: str = ""
) -> tuple[int, ...]:
    """Widths of the columns, 0 for those that leave, so that they and the gaps between them fill `width` cells.

    `wanted` holds the cells that each column's content would like, without its title. The column that lines are sorted
    by never leaves; the first one stays with it, and every other one leaves before.
    """
    if sorted_by:
        ranks = [column.rank + 1 if place and column.key != sorted_by else 0 for place, column in enumerate(columns)]
    else:
        ranks = [column.rank for column in columns]
    shown = sorted(range(len(columns)), key=ranks.__getitem__)
    needs = [_need(column, cells) for column, cells in zip(columns, wanted, strict=True)]
    wanted = [max(*each, title_width(column)) for column, *each in zip(columns, needs, wanted, strict=True)]

    def total(cells: Sequence[int]) -> int:
        return sum(cells[index] for index in shown) + gap * (len(shown) - 1)

    while columns[shown[-1]].extra and columns[shown[-1]].key != sorted_by and total(wanted) > width:
        shown.pop()
    while total(needs) > width and ranks[shown[-1]] > 0:
        shown.pop()
    widths = [0] * len(columns)
    for index in shown:
        widths[index] = needs[index]
    spare = width - total(needs)
    for index in reversed(shown):  # no column is left to leave: the less important ones shrink
        cut = min(max(-spare, 0), widths[index] - 1)
        widths[index] -= cut
        spare += cut
    for index in shown:
        more = min(max(wanted[index] - widths[index], 0), max(spare, 0))
        if columns[index].kind is not Kind.BAR:
            widths[index] += more
            spare -= more
    _stretch(columns, shown, widths, spare)
    return tuple(widths)


class Widths:
    """The columns' widths in a table; they only grow, so that numbers do not wander about."""

    def __init__(self) -> None:
        self.cells: tuple[int, ...] = ()
        """0 for a column that has left."""
        self.gap = 1
        """Cells between two columns."""
        self._wanted: tuple[int, ...] = ()
        self._asked = (-1, "")

    def fit(self, columns: Sequence[Column], content: Sequence[int], room: int, sorted_by: str = "") -> bool:
        """Make them fill the room; whether they are others now. `content` is what each column would like."""
        wanted = tuple(map(max, content, self._wanted or (0,) * len(content)))
        if wanted == self._wanted and (room, sorted_by) == self._asked:
            return False
        self._wanted, self._asked = wanted, (room, sorted_by)
        wide, narrow = (arrange(columns, wanted, room, gap, sorted_by) for gap in (2, 1))
        roomy = all(
            width >= max(cells, title_width(column)) for width, cells, column in zip(wide, wanted, columns, strict=True)
        )
        self.cells, self.gap = (wide, 2) if roomy else (narrow, 1)
        return True

    def column_at(self, columns: Sequence[Column], x: int) -> Column | None:
        edge = 1
        for column, width in zip(columns, self.cells, strict=True):
            if width:
                edge += width + self.gap
                if x < edge:
                    return column
        return None

    @property
    def used(self) -> int:
        shown = [cells for cells in self.cells if cells]
        return sum(shown) + self.gap * max(0, len(shown) - 1)


def draw(column: Column, cell: Cell, width: int) -> str:
    """The cell in exactly `width` cells of the screen."""
    if column.kind is Kind.BAR:
        return bar(cell.fraction, width)
    text = cell.text
    for shorter in cell.shorter:
        if cells_of(text) <= width:
            break
        text = shorter
    return fit_number(text, width) if column.kind is Kind.NUMBER else fit(text, width)


def title(column: Column, width: int, order: str) -> str:
    """The column's title with the arrow of its order, over its content."""
    right = column.kind is Kind.NUMBER
    name = column.title if not column.short or cell_len(column.title) + len(order) <= width else column.short
    if not order:
        return fit(name, width, right)
    text = order + name if right else name + order
    return fit(text, width, right) if cell_len(text) <= width else fit(name, width - 1, right) + order


def title_width(column: Column) -> int:
    """Cells that the title takes, with room for an arrow."""
    return cell_len(column.title) + column.sortable


def _need(column: Column, wanted: int) -> int:
    titled = cell_len(column.short or column.title) + column.sortable
    if column.kind is Kind.NUMBER:
        return max(wanted, min(titled, _LONG_TITLE))
    return max(min(wanted, column.least), min(titled, column.least))


def _stretch(columns: Sequence[Column], shown: Sequence[int], widths: list[int], spare: int) -> None:
    shares = sum(columns[index].stretch for index in shown)
    if spare <= 0 or not shares:
        return
    given = 0
    for index in shown:
        extra = spare * columns[index].stretch // shares
        widths[index] += extra
        given += extra
    first = next(index for index in shown if columns[index].stretch)
    widths[first] += spare - given
