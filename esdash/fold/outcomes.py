"""What the fold may decide for one entry, as small codes: a fold over a page answers with one byte an entry."""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Outcome(NamedTuple):
    """One decision: `name` is applied, rejected, parked or duplicate; `reason` says why, where there is one."""

    name: str
    reason: str | None


PARKED: Final = ("missing_field", "unsupported_version", "too_large", "unknown_type", "invalid_data")
"""Why an entry cannot be understood, the first of these that holds."""

MISSING_FIELD, UNSUPPORTED_VERSION, TOO_LARGE, UNKNOWN_TYPE, INVALID_DATA = range(5)
APPLIED, DUPLICATE, OVERFLOW = range(5, 8)
"""Codes that every domain has; its own reasons follow."""

MOST_REASONS: Final = 200


def outcomes(reasons: Iterable[str]) -> tuple[Outcome, ...]:
    """Every outcome of a domain with such reasons; an entry's code is its index here."""
    own = (Outcome("rejected", reason) for reason in reasons if reason != "overflow")
    parked = (Outcome("parked", reason) for reason in PARKED)
    return (*parked, Outcome("applied", None), Outcome("duplicate", None), Outcome("rejected", "overflow"), *own)
