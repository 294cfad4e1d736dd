"""The form of an event type: a field for each of its model's, judged and foreseen while one types."""

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

import msgspec
from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from esdash import exact
from esdash.domain import EventType, Table
from esdash.engine.console import Desk
from esdash.engine.shown.view import View
from esdash.ui.declared import label_of, model_of
from esdash.ui.forms.completion import complete_choice, complete_pair, complete_row, told_cells
from esdash.ui.forms.field import Field, Note, label_width
from esdash.ui.forms.inputs import CompletingInput, FormInput, JsonInput, Suggestions
from esdash.ui.forms.json_text import escape_json
from esdash.ui.forms.outlook import Outlook, foresee
from esdash.ui.forms.publishing import EventForm, Purpose, Reading
from esdash.ui.forms.questions import Question, is_json, questions_of
from esdash.visible import visible
from esdash.words.entries import words, write
from esdash.words.typed import escape_hidden, pair_of, problem, read_pairs

NAME: Final = 24
"""Cells of a name in the table of what a list names."""
MOST_RECORDS: Final = 100
"""Lines of that table."""

UNSURE: Final = "left out: what the entry says of it is not certain"
"""Stands under a field that need not be filled in: nobody would see that it is missing."""

_NONE: Final = "no such"

_MEMBER: Final = re.compile(r" - at `\$\.([^.\[`]+)")


