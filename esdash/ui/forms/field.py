"""One labelled field of a form, with a line under it that says what is known or wrong."""

from pathlib import Path, PurePath
from typing import Final, NamedTuple

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Label, Static

from esdash.ui.forms.inputs import CompletingInput, FormInput, Suggestions
from esdash.ui.paint import dialog
from esdash.visible import visible

STYLES: Final[list[str | PurePath]] = [dialog.STYLES, Path(__file__).with_name("forms.tcss")]
"""Of dialogs with fields."""

LABEL: Final = 9
"""Cells of the column of labels, where none is longer."""
MOST_LABEL: Final = 20


class Note(NamedTuple):
    """What a form says about one field."""

    text: str
    """Harmless to draw; drawn without markup."""
    wrong: bool = False
    """The field's content cannot be published."""
    missing: bool = False
    """The field has no content and needs some."""


class Field(Vertical):
    """Label, input, note; and the list of suggestions that hangs over what follows."""

    def __init__(
        self, label: str, field: FormInput, suggestions: Suggestions | None = None, *, label_width: int = LABEL
    ) -> None:
        super().__init__()
        self.label = label
        self.input = field
        self._width = label_width
        self._suggestions = suggestions
        self._note = Static(markup=False, classes="note")
        self._said = Note("")

    def compose(self) -> ComposeResult:
        label = Label(visible(self.label, max(1, self._width - 1)), classes="label", markup=False)
        label.styles.width = self._width
        self._note.styles.margin = (0, 0, 0, self._width)
        with Horizontal(classes="entry"):
            yield label
            yield self.input
        if self._suggestions is not None:
            self._suggestions.styles.margin = (0, 0, 0, self._width)
            self._suggestions.display = False
            yield self._suggestions
        yield self._note

    def on_suggestions_picked(self, event: Suggestions.Picked) -> None:
        event.stop()
        if isinstance(self.input, CompletingInput):
            self.input.take(event.index)

    def say(self, note: Note) -> None:
        if note == self._said:
            return
        self._said = note
        self._note.update(f"✗ {note.text}" if note.wrong else note.text)
        self._note.set_class(note.wrong, "-wrong")


def label_width(labels: list[str]) -> int:
    return min(MOST_LABEL, max([LABEL, *(cell_len(label) + 1 for label in labels)]))
