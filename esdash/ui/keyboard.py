"""What a terminal sends when keys are pressed, the mouse is moved, or something is pasted."""

import codecs
from collections.abc import Iterator
from typing import Final

from textual._xterm_parser import XTermParser
from textual.message import Message

LONGEST_INPUT: Final = 1_000_000
"""Characters that may come without meaning anything, as of a paste that has no end."""


class Keyboard:
    """Reads it with Textual's parser, and goes on after what is no UTF-8, or what no terminal sends."""

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self._begin()

    def _begin(self) -> None:
        self._parser = XTermParser(self._debug)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._unheard = 0
        """Characters since something was heard."""

    def close(self) -> None:
        """Let go of what came: Textual remembers keys with the parser that read them, and they hold the whole app."""
        # It is none of what Textual promises, so another version may do it otherwise.
        forget = getattr(getattr(XTermParser, "_parse_extended_key", None), "cache_clear", None)
        if forget is not None:
            forget()

    def feed(self, data: bytes) -> Iterator[Message]:
        """What these bytes mean."""
        text = self._decode(data)
        if not text:  # the parser would take that for the end
            return
        self._unheard += len(text)
        try:
            for message in self._parser.feed(text):
                self._unheard = 0
                yield message
        except (ArithmeticError, LookupError, TypeError, ValueError):  # as of a key beyond Unicode
            self._begin()
        if self._unheard > LONGEST_INPUT:
            self._begin()

    def tick(self) -> Iterator[Message]:
        """What waited for more, such as an escape alone, and has waited long enough."""
        yield from self._parser.tick()
