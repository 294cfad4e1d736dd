"""The page of one row: what it is, all that made it so, and what was refused about it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.markup import escape
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esdash.counted import counted
from esdash.domain import Column, Table
from esdash.engine.console import EngineError
from esdash.engine.picture import TableRow
from esdash.fold.folding import Fold
from esdash.fold.tables import Change
from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.drawing import clock_time, milliseconds_of, sparkline
from esdash.ui.paint.pager import Pager, Paragraph
from esdash.ui.tables.log_cells import MARKS
from esdash.visible import visible
from esdash.words.changes import by, is_amount, moved, title_of
from esdash.words.entries import describe, type_of, write
from esdash.words.outcomes import shortfall

if TYPE_CHECKING:
    from esdash.engine.row import Row
    from esdash.past.service import Past
    from esdash.past.story import StoryLine, Totals

MOST: Final = 500
"""Entries of a story that are listed."""


class RowPage(Dialog[int]):
    """Left with Enter, it gives the ordinal of the chosen entry."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("backspace,q", "leave", "Back", show=False)]
    CSS: ClassVar = """
    RowPage #dialog { width: 96%; height: 96%; max-width: 160; }
    RowPage #about { height: auto; max-height: 40%; }
    RowPage OptionList { height: 1fr; border: none; padding: 0; background: transparent; }
    RowPage #body { height: 1fr; }
    """

    def __init__(
        self,
        fold: Fold,
        past: "Past",
        table: Table,
        key: int | str,
        row: TableRow | None,
        until: int,
        unseen: int,
        wall_clock: Callable[[], float],
    ) -> None:
        """`row` is what is there at the moment of the ordinal `until`; None: nothing. `unseen` entries had left the
        stream before the history began."""
        super().__init__()
        self._fold = fold
        self._past = past
        self._table = table
        self._key = key
        self._row = row
        self._until = until
        self._unseen = unseen
        self._wall_clock = wall_clock
        self._lines: list[tuple[StoryLine, Row | None]] | None = None
        self._totals: dict[str, Totals] = {}
        self._why = ""
        """Why something cannot be told."""

    def compose(self) -> ComposeResult:
        """What it is, and its story."""
        title = f"{visible(self._table.one, 30)} › {visible(str(self._key), 60)}"
        with self.frame(escape(title), "↑↓ choose · Enter that moment · Esc back"), Vertical(id="body"):
            yield Pager(self._about, id="about")
            yield OptionList(id="story", markup=False)

    def on_mount(self) -> None:
        """Look into the past, in a thread."""
        self.query_one(OptionList).focus()
        self.run_worker(self._look, thread=True, exit_on_error=False, name="story")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        if self._lines:
            self.dismiss(self._lines[event.option_index][0].ordinal)

    def _look(self) -> None:
        try:
            lines = self._past.story(self._table, self._key, self._until, MOST)
            self.app.call_from_thread(self._came, lines)
            found = {
                column.name: self._past.totals(self._table, column, self._key, self._until)
                for column in self._table.columns
                if is_amount(column)
            }
            self.app.call_from_thread(self._counted, found)
        except EngineError as error:
            self.app.call_from_thread(self._failed, str(error))

    def _came(self, lines: "list[tuple[StoryLine, Row | None]]") -> None:
        self._lines = lines
        story = self.query_one(OptionList)
        width = max(20, story.size.width - 2)
        story.add_options(Option(self._told(line, row, width)) for line, row in lines)
        if lines:
            story.highlighted = 0
        self._write()

    def _counted(self, found: "dict[str, Totals]") -> None:
        self._totals = found
        self._write()

    def _failed(self, why: str) -> None:
        self._why = why
        self._write()

    def _write(self) -> None:
        self.query_one(Pager).write(self._about)

    def _about(self, width: int) -> Iterator[Paragraph]:
        if self._row is None:
            yield Paragraph("It is not in the table.", style="dim")
        for place, column in enumerate(self._table.columns):
            value = None if self._row is None else self._row.cells[place]
            yield Paragraph(
                f"{visible(title_of(column), 24)}  {visible(write(column.shown, value), 200)}", style="strong"
            )
            if (all_of_it := self._totals.get(column.name)) is not None and all_of_it.times:
                yield Paragraph(self._in_words(column, all_of_it), "  ", "dim", 2)
            values = self._curve(column, width - 4)
            if len(values) > 2:
                yield Paragraph(sparkline(values, width - 4), "  ", "information", 2)
        if self._why:
            yield Paragraph(f"✗ {visible(self._why, 300)}", style="bad")
        elif self._lines is None:
            yield Paragraph("looking into the past …", style="dim")
        elif not self._lines:
            yield Paragraph("No entry was about it.", style="dim")
        if self._lines is not None and len(self._lines) == MOST:
            yield Paragraph(f"the newest {MOST} entries about it", style="dim")

    def _in_words(self, column: Column, found: "Totals") -> str:
        parts = [visible(by(column, moved_by), 60) for moved_by in (found.up, found.down) if moved_by]
        parts.append(counted(found.times, "change", "changes"))
        lines = self._lines or ()
        refused = sum(self._fold.outcomes[line.code].name == "rejected" for line, _ in lines)
        if refused and len(lines) < MOST:  # else there may be more of them
            parts.append(counted(refused, "refusal", "refusals"))
        if found.first is not None:
            parts.append(f"first #{found.first + self._unseen:,}")
        return " · ".join(parts)

    def _curve(self, column: Column, width: int) -> list[float]:
        """The values that it had, oldest first, over the changes that are listed."""
        values = [
            float(change.after or 0)
            for line, _ in self._lines or ()
            for change in line.changes
            if change.column == column.name and is_amount(column)
        ]
        step = max(1, -(-len(values) // max(1, width)))
        return values[::step][::-1]

    def _told(self, line: "StoryLine", row: "Row | None", width: int) -> Content:
        """One entry in a line of at most so many cells: when, what it did, what it said."""
        when = clock_time(milliseconds_of(line.entry_id), self._wall_clock())
        parts = [(f"{when:>11} {f'#{line.ordinal + self._unseen:,}':>8} ", "$text-muted")]
        outcome = self._fold.outcomes[line.code]
        for change in line.changes:
            parts += self._change(change)
        if outcome.name != "applied":
            parts.append((f" {MARKS[outcome.name].glyph} {outcome.reason or outcome.name} ", "bold $text-error"))
            parts.append((f"{visible(shortfall(None if row is None else row.told), 80)} ", "$text-muted"))
        if row is not None:
            parts.append((f" {visible(type_of(self._fold, row.fields), 16)}  ", "bold"))
            parts.append((visible(describe(self._fold, row.fields), 100), ""))
        return Content.assemble(*parts).truncate(width, ellipsis=True)

    def _change(self, change: Change) -> Iterator[tuple[str, str]]:
        column = next(each for each in self._table.columns if each.name == change.column)
        by_how_much = visible(moved(column, change.before, change.after), 30)
        if len(self._table.columns) > 1:
            yield f" {visible(title_of(column), 16)}", "$text-muted"
        yield f"{by_how_much:>12} ", "$text-error" if by_how_much.startswith("−") else "$text-success"
        yield f"{visible(write(column.shown, change.after), 60):>14} ", ""
