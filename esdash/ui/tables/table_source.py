"""What a table asks of whoever has its lines."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from esdash.ui.tables.columns import Cell, Column


class SortOrder(NamedTuple):
    """What a table is sorted by."""

    column: str
    descending: bool


class Source(ABC):
    """Where a table's lines come from. Between two calls of `LineTable.sync` it does not change."""

    columns: Sequence[Column]
    """From left to right; always the same ones."""
    order: SortOrder | None = None
    """None where lines have one order only."""

    @abstractmethod
    def __len__(self) -> int:
        """Lines that match the filter."""

    @abstractmethod
    def cells(self, index: int) -> tuple[Cell, ...]:
        """One cell for each column."""

    @abstractmethod
    def identity(self, index: int) -> Hashable:
        """What stays the same about a line wherever it moves."""

    @abstractmethod
    def find(self, identity: Hashable) -> int | None:
        """Where the line is now; None when it is gone or filtered out."""

    @abstractmethod
    def wanted(self) -> Sequence[int]:
        """Cells that the content of each column would like, without its title."""

    def sort(self, order: SortOrder) -> None:  # noqa: B027 - where there is one order, none is asked for
        """Change the order."""

    def hint(self) -> Sequence[str]:
        """What to show when there is no line: harmless text."""
        return ()


class Searchable(Source):
    """A source that can be filtered."""

    needle = ""
    """What lines are looked for by; empty for all."""

    @property
    @abstractmethod
    def total(self) -> int:
        """Lines, whether they match the filter or not."""

    @abstractmethod
    def search(self, needle: str) -> None:
        """Filter."""
