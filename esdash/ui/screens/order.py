"""The form for an order: a user, and what to buy in one line of text like `hdd:2 cpu`."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from esdash.engine.console import Console
from esdash.shop.events import MAX_LINES, Line, Order
from esdash.shop.money import format_money
from esdash.shop.state import State
from esdash.ui.screens.forms import EventForm, Purpose, Reading
from esdash.ui.screens.top_up import user_field
from esdash.ui.typed import TypedLine, read_lines, write_line_item
from esdash.ui.widgets.completion import complete_line, complete_user
from esdash.ui.widgets.form_field import Field, Note
from esdash.ui.widgets.form_input import CompletingInput, Suggestions
from esdash.visible import visible

NAME: Final = 24
"""Cells of an item id in the table of lines."""


class OrderForm(EventForm):
    """A user buys every line, or nothing."""

    TITLE_TEXT: ClassVar = "Order"

    def __init__(
        self,
        console: Console,
        user_id: int | None = None,
        item_id: str | None = None,
        *,
        purpose: Purpose | None = None,
    ) -> None:
        super().__init__(console, purpose)
        self._user_id = user_id
        self._item_id = item_id
        self._shown = ""

    def fields(self) -> ComposeResult:
        """User, items, and a table of what the items cost and whether they are there."""
        users = Suggestions()
        user = CompletingInput(
            lambda text, _: complete_user(self.engine.view, text, may_be_new=False),
            users,
            "" if self._user_id is None else str(self._user_id),
            "a number; ↓ lists known users",
            known_only=True,
            id="user",
        )
        items = Suggestions()
        lines = CompletingInput(
            lambda text, cursor: complete_line(self.engine.view, text, cursor),
            items,
            "" if self._item_id is None else write_line_item(self._item_id),
            'hdd:2 cpu "two words":5',
            known_only=True,
            several=True,
            id="items",
        )
        yield Field("User", user, users)
        yield Field("Items", lines, items)
        yield Static(id="lines", markup=False)

    def read(self, state: State) -> Reading:
        """Judge user and lines, and show the lines."""
        user_id, user_note = user_field(self.text("user"), state, "unknown user")
        lines = read_lines(self.text("items"))
        self._show(state, lines)
        notes = {"user": user_note, "items": _items_note(state, lines)}
        if user_id is None or notes["items"].wrong or notes["items"].missing:
            return Reading(None, notes)
        return Reading(Order(user_id, tuple(Line(line.item_id, line.quantity) for line in lines)), notes)

    def _show(self, state: State, lines: Sequence[TypedLine]) -> None:
        table = "\n".join(_table(state, lines[:MAX_LINES]))
        if table != self._shown:
            self._shown = table
            self.query_one("#lines", Static).update(Text(table, no_wrap=True, overflow="ellipsis"))


def _items_note(state: State, lines: Sequence[TypedLine]) -> Note:
    if not lines:
        return Note("item:quantity, separated by spaces", missing=True)
    if len(lines) > MAX_LINES:
        return Note(f"{len(lines)} lines: an order has at most {MAX_LINES}", wrong=True)
    problem = next((line.problem for line in lines if line.problem), None)
    if problem is not None:
        return Note(problem, wrong=True)
    total = sum(state.prices.get(line.item_id, 0) * line.quantity for line in lines)
    return Note(f"{len(lines)} {'line' if len(lines) == 1 else 'lines'}, {format_money(total)} in all")


def _table(state: State, lines: Sequence[TypedLine]) -> Iterator[str]:
    """A line for each line of the order: is enough there, what does it cost, how much is left."""
    wanted: dict[str, int] = {}
    for line in lines:
        wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
    names = [visible(line.item_id, NAME) for line in lines]
    widest = max(map(cell_len, names), default=0)
    costs = [state.prices.get(line.item_id, 0) * line.quantity for line in lines]
    digits = max((len(format_money(cost)) for cost in costs), default=0)
    for line, name, cost in zip(lines, names, costs, strict=True):
        padded = name + " " * (widest - cell_len(name))
        remain = state.stock.get(line.item_id)
        if line.problem is not None:
            yield f"✗ {padded}".rstrip()
        elif remain is None:
            yield f"✗ {padded}  unknown item"
        else:
            glyph = "✓" if line.quantity > 0 and wanted[line.item_id] <= remain else "✗"
            yield f"{glyph} {padded}  {format_money(cost):>{digits}}  {line.quantity:,} of {remain:,} left"
