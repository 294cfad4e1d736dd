"""Questions that are kept: saving one under a name, and choosing one of those that were saved or asked before."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from esdash.query.errors import QueryError
from esdash.query.questions import SAVED_NAME, read_question
from esdash.query.schema import Schema
from esdash.ui.declared import Actions
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.line_input import LineInput
from esdash.ui.paint.list_dialog import ListDialog
from esdash.ui.tables.question_book import QuestionBook
from esdash.visible import visible


class SaveQuestion(Dialog[None]):
    """Asks for the name."""

    AUTO_FOCUS = "#name"

    def __init__(self, book: QuestionBook, schema: Schema, question: str) -> None:
        super().__init__()
        self._book = book
        self._schema = schema
        self._question = question

    def compose(self) -> ComposeResult:
        with self.frame("Save the question", "Enter save · Esc close"):
            yield Static(Content(visible(self._question, 300)), id="question")
            yield LineInput("", "a name, without spaces", id="name", max_length=40)
            yield Static("", id="consequence", markup=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        name = event.value.strip()
        told = self._wrong(name) if name else ""
        if name and not told:
            told = f"Then @{name} asks it: here, within other questions, and in `esdash events @{name}`."
            if name in self._book.saved:
                told += f" It replaces {visible(self._book.saved[name], 100)}"
        self.query_one("#consequence", Static).update(Content(told))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        why = self._wrong(name) if name else "It takes a name."
        if not why:
            try:
                self._book.save(name, self._question)
            except (OSError, ValueError) as error:
                why = f"It could not be saved: {visible(str(error), 200)}"
        if why:
            self.query_one("#consequence", Static).update(Content(f"✗ {why}"))
        else:
            tell(self.app, f"Saved: @{name} asks it.")
            self.dismiss(None)

    def _wrong(self, name: str) -> str:
        """Why it cannot be saved so; empty when it can."""
        if SAVED_NAME.fullmatch(name) is None:
            return "A name is a letter, then letters, digits, - and _."
        saved = {**self._book.saved, name: self._question}
        try:
            read_question(f"@{name}", replace(self._schema, saved=saved), time.time())
        except QueryError as error:
            return visible(str(error), 300)
        return ""


class QuestionsScreen(ListDialog[str]):
    """Left with Enter, it gives the chosen question."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,d", "forget", "Forget what was saved", show=False),
        Binding("F", "leave", "Close", show=False),
    ]

    def __init__(self, book: QuestionBook, actions: Actions) -> None:
        super().__init__()
        self._book = book
        self._actions = actions
        self._questions: list[str] = []

    def compose(self) -> ComposeResult:
        with self.frame("Questions to the log", "Enter ask · d forget a saved one · Esc close"):
            yield OptionList(id="questions", markup=False)
            yield Static("", id="consequence", markup=False)

    def on_mount(self) -> None:
        self.query_one("#dialog").add_class("-wide")
        self._list()

    def choose(self, place: int) -> None:
        self.dismiss(self._questions[place])

    def action_forget(self) -> None:
        """Keep the chosen one no more, where it was saved."""
        place = self.query_one(OptionList).highlighted
        name = self._questions[place].removeprefix("@") if place is not None else ""
        if place is None or place >= len(self._book.saved):
            return
        try:
            self._book.forget(name)
        except (OSError, ValueError) as error:
            self.query_one("#consequence", Static).update(Content(f"✗ {visible(str(error), 200)}"))
        else:
            self._list()

    def _list(self) -> None:
        self._questions = [*(f"@{name}" for name in self._book.saved), *reversed(self._book.asked)]
        self.fill([Option(line) for line in self._lines()])
        hint = "" if self._questions else "None was asked yet: / asks one in the log, and Ctrl+S there saves it."
        self.query_one("#consequence", Static).update(Content(hint))

    def _lines(self) -> Iterator[Content]:
        width = max(map(len, self._book.saved), default=0) + 3
        for name, text in self._book.saved.items():
            action = f"ask_{name}"
            key = self._actions.key(action) if action in self._actions else ""
            where = " · settings" if name in self._book.settings else ""
            yield Content.assemble(
                (f"{'@' + name:<{width}}", "$text-accent bold"), visible(text, 200),
                (f"{where}{f' · {key}' if key else ''}", "$text-muted"),
            )  # fmt: skip
        for text in reversed(self._book.asked):
            yield Content.assemble((" " * width if self._book.saved else "", ""), visible(text, 200))
