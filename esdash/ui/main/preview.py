"""What the cursor stands on, read closely beside the panels: an entry, or a row with its newest story."""

from asyncio import TimerHandle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from rich.cells import cell_len
from textual.content import Content

from esdash.domain import Column, Table
from esdash.engine.console import Console, Details
from esdash.engine.shown.picture import Picture, TableRow
from esdash.engine.shown.row import Row
from esdash.fold.sorting import Fields
from esdash.ui.asking import find_out
from esdash.ui.paint.drawing import clock_time, fit, milliseconds_of, spark
from esdash.ui.paint.pager import Paragraph, lines_of, spans_of
from esdash.ui.paint.painted import Line, PaintedLines
from esdash.ui.paint.payload import LABEL, tell_fields, tell_said
from esdash.ui.tables.log_cells import MARKS
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.panel import Panel
from esdash.ui.tables.rows_source import RowsSource
from esdash.ui.timers import after
from esdash.ui.trust.entry_text import links_of, name_of, tell_changes, tell_decided, tell_outcome
from esdash.visible import visible
from esdash.words.changes import is_amount, moved, title_of
from esdash.words.entries import describe, type_of, write
from esdash.words.outcomes import outcome_of

if TYPE_CHECKING:
    from esdash.past.numbers.story import StoryLine
    from esdash.past.service import Past

REST_SECONDS: Final = 0.2
"""How long a cursor stands still before something is looked up about what it stands on."""

MOST_LINES: Final = 300
"""What is longer is for the details."""

STORY: Final = 30
"""Entries of a row's story."""

_WHEEL_LINES: Final = 3


class Entry(Struct, frozen=True):
    """An entry of the log."""

    row: Row
    number: int
    """Of all that were ever added; 0 where it is not known."""


class TableLine(Struct, frozen=True):
    """A row of a table."""

    table: Table
    row: TableRow
    until: int
    """The ordinal of the moment that is shown."""


Subject = Entry | TableLine
Story = list[tuple["StoryLine", Row | None]]
Found = Details | Story | str | None
"""What was looked up, why that cannot be said, or None while it is."""


