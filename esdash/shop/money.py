"""Money as people write it, `12.34`, and as the shop keeps it, 1234 cents."""

import re
from typing import Final

_WRITTEN: Final = re.compile(r"(\d{1,18})(?:[.](\d{1,2}))?")


def parse_money(text: str) -> int:
    """Cents from `12`, `12.3` or `12.34`. Raises ValueError with a sentence for anything else."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None or not text.isascii():
        raise ValueError("an amount is written like 12.34: digits, a point, at most two decimals")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def format_money(cents: int) -> str:
    """`1234567` → `12,345.67`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


def plain_money(cents: int) -> str:
    """`1234567` → `12345.67`, which `parse_money` reads back."""
    return format_money(cents).replace(",", "")
