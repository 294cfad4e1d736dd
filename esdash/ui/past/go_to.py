"""Asks for a moment: a place in the log, or a condition that begins to hold there."""

from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from esdash.fold.folding import Fold
from esdash.query.conditions import Condition, read_condition, seems_condition
from esdash.query.errors import QueryError
from esdash.query.numbers import example
from esdash.query.places import Place, PlaceError, read_place
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.inputs import FormInput
from esdash.ui.paint.dialog import Dialog
from esdash.visible import visible
from esdash.words.asked import schema_of

_POINTED: Final = 40
"""Characters of a condition that are shown again with what is wrong in it: so many have room in one line."""


class Destination(NamedTuple):
    """What was asked for: one of them."""

    place: Place | None = None
    condition: Condition | None = None


class GoToScreen(Dialog[Destination]):
    """Reads a place or a condition; left, it gives that."""

    CSS_PATH: ClassVar = STYLES
    AUTO_FOCUS = "#place"

    def __init__(self, fold: Fold, title: str, hints: str, known: str, wall_clock: Callable[[], float]) -> None:
        """`known` is the condition or the place that stands there at first; empty for none."""
        super().__init__()
        self._schema = schema_of(fold)
        self._title = title
        self._hints = hints
        self._known = known
        self._wall_clock = wall_clock

    def compose(self) -> ComposeResult:
        name = example(self._schema).partition(" or ")[0]
        with self.frame(self._title, self._hints), Vertical(id="body"):
            yield Field("Moment", FormInput(self._known, f"#123 · 14:03 · -5m · {name} < 5", id="place"))
            yield Static(
                "An entry's number or id, a time of day, a date with it, or how long ago; first, now. Or a condition: "
                "the moment at which it begins to hold.",
                id="consequence",
                markup=False,
            )

    def on_mount(self) -> None:
        """What stands there goes away when something else is typed."""
        self.query_one("#place", FormInput).select_all()

    def on_input_changed(self) -> None:
        self._destination()

    def on_input_submitted(self) -> None:
        if (destination := self._destination()) is not None:
            self.dismiss(destination)

    def _destination(self) -> Destination | None:
        field = self.query_one(Field)
        text = self.query_one("#place", FormInput).value.strip()
        found, wrong = self._read(text) if text else (None, "")
        field.say(Note(wrong, wrong=bool(wrong)))
        return found

    def _read(self, text: str) -> tuple[Destination | None, str]:
        """What a text means, or what is wrong with it."""
        now = self._wall_clock()
        try:
            return Destination(place=read_place(text, now)), ""
        except PlaceError as error:
            if not seems_condition(text, self._schema):
                return None, str(error)
        try:
            return Destination(condition=read_condition(text, self._schema, now)), ""
        except QueryError as error:
            return None, "\n".join((visible(str(error), 300), *error.pointed(_POINTED)))
