"""The form for goods that come in: item, count, price."""

from typing import ClassVar

from textual.app import ComposeResult

from esdash.engine.console import Console
from esdash.shop.events import AddItem
from esdash.shop.money import format_money, plain_money
from esdash.shop.state import State
from esdash.ui.screens.forms import EventForm, Purpose, Reading
from esdash.ui.typed import read_count, read_item, read_money, write_item
from esdash.ui.widgets.completion import complete_item
from esdash.ui.widgets.form_field import Field, Note
from esdash.ui.widgets.form_input import CompletingInput, FormInput, Suggestions


class AddItemForm(EventForm):
    """Goods come in, for a known item or a new one, which needs a price."""

    TITLE_TEXT: ClassVar = "Add item"

    def __init__(self, console: Console, item_id: str | None = None, *, purpose: Purpose | None = None) -> None:
        super().__init__(console, purpose)
        self._item_id = item_id

    def fields(self) -> ComposeResult:
        """Item, count, price."""
        suggestions = Suggestions()
        item = CompletingInput(
            lambda text, _: complete_item(self.engine.view, text),
            suggestions,
            "" if self._item_id is None else write_item(self._item_id),
            "a name; ↓ lists known items",
            id="item",
        )
        yield Field("Item", item, suggestions)
        yield Field("Count", FormInput(placeholder="pieces", id="count"))
        yield Field("Price", FormInput(id="price"))

    def read(self, state: State) -> Reading:
        """Without a price a known item keeps its own; for a new one the outlook says that it is needed."""
        notes: dict[str, Note] = {}
        item_id = count = price = None
        price_is_wrong = False
        typed = self.text("item")
        try:
            if typed.strip():
                item_id = read_item(typed)
            notes["item"] = _item_note(state, item_id)
        except ValueError as error:
            notes["item"] = Note(str(error), wrong=True)
        try:
            if self.text("count").strip():
                count = read_count(self.text("count"))
            notes["count"] = Note("", missing=count is None)
        except ValueError as error:
            notes["count"] = Note(str(error), wrong=True)
        try:
            if self.text("price").strip():
                price = read_money(self.text("price"))
            notes["price"] = _price_note(state, item_id, price)
        except ValueError as error:
            price_is_wrong = True
            notes["price"] = Note(str(error), wrong=True)
        self._show_current_price(state, item_id)
        if item_id is None or count is None or price_is_wrong:
            return Reading(None, notes)
        return Reading(AddItem(item_id, count, price), notes)

    def field_to_mend(self, reason: str | None) -> str | None:
        """A new item needs a price."""
        return "price" if reason == "price_required" else None

    def _show_current_price(self, state: State, item_id: str | None) -> None:
        known = None if item_id is None else state.prices.get(item_id)
        placeholder = "12.34" if known is None else plain_money(known)
        field = self.query_one("#price", FormInput)
        if field.placeholder != placeholder:
            field.placeholder = placeholder


def _item_note(state: State, item_id: str | None) -> Note:
    if item_id is None:
        return Note("", missing=True)
    remain = state.stock.get(item_id)
    if remain is None:
        return Note("new item")
    return Note(f"{remain:,} in stock at {format_money(state.prices.get(item_id, 0))}")


def _price_note(state: State, item_id: str | None, price: int | None) -> Note:
    if item_id is None:
        return Note("")
    known = state.prices.get(item_id)
    if known is None:
        return Note("" if price is not None else "needed for a new item")
    if price is None or price == known:
        return Note(f"stays at {format_money(known)}")
    return Note(f"replaces {format_money(known)}")
