"""Outcomes and their reasons in plain sentences, and the glyph that shows each outcome without colour."""

from typing import Final

from esdash.fold.folding import Fold, Told
from esdash.fold.outcomes import Outcome
from esdash.words.entries import write

GLYPHS: Final = {"applied": "✓", "rejected": "✗", "parked": "!", "duplicate": "="}
"""The outcome's name → one cell that tells it apart in sixteen colours and in none."""

_SENTENCES: Final = {
    ("applied", None): "The event changed the state.",
    ("duplicate", None): "An earlier entry has the same key, so this one changed nothing.",
    ("rejected", "overflow"): "A number or a text would grow past the largest that fits.",
    ("parked", "missing_field"): "The entry has no type or no data.",
    ("parked", "unsupported_version"): "The event type is known, but not in this schema version.",
    ("parked", "too_large"): "The payload is larger than 64 KiB.",
    ("parked", "unknown_type"): "The field `type` names no event of the domain.",
    ("parked", "invalid_data"): "The payload breaks its schema: a member is missing or out of bounds.",
}

MEANINGS: Final = {
    "applied": "the state changed",
    "rejected": "a business rule said no; nothing changed",
    "parked": "esdash cannot understand the entry; it stays in the stream and changes nothing",
    "duplicate": "its key was already decided; nothing changed",
}
"""What each outcome means for the state."""


def sentence(fold: Fold, outcome: Outcome) -> str:
    """Why an entry got this outcome."""
    if outcome.name == "rejected" and outcome.reason is not None:
        told = fold.domain.reasons.get(outcome.reason)
        if told is not None:
            return told
    if fold.sorter.title and outcome.name == "parked":
        if outcome.reason == "missing_field":
            return f"It is no entry of {fold.sorter.title}, or it does not say its type."
        if outcome.reason == "unknown_type":
            return "Its type is no event of the domain."
    return _SENTENCES[outcome.name, outcome.reason]


def outcome_of(fold: Fold, code: int | None) -> Outcome | None:
    """The outcome that a row's code stands for; None where it is not known."""
    return None if code is None else fold.outcomes[code]


def shortfall(told: Told | None) -> str:
    """The numbers that decided a refusal: `needed 26,660.00, had 14,335.00, short 12,325.00`; empty where none did."""
    if told is None or told.needed is None or told.available is None:
        return ""
    shown = told.shown
    short = told.needed - told.available
    missing = f", short {write(shown, short)}" if short > 0 else ""
    return f"needed {write(shown, told.needed)}, had {write(shown, told.available)}{missing}"
