"""What would become of an event if it were published now, in a line for people. No textual."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import uuid4

from esdash.engine.shown.picture import Picture
from esdash.engine.shown.view import Phase, View
from esdash.fold.cells import Change
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold, Told
from esdash.fold.outcomes import DUPLICATE
from esdash.visible import visible
from esdash.words.changes import text_of
from esdash.words.outcomes import sentence, shortfall

NAME: Final = 24
"""Cells of a row's name that a sentence has room for."""
MOST_CHANGES: Final = 3
"""Changes told in one line; the others are counted."""


class Outlook(NamedTuple):
    """A line about an event that is not published yet."""

    reason: str | None
    """Why it would be refused, empty where the domain fails on it; None when it would be applied."""
    text: str
    """Without markup, and harmless to draw."""
    changes: Sequence[Change] = ()
    """What it would change."""

    @property
    def accepted(self) -> bool:
        """It would be applied."""
        return self.reason is None


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


def foresee(fold: Fold, state: Picture | None, event: Any, sent_with: str | None = None) -> Outlook:
    """What the fold would decide about the event now, and why; before the first state, by an empty one.

    `sent_with` is the key that something was sent with and this will be: what has arrived of that counts.
    """
    # What an append would give it: rules may look at the entry's time and key.
    entry_id, key = b"%d-0" % (time.time_ns() // 1_000_000), (sent_with or uuid4().hex).encode()
    try:
        if state is None:
            code, told = fold.decide(fold.empty(), event, entry_id, key)
        else:
            code, told = state.decide(event, entry_id, key)
    except DomainError as error:
        failure = visible(f"{error.where}: {error.what}", 300)
        return Outlook("", f"the domain fails on it, and the consumer would halt: {failure}")
    outcome = fold.outcomes[code]
    if code == DUPLICATE:
        return Outlook(None, "has arrived already: what is sent again counts once with it")
    if outcome.reason is None:
        return Outlook(None, f"would be applied: {_changes(fold, told.changes)}", told.changes)
    return Outlook(outcome.reason, f"would be rejected: {outcome.reason} — {_why(fold, code, told)}")


def _why(fold: Fold, code: int, told: Told) -> str:
    """The rule's sentence, with the numbers that decided."""
    why = visible(sentence(fold, fold.outcomes[code]), 300)
    numbers = shortfall(told)
    return f"{why.rstrip('.')}: {visible(numbers, 200)}" if numbers else why


def _changes(fold: Fold, changes: Sequence[Change]) -> str:
    told = [_change(fold, change) for change in changes if change.before != change.after]
    if not told:
        return "nothing changes"
    more = len(told) - MOST_CHANGES
    return ", ".join(told[:MOST_CHANGES]) + (f" and {more} more" if more > 0 else "")


def _change(fold: Fold, change: Change) -> str:
    text = text_of(fold, change)
    before = "new" if change.before is None else visible(text.before, 40)
    number = f"{text.column} of {text.one} {visible(text.key, NAME)}"
    return f"{visible(number, 100)} {before} → {visible(text.after, 40)}"
