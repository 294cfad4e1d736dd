"""Messages of FastStream: one field, in a binary form of headers and body, or in the JSON of older versions.

After `BinaryMessageFormatV1` in faststream/redis/parser/binary.py: eight bytes that no JSON or text begins with, a
version (2 bytes), where the headers begin and where the body (4 bytes each, from the start); at the headers their
number, then of each its name and its value, with their lengths before them (2 bytes). All numbers are big-endian.
"""

import struct
from typing import Any, Final

import msgspec

from esdash.fold.codecs.opening import MAX_ENVELOPE, Headers, Members, Names, Opened, UnreadableError
from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD, TOO_LARGE
from esdash.fold.sorting import MAX_DEPTH, is_too_deep

FIELD: Final = b"__data__"
MAGIC: Final = b"\x89BIN\r\n\x1a\n"
VERSION: Final = 1

MOST_HEADERS: Final = 1000

_HEAD: Final = struct.Struct(">HII")
_SHORT: Final = struct.Struct(">H")
_LONGEST: Final = 0xFFFF


class _Envelope(msgspec.Struct, gc=False):
    """The JSON form."""

    data: str
    headers: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Envelope).decode


def recognised(members: Members) -> bool:
    """Whether an entry may be a message."""
    return FIELD in members


def opened(members: Members, names: Names = None) -> Opened:  # noqa: ARG001
    """Headers and body. Raises UnreadableError."""
    value = members.get(FIELD)
    if value is None:
        raise UnreadableError(MISSING_FIELD)
    if len(value) > MAX_ENVELOPE:
        raise UnreadableError(TOO_LARGE)
    return _binary(value) if value.startswith(MAGIC) else _json(value)


def written(name: str, headers: Headers, data: bytes) -> list[bytes]:  # noqa: ARG001
    """The entry of a message, as FastStream itself would read it."""
    headers = {b"content-type": b"application/json"} | headers
    if headers.get(b"message_id"):
        headers = {b"correlation_id": headers[b"message_id"]} | headers
    packed = b"".join(_sized(part) for header in headers.items() for part in header)
    start = len(MAGIC) + _HEAD.size
    head = _HEAD.pack(VERSION, start, start + _SHORT.size + len(packed))
    return [FIELD, b"".join((MAGIC, head, _SHORT.pack(len(headers)), packed, data))]


def _sized(text: bytes) -> bytes:
    return _SHORT.pack(len(text[:_LONGEST])) + text[:_LONGEST]


def _binary(value: bytes) -> Opened:
    try:
        version, place, body = _HEAD.unpack_from(value, len(MAGIC))
        (count,) = _SHORT.unpack_from(value, place)
    except struct.error:
        raise UnreadableError(INVALID_DATA) from None
    if version != VERSION or not place <= body <= len(value) or count > MOST_HEADERS:
        raise UnreadableError(INVALID_DATA)
    headers: Headers = {}
    stop = place + _SHORT.size
    try:
        for _ in range(count):
            start = stop + _SHORT.size
            stop = start + (value[start - 2] << 8 | value[start - 1])
            name = value[start:stop]
            start = stop + _SHORT.size
            stop = start + (value[start - 2] << 8 | value[start - 1])
            if stop > body:
                break
            headers[name] = value[start:stop]
    except IndexError:
        pass
    # FastStream counts characters where it means bytes, so what follows one beyond ASCII cannot be told apart.
    return Opened(headers, value[body:])


def _json(value: bytes) -> Opened:
    """The JSON form; whatever else there is, is the body, as FastStream takes it, too."""
    if value[:1] == b"{" and not (len(value) > MAX_DEPTH and is_too_deep(value, packed=False)):
        try:
            envelope = _decode(value)
            headers = {name.encode(): _header(each) for name, each in envelope.headers.items()}
            return Opened(headers, envelope.data.encode())
        except (msgspec.MsgspecError, UnicodeError):
            pass
    return Opened({}, value)


def _header(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)
