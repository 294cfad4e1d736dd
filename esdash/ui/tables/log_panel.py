"""The event log in its frame: what it was asked, how far the answer is, and the outcomes counted on the lower edge."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual import on
from textual.content import Content
from textual.style import Style
from textual.widgets import Input

from esdash.engine.shown.picture import Picture
from esdash.engine.shown.row import Row
from esdash.ui.messages import tell
from esdash.ui.tables.log_cells import Counted, counted
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.log_table import LogTable
from esdash.ui.tables.panel import Panel
from esdash.ui.tables.question_book import QuestionBook
from esdash.ui.tables.question_line import QuestionLine
from esdash.visible import visible
from esdash.words.typed import read_text

if TYPE_CHECKING:
    from esdash.query.completing import Completion

LONGEST: Final = 40
"""Characters of a question in the title."""


class LogPanel(Panel):
    """The panel of the log."""

    def __init__(
        self,
        number: int,
        source: LogSource,
        table: LogTable,
        placeholder: str,
        parked: str,
        book: QuestionBook,
    ) -> None:
        """`parked` is the key that lists parked entries; `book` has the questions that a person keeps."""
        self.lines = source
        self.book = book
        self.log_table = table
        self.picture: Picture | None = None
        """What the outcomes are counted in."""
        self._parked = parked
        super().__init__(number, "Log", source, table, placeholder)

    def new_line(self, placeholder: str) -> QuestionLine:
        """A question can be typed."""
        placeholder += ", ↑ what was asked before"
        return QuestionLine(placeholder, self.stop_typing, self._offers, lambda: self.book.asked, self._save)

    @property
    def brief(self) -> str:
        """Its number, name and how many lines it has."""
        lines = self.lines
        counts = f"newest {lines.total:,}" if lines.older else f"{lines.total:,}"
        if lines.needle:
            counts = f"{len(lines):,} of {'the ' if lines.older else ''}{counts}"
        return f"{self.number} {self.caption} · {counts}"

    @property
    def heading(self) -> str:
        """The same with what was asked, how far the answer is, and what waits."""
        lines, answer = self.lines, self.lines.answer
        heading = self.brief
        if lines.older:
            heading += f" of {lines.total + lines.older:,}"
        if answer is not None:
            asked = visible(answer.text, LONGEST)
            if lines.needle:
                begin = f"{self.number} {self.caption} · "
                heading = f"{begin}{asked} · {heading.removeprefix(begin)}"
            else:
                heading += f" · {asked}: {len(answer.hits):,}"
            if (searched := lines.searched) is not None:
                heading += f" · {'stopped at' if answer.stopped else 'searched'} {searched} %"
        if waiting := self.log_table.waiting:
            heading += f" · ↓ {waiting:,} new"
        return heading

    @property
    def footing(self) -> Content:
        """The outcomes counted: a click on one shows exactly those."""
        told, more = self._counted(max(0, self.size.width - 4))
        parts: list[Content] = []
        for each in told:
            parts.append(Content("  " if parts else ""))
            parts.append(Content.styled(each.text, Style.from_meta({"@click": f"screen.ask('outcome:{each.name}')"})))
        return Content("").join([*parts, Content(more)])

    def sync(self) -> None:
        super().sync()
        line = self.line
        if isinstance(line, QuestionLine) and line.display:
            line.tell(self.lines.wrong)

    def clear_filter(self) -> bool:
        """Show all lines, and forget the question. Whether there was one."""
        asked = super().clear_filter() or self.lines.answer is not None
        self.lines.search("")
        self.sync()
        return asked

    def stop_typing(self) -> None:
        """Back to the table; what was asked is remembered."""
        super().stop_typing()
        if asked := read_text(self.input.value).strip():
            self.book.note(asked)

    def _save(self, question: str) -> None:
        from esdash.ui.tables.saved_questions import SaveQuestion

        if question:
            self.app.push_screen(SaveQuestion(self.book, self.lines.schema, read_text(question)))
        else:
            tell(self.app, "Type a question: then this saves it under a name.")

    def show_all(self) -> None:
        self.line.display = False
        self.lines.filtering = False
        self.sync()

    def start_filter(self, needle: str | None = None) -> None:
        """Let a question be typed, or ask one."""
        super().start_filter(needle)
        if self.lines.answer is not None and read_text(self.input.value).strip() == self.lines.answer.text:
            self.lines.filtering = True
        self.sync()

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.sync()

    def row_under_cursor(self) -> Row | None:
        """The entry of the line; None, which is said, while it is being read."""
        row = self.lines.row(self.log_table.cursor)
        if row is None:
            tell(self.app, "This entry is still being read.")
        return row

    def _counted(self, width: int) -> tuple[Sequence[Counted], str]:
        """Outcomes by name and reason, and what else there is to say."""
        if self.picture is None:
            return (), ""
        told = counted(self.lines.fold.outcomes, self.picture.counts, width)
        more = f"  {self._parked} shows parked" if any(each.name == "parked" for each in told) else ""
        text = "  ".join(each.text for each in told)
        return told, more if cell_len(text + more) <= width else ""

    def _offers(self, text: str, cursor: int) -> "Sequence[Completion]":
        from esdash.query.completing import completions

        return completions(text, cursor, self.lines.schema)
