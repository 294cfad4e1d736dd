"""Events as JSON lines."""

import os
import select
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Final

import msgspec

from esdash.cli.failures import BadInputError
from esdash.shop.decoding import decode
from esdash.shop.events import EVENT_TYPES, MAX_DATA
from esdash.shop.outcomes import OUTCOMES
from esdash.visible import visible

PAGE: Final = 1000
"""Events that are checked before the first of them is handed over."""

IDLE_SECONDS: Final = 0.2
"""What has come through a pipe is handed over when nothing more comes for so long."""

_RECEIVE: Final = 64 * 1024

_IDLE: Final = b""
"""Stands among the lines where nothing more came for a while. A line has its end, at least."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    data: msgspec.Raw
    key: str | None = None


Event = tuple[str, bytes, str | None]
"""type, data, key"""

_decode_line = msgspec.json.Decoder(_Line).decode


def check_batch(file: BinaryIO) -> None:
    """Read a file from where it stands to its end. Raises BadInputError naming the first line that is no event."""
    for number, line in enumerate(file, 1):
        _read_line(number, line)


def read_pages(file: BinaryIO) -> Iterator[list[Event]]:
    """The events of a file or pipe, at most PAGE at a time; empty lines do not count.

    A page ends early when a pipe has nothing more to give for IDLE_SECONDS. Raises BadInputError naming the line, in
    the place of the page that it stands in.
    """
    page: list[Event] = []
    number = 0
    for line in _lines(file):
        if line != _IDLE:
            number += 1
            if (event := _read_line(number, line)) is not None:
                page.append(event)
            if len(page) < PAGE:
                continue
        if page:
            yield page
            page = []
    if page:
        yield page


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


def _read_line(number: int, line: bytes) -> Event | None:
    """None for an empty line. Raises BadInputError."""
    if not (line := line.strip()):
        return None
    try:
        read = _decode_line(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"Line {number} is no event: {_sentence(error)}.") from None
    data = bytes(read.data)
    _require_sound(number, read.type, data, read.key)
    return read.type, data, read.key


def _require_sound(number: int, event_type: str, data: bytes, key: str | None) -> None:
    """Raises BadInputError for what the fold would park: it decides by the same function."""
    fields = [b"type", event_type.encode(), b"data", data]
    if key is not None:
        fields += [b"key", key.encode()]
    event = decode(fields)
    if not isinstance(event, int):
        return
    reason = OUTCOMES[event].reason
    raise BadInputError(f"Line {number} would be parked as {reason}: {_why(event_type, data, key)}.")


def _why(event_type: str, data: bytes, key: str | None) -> str:
    if len(data) > MAX_DATA:
        return f"its data has {len(data):,} bytes, and {MAX_DATA // 1024} KiB ({MAX_DATA:,} bytes) are the most"
    shape: Any = EVENT_TYPES.get(event_type)
    if shape is None:
        return f"the types are {', '.join(EVENT_TYPES)}, not {visible(event_type, 40)}"
    try:
        msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _sentence(error)
    return "its key has 1 to 128 bytes" if key is not None else "see the bounds of its data"


def _sentence(error: Exception) -> str:
    text = str(error).rstrip(".")
    if text[1:2].islower():  # not what is written in capitals, like JSON
        text = text[:1].lower() + text[1:]
    return visible(text, 200)