class Preview(PaintedLines):
    """Follows the cursor. What takes a while is asked for in a thread, one question at a time; hidden, it does
    nothing."""

    DEFAULT_CSS = """
    Preview {
        width: 40; height: 1fr; border: round $foreground 30%; padding: 0 1;
        border-title-style: bold; border-title-color: $foreground; border-subtitle-color: $text-muted;
        &:ansi { border: round ansi_default; border-title-color: ansi_default; border-subtitle-color: ansi_default; }
    }
    """

    def __init__(
        self, console: Console, past: "Callable[[], Past | None]", past_kept: bool, wall_clock: Callable[[], float]
    ) -> None:
        """`past_kept`: there is a past, or will be in a moment; `wall_clock` gives Unix seconds."""
        super().__init__(id="preview")
        self.display = False
        self._engine = console
        self._fold = console.fold
        self._past = past
        self._past_kept = past_kept
        self._wall_clock = wall_clock
        self._subject: Subject | None = None
        self._found: Found = None
        self._text: list[tuple[str, str, str]] | None = None
        """As it is wrapped now."""
        self._wrapped_for = 0
        self._top = 0
        self._asking = False
        self._resting: TimerHandle | None = None

    def follow(self, subject: Subject | None) -> None:
        """Tell about something else, or about the same as it is now."""
        if not self.display or _is_same(subject, self._subject):
            return
        another = _key_of(subject) != _key_of(self._subject)
        if another:
            self._top = 0
        if another or isinstance(subject, Entry) or _is_before(subject, self._subject):
            self._found = None
        self._subject = subject
        if isinstance(subject, Entry) and subject.row.told is not None:
            self._found = Details(subject.row, subject.row.told)
        elif subject is not None and (self._past_kept or isinstance(subject, Entry)):
            if another and self._resting is not None:
                self._resting.cancel()
                self._resting = None
            if self._resting is None:  # a row that never rests is asked about all the same
                self._resting = after(self, REST_SECONDS, self._rested)
        self.border_title, self.border_subtitle = map(Content, self._edges())
        self._rewrite()

    def lines(self, width: int) -> Sequence[Line]:
        if self._text is None or width != self._wrapped_for:
            self._wrapped_for = width
            self._text = self._wrapped(max(10, width))
        height = self.size.height
        self._top = max(0, min(self._top, len(self._text) - height))
        return [spans_of(*line) for line in self._text[self._top : self._top + height]]

    def on_mouse_scroll_down(self) -> None:
        self._top += _WHEEL_LINES
        self.sync()

    def on_mouse_scroll_up(self) -> None:
        self._top -= _WHEEL_LINES
        self.sync()

    def _answered(self, asked: Subject, found: Found) -> None:
        """Where the cursor is on something else by now, that is looked up."""
        self._asking = False
        same = _is_same(asked, self._subject)
        if not same and not _is_before(asked, self._subject):
            self._ask()
            return
        # While entries come faster than they are looked into, the story of a moment ago is better than none.
        if same or not (isinstance(found, str) and isinstance(self._found, list)):
            self._found = found
        self._rewrite()
        if not same and self._resting is None:
            self._resting = after(self, REST_SECONDS, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._ask()

    def _ask(self) -> None:
        subject = self._subject
        known = isinstance(subject, Entry) and subject.row.told is not None
        if subject is None or known or not self.display or self._asking:
            return
        self._asking = True
        answered = partial(self._answered, subject)
        find_out(self, partial(self._look, subject), answered, answered, "preview")

    def _look(self, subject: Subject) -> Found:
        """In a thread."""
        past = self._past()
        if isinstance(subject, TableLine):
            return [] if past is None else past.story(subject.table, subject.row.key, subject.until, STORY)
        if past is None or not subject.row.ordinal:
            return self._engine.details(subject.row)
        rows = past.at(subject.row.ordinal).rows
        if rows and rows[-1].entry_id == subject.row.entry_id and rows[-1].told is not None:
            return Details(rows[-1], rows[-1].told)
        return "What it changed is not known any more."

    def _rewrite(self) -> None:
        self._text = None
        self.sync()

    def _edges(self) -> tuple[str, str]:
        """Title and foot."""
        subject, fold = self._subject, self._fold
        if isinstance(subject, Entry):
            row = subject.row
            key = fold.keys.of(row.fields)
            number = f"#{subject.number:,} " if subject.number else ""
            told = visible(key.decode("utf-8", "backslashreplace"), 30) if key else ""
            return number + (visible(type_of(fold, row.fields), 40) or "—"), f"key {told}" if told else ""
        if isinstance(subject, TableLine):
            return f"{name_of(fold, (subject.table.name, subject.row.key))}", ""
        return "", ""

    def _wrapped(self, width: int) -> list[tuple[str, str, str]]:
        subject, lines = self._subject, list[tuple[str, str, str]]()
        if subject is None:
            return lines
        tell = self._tell_entry(subject.row, width) if isinstance(subject, Entry) else self._tell_row(subject, width)
        for paragraph in tell:
            lines += lines_of(paragraph, width)
            if len(lines) > MOST_LINES:
                return [*lines[:MOST_LINES], ("", "… the details have all of it", "dim")]
        return lines

    def _tell_entry(self, row: Row, width: int) -> Iterator[Paragraph]:
        fold, found = self._fold, self._found
        details = found if isinstance(found, Details) else None
        yield Paragraph(visible(describe(fold, row.fields), 400), style="strong")
        outcome = outcome_of(fold, row.code)
        if outcome is None or outcome.name != "applied":
            yield from tell_outcome(fold, row)
        if details is not None:
            yield from tell_decided(details.told)
        yield Paragraph("")
        if isinstance(found, str):
            yield Paragraph(f"✗ {visible(found, 400)}", style="bad")
        elif details is None:
            yield Paragraph("computing …", style="dim")
        elif details.told.changes:
            yield from tell_changes(fold, details.told, width)
        elif outcome is None or outcome.name == "applied":
            yield Paragraph("Nothing changed.", style="dim")
        about = links_of(fold, row if details is None else details.row)
        if about and (details is None or not details.told.changes):
            yield Paragraph(", ".join(name_of(fold, place) for place in about), "about", indent=LABEL)
        yield Paragraph("")
        envelope = None if row.mark is not None else fold.sorter.envelope(row.fields)
        if envelope is not None:
            yield from tell_said(envelope, width)
        else:
            fields, sizes = self._stored(row)
            yield from tell_fields(fields, width, sizes, payload=fold.payload_field)
        yield Paragraph("")
        yield Paragraph(visible(row.entry_id.decode("ascii", "backslashreplace"), 60), "id", "dim", LABEL)

    def _stored(self, row: Row) -> tuple[Fields, tuple[int, ...]]:
        """An entry's fields and their sizes, without those that stand on the edges."""
        fold = self._fold
        told = {fold.domain.wire.type.encode(), fold.keys.name if fold.keys.of(row.fields) else b""} - {b""}
        kept = [place for place in range(0, len(row.fields), 2) if row.fields[place] not in told]
        fields = tuple(part for place in kept for part in row.fields[place : place + 2])
        return fields, tuple(size for place in kept for size in row.sizes[place : place + 2])

    def _tell_row(self, line: TableLine, width: int) -> Iterator[Paragraph]:
        columns = line.table.columns
        titles = [visible(title_of(column), 24) for column in columns]
        indent = max(LABEL, max(map(cell_len, titles)) + 2)
        for column, title, value in zip(columns, titles, line.row.cells, strict=True):
            yield Paragraph(visible(write(column.shown, value), 200), title, "strong", indent)
            if isinstance(self._found, list):
                yield from _tell_curve(column, self._found, indent, width)
        yield Paragraph("")
        if isinstance(self._found, str):
            yield Paragraph(f"✗ {visible(self._found, 400)}", style="bad")
        elif isinstance(self._found, list):
            yield from self._tell_story(line.table, self._found, width)
        elif self._past_kept:
            yield Paragraph("looking into the past …", style="dim")

    def _tell_story(self, table: Table, story: "Story", width: int) -> Iterator[Paragraph]:
        """When, by how much, to what; below it what the entry says."""
        wall = self._wall_clock()
        for line, row in story:
            when = clock_time(milliseconds_of(line.entry_id), wall)
            outcome = self._fold.outcomes[line.code]
            for change in line.changes:
                column = next(each for each in table.columns if each.name == change.column)
                by = visible(moved(column, change.before, change.after), 30)
                after = visible(write(column.shown, change.after), 40)
                text = f"{by:>9} {after:>12}"
                if len(table.columns) > 1:
                    text = "  ".join(filter(None, (visible(title_of(column), 16), by, after)))
                yield Paragraph(
                    fit(text, width - len(when) - 1), when, "bad" if by[:1] == "−" else "good", len(when) + 1
                )
                when = " " * len(when)
            if outcome.name != "applied":
                mark = MARKS[outcome.name]
                told = fit(f"{mark.glyph} {outcome.reason or outcome.name}", width - len(when) - 1)
                yield Paragraph(told, when, mark.style, len(when) + 1)
            if row is not None:
                said = (
                    f"{visible(type_of(self._fold, row.fields), 16)} {visible(describe(self._fold, row.fields), 100)}"
                )
                yield Paragraph(fit(said, width - 2), "", "dim", 2)


def _tell_curve(column: Column, story: "Story", indent: int, width: int) -> Iterator[Paragraph]:
    """What a number was after each entry of its story, the newest at the right, and between which bounds."""
    if not is_amount(column):
        return
    changes = [change for line, _ in story for change in line.changes if change.column == column.name]
    values = [change.after for change in changes if change.after is not None][::-1][-max(1, width - indent) :]
    low, high = min(values, default=0), max(values, default=0)
    if len(values) > 2 and high > low:
        yield Paragraph("".join(spark(value - low, high - low) for value in values), "", "information", indent)
        bounds = f"{write(column.shown, low)} to {write(column.shown, high)}"
        yield Paragraph(visible(bounds, 80), "", "dim", indent)


def under_cursor(panel: Panel, picture: Picture | None, ordinal: int, before: int) -> Subject | None:
    """What the cursor of a panel stands on, in the picture of the moment after an ordinal; so many entries came
    `before` the first."""
    selected, source = panel.table.selected, panel.source
    if isinstance(source, LogSource):
        if selected is None:
            return None
        row = source.row(panel.table.cursor)
        return None if row is None else Entry(row, row.ordinal + before if row.ordinal else 0)
    assert isinstance(source, RowsSource)
    rows = None if picture is None else picture.tables.get(source.table.name)
    row_there = rows.get(selected) if rows is not None and isinstance(selected, int | str) else None
    return None if row_there is None else TableLine(source.table, row_there, ordinal)


def _key_of(subject: Subject | None) -> object:
    """What a subject is the same by while it changes."""
    if isinstance(subject, TableLine):
        return subject.table.name, subject.row.key
    return None if subject is None else (subject.row.ordinal, subject.row.entry_id)


def _is_before(one: Subject | None, other: Subject | None) -> bool:
    """Whether it is the same row at an earlier moment."""
    if not isinstance(one, TableLine) or not isinstance(other, TableLine):
        return False
    return _key_of(one) == _key_of(other) and one.until < other.until


def _is_same(one: Subject | None, other: Subject | None) -> bool:
    """Whether there is nothing else to tell about one than about the other: other rows may have changed since."""
    if isinstance(one, TableLine) and isinstance(other, TableLine):
        return one.table is other.table and one.row == other.row and one.until == other.until
    return one == other or (isinstance(one, Entry) and isinstance(other, Entry) and one.row is other.row)
