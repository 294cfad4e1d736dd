"""Publishing a corrected event for an entry that could not be understood."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from esdash.domain import EventType
from esdash.engine.console import Desk
from esdash.engine.shown.view import View
from esdash.fold.folding import Fold
from esdash.fold.sorting import Fields
from esdash.ui.correct.salvage import as_json, certain_type, likely_type, said_of, salvage, texts_of
from esdash.ui.declared import label_of, model_of
from esdash.ui.forms.completion import complete_choice
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.inputs import CompletingInput, JsonInput, Suggestions
from esdash.ui.forms.json_text import shape_of
from esdash.ui.forms.outlook import foresee
from esdash.ui.forms.publishing import EventForm, Purpose, Reading
from esdash.ui.forms.type_form import TypeForm
from esdash.ui.paint.list_dialog import ListDialog
from esdash.visible import visible
from esdash.words.entries import describe_event


class RawEventForm(EventForm):
    """Type and JSON as they will be in the log, judged by the domain's own decoder while they are typed."""

    def __init__(self, console: Desk, fields: Fields, purpose: Purpose | None = None) -> None:
        """`fields` are those of the entry to begin with."""
        super().__init__(console, "Corrected event", purpose)
        kind = certain_type(self.fold, fields)
        self._kind = "" if kind is None else kind.wire_name
        self._data = as_json(self.fold, fields)
        self._types = {each.wire_name: each for each in self.fold.publishable}
        self._names = visible(" or ".join(self._types), 120)

    def fields(self) -> ComposeResult:
        suggestions = Suggestions()
        kind = CompletingInput(
            lambda text, _: complete_choice(tuple(self._types), text), suggestions, self._kind, self._names, id="type"
        )
        yield Field("Type", kind, suggestions)
        yield Field("Data", JsonInput(self._data, "JSON", id="data"))

    def on_mount(self) -> None:
        """The data is what usually needs mending."""
        self.query_one("#dialog").add_class("-wide")
        super().on_mount()

    def read(self, view: View) -> Reading:
        text = self.text("data").strip()
        name = self.text("type").strip()
        kind = self._types.get(name)
        if kind is None:
            notes = {"type": Note(self._names, wrong=bool(name), missing=not name)}
            return Reading(None, {**notes, "data": Note("", missing=not text)})
        shape = visible(shape_of(model_of(self.fold, kind)), 300)
        if not text:
            return Reading(None, {"type": Note(""), "data": Note(shape, missing=True)})
        event, why = self.fold.made(kind, text.encode("utf-8", "backslashreplace"))
        if event is None:
            note = Note(f"{visible(why, 300) or 'it cannot be read'} · it looks like {shape}", wrong=True)
            return Reading(None, {"type": Note(""), "data": note})
        told = Note(visible(describe_event(self.fold, event)))
        return Reading(event, {"type": Note(""), "data": told}, foresee(self.fold, view.state, event, self.sent_with))


class ChooseType(ListDialog[str]):
    """Which event an entry should have been: only a person knows. Its result is a type; EDIT for none of them."""

    CSS_PATH: ClassVar = STYLES
    CSS = "ChooseType OptionList { max-height: 50vh; }"
    EDIT: ClassVar = "*edit"

    def __init__(self, fold: Fold, fields: Fields, purpose: Purpose) -> None:
        super().__init__()
        self._fold = fold
        self._likely = likely_type(fold, fields)
        self._purpose = purpose

    def compose(self) -> ComposeResult:
        """What was parked, and the events there are; the likely one is marked, and where there is none nothing is."""
        with self.frame("Which event should it have been?", "↓ ↑ mark · Enter choose · Esc cancel"):
            with VerticalScroll(id="body", can_focus=False):
                yield Static(self._purpose.about, id="purpose", markup=False)
            yield OptionList(*self._options(), Option("Another: edit type and JSON"), id="types", markup=False)

    def _options(self) -> list[Option]:
        names = [visible(each.wire_name, 30) for each in self._fold.publishable]
        width = max(map(len, names), default=0)
        return [
            Option(f"{name:<{width}}  {label_of(each)}{'  (likely)' if each is self._likely else ''}")
            for name, each in zip(names, self._fold.publishable, strict=True)
        ]

    def on_mount(self) -> None:
        types = self._fold.publishable
        place = next((place for place, each in enumerate(types) if each is self._likely), None)
        self.query_one(OptionList).highlighted = place

    def choose(self, place: int) -> None:
        types = self._fold.publishable
        self.dismiss(types[place].wire_name if place < len(types) else self.EDIT)


def form_for(console: Desk, fields: Fields, purpose: Purpose, chosen: str = "") -> EventForm:
    """The form for the type of an entry, or else for the one that was chosen, with all in it that is certain."""
    fold = console.fold
    wanted: EventType | None = next((each for each in fold.publishable if each.wire_name == chosen), None)
    remains = salvage(fold, fields, wanted)
    if remains.type is None:
        return RawEventForm(console, fields, purpose)
    texts = texts_of(fold, remains)
    return TypeForm(console, remains.type, texts, purpose, said_of(fold, fields, remains.type).difference(texts))
