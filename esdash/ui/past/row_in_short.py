"""What the page of a row says of it: its numbers, how they went, and which entries are about it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from esdash.counted import counted
from esdash.domain import Column, Table
from esdash.engine.shown.picture import TableRow
from esdash.ui.paint.curve import curve
from esdash.ui.paint.drawing import clock_time, milliseconds_of, sparkline
from esdash.ui.paint.pager import Paragraph
from esdash.visible import visible
from esdash.words.changes import by, title_of
from esdash.words.entries import write

if TYPE_CHECKING:
    from esdash.past.numbers.summary import Curve, Seen, Summary, Totals

POINTS: Final = 400
"""Values of a curve: more than there are cells for."""

HIGH: Final = 4
"""Lines of a curve, on terminals of at least so many lines: """
ROOMY: Final = 30


class RowInShort:
    """One row, as far as it is known by now."""

    def __init__(self, table: Table, unseen: int, wall_clock: Callable[[], float]) -> None:
        """`unseen` entries had left the stream before the history began."""
        self._table = table
        self._unseen = unseen
        self._wall_clock = wall_clock
        self.row: TableRow | None = None
        self.known = False
        """What it is was looked up."""
        self.summary: Summary | None = None
        self.why = ""
        """Why something cannot be told."""

    def paragraphs(self, width: int, height: int) -> Iterator[Paragraph]:
        """What is said in so many cells, on a terminal of so many lines."""
        if self.row is None and self.known:
            yield Paragraph("It is not in the table.", style="dim")
        titles = [visible(title_of(column), 24) for column in self._table.columns]
        indent = max(map(len, titles)) + 2
        for place, column in enumerate(self._table.columns):
            value = None if self.row is None else self.row.cells[place]
            told = visible(write(column.shown, value), 200)
            totals = None if self.summary is None else self.summary.totals.get(column.name)
            if totals is not None and totals.times:
                told += f"   {_in_words(column, totals)}"
            yield Paragraph(told, titles[place], indent=indent)
            if self.summary is not None and column.name in self.summary.curves:
                yield from self._drawn(column, self.summary.curves[column.name], width, height)
        if self.why:
            yield Paragraph(f"✗ {visible(self.why, 300)}", style="bad")
        elif self.summary is not None and self.summary.seen.count:
            yield Paragraph(self._about_entries(self.summary.seen), style="dim")

    def _drawn(self, column: Column, found: "Curve", width: int, height: int) -> Iterator[Paragraph]:
        least, greatest = min(found.values, default=0), max(found.values, default=0)
        if least == greatest:
            return
        axis = [visible(write(column.shown, value), 24) for value in (greatest, least)]
        indent = max(map(len, axis)) + 4
        cells = max(8, width - indent)
        values = [found.values[place * (POINTS - 1) // (cells - 1)] for place in range(cells)]
        if height < ROOMY:
            yield Paragraph(sparkline([value - least for value in values], cells), style="information", verbatim=True)
            return
        labels = [axis[0], *[""] * (HIGH - 2), axis[1]]
        for label, line in zip(labels, curve(values, HIGH), strict=True):
            yield Paragraph(f"{label:>{indent - 2}} ┤{line}", style="information", verbatim=True)
        first, last = self._when(found.first, found.first_id), self._when(found.last, found.last_id)
        yield Paragraph(f"{' ' * indent}{first}{last:>{cells - len(first)}}", style="dim", verbatim=True)

    def _about_entries(self, seen: "Seen") -> str:
        parts = [counted(seen.count, "entry is", "entries are") + " about it"]
        if seen.refused:
            parts.append(counted(seen.refused, "refusal", "refusals"))
        parts.append(f"first seen {self._when(seen.first, seen.first_id)}")
        parts.append(f"last {self._when(seen.last, seen.last_id)}")
        return " · ".join(parts)

    def _when(self, ordinal: int, entry_id: bytes) -> str:
        return f"#{ordinal + self._unseen:,} {clock_time(milliseconds_of(entry_id), self._wall_clock())}"


def _in_words(column: Column, found: "Totals") -> str:
    parts = [visible(by(column, moved_by), 60) for moved_by in (found.up, found.down) if moved_by]
    return " · ".join([*parts, counted(found.times, "change", "changes")])
