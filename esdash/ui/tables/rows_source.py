"""The lines of any declared table: the key, every column, bars, what changed the row last and how long ago."""

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len

from esdash.domain import COUNT, Table
from esdash.domain import Column as Declared
from esdash.engine.shown.picture import CHANGE, LastChange, Picture, TablePicture
from esdash.ui.paint.drawing import age, milliseconds_of
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.ordering import AT_ONCE, Ordering, Question
from esdash.ui.tables.table_source import Searchable, SortOrder
from esdash.visible import visible
from esdash.words.changes import by, title_of
from esdash.words.entries import write

if TYPE_CHECKING:
    from numpy import int64
    from numpy.typing import NDArray

WAITING: Final = ("Nothing is known yet.",)
"""What panels say before there is a state."""

_STEP: Final = 5
"""Seconds."""

_LOW: Final = 5
"""Pieces under which a line warns."""

_LONGEST: Final = 24
"""Cells that a text may have while there is no room to spare."""

_BAR: Final = "*bar:"
"""Before the name of the column that a bar belongs to; no column is called so."""


class RowsSource(Searchable):
    """What the panel of a table shows."""

    def __init__(
        self, table: Table, hint: Sequence[str] = (), sorted_later: Callable[[], object] = lambda: None
    ) -> None:
        """`sorted_later` is called in another thread when `update` would show a new order."""
        self.table = table
        self.columns: Sequence[Column] = columns_of(table)
        self.order: SortOrder | None = SortOrder("", False)
        self.needle = ""
        """Digits that keys begin with, or text that they contain, in any case."""
        self.lit: frozenset[str] = frozenset()
        """Ids of the entries whose changes stand out."""
        self._hint = hint
        self._ordering = Ordering(sorted_later)
        self._latest: TablePicture | None = None
        self._now = 0.0
        self._places = {column.key: place for place, column in enumerate(self.columns)}
        self._widest = [_usual(column) for column in self.columns]
        self._greatest = {column.name: 0 for column in table.columns if column.bar}
        self._main = next((column.name for column in table.columns if column.bar), table.columns[0].name)

    @property
    def total(self) -> int:
        return 0 if self._latest is None else len(self._latest)

    @property
    def sorting(self) -> bool:
        """A new order is being made in a thread."""
        return self._ordering.busy

    def update(self, picture: Picture | None, now: float) -> None:
        """Show another state; `now` in Unix seconds."""
        table = None if picture is None else picture.tables.get(self.table.name)
        self._now = now
        if table is not None and table is not self._latest and len(table):
            self._measure(table)
        self._latest = table
        self._arrange()

    def sort(self, order: SortOrder) -> None:
        self.order = order
        self._arrange()

    def search(self, needle: str) -> None:
        """Only rows whose key begins with these digits, or contains this text."""
        self.needle = needle.strip() if self.table.key is int else needle
        self._arrange()

    def __len__(self) -> int:
        return len(self._ordering.rows)

    def shown(self) -> "tuple[TablePicture | None, NDArray[int64] | tuple[int, ...]]":
        """What the lines are of, and its row numbers in their order; neither is changed later."""
        return self._ordering.table, self._ordering.rows

    def key(self, index: int) -> int | str:
        assert self._ordering.table is not None
        return self._ordering.table.row(int(self._ordering.rows[index])).key

    def cells(self, index: int) -> tuple[Cell, ...]:
        assert self._ordering.table is not None
        row = self._ordering.table.row(int(self._ordering.rows[index]))
        lit = row.change is not None and row.change.entry_id in self.lit
        cells = [Cell(visible(str(row.key)), "tag" if lit else "strong")]
        for column, value in zip(self.table.columns, row.cells, strict=True):
            tone = _tone(column, value)
            text = visible(write(column.shown, value))
            cells.append(Cell(text, "dim" if value is None else tone))
            if column.bar:
                cells.append(Cell("", tone or "information", fraction=self._fraction(column, value)))
        cells += self._change(row.change)
        for place, cell in enumerate(cells):
            if cell.text:
                self._want(place, cell_len(cell.text))
        return tuple(cells)

    def identity(self, index: int) -> Hashable:
        return self.key(index)

    def find(self, identity: Hashable) -> int | None:
        ordering = self._ordering
        if ordering.table is None or isinstance(ordering.rows, tuple) or not isinstance(identity, int | str):
            return None
        number = ordering.table.number(identity)
        if number is None:
            return None
        (places,) = (ordering.rows == number).nonzero()
        return int(places[0]) if len(places) else None

    def wanted(self) -> Sequence[int]:
        return self._widest

    def hint(self) -> Sequence[str]:
        if self.total:
            return (f"no {visible(self.table.one, 40)} matches",)
        return self._hint if self._latest is not None else WAITING

    def _arrange(self) -> None:
        assert self.order is not None
        self._ordering.show(self._latest, Question(self.order.column, self.order.descending, self.needle))

    def _want(self, place: int, cells: int) -> None:
        most = cells if self.columns[place].kind is Kind.NUMBER else min(cells, _LONGEST)
        self._widest[place] = max(self._widest[place], most)

    def _measure(self, table: TablePicture) -> None:
        """Widths and greatest values, of what can be looked through in a moment; the rest is measured when drawn."""
        before = self._latest
        if (before is None or before.keys is not table.keys) and _quick(table.keys):
            self._want(0, table.longest())
        for column, values in zip(self.table.columns, table.columns, strict=True):
            if column.kind is not int or not _quick(values):
                continue
            highest = table.greatest(column.name)
            self._want(self._places[column.name], cell_len(visible(write(column.shown, highest))))
            if column.bar:
                self._greatest[column.name] = max(self._greatest[column.name], highest)

    def _fraction(self, column: Declared, value: Any) -> float:
        if type(value) is not int or value <= 0:
            return 0.0
        greatest = self._greatest[column.name] = max(self._greatest[column.name], value)
        return value / greatest

    def _change(self, change: LastChange | None) -> tuple[Cell, Cell]:
        if change is None:
            return Cell(""), Cell("")
        seconds = self._now - milliseconds_of(change.entry_id) / 1000
        # In steps of five, or every line of a busy table would change every second.
        ago = Cell(age(seconds if seconds < _STEP * 2 else seconds // _STEP * _STEP), "dim")
        name = self._main if self._main in change.deltas else change.column
        column = next(column for column in self.table.columns if column.name == name)
        delta = change.deltas.get(name)
        if delta is None:
            return Cell(visible(title_of(column), 16), "dim"), ago
        return Cell(visible(by(column, delta), 40), "bad" if delta < 0 else "good" if delta else "dim"), ago


def columns_of(table: Table) -> tuple[Column, ...]:
    """A table's columns on the screen, and which of them leave first where there is no room."""
    main = next((column for column in table.columns if column.bar), table.columns[0])
    others = [column for column in table.columns if column is not main]
    # After the main column its neighbour, what changed, the bar, and how long ago; then what else there is.
    ranks = {column.name: place + (1 if place == 0 else 4) for place, column in enumerate(others)} | {main.name: 0}
    bars = sum(column.bar for column in table.columns)
    stretching = not bars
    key = Column(
        "", visible(table.one, 24), Kind.NUMBER if table.key is int else Kind.TEXT,
        least=4 if table.key is int else 8, sortable=True, stretch=int(stretching and table.key is str),
    )  # fmt: skip
    columns = [key]
    for column in table.columns:
        number = column.kind is int
        columns.append(
            Column(
                column.name,
                visible(title_of(column), 24),
                Kind.NUMBER if number else Kind.TEXT,
                least=4 if column.kind is bool else 8,
                rank=ranks[column.name],
                stretch=int(stretching and column.kind is str),
                sortable=True,
                starts_descending=number,
            )
        )
        if column.bar:
            columns.append(Column(_BAR + column.name, "", Kind.BAR, least=5, rank=3, stretch=1))
    columns.append(
        Column(CHANGE, "last change", Kind.NUMBER, rank=2, sortable=True, starts_descending=True, short="change")
    )
    columns.append(Column("*ago", "ago", Kind.NUMBER, rank=4))
    return tuple(columns)


def _usual(column: Column) -> int:
    """Cells for what stands in a column as a rule, so that its width does not grow with the first rows."""
    if column.kind is Kind.BAR:
        return 5
    return {"": 3 if column.kind is Kind.NUMBER else 8, CHANGE: 6, "*ago": 6}.get(column.key, 6)


def _quick(values: Any) -> bool:
    return values.dtype != object or len(values) <= AT_ONCE


def _tone(column: Declared, value: Any) -> str:
    """How scarce it is, of what is counted in pieces."""
    if not column.bar or column.shown != COUNT or type(value) is not int:
        return ""
    return "bad" if value == 0 else "warning" if value < _LOW else ""
