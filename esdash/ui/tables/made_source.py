"""Lines that are all made when they are shown: some thousands at most."""

from collections.abc import Hashable, Sequence

from rich.cells import cell_len

from esdash.ui.tables.columns import Cell, Column
from esdash.ui.tables.table_source import Source

Made = tuple[Hashable, tuple[Cell, ...]]
"""What a line stands for, which is no other line's; its cells."""


class MadeSource(Source):
    """Shows what it is given, in that order."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.told: Sequence[str] = ()
        """What to show when there is no line: harmless text."""
        self._lines: Sequence[Made] = ()
        self._places: dict[Hashable, int] = {}
        self._wanted: Sequence[int] = (0,) * len(columns)

    def show(self, lines: Sequence[Made]) -> None:
        """Show these."""
        self._lines = lines
        self._places = {identity: place for place, (identity, _) in enumerate(lines)}
        self._wanted = [
            max((cell_len(cells[place].text) for _, cells in lines), default=0) for place in range(len(self.columns))
        ]

    def __len__(self) -> int:
        return len(self._lines)

    def cells(self, index: int) -> tuple[Cell, ...]:
        """One line."""
        return self._lines[index][1]

    def identity(self, index: int) -> Hashable:
        """What it stands for."""
        return self._lines[index][0]

    def find(self, identity: Hashable) -> int | None:
        """Where it is now."""
        return self._places.get(identity)

    def wanted(self) -> Sequence[int]:
        """As much as the widest line."""
        return self._wanted

    def hint(self) -> Sequence[str]:
        """Why there is none."""
        return self.told
