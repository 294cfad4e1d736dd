"""Text from outside made harmless: what a terminal would obey or hide becomes characters that can be seen."""

import unicodedata
from functools import lru_cache
from typing import Final

_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode categories with no shape of their own: controls, format and bidirectional marks, unassigned."""


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    category = unicodedata.category(char)
    if category in _HIDDEN:
        return f"⟨{code:04X}⟩"
    if category in ("Mn", "Me", "Mc"):
        # On a carrier of its own, so that a pile of marks cannot climb over other lines.
        return f"⟨{code:04X}⟩"
    if category == "Zs" and char != " ":
        return "␣"
    return char


@lru_cache(maxsize=8192)
def visible(text: str, limit: int = 200) -> str:
    """The text on one line with nothing in it that a terminal interprets or hides, at most `limit` characters.

    Controls become their Unicode pictures (␛), format, bidirectional, combining and unassigned characters their code
    in ⟨⟩, odd spaces ␣. A cut is marked with …. Rich markup stays as it is: draw the result as plain text.
    """
    if len(text) > limit:
        text = text[:limit]
        ellipsis = "…"
    else:
        ellipsis = ""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_shown, text))
        if len(text) > limit:
            text, ellipsis = text[:limit], "…"
    return text[: limit - 1] + ellipsis if ellipsis else text