class TypeForm(EventForm):
    """Asks for the fields of one event type."""

    def __init__(
        self,
        console: Desk,
        event_type: EventType,
        values: Mapping[str, str] | None = None,
        purpose: Purpose | None = None,
        unsure: Container[str] = (),
    ) -> None:
        """`values` are texts to begin with, by the name of the field; `unsure` are fields of which something is said
        where the values are from, which is none of them.
        """
        super().__init__(console, label_of(event_type), purpose)
        self.event_type = event_type
        self.questions = questions_of(self.fold, event_type)
        self._values = values or {}
        self._unsure = unsure
        self._tables = {table.name: table for table in self.fold.domain.tables}
        self._shown: dict[str, str] = {}

    def fields(self) -> ComposeResult:
        """What the event is; then a field for each question, and what is known of the rows that a list names."""
        lines = model_of(self.fold, self.event_type).help.splitlines() if self._purpose is None else []
        if lines:
            yield Static(visible(lines[0], 300), id="help", markup=False)
        width = label_width([question.label for question in self.questions])
        for question in self.questions:
            escape = escape_json if is_json(question.field) else escape_hidden
            start = escape(self._values.get(question.name, question.start))
            field, suggestions = self._input(question, start)
            yield Field(question.label, field, suggestions, label_width=width)
            pair = pair_of(question.field)
            if pair is not None and pair[0].about:
                records = Static(id=f"{question.id}-records", classes="records", markup=False)
                records.styles.margin = (0, 0, 0, width)
                yield records

    def on_mount(self) -> None:
        """JSON is long."""
        self.query_one("#dialog").set_class(any(is_json(question.field) for question in self.questions), "-wide")
        super().on_mount()

    def _refuses(self) -> bool:
        """Whether what is typed now would be refused; a key may come before it was looked at."""
        self.reconsider()
        return self.is_refused()

    def _input(self, question: Question, start: str) -> tuple[FormInput, Suggestions | None]:
        asked, hint, id = question.field, question.hint, question.id
        suggestions = Suggestions()
        pair = pair_of(asked)
        if asked.about:
            return CompletingInput(
                lambda text, _: complete_row(self.engine.view, asked, text),
                suggestions, start, hint, known_only=self._refuses, id=id,
            ), suggestions  # fmt: skip
        if pair is not None and pair[0].about:
            return CompletingInput(
                lambda text, cursor: complete_pair(self.engine.view, asked, text, cursor),
                suggestions, start, hint, known_only=self._refuses, several=True, id=id,
            ), suggestions  # fmt: skip
        if asked.kind in ("bool", "choice"):
            choices = ("yes", "no") if asked.kind == "bool" else tuple(map(str, asked.choices))
            return CompletingInput(
                lambda text, _: complete_choice(choices, text), suggestions, start, hint, known_only=lambda: True, id=id
            ), suggestions
        return (JsonInput if is_json(asked) else FormInput)(start, hint, id=id), None

    def read(self, view: View) -> Reading:
        notes: dict[str, Note] = {}
        members: dict[str, Any] = {}
        for question in self.questions:
            text = self.text(question.id)
            if question.needed and not text.strip():
                notes[question.id] = Note(_how(question), missing=True)
                continue
            try:
                value = question.read(text)
            except ValueError as error:
                notes[question.id] = Note(visible(str(error), 300), wrong=True)
                continue
            notes[question.id] = Note("")
            if value is not msgspec.UNSET:
                members[question.field.member] = value
        event, outlook, trouble = None, Outlook("", ""), ""
        if not any(note.wrong or note.missing for note in notes.values()):
            event, why = self._event(members)
            if event is not None:
                outlook = foresee(self.fold, view.state, event, self.sent_with)
            else:
                trouble = self._blame(why, notes)
        for question in self.questions:
            note = notes[question.id]
            if not (note.wrong or note.missing):
                notes[question.id] = Note(self._known(view, question, members, outlook))
            self._show_records(view, question, outlook)
        return Reading(event, notes, outlook, trouble)

    def field_to_mend(self, reason: str | None) -> str | None:
        """The first empty field that is named in the reason: `cost` in `cost_required`."""
        parts = (reason or "").split("_")
        for question in self.questions:
            if not self.text(question.id).strip() and question.name.split("_")[0] in parts:
                return question.id
        return None

    def _event(self, members: Mapping[str, Any]) -> tuple[Any, str]:
        try:
            payload = exact.write(members)
        except (TypeError, ValueError) as error:
            return None, f"this cannot be written as JSON: {error}"
        return self.fold.made(self.event_type, payload)

    def _blame(self, why: str, notes: dict[str, Note]) -> str:
        """Say a decoder's complaint under the field it is about; else it is what this returns."""
        told = visible(problem(why), 300)
        found = _MEMBER.search(why)
        for question in self.questions:
            if found is not None and question.field.member == found[1]:
                notes[question.id] = Note(told, wrong=True)
                return ""
        return told or "the model refuses it"

    def _known(self, view: View, question: Question, members: Mapping[str, Any], outlook: Outlook) -> str:
        """What is known about a field that is right."""
        field, text = question.field, self.text(question.id)
        value = members.get(field.member)
        if field.about and value is not None:
            return self._row(view, self._tables[field.about], value, outlook)
        told = []
        if value and pair_of(field) is not None:
            told.append(f"{len(value):,} in all")
        if (now := self._now(view, question, members)) is not None:
            told.append(f"now {now}")
        if not question.needed and (not text.strip() or text == question.start):
            told.append(UNSURE if question.name in self._unsure else "optional")
        return " · ".join(told)

    def _row(self, view: View, table: Table, key: Any, outlook: Outlook) -> str:
        """A row, or that there is none yet."""
        if view.state is None:
            return ""
        cells = [view.state.cell(table.name, key, column.name) for column in table.columns]
        if cells[0] is not None:
            return told_cells(table.columns, cells)
        one = visible(words(table.one), 40)
        return f"new {one}" if _makes(outlook, table.name, key) else f"{_NONE} {one} yet"

    def _now(self, view: View, question: Question, members: Mapping[str, Any]) -> str | None:
        """The cell that a field is called by, of the one row that the event names; None where there is none."""
        named = [other.field for other in self.questions if other.field.about]
        if view.state is None or len(named) != 1 or named[0].member not in members:
            return None
        table, key = self._tables[named[0].about], members[named[0].member]
        for column in table.columns:
            if column.name == question.name:
                cell = view.state.cell(table.name, key, column.name)
                return None if cell is None else visible(write(column.shown, cell), 40)
        return None

    def _show_records(self, view: View, question: Question, outlook: Outlook) -> None:
        pair = pair_of(question.field)
        if pair is None or not pair[0].about:
            return
        table = "\n".join(self._records(view, question, outlook))
        if table != self._shown.get(question.id, ""):
            self._shown[question.id] = table
            shown = Text(table, no_wrap=True, overflow="ellipsis")
            self.query_one(f"#{question.id}-records", Static).update(shown)

    def _records(self, view: View, question: Question, outlook: Outlook) -> Iterator[str]:
        """A line for each row that a list names: is it there, how much of it, what is known of it."""
        pair = pair_of(question.field)
        assert pair is not None, "asked before"
        first, second = pair
        typed = read_pairs(question.field, self.text(question.id))[:MOST_RECORDS]
        names = [visible(each.name, NAME) for each in typed]
        others = [_told(second, each.record.get(second.member)) for each in typed]
        widest = max(map(cell_len, names), default=0)
        width = max(map(cell_len, others), default=0)
        for each, name, other in zip(typed, names, others, strict=True):
            padded = name + " " * (widest - cell_len(name))
            if each.problem is not None:
                yield f"✗ {padded}".rstrip()
                continue
            known = self._row(view, self._tables[first.about], each.record[first.member], outlook)
            glyph = "✗" if known.startswith(_NONE) else "✓"
            yield f"{glyph} {padded}  {' ' * (width - cell_len(other))}{other}  {known}".rstrip()


def _how(question: Question) -> str:
    """How to type what cannot be typed in one word."""
    pair = pair_of(question.field)
    if pair is None:
        return ""
    return 'separated by spaces; "two words" in quotation marks' if pair[0].kind == "str" else "separated by spaces"


def _told(field: Any, value: Any) -> str:
    return "" if value is None else visible(write(field.shown, value) if field.kind == "int" else str(value), 40)


def _makes(outlook: Outlook, table: str, key: Any) -> bool:
    """Whether a row would come into being."""
    return any(change.table == table and change.key == key and change.before is None for change in outlook.changes)
