"""The page of one row: what it is, how its numbers went, all that made it so, and what was refused about it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from esdash.counted import counted
from esdash.domain import Column, Table
from esdash.engine.console import Console, EngineError
from esdash.engine.picture import TableRow
from esdash.ui.messages import tell
from esdash.ui.paint.curve import curve
from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.drawing import clock_time, milliseconds_of, sparkline
from esdash.ui.paint.pager import Pager, Paragraph
from esdash.ui.past.story_source import NEAR, StorySource, Told
from esdash.ui.tables.line_table import LineTable
from esdash.ui.timers import after
from esdash.visible import visible
from esdash.words.changes import by, title_of
from esdash.words.entries import words, write

if TYPE_CHECKING:
    from textual.screen import Screen

    from esdash.engine.row import Row
    from esdash.past.service import Past
    from esdash.past.summary import Curve, Seen, Summary, Totals
    from esdash.ui.trust.details import DetailsScreen

    PageOf = Callable[[Table, int | str, Sequence[str]], "Screen[int] | None"]

AT_A_TIME: Final = 200
"""Entries of a story that are read at a time."""

POINTS: Final = 400
"""Values of a curve: more than there are cells for."""

HIGH: Final = 4
"""Lines of a curve, on terminals of at least so many lines: """
ROOMY: Final = 30

AGAIN_SECONDS: Final = 1.0
"""Before the past is looked into again, where that could not be done."""

STEPS: Final = 5
"""Of the way to this page that its title names."""


class RowPage(Dialog[int]):
    """Left for a moment of the past, it gives the ordinal of its entry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "The entry", show=False),
        Binding("at", "go", "That moment", show=False),
        Binding("ctrl+e", "export", "Export", show=False, id="export"),
        Binding("backspace,q", "leave", "Back", show=False),
    ]
    AUTO_FOCUS = "#story"
    CSS: ClassVar = """
    RowPage #dialog { width: 96%; height: 96%; max-width: 160; }
    RowPage.-tall #dialog { padding: 0 1; }
    RowPage #about { height: auto; max-height: 50%; margin-bottom: 1; }
    RowPage.-short #about { margin-bottom: 0; }
    RowPage #reach { height: 1; color: $foreground 70%; }
    RowPage:ansi #reach { color: ansi_default; }
    """

    def __init__(
        self,
        console: Console,
        past: "Past",
        table: Table,
        key: int | str,
        what: "Callable[[], TableRow | None]",
        until: int,
        unseen: int,
        wall_clock: Callable[[], float],
        page_of: "PageOf",
        trail: Sequence[str] = (),
    ) -> None:
        """`what` gives what is there at the moment of the ordinal `until`, None for nothing, and may take its time.

        `unseen` entries had left the stream before the history began. `page_of` gives the page of another row, which
        gives an ordinal or None; `trail` is the way to this page.
        """
        super().__init__()
        self.engine = console
        self._past = past
        self._table = table
        self._key = key
        self._what = what
        self._row: TableRow | None = None
        self._known = False
        """What it is was looked up."""
        self._until = until
        self._unseen = unseen
        self._wall_clock = wall_clock
        self._page_of = page_of
        self._trail = (*trail, f"{_called(table)} › {visible(str(key), 60)}")
        self._source = StorySource(console.fold, table, unseen, wall_clock)
        self._story = LineTable(self._source, id="story")
        self._looking = False
        self._whole = False
        """All entries about it are listed."""
        self._summary: Summary | None = None
        self._why = ""
        """Why something cannot be told."""
        self._details: DetailsScreen | None = None
        """The entry that was gone to, from which another row may be."""
        self._chosen: int | None = None
        """The moment that was chosen on the page of another row."""

    def compose(self) -> ComposeResult:
        """What it is, its story, and how far that is listed."""
        with self.frame("", "↑↓ choose · Enter the entry · @ that moment · Ctrl+E export · Esc back") as frame:
            frame.border_title = Content(title_of_trail(self._trail))
            yield Pager(self._about, id="about")
            yield self._story
            yield Static("", id="reach", markup=False)

    def on_mount(self) -> None:
        """Look into the past, in threads."""
        self._begin()

    def _begin(self) -> None:
        self._why = ""
        self.run_worker(self._sum_up, thread=True, exit_on_error=False, name="summary")
        self._look()

    # Its story, as far as somebody has gone back in it

    def _look(self) -> None:
        """Read the entries before those that are listed."""
        if self._looking or self._whole:
            return
        self._looking = True
        lines = self._source.lines
        until = lines[-1][0].ordinal - 1 if lines else self._until

        def look() -> None:
            try:
                found = self._past.story(self._table, self._key, until, AT_A_TIME) if until > 0 else []
            except EngineError as error:
                self.app.call_from_thread(self._failed, str(error))
            else:
                self.app.call_from_thread(self._came, found)

        self.run_worker(look, thread=True, exit_on_error=False, name="story")

    def _came(self, lines: Sequence[Told]) -> None:
        self._looking = False
        self._whole = len(lines) < AT_A_TIME
        self._source.add(lines)
        self._source.told = "No entry was about it."
        self._story.sync()
        self._tell_reach()
        self._write()

    @on(LineTable.Moved)
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        if max(self._story.cursor, self._story.top + self._story.page) >= len(self._source) - NEAR:
            self._look()

    def _tell_reach(self) -> None:
        listed = len(self._source)
        told = ""
        count = 0 if self._summary is None else self._summary.seen.count
        if listed and not self._whole and listed < count:
            number = self._source.lines[-1][0].ordinal + self._unseen
            told = f"… {listed:,} of {count:,} entries are listed, back to #{number:,}; further down are more"
        reach = self.query_one("#reach", Static)
        reach.update(told)
        reach.display = bool(told)

    # From a line of it

    def action_open(self) -> None:
        """Show the entry, from which other rows are a digit away."""
        chosen = self._ordinal()
        if chosen is None:
            return

        def read() -> None:
            try:
                rows = self._past.rows_at([chosen])
            except EngineError as error:
                self.app.call_from_thread(tell, self.app, str(error), "warning")
            else:
                if rows:
                    self.app.call_from_thread(self._open, rows[0])

        self.run_worker(read, thread=True, exit_on_error=False, name="entry")

    @on(LineTable.Activated)
    def _activated(self, event: LineTable.Activated) -> None:
        event.stop()
        self.action_open()

    def action_go(self) -> None:
        """Leave for the moment of the entry."""
        if (chosen := self._ordinal()) is not None:
            self.dismiss(chosen)

    def action_export(self) -> None:
        """Choose how and where to the story is handed on, all of it."""
        from esdash.ui.export.screen import open_export
        from esdash.ui.past import handing

        fold, title = self.engine.fold, self._trail[-1]
        handed = handing.story(fold, self._past, self._table, self._key, self._until, self._unseen, title)
        open_export(self.app, handed, self._wall_clock)

    def _ordinal(self) -> int | None:
        selected = self._story.selected
        return selected if isinstance(selected, int) else None

    def _open(self, row: "Row") -> None:
        from esdash.ui.trust.details import DetailsScreen

        if self.app.screen is not self:
            return  # somebody has gone elsewhere
        trail = (*self._trail, f"#{row.ordinal + self._unseen:,}")

        def go(place: tuple[str, int | str]) -> None:
            table, _ = self.engine.fold.storage.places[place[0]]
            if (page := self._page_of(table, place[1], trail)) is not None:
                self.app.push_screen(page, self._chose)

        self._details = DetailsScreen(self.engine, row, title=title_of_trail(trail), go=go)
        self.app.push_screen(self._details, self._came_back)

    def _chose(self, ordinal: int | None) -> None:
        """On the page of another row, which lies over the entry."""
        if ordinal is not None and self._details is not None:
            self._chosen = ordinal
            self._details.dismiss(None)

    def _came_back(self, _: object) -> None:
        self._details = None
        if self._chosen is not None:
            self.dismiss(self._chosen)

    # What it is

    def _sum_up(self) -> None:
        try:
            self.app.call_from_thread(self._found, self._what())
            summary = self._past.summary(self._table, self._key, self._until, POINTS)
        except EngineError:
            return  # whoever reads the story says so
        self.app.call_from_thread(self._summed_up, summary)

    def _found(self, row: TableRow | None) -> None:
        self._row, self._known = row, True
        self._write()

    def _summed_up(self, summary: "Summary") -> None:
        self._summary = summary
        self._tell_reach()
        self._write()

    def _failed(self, why: str) -> None:
        self._looking = False
        self._why = why
        self._source.told = ""
        self._story.sync()
        self._write()
        after(self, AGAIN_SECONDS, self._begin)

    def _write(self) -> None:
        self.query_one(Pager).write(self._about, keep_place=True)

    def _about(self, width: int) -> Iterator[Paragraph]:
        if self._row is None and self._known:
            yield Paragraph("It is not in the table.", style="dim")
        titles = [visible(title_of(column), 24) for column in self._table.columns]
        indent = max(map(len, titles)) + 2
        for place, column in enumerate(self._table.columns):
            value = None if self._row is None else self._row.cells[place]
            told = visible(write(column.shown, value), 200)
            totals = None if self._summary is None else self._summary.totals.get(column.name)
            if totals is not None and totals.times:
                told += f"   {_in_words(column, totals)}"
            yield Paragraph(told, titles[place], indent=indent)
            if self._summary is not None and column.name in self._summary.curves:
                yield from self._drawn(column, self._summary.curves[column.name], width)
        if self._why:
            yield Paragraph(f"✗ {visible(self._why, 300)}", style="bad")
        elif self._summary is not None and self._summary.seen.count:
            yield Paragraph(self._about_entries(self._summary.seen), style="dim")

    def _drawn(self, column: Column, found: "Curve", width: int) -> Iterator[Paragraph]:
        least, greatest = min(found.values, default=0), max(found.values, default=0)
        if least == greatest:
            return
        axis = [visible(write(column.shown, value), 24) for value in (greatest, least)]
        indent = max(map(len, axis)) + 4
        cells = max(8, width - indent)
        values = [found.values[place * (POINTS - 1) // (cells - 1)] for place in range(cells)]
        if self.app.size.height < ROOMY:
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


def title_of_trail(trail: Sequence[str]) -> str:
    """The way from the first page to this one; of a long one its end."""
    return " › ".join(["…", *trail[-STEPS:]] if len(trail) > STEPS else trail)


def _called(table: Table) -> str:
    name = words(table.name)
    return visible(name[:1].upper() + name[1:], 30)


def _in_words(column: Column, found: "Totals") -> str:
    parts = [visible(by(column, moved_by), 60) for moved_by in (found.up, found.down) if moved_by]
    return " · ".join([*parts, counted(found.times, "change", "changes")])
