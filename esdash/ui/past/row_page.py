"""The page of one row: what it is, how its numbers went, all that made it so, and what was refused about it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from esdash.domain import Table
from esdash.engine.console import Console, EngineError
from esdash.engine.shown.picture import TableRow
from esdash.ui.asking import find_out
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.pager import Pager
from esdash.ui.past.row_in_short import POINTS, RowInShort
from esdash.ui.past.story_source import NEAR, StorySource, Told
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.relation import text_of
from esdash.ui.tables.table_dialog import TableDialog
from esdash.ui.timers import after
from esdash.visible import visible
from esdash.words.entries import words

if TYPE_CHECKING:
    from textual.screen import Screen

    from esdash.engine.shown.row import Row
    from esdash.past.numbers.summary import Summary
    from esdash.past.service import Past
    from esdash.ui.trust.details import DetailsScreen

AT_A_TIME: Final = 200
"""Entries of a story that are read at a time."""

AGAIN_SECONDS: Final = 1.0
"""Before the past is looked into again, where that could not be done."""

STEPS: Final = 5
"""Of the way to this page that its title names."""


class Ways(NamedTuple):
    """Where one gets from the page of a row."""

    page_of: "Callable[[Table, int | str, Sequence[str]], Screen[int | str] | None]"
    """The page of another row, by the way to it."""
    mark: Callable[[int, bytes], object]
    """The moment of an entry, by its ordinal and id, is one of two to be compared."""
    what_if: "Callable[[Row], object]"
    """Something is tried with an entry."""


class RowPage(TableDialog[int | str]):
    """Left for a moment of the past, it gives the ordinal of its entry; for the log, the question that lists it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("at", "go", "That moment", show=False),
        Binding("m", "mark", "Mark", show=False, id="mark"),
        Binding("w", "what_if", "What if", show=False, id="what_if"),
        Binding("slash", "list", "In the log", show=False, id="filter"),
        Binding("ctrl+e", "export", "Export", show=False, id="export"),
    ]
    AUTO_FOCUS = "#story"
    CSS: ClassVar = """
    RowPage #dialog { max-width: 160; }
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
        ways: Ways,
        trail: Sequence[str] = (),
    ) -> None:
        """`what` gives what is there at the moment of the ordinal `until`, None for nothing, and may take its time.

        `unseen` entries had left the stream before the history began. `trail` is the way to this page.
        """
        super().__init__()
        self.engine = console
        self._past = past
        self._table = table
        self._key = key
        self._what = what
        self._until = until
        self._unseen = unseen
        self._wall_clock = wall_clock
        self._ways = ways
        self._trail = (*trail, f"{_called(table)} › {visible(str(key), 60)}")
        self._short = RowInShort(table, unseen, wall_clock)
        self._source = StorySource(console.fold, table, unseen, wall_clock)
        self._story = LineTable(self._source, id="story")
        self._looking = False
        self._whole = False
        """All entries about it are listed."""
        self._details: DetailsScreen | None = None
        """The entry that was gone to, from which another row may be."""
        self._chosen: int | str | None = None
        """What was chosen on the page of another row."""

    def compose(self) -> ComposeResult:
        with self.frame("", "Enter the entry · @ go · m mark · w what if · / in the log · Esc back") as frame:
            frame.border_title = Content(title_of_trail(self._trail))
            yield Pager(lambda width: self._short.paragraphs(width, self.app.size.height), id="about")
            yield self._story
            yield Static("", id="reach", markup=False)

    def on_mount(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._short.why = ""
        self.run_worker(self._sum_up, thread=True, exit_on_error=False, name="summary")
        self._look()

    # Its story, as far as somebody has gone back in it

    def _look(self) -> None:
        if self._looking or self._whole:
            return
        self._looking = True
        lines = self._source.lines
        until = lines[-1][0].ordinal - 1 if lines else self._until

        def look() -> Sequence[Told]:
            return self._past.story(self._table, self._key, until, AT_A_TIME) if until > 0 else []

        find_out(self, look, self._came, self._failed, "story")

    def _came(self, lines: Sequence[Told]) -> None:
        self._looking = False
        self._whole = len(lines) < AT_A_TIME
        self._source.add(lines)
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
        count = 0 if self._short.summary is None else self._short.summary.seen.count
        if listed and not self._whole and listed < count:
            number = self._source.lines[-1][0].ordinal + self._unseen
            told = f"… {listed:,} of {count:,} entries are listed, back to #{number:,}; further down are more"
        reach = self.query_one("#reach", Static)
        reach.update(told)
        reach.display = bool(told)

    # From a line of it

    def action_open(self) -> None:
        """Show the entry, from which other rows are a digit away."""
        if (chosen := self._ordinal()) is not None:
            find_out(self, lambda: self._past.rows_at([chosen]), self._open, self._warn, "entry")

    def _warn(self, why: str) -> None:
        tell(self.app, why, "warning")

    def action_go(self) -> None:
        if (chosen := self._ordinal()) is not None:
            self.dismiss(chosen)

    def action_mark(self) -> None:
        """Mark the moment of the entry, or compare it with the one that is marked."""
        if (told := self._told()) is not None:
            self._ways.mark(told[0].ordinal, told[0].entry_id)

    def action_what_if(self) -> None:
        if (told := self._told()) is None:
            return
        if told[1] is None:
            tell(self.app, "The entry has left the stream, so there is nothing to try with it.", "warning")
        else:
            self._ways.what_if(told[1])

    def action_list(self) -> None:
        self.dismiss(text_of(self._table, self._key))

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

    def _told(self) -> Told | None:
        chosen = self._ordinal()
        return None if chosen is None else next(each for each in self._source.lines if each[0].ordinal == chosen)

    def _open(self, rows: "Sequence[Row]") -> None:
        from esdash.ui.trust.details import DetailsScreen

        if not rows or self.app.screen is not self:
            return  # somebody has gone elsewhere
        row = rows[0]
        trail = (*self._trail, f"#{row.ordinal + self._unseen:,}")

        def go(place: tuple[str, int | str]) -> None:
            table, _ = self.engine.fold.storage.places[place[0]]
            if (page := self._ways.page_of(table, place[1], trail)) is not None:
                open_dialog(self.app, page, self._chose)

        self._details = DetailsScreen(self.engine, row, title=title_of_trail(trail), go=go)
        self.app.push_screen(self._details, self._came_back)

    def _chose(self, chosen: int | str) -> None:
        """On the page of another row, which lies over the entry."""
        if self._details is not None:
            self._chosen = chosen
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
        self._short.row, self._short.known = row, True
        self._write()

    def _summed_up(self, summary: "Summary") -> None:
        self._short.summary = summary
        self._tell_reach()
        self._write()

    def _failed(self, why: str) -> None:
        self._looking = False
        self._short.why = why
        self._source.told = ""
        self._story.sync()
        self._write()
        after(self, AGAIN_SECONDS, self._begin)

    def _write(self) -> None:
        self.query_one(Pager).write(lambda width: self._short.paragraphs(width, self.app.size.height), keep_place=True)


def title_of_trail(trail: Sequence[str]) -> str:
    """The way from the first page to this one; of a long one its end."""
    return " › ".join(["…", *trail[-STEPS:]] if len(trail) > STEPS else trail)


def _called(table: Table) -> str:
    name = words(table.name)
    return visible(name[:1].upper() + name[1:], 30)
