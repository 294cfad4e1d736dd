"""What the lists of single entries share: a table of them, and beside or under it all about the selected one."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from esdash.engine.console import Console, EngineError, publishing_of
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import STYLES, LeftOnce
from esdash.ui.paint.key_bar import Key, KeyBar
from esdash.ui.paint.pager import Pager, Paragraph, wrap
from esdash.ui.paint.painted import Line, PaintedLines, Span
from esdash.ui.paint.payload import copy_payload
from esdash.ui.tables.line_table import LineTable
from esdash.ui.trust import standing
from esdash.ui.trust.entry_source import EntrySource
from esdash.ui.trust.handled import Handled
from esdash.ui.trust.standing import Standing

FRAMES_A_SECOND: Final = 10

WIDE: Final = 150
"""Columns from which the text stands beside the table."""

SHORT: Final = 22
"""Lines under which there is no room for frames."""

_LEAVE: Final = Key("Esc", "back", "leave")
_COPY: Final = Key("y", "copy", "copy")
_READ: Final = Key("Tab", "to the text", "app.focus_next")

Events = Iterable[tuple[Row, tuple[str, bytes]]]
"""Entries, each with the type and the data of the event that is to be published for it."""


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


class EntryListScreen(LeftOnce[None]):
    """A full screen over the main one. Escape goes back."""

    CSS_PATH: ClassVar = [STYLES, "entries.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", show=False),
        Binding("y", "copy", "Copy the payload", show=False),
        Binding("right,l", "app.focus_next", "To the text", show=False),
        Binding("left,h", "app.focus_previous", "To the list", show=False),
    ]
    AUTO_FOCUS = "#entries"
    PARKED: ClassVar[bool]
    """Or else orphans."""
    KEYS: ClassVar[tuple[Key, ...]] = ()
    """What can be done about the selected entry, the most important first."""

    def __init__(self, console: Console, handled: Handled, wall_clock: Callable[[], float]) -> None:
        super().__init__()
        self.engine = console
        self.fold = console.fold
        self.handled = handled
        self._wall_clock = wall_clock
        self.source = EntrySource(self.fold, self.stands, parked=self.PARKED)
        self.table = LineTable(self.source, id="entries")
        self._heading = Heading()
        self._keys = KeyBar(id="keys")
        self.publishing = False
        """Events are being published for several entries."""
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
        tell_of = standing.of_parked if self.PARKED else standing.of_orphan
        return tell_of(self.engine.view, self.fold, self.handled, row)

    def key_for(self, row: Row) -> str:
        """The idempotency key of what is published for an entry."""
        corrections = self.engine.view.corrections
        return corrections.key_for_parked(row) if self.PARKED else corrections.key_for_orphan(row)

    @property
    def selected(self) -> Row | None:
        return self.source.row(self.table.cursor) if self.table.selected is not None else None

    def compose(self) -> ComposeResult:
        yield self._heading
        with Container(id="list"):
            with Container(id="table-frame"):
                yield self.table
            with Container(id="text-frame"):
                yield Pager(self._tell, id="pager")
        yield self._keys

    def on_mount(self) -> None:
        self._fit(*self.app.size)
        self.poll()
        self.set_interval(1 / FRAMES_A_SECOND, self.poll)

    def on_resize(self, event: events.Resize) -> None:
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
        keys = (_LEAVE,) if empty else (_LEAVE, *(() if view.readonly else self.KEYS), _COPY, _READ)
        self._keys.show([key._replace(rank=place) for place, key in enumerate(keys)])
        self.table.sync()
        self._write()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_copy(self) -> None:
        if (row := self.selected) is not None:
            copy_payload(self.app, self.fold, row)

    def tell(self, text: str, severity: str = "information") -> None:
        tell(self.app, text, severity)

    def publish_each(self, events: Events, count: int, done_to_them: str, tell_of: Callable[[int], str]) -> None:
        """Publish events for entries; `events` is gone through in a thread.

        Of `count` some may be left when publishing fails: they are `corrected`. `tell_of` says what was done to all.
        """

        def publish() -> None:
            done = 0
            try:
                for row, content in events:
                    published = publishing_of(self.engine).publish(*content, self.key_for(row))
                    self.handled.publish_as(row, published.entry_id, parked=self.PARKED)
                    done += 1
            except EngineError as error:
                told = f"{done:,} of {count:,} {done_to_them}. {error}" if done else str(error)
                self.app.call_from_thread(self.tell, told, "error")
            else:
                self.app.call_from_thread(self.tell, tell_of(done))
            finally:
                self.publishing = False

        self.publishing = True
        self.app.run_worker(publish, thread=True, exit_on_error=False, name="engine", group="entries")

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
