"""What was typed and cannot be understood, with where in the text that is."""

import unicodedata
from typing import Final

from esdash.visible import visible

Span = tuple[int, int]
"""Where in a text something stands: from a character up to, and without, another."""

SHOWN: Final = 100
"""Characters of a text that are shown around what is wrong in it."""


class QueryError(ValueError):
    """What was typed is no question, condition or number. The message is one or two plain sentences."""

    def __init__(self, sentence: str, text: str, span: Span) -> None:
        super().__init__(sentence)
        self.text = text
        self.span = span
        """What is wrong in it; empty where something is missing."""

    def pointed(self, most: int = SHOWN) -> tuple[str, str]:
        """The text on one line, and a line of carets under what is wrong in it. Both can be shown as they are.

        Of a long text so many characters around what is wrong.
        """
        start, end = self.span
        first = max(0, min(start - most // 2, len(self.text) - most))
        last = first + most
        before = ("…" if first else "") + visible(self.text[first:start], 10 * most)
        wrong = visible(self.text[start : min(end, last)], 10 * most)
        after = visible(self.text[max(start, min(end, last)) : last], 10 * most) + (
            "…" if last < len(self.text) else ""
        )
        return before + wrong + after, " " * _width(before) + "^" * max(1, _width(wrong))


def _width(text: str) -> int:
    """Cells of a terminal that a visible text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def near(name: str, names: list[str]) -> str:
    """` Did you mean amount?` where one of the names is like this one; else nothing."""
    import difflib

    found = difflib.get_close_matches(name, names, 1)
    return f" Did you mean {found[0]}?" if found else ""


def listed(names: list[str], most: int = 12) -> str:
    """`a, b or c`, at most so many of them."""
    shown = [visible(name, 64) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)}, …"
    return " or ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
