"""Events as JSON lines."""

import codecs
import os
import select
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from esdash.cli.failures import BadInputError
from esdash.fold.folding import Fold
from esdash.fold.outcomes import INVALID_DATA, PARKED, TOO_LARGE, UNKNOWN_TYPE
from esdash.fold.sorting import MAX_DATA
from esdash.visible import visible

PAGE: Final = 1000
"""Events that are checked before the first of them is handed over."""

IDLE_SECONDS: Final = 0.2
"""What has come through a pipe is handed over when nothing more comes for so long."""

_RECEIVE: Final = 64 * 1024

_WHOLE: Final = b'{"esdash":"stream",'
"""How the file of a whole stream begins (`export.whole`)."""

_IDLE: Final = b""
"""Stands among the lines where nothing more came for a while. A line has its end, at least."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    data: msgspec.Raw
    key: str | None = None


Event = tuple[str, bytes, str | None]
"""type, data, key"""

_decode_line = msgspec.json.Decoder(_Line).decode


class Lines:
    """Reads lines that are events of one domain."""

    def __init__(self, fold: Fold) -> None:
        """Raises BadInputError where nothing is published in the domain's stream."""
        if fold.objection:
            raise BadInputError(fold.objection)
        self._fold = fold
        self._types = {each.wire_name: each for each in fold.publishable}

    def check(self, file: BinaryIO) -> None:
        """Read a file from where it stands to its end. Raises BadInputError naming the first line that is no event."""
        for number, line in enumerate(file, 1):
            self._read(number, line)

    def pages(self, file: BinaryIO) -> Iterator[list[Event]]:
        """The events of a file or pipe, at most PAGE at a time; empty lines do not count.

        A page ends early when a pipe has nothing more to give for IDLE_SECONDS. Raises BadInputError naming the line,
        in the place of the page that it stands in.
        """
        page: list[Event] = []
        number = 0
        for line in _lines(file):
            if line != _IDLE:
                number += 1
                if (event := self._read(number, line)) is not None:
                    page.append(event)
                if len(page) < PAGE:
                    continue
            if page:
                yield page
                page = []
        if page:
            yield page

    def _read(self, number: int, line: bytes) -> Event | None:
        """None for an empty line. Raises BadInputError."""
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if not (line := line.strip()):
            return None
        try:
            read = _decode_line(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == 1 and line.startswith(_WHOLE):
                raise BadInputError(
                    "That is a whole stream, as `esdash export --all` writes it: say --keep-ids."
                ) from None
            raise BadInputError(f"Line {number} is no event: {_sentence(str(error))}.") from None
        data = bytes(read.data)
        code = self._code(read.type, data, read.key)
        if code is not None:
            why = self._why(code, read.type, data, read.key)
            raise BadInputError(f"Line {number} would be parked as {PARKED[code]}: {why}.")
        return read.type, data, read.key

    def _code(self, event_type: str, data: bytes, key: str | None) -> int | None:
        """As what the fold would park it: it decides by the same function. None when it would not."""
        if event_type not in self._types:
            return UNKNOWN_TYPE
        if len(data) > MAX_DATA:
            return TOO_LARGE
        try:
            fields = self._fold.fields(event_type, data, None if key is None else key.encode())
        except msgspec.MsgspecError:  # no object, where members are fields
            return INVALID_DATA
        return self._fold.read(fields).code

    def _why(self, code: int, event_type: str, data: bytes, key: str | None) -> str:
        if code == TOO_LARGE:
            return f"its data has {len(data):,} bytes, and {MAX_DATA // 1024} KiB ({MAX_DATA:,} bytes) are the most"
        if code == UNKNOWN_TYPE:
            return f"the types are {', '.join(self._types)}, not {visible(event_type, 40)}"
        _, why = self._fold.decode(self._types[event_type], data)
        if why:
            return _sentence(why)
        return "its key has 1 to 128 bytes" if key is not None else "see the bounds of its data"


def _lines(file: BinaryIO) -> Iterable[bytes]:
    if not file.seekable():
        try:
            return _arriving(file.fileno())
        except OSError:  # no file of the system's
            pass
    return file


def _arriving(descriptor: int) -> Iterator[bytes]:
    """The lines that come through a pipe, and _IDLE when one is due and does not come."""
    begun: list[bytes] = []
    patience: float | None = IDLE_SECONDS
    while True:
        if not select.select([descriptor], [], [], patience)[0]:
            yield _IDLE
            patience = None
            continue
        patience = IDLE_SECONDS
        received = os.read(descriptor, _RECEIVE)
        if not received:
            break
        ended, newline, rest = received.rpartition(b"\n")
        if newline:
            yield from (line + newline for line in b"".join((*begun, ended)).split(newline))
            begun = []
        if rest:
            begun.append(rest)
    if begun:
        yield b"".join(begun)


def _sentence(text: str) -> str:
    text = text.rstrip(".")
    if text[1:2].islower():  # not what is written in capitals, like JSON
        text = text[:1].lower() + text[1:]
    return visible(text, 200)
