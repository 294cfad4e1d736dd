"""What would become of an event if it were published now, in a line for people. No textual."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from esdash.engine.view import Phase, View
from esdash.shop.events import MAX_INT, AddItem, Order, TopUp
from esdash.shop.money import format_money
from esdash.shop.state import State
from esdash.shop.story import Change, preview
from esdash.shop.view import ShopView
from esdash.visible import visible

Publishable = TopUp | AddItem | Order

NAME: Final = 24
"""Cells of an item id that a sentence has room for."""
MOST_CHANGES: Final = 3
"""Changes told in one line; the others are counted."""


class Outlook(NamedTuple):
    """A line about an event that is not published yet."""

    reason: str | None
    """Why it would be rejected; None when it would be applied."""
    text: str
    """Without markup, and harmless to draw."""

    @property
    def accepted(self) -> bool:
        """It would be applied."""
        return self.reason is None


def state_of(view: View) -> State:
    """The state for looking up single numbers; an empty one before the first view of it."""
    return view.state.latest if isinstance(view.state, ShopView) else State()


def blocked(view: View) -> str | None:
    """Why nothing can be published now, in a sentence; None when something can."""
    if view.readonly:
        return "This dashboard is read-only: it publishes nothing."
    if view.phase is Phase.CONNECTING:
        return "Not connected to the server yet."
    if view.phase is Phase.DISCONNECTED:
        return f"No connection to the server. {view.phase_note}".strip()
    if view.phase is Phase.HALTED:
        return f"The consumer has halted. {view.phase_note}".strip()
    if view.phase is Phase.STOPPED:
        return "The consumer has stopped."
    return None


def foresee(state: State, event: Publishable) -> Outlook:
    """What the fold would decide about the event now, and why."""
    outcome, changes = preview(state, event)
    if outcome.reason is None:
        return Outlook(None, f"would be applied: {_changes(changes)}")
    return Outlook(outcome.reason, f"would be rejected: {outcome.reason} — {_objection(state, event, outcome.reason)}")


def cost(state: State, order: Order) -> int:
    """Σ price × quantity in cents, of the items that are known."""
    return sum(state.prices.get(line.item_id, 0) * line.quantity for line in order.lines)


def _changes(changes: Iterable[Change]) -> str:
    told = [_change(change) for change in changes if change.before != change.after]
    if not told:
        return "no number changes"
    more = len(told) - MOST_CHANGES
    return ", ".join(told[:MOST_CHANGES]) + (f" and {more} more" if more > 0 else "")


def _change(change: Change) -> str:
    owner = "user " if change.kind == "balance" else ""
    number = f"{change.kind} of {owner}{visible(change.subject, NAME)}"
    return f"{number} {amount(change, change.before)} → {amount(change, change.after)}"


def amount(change: Change, value: int | None) -> str:
    """A number of a change as people write it: money, pieces, or `new` where there was none."""
    if value is None:
        return "new"
    return f"{value:,}" if change.kind == "stock" else format_money(value)


def _objection(state: State, event: Publishable, reason: str) -> str:
    """The rule's reason with the numbers that matter."""
    if isinstance(event, TopUp):
        if reason == "overflow":
            return f"the balance would pass {format_money(MAX_INT)}"
        return "a top-up of 0.00 tops nothing up"
    if isinstance(event, AddItem):
        if reason == "overflow":
            return f"the stock would pass {MAX_INT:,}"
        return f"{visible(event.item_id, NAME)} is new, and a new item needs a price"
    return _objection_to_order(state, event, reason)


def _objection_to_order(state: State, order: Order, reason: str) -> str:
    if reason == "unknown_user":
        return f"nobody has topped up user {order.user_id} yet"
    if reason == "insufficient_funds":
        balance = state.users.get(order.user_id, 0)
        return f"costs {format_money(cost(state, order))}, user {order.user_id} has {format_money(balance)}"
    wanted: dict[str, int] = {}
    for line in order.lines:
        name = visible(line.item_id, NAME)
        wanted[line.item_id] = wanted.get(line.item_id, 0) + line.quantity
        if reason == "invalid_quantity" and line.quantity == 0:
            return f"0 pieces of {name}"
        if reason == "unknown_item" and line.item_id not in state.stock:
            return f"{name} was never added"
    if reason == "out_of_stock":
        for item_id, quantity in wanted.items():
            if quantity > (remain := state.stock.get(item_id, 0)):
                return f"{quantity:,} × {visible(item_id, NAME)} wanted, {remain:,} left"
    return "the order has no lines"
