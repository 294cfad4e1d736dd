"""What the fold may decide for one entry, as small codes.

A fold over a page answers with one byte an entry; the names belong to whoever shows them.
"""

from typing import Final, NamedTuple


class Outcome(NamedTuple):
    """One decision: `name` is applied, rejected, parked or duplicate; `reason` says why, where there is one."""

    name: str
    reason: str | None


OUTCOMES: Final[tuple[Outcome, ...]] = (
    Outcome("applied", None),
    Outcome("rejected", "invalid_amount"),
    Outcome("rejected", "overflow"),
    Outcome("rejected", "price_required"),
    Outcome("rejected", "empty_order"),
    Outcome("rejected", "invalid_quantity"),
    Outcome("rejected", "unknown_user"),
    Outcome("rejected", "unknown_item"),
    Outcome("rejected", "out_of_stock"),
    Outcome("rejected", "insufficient_funds"),
    Outcome("parked", "missing_field"),
    Outcome("parked", "unsupported_version"),
    Outcome("parked", "too_large"),
    Outcome("parked", "unknown_type"),
    Outcome("parked", "invalid_data"),
    Outcome("duplicate", None),
)
"""Every outcome; an entry's code is its index here. Snapshots store counts by name, so the order may change."""

(
    APPLIED,
    INVALID_AMOUNT,
    OVERFLOW,
    PRICE_REQUIRED,
    EMPTY_ORDER,
    INVALID_QUANTITY,
    UNKNOWN_USER,
    UNKNOWN_ITEM,
    OUT_OF_STOCK,
    INSUFFICIENT_FUNDS,
    MISSING_FIELD,
    UNSUPPORTED_VERSION,
    TOO_LARGE,
    UNKNOWN_TYPE,
    INVALID_DATA,
    DUPLICATE,
) = range(len(OUTCOMES))

PARKED: Final = frozenset(code for code, outcome in enumerate(OUTCOMES) if outcome.name == "parked")
"""The codes of entries that could not be understood."""
