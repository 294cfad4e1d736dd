"""The lines of a list that stay the same ones until there are others."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from rich.cells import cell_len
from textual.cache import LRUCache

from esdash.ui.tables.columns import Cell, Column
from esdash.ui.tables.table_source import Source

LOOKED_AT: Final = 200
"""Lines by which it is judged how wide the columns should be."""


class Lines(Source):
    """Each is made into text when it is seen."""

    def __init__(self, columns: Sequence[Column], make: Callable[[Any], tuple[Cell, ...]]) -> None:
        """`make` makes the cells of a line."""
        self.columns = columns
        self.told = ""
        """What to show when there is no line: harmless text."""
        self.lines: Sequence[Any] = ()
        self._make = make
        self._wanted: Sequence[int] = (0,) * len(columns)
        self._cells: LRUCache[int, tuple[Cell, ...]] = LRUCache(512)

    def show(self, lines: Sequence[Any], told: str = "", wanted: Sequence[int] | None = None) -> None:
        """Show these. `wanted`: cells that each column would like, where that is known."""
        self.lines, self.told = lines, told
        self._cells.clear()
        if wanted is not None:
            self._wanted = wanted or (0,) * len(self.columns)
            return
        looked_at = [self.cells(index) for index in range(min(LOOKED_AT, len(lines)))]
        widths = [[cell_len(cell.text) for cell in cells] for cells in looked_at]
        self._wanted = [max(each) for each in zip(*widths, strict=True)] or (0,) * len(self.columns)

    def __len__(self) -> int:
        return len(self.lines)

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One line."""
        cells = self._cells.get(index)
        if cells is None:
            cells = self._cells[index] = self._make(self.lines[index])
        return cells

    def identity(self, index: int) -> Hashable:
        """Its place: lines do not move."""
        return index

    def find(self, identity: Hashable) -> int | None:
        """The same."""
        return identity if isinstance(identity, int) and identity < len(self) else None

    def wanted(self) -> Sequence[int]:
        """As much as was said, else as the widest of the first lines."""
        return self._wanted

    def hint(self) -> Sequence[str]:
        """Why there is no line."""
        return (self.told,) if self.told else ()
