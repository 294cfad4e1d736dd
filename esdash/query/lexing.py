"""Reads a text that a person typed piece by piece: words, quotations, operators."""

import re
from typing import Final

from esdash.query.errors import QueryError, Span

LONGEST: Final = 4000
"""Characters that a question or a condition may have."""

AND: Final = "and"
OR: Final = "or"
NOT: Final = "not"
WORDS: Final = (AND, OR, NOT)

OPERATOR: Final = re.compile(r"!=|<=|>=|[:=<>]")
_BARE: Final = re.compile(r'[^\s()"][^\s()]*')
_WRITTEN: Final = re.compile(r"""[^\s()"'][^\s()]*""")
_IN_SINGLE_MARKS: Final = re.compile(r"'([^']*)'(?=[\s)]|$)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def quoted(text: str) -> str:
    """A text between quotation marks: `Scanner.quotation` gives it back."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(value: str) -> str:
    """A value as it stands behind an operator; in quotation marks where it would be misread."""
    return value if _WRITTEN.fullmatch(value) else quoted(value)


class Scanner:
    """A place in a text."""

    def __init__(self, text: str) -> None:
        """Raises QueryError for a text that is too long."""
        self.text = text
        self.place = 0
        if len(text) > LONGEST:
            raise QueryError(f"This has {len(text):,} characters; {LONGEST:,} are the most.", text, (LONGEST, LONGEST))

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.place >= len(self.text)

    @property
    def next(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.place : self.place + 1]

    @property
    def rest(self) -> str:
        return self.text[self.place :]

    def skip(self) -> None:
        """Go on to what is no space."""
        while self.next.isspace():
            self.place += 1

    def at_word(self, word: str) -> bool:
        """Whether such a word stands here, in small letters or in capitals."""
        end = self.place + len(word)
        behind = self.text[end : end + 1]
        return self.text[self.place : end] in (word, word.upper()) and (
            not behind or behind.isspace() or behind in "()"
        )

    def take_word(self, word: str) -> bool:
        """Go past such a word, when it stands here, and the spaces behind it."""
        if not self.at_word(word):
            return False
        self.place += len(word)
        self.skip()
        return True

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go past what fits here, when something does."""
        found = pattern.match(self.text, self.place)
        if found is not None:
            self.place = found.end()
        return found

    def value(self, expected: str, bare: re.Pattern[str] = _BARE) -> tuple[str, Span]:
        """A value, in quotation marks or not, and where it stands. Raises QueryError."""
        start = self.place
        if self.next == '"':
            text = self.quotation()
        elif (single := self.take(_IN_SINGLE_MARKS)) is not None:  # as they are written within a shell's double ones
            text = single[1]
        elif (found := self.take(bare)) is not None:
            text = found[0]
        else:
            raise self.wrong(f"Expected {expected}.", 0)
        return text, (start, self.place)

    def quotation(self) -> str:
        r"""The text between quotation marks that begins here; `\"` is a mark within it, `\\` a backslash.

        Raises QueryError.
        """
        end = self.place + 1
        while self.text[end : end + 1] not in ('"', ""):
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            raise self.wrong('Expected a " that ends this text.', 1)
        text = self.text[self.place + 1 : end]
        self.place = end + 1
        return _ESCAPED.sub(r"\1", text)

    def require_space(self, behind: str) -> None:
        """Raises QueryError where something else than a space, a ) or the end stands here."""
        if not (self.ended or self.next.isspace() or self.next == ")"):
            raise self.wrong(f'Expected a space behind {behind}; text with other characters is put in "…".', 1)

    def wrong(self, sentence: str, length: int, start: int | None = None) -> QueryError:
        """What is wrong from here, or from `start`, on."""
        start = self.place if start is None else start
        return QueryError(sentence, self.text, (start, start + length))
