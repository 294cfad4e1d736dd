"""Asks for a place in the log."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from esdash.query.places import Place, PlaceError, read_place
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.inputs import FormInput
from esdash.ui.paint.dialog import Dialog


class GoToScreen(Dialog["Place"]):
    """Reads a place; left, it gives that."""

    CSS_PATH: ClassVar = STYLES
    AUTO_FOCUS = "#place"

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        super().__init__()
        self._wall_clock = wall_clock

    def compose(self) -> ComposeResult:
        """One field."""
        with self.frame("Go to a moment", "Enter go · Esc close"), Vertical(id="body"):
            yield Field("Place", FormInput("", "#123 · 14:03 · -5m", id="place"))
            yield Static(
                "An entry's number or id, a time of day, a date with it, or how long ago; first, now.",
                id="consequence",
                markup=False,
            )

    def on_input_changed(self) -> None:
        """Say at once what is wrong."""
        self._place()

    def on_input_submitted(self) -> None:
        """Go there."""
        if (place := self._place()) is not None:
            self.dismiss(place)

    def _place(self) -> Place | None:
        field = self.query_one(Field)
        text = self.query_one("#place", FormInput).value.strip()
        if not text:
            field.say(Note(""))
            return None
        try:
            place = read_place(text, self._wall_clock())
        except PlaceError as error:
            field.say(Note(str(error), wrong=True))
            return None
        field.say(Note(""))
        return place
