"""Publishing a corrected event for an entry that could not be understood."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from esdash.engine.console import Console
from esdash.engine.domain import Fields
from esdash.shop.decoding import decode
from esdash.shop.events import EVENT_TYPES, AddItem, Order, TopUp
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.state import State
from esdash.shop.story import describe_event
from esdash.ui.salvage import as_json, as_typed, escape_json, kind_of, kind_that_is_certain, objection, salvage
from esdash.ui.screens.dialog import Dialog
from esdash.ui.screens.forms import EventForm, Purpose, Reading
from esdash.ui.widgets.completion import Completion, Match
from esdash.ui.widgets.form_field import Field, Note
from esdash.ui.widgets.form_input import CompletingInput, FormInput, Suggestions
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.ui.screens.add_item import AddItemForm
    from esdash.ui.screens.order import OrderForm
    from esdash.ui.screens.top_up import TopUpForm

_SHAPES: Final[Mapping[str, str]] = {
    "TopUp": '{"user_id":7,"amount":1250}: amounts are cents',
    "AddItem": '{"item_id":"hdd","count":5,"price":1250}: the price is cents',
    "Order": '{"user_id":7,"lines":[{"item_id":"hdd","quantity":2}]}',
}
"""Type → what its data looks like."""


class JsonInput(FormInput):
    r"""A field for JSON on one line. Hidden characters become `\u200b` as they are typed or pasted."""

    def replace(self, text: str, start: int, end: int) -> None:
        """Put text in place of a range."""
        super().replace(escape_json(text), start, end)


class RawEventForm(EventForm):
    """Type and JSON as they will be in the log, judged by the shop's own decoder while they are typed."""

    TITLE_TEXT: ClassVar = "Corrected event"

    def __init__(self, console: Console, fields: Fields, purpose: Purpose | None = None) -> None:
        """`fields` are those of the entry to begin with."""
        super().__init__(console, purpose)
        self._kind = kind_that_is_certain(fields)
        self._data = as_json(fields)

    def fields(self) -> ComposeResult:
        """Type, data."""
        suggestions = Suggestions()
        kind = CompletingInput(_complete_type, suggestions, self._kind, "TopUp, AddItem or Order", id="type")
        yield Field("Type", kind, suggestions)
        yield Field("Data", JsonInput(self._data, "JSON", id="data"))

    def on_mount(self) -> None:
        """The data is what usually needs mending."""
        self.query_one("#dialog").add_class("-wide")
        super().on_mount()

    def read(self, state: State) -> Reading:  # noqa: ARG002 - the outlook looks at the state
        """Decode what is typed, as the fold would."""
        kind, text = self.text("type").strip(), self.text("data").strip()
        data = text.encode("utf-8", "backslashreplace")
        known = kind in EVENT_TYPES
        notes = {"type": Note("" if known else "TopUp, AddItem or Order", wrong=bool(kind) and not known)}
        if not kind:
            notes["type"] = Note("TopUp, AddItem or Order", missing=True)
        if not text or not known:
            notes["data"] = Note(_SHAPES.get(kind, ""), missing=not text)
            return Reading(None, notes)
        event = decode([b"type", kind.encode(), b"data", data])
        if isinstance(event, TopUp | AddItem | Order):
            notes["data"] = Note(visible(describe_event(event)))
            return Reading(event, notes)
        why = objection(kind, data)
        if not why and isinstance(event, int):
            why = OUTCOMES[event].reason or ""
        notes["data"] = Note(f"{why} · it looks like {_SHAPES[kind]}", wrong=True)
        return Reading(None, notes)


class ChooseType(Dialog[str | None]):
    """Which event an entry should have been: only a person knows. Its result is a type; EDIT for none of them."""

    EDIT: ClassVar = "edit"

    def __init__(self, purpose: Purpose) -> None:
        super().__init__()
        self._purpose = purpose

    def compose(self) -> ComposeResult:
        """What was parked, and the events there are; none is marked, so that Enter alone chooses nothing."""
        choices = [Option(f"{name:<8} {form.TITLE_TEXT}", name) for name, form in _forms().items()]
        with self.frame("Which event should it have been?", "↓ ↑ mark · Enter choose · Esc cancel"):
            with VerticalScroll(id="body", can_focus=False):
                yield Static(self._purpose.about, id="purpose", markup=False)
            yield OptionList(*choices, Option("Another: edit type and JSON", self.EDIT), id="types", markup=False)

    def on_mount(self) -> None:
        """Nothing is chosen for the person."""
        self.query_one(OptionList).highlighted = None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the type."""
        self.dismiss(event.option_id)


def needs_a_type(fields: Fields) -> bool:
    """Whether a person has to choose one first."""
    return not kind_of(fields)


def form_for(console: Console, fields: Fields, purpose: Purpose, chosen: str = "") -> tuple[EventForm, dict[str, str]]:
    """The form for the type of an entry, or else the one that was chosen, and what to type into it once it is shown."""
    remains = salvage(fields, chosen)
    form = _forms().get(remains.kind)
    if form is None:
        return RawEventForm(console, fields, purpose), {}
    return form(console, purpose=purpose), as_typed(remains)


def _forms() -> "dict[str, type[TopUpForm] | type[AddItemForm] | type[OrderForm]]":
    from esdash.ui.screens.add_item import AddItemForm
    from esdash.ui.screens.order import OrderForm
    from esdash.ui.screens.top_up import TopUpForm

    return {"TopUp": TopUpForm, "AddItem": AddItemForm, "Order": OrderForm}


def fill(form: EventForm, texts: Mapping[str, str]) -> None:
    """Type into the fields of a form that is shown."""
    for name, text in texts.items():
        field = form.query_one(f"#{name}", Input)
        field.value = text
        field.cursor_position = len(text)
    form.begin()


def _complete_type(text: str, cursor: int) -> Completion:  # noqa: ARG001 - the whole field is the name
    typed = text.strip().casefold()
    matches = [Match(name, name, "") for name in EVENT_TYPES if name.casefold().startswith(typed)]
    return Completion(0, len(text), matches, 0)
