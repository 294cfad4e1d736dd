"""Rates of the steady load: how they are typed, and the round ones that keys step through. No textual."""

import re
from typing import Final

RATES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
"""Events a second that keys step through."""

FIRST_RATE: Final = 10.0

MIN_RATE: Final = 0.1
MAX_RATE: Final = 100_000
"""Events a second that a steady load may be asked for: the bounds of the load itself, which a screen cannot import."""

_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
_DECIMAL: Final = re.compile(r"\d{1,9}(?:[.]\d{1,3})?", re.ASCII)


def step_from(rate: float, direction: int) -> float:
    """The next round rate above, or below where `direction` is negative; at an end that end."""
    if direction > 0:
        return next((step for step in RATES if step > rate), RATES[-1])
    return next((step for step in reversed(RATES) if step < rate), RATES[0])


def read_rate(text: str) -> float:
    """Events a second from `100`, `1,000` or `0.5`. Raises ValueError with a sentence."""
    text = text.strip()
    written = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    if not _DECIMAL.fullmatch(written) or not MIN_RATE <= float(written) <= MAX_RATE:
        raise ValueError(f"a rate is a number of events a second from {MIN_RATE} to {MAX_RATE:,}")
    return float(written)


def write_rate(rate: float) -> str:
    """What to type for a rate."""
    return f"{rate:g}" if rate < 100_000 else f"{rate:.0f}"
