"""What an entry of another program holds, once it is opened: headers and a payload."""

from collections.abc import Set
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from esdash.fold.outcomes import INVALID_DATA, TOO_LARGE
from esdash.fold.sorting import MAX_DATA, MAX_DEPTH, is_too_deep

MAX_ENVELOPE: Final = 16 * MAX_DATA
"""Bytes of a field that holds a payload and what stands around it: Debezium sends a schema with each row."""

Members = dict[bytes, bytes]
"""An entry's fields by their names."""

Headers = dict[bytes, bytes]

Read = TypeVar("Read")

Names = Set[bytes] | None
"""The headers that are wanted, for a page of thousands has no time for more; None: all of them."""


class Opened(NamedTuple):
    """An entry, opened."""

    headers: Headers
    data: bytes
    """The payload."""


class UnreadableError(Exception):
    """An entry that is not what the program writes. `code` is the reason for which it is parked."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def read_json(decoder: "msgspec.json.Decoder[Read]", value: bytes) -> Read:
    """JSON that is neither too long nor nested too deeply, whatever the parser's stack. Raises UnreadableError."""
    if len(value) > MAX_ENVELOPE:
        raise UnreadableError(TOO_LARGE)
    if len(value) > MAX_DEPTH and is_too_deep(value, packed=False):
        raise UnreadableError(INVALID_DATA)
    try:
        # The parser does not look into what it skips.
        if not value.isascii():
            value.decode()
        return decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise UnreadableError(INVALID_DATA) from None


def object_of(value: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each as it stands there. Raises UnreadableError."""
    return read_json(_OBJECT, value)


def text_of(value: Any) -> bytes:
    """A JSON value as a header: a text is its characters, null nothing, anything else stays JSON.

    Raises UnreadableError.
    """
    raw = bytes(value)
    if raw == b"null":
        return b""
    if raw[:1] != b'"':
        return raw
    try:
        return _text(raw).encode()
    except (msgspec.MsgspecError, UnicodeError):
        raise UnreadableError(INVALID_DATA) from None


_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str).decode
