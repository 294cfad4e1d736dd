"""What a table asks of whoever has its lines."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol

from esdash.ui.tables.columns import Cell, Column


class SortOrder(NamedTuple):
    """What a table is sorted by."""

    column: str
    descending: bool


class Source(Protocol):
    """Where a table's lines come from. Between two calls of `LineTable.sync` it does not change."""

    @property
    def columns(self) -> Sequence[Column]:
        """From left to right; always the same ones."""

    @property
    def order(self) -> SortOrder | None:
        """None where lines have one order only."""

    def __len__(self) -> int:
        """Lines that match the filter."""

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One cell for each column."""

    def identity(self, index: int) -> Hashable:
        """What stays the same about a line wherever it moves."""

    def find(self, identity: Hashable) -> int | None:
        """Where the line is now; None when it is gone or filtered out."""

    def wanted(self) -> Sequence[int]:
        """Cells that the content of each column would like, without its title."""

    def sort(self, order: SortOrder) -> None:
        """Change the order."""

    def hint(self) -> Sequence[str]:
        """What to show when there is no line: harmless text."""
