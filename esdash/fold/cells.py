"""What a cell of a table and the key of a row may be, and how a number moved."""

from typing import Any, Final

from msgspec import Struct

MAX_INT: Final = 2**63 - 1
MIN_INT: Final = -(2**63)
MAX_TEXT: Final = 4 * 1024
"""Bytes of a text in a cell."""
MAX_NAME: Final = 256
"""Characters of a text that is a key."""
MAX_DIGITS: Final = 4_000
"""Of a number in an event or of a refusal. Python writes 4,300 at most: sums and multiples of these have room."""

_CONTROLS: Final = {*range(32), *range(127, 160)}


class Change(Struct, frozen=True, gc=False):
    """One number before and after an entry; None where there was none."""

    table: str
    key: int | str
    column: str
    before: Any
    after: Any


def is_name(text: str) -> bool:
    """Whether a text can be a key: 1 to 256 characters, none of them a control character."""
    return 0 < len(text) <= MAX_NAME and (text.isprintable() or _CONTROLS.isdisjoint(map(ord, text)))


def is_text(text: str) -> bool:
    """Whether a str is text: one with a lone surrogate is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
