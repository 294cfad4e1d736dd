"""The form for a top-up: user and amount."""

from typing import ClassVar

from textual.app import ComposeResult

from esdash.engine.console import Console
from esdash.shop.events import TopUp
from esdash.shop.money import format_money
from esdash.shop.state import State
from esdash.ui.screens.forms import EventForm, Purpose, Reading
from esdash.ui.typed import read_money, read_user
from esdash.ui.widgets.completion import complete_user
from esdash.ui.widgets.form_field import Field, Note
from esdash.ui.widgets.form_input import CompletingInput, FormInput, Suggestions


class TopUpForm(EventForm):
    """Money comes in for a user, known or new."""

    TITLE_TEXT: ClassVar = "Top up"

    def __init__(self, console: Console, user_id: int | None = None, *, purpose: Purpose | None = None) -> None:
        super().__init__(console, purpose)
        self._user_id = user_id

    def fields(self) -> ComposeResult:
        """User, amount."""
        suggestions = Suggestions()
        user = CompletingInput(
            lambda text, _: complete_user(self.engine.view, text, may_be_new=True),
            suggestions,
            "" if self._user_id is None else str(self._user_id),
            "a number; ↓ lists known users",
            id="user",
        )
        yield Field("User", user, suggestions)
        yield Field("Amount", FormInput(placeholder="12.34", id="amount"))

    def read(self, state: State) -> Reading:
        """An amount of 0 is valid data, which the fold rejects."""
        user_id, user_note = user_field(self.text("user"), state, "new user")
        amount: int | None = None
        amount_note = Note("", missing=True)
        if typed := self.text("amount").strip():
            try:
                amount = read_money(typed)
                amount_note = Note("")
            except ValueError as error:
                amount_note = Note(str(error), wrong=True)
        event = None if user_id is None or amount is None else TopUp(user_id, amount)
        return Reading(event, {"user": user_note, "amount": amount_note})


def user_field(typed: str, state: State, when_unknown: str) -> tuple[int | None, Note]:
    """The user that is typed, and what is known of them."""
    if not typed.strip():
        return None, Note("", missing=True)
    try:
        user_id = read_user(typed)
    except ValueError as error:
        return None, Note(str(error), wrong=True)
    balance = state.users.get(user_id)
    return user_id, Note(when_unknown if balance is None else f"balance {format_money(balance)}")
