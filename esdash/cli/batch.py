"""Events as JSON lines."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from esdash.cli.failures import BadInputError
from esdash.shop.decoding import decode
from esdash.shop.events import EVENT_TYPES
from esdash.shop.outcomes import OUTCOMES
from esdash.visible import visible


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    type: str
    data: msgspec.Raw
    key: str | None = None


Event = tuple[str, bytes, str | None]
"""type, data, key"""

_decode_line = msgspec.json.Decoder(_Line).decode


def read_batch(file: BinaryIO) -> Iterator[Event]:
    """The events of a file; empty lines do not count. Raises BadInputError naming the line."""
    for number, line in enumerate(file, 1):
        if line := line.strip():
            try:
                read = _decode_line(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadInputError(f"Line {number} is no event: {_sentence(error)}.") from None
            data = bytes(read.data)
            _require_sound(number, read.type, data, read.key)
            yield read.type, data, read.key


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
    return visible(text[:1].lower() + text[1:], 200)
