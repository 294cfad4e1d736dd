"""Text from outside made harmless: what a terminal would obey or hide becomes characters that can be seen."""

import unicodedata
from functools import lru_cache
from typing import Final

_HIDDEN: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Unicode categories with no shape of their own: controls, format and bidirectional marks, unassigned."""


_FORMLESS: Final = frozenset(
    (
        *range(0x115F, 0x1200),  # the parts of a Hangul syllable that join the one before, and blank fillers
        *range(0xD7B0, 0xD800),
        0x2800,  # a Braille cell with no dots
        0x3164,
        0xFFA0,
        0x1D159,  # a musical note without a head
        *range(0x1F3FB, 0x1F400),  # skin tones, which paint the emoji before them
    )
)
"""Code points that Unicode calls letters or symbols, yet a terminal draws nothing for them, or draws them into the
character before."""


MOST_MARKS: Final = 2
"""Marks that a letter may carry, as those of Thai, Hindi, pointed Arabic and Hebrew do; a pile of them would climb over
other lines."""

_EMOJI_STYLE: Final = "\ufe0f"
"""Follows a symbol that is to be drawn as an emoji."""


def _carried(char: str, base: str) -> bool:
    """Whether a mark belongs to the letter, or the selector to the symbol, that stands before it."""
    if char == _EMOJI_STYLE:
        return unicodedata.category(base) == "So"
    marks = unicodedata.category(char) in ("Mn", "Mc") and not 0xFE00 <= ord(char) <= 0xFE0F and ord(char) < 0xE0000
    return marks and unicodedata.category(base) in ("Lo", "Ll", "Lu", "Lm", "Lt")


def shown_each(text: str) -> list[str]:
    """What is drawn for each of its characters: itself, or what takes its place."""
    parts: list[str] = []
    base, carried = "", 0
    for char in text:
        if base and carried < MOST_MARKS and _carried(char, base):
            parts.append(char)
            carried += 1
            continue
        shown = _shown(char)
        parts.append(shown)
        base, carried = char if shown == char else "", 0
    return parts


def _shown(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    category = unicodedata.category(char)
    if category in _HIDDEN or code in _FORMLESS:
        return f"⟨{code:04X}⟩"
    if category in ("Mn", "Me", "Mc"):
        return f"⟨{code:04X}⟩"
    if category == "Zs" and char != " ":
        return "␣"
    return char


def visible(text: str, limit: int = 200) -> str:
    """The text on one line with nothing in it that a terminal interprets or hides, at most `limit` ≥ 1 characters.

    Controls become their Unicode pictures (␛), format, bidirectional and unassigned characters their code in ⟨⟩, as do
    combining ones that no letter carries; odd spaces ␣. A cut is marked with …. Rich markup stays as it is: draw the
    result as plain text.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    return _visible(text[: limit + 1], limit)


@lru_cache(maxsize=8192)
def _visible(text: str, limit: int) -> str:
    if not (text.isascii() and text.isprintable()):
        text = "".join(shown_each(text))
    return text if len(text) <= limit else text[: limit - 1] + "…"
