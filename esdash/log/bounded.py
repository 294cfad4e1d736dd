"""The parser of replies, with a bound on how much of one it takes. Imports no client, so a reader starts quickly."""

import re
from collections.abc import Callable
from typing import Any, Final

import hiredis

from esdash.log.shapes import TooLargeError, UnreadableError

MOST: Final = 64 * 1024 * 1024
"""Bytes of one reply. A transaction's replies are one."""

MOST_OF_A_LINE: Final = 64 * 1024
"""Bytes of an error, a status or a number."""

MOST_ELEMENTS: Final = 10_000_000
"""Of one list: room is made for all of them when the first is announced."""

CROWDED: Final = 16 * 1024 * 1024
"""Bytes of one reply from which the room that its elements take is counted, too: an empty one takes much more here than
on the way."""

_ELEMENT: Final = 16
"""Bytes that each line of a reply may take here."""

NOT_ENOUGH: Final = object()
"""What `gets` returns while a reply is not complete."""

_LISTS: Final = re.compile(rb"(?:[-+:][^\r\n]*\r\n)*((?:[*%~>|]\d{1,19}\r\n)+)")
"""Lists announced after nothing but errors, statuses and numbers, as in the replies of a transaction."""

_LINES: Final = frozenset(b"-+:,#(_")


class BoundedReader:
    """A hiredis.Reader that stops at replies that are too large, and raises UnreadableError for all it cannot read."""

    def __init__(
        self,
        error: Callable[[str], Exception] = hiredis.ReplyError,
        *,
        not_enough: object = NOT_ENOUGH,
        most: int = MOST,
    ) -> None:
        """`error` makes the exception that stands for a refusal; `not_enough` is what `gets` returns while a reply is
        not complete; `most` is how many bytes one may have.
        """
        self._reader = hiredis.Reader(protocolError=UnreadableError, replyError=error, notEnoughData=not_enough)
        self._not_enough = not_enough
        self._begins = True
        """Whether what is received next is the beginning of a reply."""
        self.taken = 0
        """Bytes of all replies."""
        self._received = 0
        self._weight = 0
        self._most = most
        self._in_line = False
        """Whether it is an error, a status or a number of which the end has not come yet."""

    def feed(self, data: Any, start: int = 0, length: int | None = None) -> None:
        """Take what was received: `length` bytes of bytes or a bytearray from `start`. Raises TooLargeError."""
        size = len(data) - start if length is None else length
        if self._begins:
            self._begins = False
            self._look_at(bytes(data[start : start + min(size, 1024)]))
        if self._in_line:
            self._in_line = data.find(b"\n", start, start + size) < 0
        self.taken += size
        self._received += size
        if self._received > CROWDED:
            self._weight += _ELEMENT * data.count(b"\r\n", start, start + size)
        most = MOST_OF_A_LINE if self._in_line else self._most
        if self._received + self._weight > most:
            raise TooLargeError(f"a reply of more than {most:,} bytes")
        self._reader.feed(data, start, size)

    def gets(self, *decode: bool) -> Any:
        """The next reply, or NOT_ENOUGH. Raises UnreadableError."""
        try:
            reply = self._reader.gets(*decode)
        except UnreadableError:
            raise
        except (ArithmeticError, LookupError, MemoryError, TypeError, ValueError) as error:
            # Also what redis-py raises for a refusal that is not written as refusals are.
            raise UnreadableError(str(error) or type(error).__name__) from error
        if reply is not self._not_enough:
            # What was received beyond its end is the next one's, and little.
            self._received = self._weight = 0
            self._begins = not self._reader.has_data()
            if isinstance(reply, hiredis.PushNotification):
                raise UnreadableError("a message that was not asked for")
        return reply

    def has_data(self) -> bool:
        """Whether more was received than was asked for."""
        return bool(self._reader.has_data())

    def _look_at(self, beginning: bytes) -> None:
        """Before a reply is taken, as far as its first bytes tell what it is."""
        self._in_line = beginning[:1] != b"" and beginning[0] in _LINES
        if (lists := _LISTS.match(beginning)) is not None:
            for announced in lists[1].split(b"\r\n")[:-1]:
                if int(announced[1:]) > MOST_ELEMENTS:
                    raise TooLargeError(f"a list of {int(announced[1:]):,} elements")
