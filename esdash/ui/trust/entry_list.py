"""What the lists of single entries share: a table of them, and beside or under it all about the selected one."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen

from esdash.engine.console import Console
from esdash.engine.row import Row
from esdash.engine.view import View
from esdash.ui.notifications import tell
from esdash.ui.paint.dialog import STYLES
from esdash.ui.paint.key_bar import Key, KeyBar
from esdash.ui.paint.pager import Pager, Paragraph, wrap
from esdash.ui.paint.painted import Line, PaintedLines, Span
from esdash.ui.paint.payload import copyable, too_large
from esdash.ui.tables.line_table import LineTable
from esdash.ui.trust import standing
from esdash.ui.trust.entry_source import EntrySource
from esdash.ui.trust.handled import Handled
from esdash.ui.trust.standing import Standing
from esdash.words.entries import payload_of

FRAMES_A_SECOND: Final = 10

WIDE: Final = 150
"""Columns from which the text stands beside the table."""

SHORT: Final = 22
"""Lines under which there is no room for frames."""

_LEAVE: Final = Key("Esc", "back", "leave")
_COPY: Final = Key("y", "copy", "copy")
_READ: Final = Key("Tab", "to the text", "app.focus_next")


class Heading(PaintedLines):
    """What the list is, in two lines."""

    def __init__(self) -> None:
        super().__init__(id="heading")
        self._title = ""
        self._meaning = ""
        self._style = "strong"

    def show(self, title: str, meaning: str, style: str) -> None:
        """Harmless text."""
        self._title, self._meaning, self._style = title, meaning, style
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        """The second line says what it means, as far as there is room."""
        meaning = wrap(self._meaning, max(10, width))
        more = " …" if len(meaning) > 1 and width > 2 else ""
        told = wrap(self._meaning, max(10, width - len(more)))[0] + more if meaning else ""
        return ((Span(self._title, f"{self._style}-strong"),), (Span(told, "dim"),))


class EntryListScreen(Screen[None]):
    """A full screen over the main one. Escape goes back."""

    CSS_PATH: ClassVar = [STYLES, "entries.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("y", "copy", "Copy the payload", show=False),
        Binding("right,l", "app.focus_next", "To the text", show=False),
        Binding("left,h", "app.focus_previous", "To the list", show=False),
    ]
    AUTO_FOCUS = "#entries"
    KEYS: ClassVar[tuple[Key, ...]] = ()
    """What can be done about the selected entry, the most important first."""

    def __init__(self, console: Console, handled: Handled, wall_clock: Callable[[], float], *, parked: bool) -> None:
        super().__init__()
        self._parked = parked
        self.engine = console
        self.fold = console.fold
        self.handled = handled
        self._wall_clock = wall_clock
        self.source = EntrySource(self.fold, self.stands, parked=parked)
        self.table = LineTable(self.source, id="entries")
        self._heading = Heading()
        self._keys = KeyBar(id="keys")
        self._shown: object = None
        self._drawn: object = None

    @abstractmethod
    def rows(self, view: View) -> Sequence[Row]:
        """The entries, oldest first."""

    @abstractmethod
    def title_and_meaning(self, view: View) -> tuple[str, str]:
        """The heading: harmless text."""

    @abstractmethod
    def about(self, row: Row, width: int) -> Iterator[Paragraph]:
        """All about the selected entry."""

    @abstractmethod
    def when_empty(self, view: View) -> Iterator[Paragraph]:
        """What belongs here, and how to get it here."""

    def stands(self, row: Row) -> Standing:
        """How an entry stands, by what is known now."""
        tell_of = standing.of_parked if self._parked else standing.of_orphan
        return tell_of(self.engine.view, self.fold, self.handled, row)

    @property
    def selected(self) -> Row | None:
        """The entry under the cursor."""
        return self.source.row(self.table.cursor) if self.table.selected is not None else None

    def compose(self) -> ComposeResult:
        """Heading, list, text, keys."""
        yield self._heading
        with Container(id="list"):
            with Container(id="table-frame"):
                yield self.table
            with Container(id="text-frame"):
                yield Pager(self._tell, id="pager")
        yield self._keys

    def on_mount(self) -> None:
        """Look ten times a second from now on."""
        self._fit(*self.app.size)
        self.poll()
        self.set_interval(1 / FRAMES_A_SECOND, self.poll)

    def on_resize(self, event: events.Resize) -> None:
        """Beside each other, or one under the other."""
        self._fit(*event.size)

    def poll(self) -> None:
        """Show the newest view, if it differs; say what became of what was published from here."""
        view, wall = self.engine.view, self._wall_clock()
        for told in standing.settle(view, self.fold, self.handled):
            self.tell(*told)
        drawn = (view.number, int(wall), self._marks())
        if drawn == self._drawn:
            return
        self._drawn = drawn
        rows = self.rows(view)
        self.source.update(rows, wall, view.nth(0))
        empty = not rows
        if empty is not self.has_class("-empty"):
            self.set_class(empty, "-empty")
            (self.query_one(Pager) if empty else self.table).focus()
        self._heading.show(*self.title_and_meaning(view), "strong" if empty else "warning")
        keys = (_LEAVE,) if empty else (_LEAVE, *self.KEYS, _COPY, _READ)
        self._keys.show([key._replace(rank=place) for place, key in enumerate(keys)])
        self.table.sync()
        self._write()

    def action_leave(self) -> None:
        """Back to the main screen."""
        self.dismiss(None)

    def action_copy(self) -> None:
        """Put the payload on the clipboard."""
        row = self.selected
        if row is not None and (why_not := too_large(row, "copied")):
            self.tell(why_not, "warning")
        elif row is not None:
            self.app.copy_to_clipboard(copyable(payload_of(self.fold, row.fields)))
            self.tell("The payload was copied.")

    def tell(self, text: str, severity: str = "information") -> None:
        """A notification of harmless plain text."""
        tell(self.app, text, severity)

    @on(LineTable.Moved)
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        self._write()

    def _marks(self) -> object:
        """What may change about an entry without a new view."""
        row = self.selected
        return self.handled.changes, None if row is None else self.stands(row)

    def _write(self) -> None:
        """Tell about the selected entry, keeping the reader's place while it is the same one."""
        row = self.selected
        shown = (row and (row.entry_id, row.ordinal), self._marks())
        if shown == self._shown:
            return
        before, self._shown = self._shown, shown
        same = isinstance(before, tuple) and before[0] == shown[0]
        self.query_one(Pager).write(self._tell, keep_place=same)

    def _tell(self, width: int) -> Iterator[Paragraph]:
        row = self.selected
        return self.when_empty(self.engine.view) if row is None else self.about(row, width)

    def _fit(self, width: int, height: int) -> None:
        self.set_class(width >= WIDE, "-wide")
        self.set_class(height < SHORT, "-short")
