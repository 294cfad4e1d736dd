"""Hands on what a panel of the main screen shows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.shown.row import Row
from esdash.ui.main.panels import Panels
from esdash.ui.messages import tell
from esdash.ui.tables.rows_source import RowsSource

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.ui.export.handed import Handed

AT_ONCE: Final = 1000
"""Entries that are read at a time: a few take as long as many, at 250 four times as long for each."""


class Exports(Struct, eq=False):
    """The part of the main screen that opens the dialog."""

    panels: Panels
    wall_clock: Callable[[], float]

    def action_export(self) -> None:
        from esdash.ui.export.screen import open_export

        source = self.panels.panel.source
        handed = self._of_table(source) if isinstance(source, RowsSource) else self._of_log()
        if handed is not None:
            open_export(self.panels.app, handed, self.wall_clock)

    def _of_table(self, source: RowsSource) -> "Handed":
        from esdash.export.states import Line, table_sheet
        from esdash.ui.export.handed import Handed

        picture, rows = source.shown()

        def lines() -> Iterator[Line]:
            if picture is not None:
                for number in rows:
                    row = picture.row(int(number))
                    yield Line(row.key, row.cells)

        return Handed(source.table.name, self.panels.panel.brief, lambda: [table_sheet(source.table, lines())])

    def _of_log(self) -> "Handed | None":
        from esdash.export.entries import Decided, log_sheet
        from esdash.ui.export.handed import Handed

        panels, log = self.panels, self.panels.log_lines
        if log.needle and log.searched is not None:
            tell(panels.app, f"Only {log.searched} % are searched. Wait for the rest, or clear the filter with Esc.")
            return None
        entries, unseen, past = log.entries, log.unseen, panels.reader.past
        ordinals: Sequence[int]
        newest, ordinals = entries.newest, range(entries.start, entries.last + 1)
        if log.needle and log.answer is not None:
            ordinals = log.answer.hits.copied_below(entries.last + 1)

        def lines() -> Iterator[Decided]:
            for start in range(0, len(ordinals), AT_ONCE):
                some = [ordinals[place] for place in range(start, min(start + AT_ONCE, len(ordinals)))]
                yield from map(Decided, _read(some, newest, past))

        return Handed("log", panels.panel.brief, lambda: [log_sheet(panels.fold, lines(), unseen)])


def _read(ordinals: Sequence[int], newest: Sequence[Row], past: "Past | None") -> Iterator[Row]:
    """Entries, ascending: those of the view, and for others, and for what they did, the past. Raises EngineError."""
    first = newest[0].ordinal if newest else 0
    here = {each: newest[each - first] for each in ordinals if newest and 0 <= each - first < len(newest)}
    if past is not None:
        missing = [each for each in ordinals if each not in here]
        here |= {row.ordinal: row for row in past.rows_at(missing)}
        untold = [each for each, row in here.items() if row.told is None and each >= first and newest]
        with suppress(EngineError):  # what they did is not recorded yet
            here |= {row.ordinal: row for row in past.rows_at(untold)}
    return (here[each] for each in ordinals if each in here)
