"""Outcomes and their reasons in plain sentences, and the glyph that shows each outcome without colour."""

from typing import Final

from esdash.shop.outcomes import OUTCOMES, Outcome

GLYPHS: Final = {"applied": "✓", "rejected": "✗", "parked": "!", "duplicate": "="}
"""The outcome's name → one cell that tells it apart in sixteen colours and in none."""

_SENTENCES: Final[dict[Outcome, str]] = {
    Outcome("applied", None): "The event changed the state.",
    Outcome("rejected", "invalid_amount"): "A top-up of nothing: the amount is 0.",
    Outcome("rejected", "overflow"): "The balance or the stock would grow past the largest number that fits.",
    Outcome("rejected", "price_required"): "The item was new, and a new item needs a price.",
    Outcome("rejected", "empty_order"): "The order has no lines.",
    Outcome("rejected", "invalid_quantity"): "A line of the order asks for 0 pieces.",
    Outcome("rejected", "unknown_user"): "Nobody had topped this user up before.",
    Outcome("rejected", "unknown_item"): "A line names an item that was never added.",
    Outcome("rejected", "out_of_stock"): "More pieces were ordered than remained of an item.",
    Outcome("rejected", "insufficient_funds"): "The order cost more than the user's balance.",
    Outcome("parked", "missing_field"): "The entry has no field `type` or no field `data`.",
    Outcome("parked", "unsupported_version"): "The field `v` names a schema version that esdash does not know.",
    Outcome("parked", "too_large"): "The payload is larger than 64 KiB.",
    Outcome("parked", "unknown_type"): "The field `type` names no event of the shop.",
    Outcome("parked", "invalid_data"): "The payload breaks its schema: a member is missing or out of bounds.",
    Outcome("duplicate", None): "An earlier entry has the same key, so this one changed nothing.",
}

MEANINGS: Final = {
    "applied": "the state changed",
    "rejected": "a business rule said no; nothing changed",
    "parked": "esdash cannot understand the entry; it stays in the stream and changes nothing",
    "duplicate": "its key was already decided; nothing changed",
}
"""What each outcome means for the state."""


def sentence(outcome: Outcome) -> str:
    """Why an entry got this outcome."""
    return _SENTENCES[outcome]


def outcome_of(code: int | None) -> Outcome | None:
    """The outcome that a row's code stands for; None where it is not known."""
    return None if code is None else OUTCOMES[code]
