"""The lines of a list that stay the same ones until there are others."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from rich.cells import cell_len
from textual.cache import LRUCache

from esdash.ui.tables.columns import Cell, Column
from esdash.ui.tables.table_source import Source

LOOKED_AT: Final = 200
"""Lines by which it is judged how wide the columns should be."""

Made = tuple[Hashable, tuple[Cell, ...]]
"""What a line stands for, which is no other line's; its cells."""


class Lines(Source):
    """Each is made into text when it is seen."""

    def __init__(
        self,
        columns: Sequence[Column],
        make: Callable[[Any], tuple[Cell, ...]],
        identify: Callable[[Any], Hashable] | None = None,
    ) -> None:
        """`make` makes the cells of a line, `identify` gives what it stands for; None: its place."""
        self.columns = columns
        self.told = ""
        """What to show when there is no line: harmless text."""
        self.lines: Sequence[Any] = ()
        self._make = make
        self._identify = identify
        self._wanted: Sequence[int] = (0,) * len(columns)
        self._cells: LRUCache[int, tuple[Cell, ...]] = LRUCache(512)

    def show(self, lines: Sequence[Any], told: str = "", wanted: Sequence[int] | None = None) -> None:
        """Show these. `wanted`: cells that each column would like, where that is known."""
        self.lines, self.told = lines, told
        self._cells.clear()
        if wanted is None:
            wanted = widest(self.cells(index) for index in range(min(LOOKED_AT, len(lines))))
        self._wanted = wanted or (0,) * len(self.columns)

    def __len__(self) -> int:
        return len(self.lines)

    def cells(self, index: int) -> tuple[Cell, ...]:
        cells = self._cells.get(index)
        if cells is None:
            cells = self._cells[index] = self._make(self.lines[index])
        return cells

    def identity(self, index: int) -> Hashable:
        return index if self._identify is None else self._identify(self.lines[index])

    def find(self, identity: Hashable) -> int | None:
        if self._identify is None:
            return identity if isinstance(identity, int) and identity < len(self) else None
        return next((index for index in range(len(self)) if self.identity(index) == identity), None)

    def wanted(self) -> Sequence[int]:
        return self._wanted

    def hint(self) -> Sequence[str]:
        return self.told.splitlines()


class MadeLines(Lines):
    """Lines that are all made when they are shown: some thousands at most."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(columns, itemgetter(1), itemgetter(0))

    def show(self, lines: Sequence[Made], told: str = "", wanted: Sequence[int] | None = None) -> None:
        super().show(lines, told, widest(cells for _, cells in lines) if wanted is None else wanted)


def widest(lines: Iterable[Sequence[Cell]]) -> list[int]:
    """Cells of the widest content of each column; empty where there is no line."""
    return [max(cell_len(cell.text) for cell in column) for column in zip(*lines, strict=True)]
