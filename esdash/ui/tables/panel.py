"""A frame around a table: its title with counts, and the line in which a filter is typed."""

from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from esdash.ui.paint.painted import Uncut
from esdash.ui.tables.filter_line import FilterInput, FilterLine
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.table_source import Searchable
from esdash.words.typed import read_text, write_text

if TYPE_CHECKING:
    from esdash.ui.tables.question_line import QuestionLine


class Panel(Uncut, Vertical):
    """A table in a frame."""

    DEFAULT_CSS = """
    Panel {
        border: round $foreground 30%;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        height: 1fr;
        width: 1fr;
    }
    Panel:focus-within { border: round $primary; border-title-color: $text-primary; }
    Panel:ansi {
        border: round ansi_default; border-title-color: ansi_default; border-subtitle-color: ansi_default;
    }
    Panel:ansi:focus-within { border: round ansi_blue; border-title-color: ansi_blue; }
    Panel:nocolor:focus-within { border: heavy $foreground; border-title-color: $foreground; }
    """

    def __init__(
        self,
        number: int,
        name: str,
        source: Searchable,
        table: LineTable,
        placeholder: str,
    ) -> None:
        """`placeholder` says what a filter looks for."""
        super().__init__(id=f"panel-{table.id}")
        self.called = table.id or ""
        """What it is called in actions."""
        self.number = number
        self.caption = name
        self.source = source
        self.table = table
        self.line = self.new_line(f"{placeholder}, Esc shows all")
        self.line.display = False
        self.begin_with = ""
        """The filter to apply once there is something to show."""
        self._title = ("", Content())

    def new_line(self, placeholder: str) -> "FilterLine | QuestionLine":
        return FilterLine(FilterInput(placeholder, self.stop_typing))

    @property
    def input(self) -> FilterInput:
        return self.line.input

    @property
    def filtered_by(self) -> str:
        """What is typed on its line; empty where that is not shown."""
        return read_text(self.input.value) if self.line.display else self.begin_with

    @property
    def footing(self) -> Content:
        return Content()

    @property
    def brief(self) -> str:
        counts = f"{self.source.total:,}"
        if self.source.needle:
            counts = f"{len(self.source):,} of {counts}"
        return f"{self.number} {self.caption} · {counts}"

    @property
    def heading(self) -> str:
        return self.brief

    def compose(self) -> ComposeResult:
        yield self.table

    def sync(self) -> None:
        if begin_with := self.begin_with:
            self.begin_with = ""
            self.start_filter(begin_with)
        self.table.sync()
        self.retitle()

    def retitle(self) -> None:
        """Redraw the text on the edges if it changed: it takes the whole frame along."""
        title = (self.heading, self.footing)
        if title != self._title:
            self._title = title
            self.border_title, self.border_subtitle = Content(title[0]), title[1]

    def on_resize(self) -> None:
        self.retitle()

    def start_filter(self, needle: str | None = None) -> None:
        """Let a filter be typed, or apply one."""
        if not self.line.is_attached:  # a line in each panel would take a twentieth of the time to the first picture
            self.mount(self.line)
            self.line.fill()  # now, for what is typed right after the slash is for it
        self.line.display = True
        if needle is None:
            self.screen.set_focus(self.input)  # `focus()` would let go of keys typed right after the slash
        else:
            self.input.value = write_text(needle)
            self.input.cursor_position = len(self.input.value)  # what is typed next goes on with it

    def clear_filter(self) -> bool:
        """Show all lines. Whether there was a filter."""
        filtered = self.line.display
        self.input.value = ""
        self.line.display = False
        return filtered

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        event.stop()
        self.source.search(read_text(event.value))
        self.sync()

    def stop_typing(self) -> None:
        """Back to the table; what was typed stays."""
        self.screen.set_focus(self.table)
        self.line.display = bool(self.input.value)

    @on(LineTable.Moved)
    def _moved(self) -> None:
        self.retitle()

    def on_click(self, event: events.Click) -> None:
        """A click on the frame means the panel."""
        event.stop()
        self.table.focus()
