"""Messages of Watermill: an id, metadata as a MessagePack map of texts, and the payload.

After `DefaultMarshallerUnmarshaller` in pkg/redisstream/marshaller.go of ThreeDotsLabs/watermill-redisstream. The
fields stand in any order, and where there is no metadata its field is empty.
"""

from typing import Final

import msgspec

from esdash.fold.codecs.opening import Headers, Members, Names, Opened, UnreadableError
from esdash.fold.outcomes import INVALID_DATA, MISSING_FIELD, TOO_LARGE
from esdash.fold.sorting import MAX_DATA

UUID: Final = b"_watermill_message_uuid"
METADATA: Final = b"metadata"
PAYLOAD: Final = b"payload"

_decode = msgspec.msgpack.Decoder(dict[str, str]).decode


def recognised(members: Members) -> bool:
    """Whether an entry may be a message."""
    return UUID in members


def opened(members: Members, names: Names = None) -> Opened:  # noqa: ARG001
    """Metadata with the id among it, and the payload. Raises UnreadableError."""
    uuid, metadata = members.get(UUID), members.get(METADATA, b"")
    if uuid is None:
        raise UnreadableError(MISSING_FIELD)
    if len(metadata) > MAX_DATA:
        raise UnreadableError(TOO_LARGE)
    headers: Headers = {}
    if metadata:
        try:
            headers = {name.encode(): text.encode() for name, text in _decode(metadata).items()}
        except (msgspec.MsgspecError, UnicodeError):
            raise UnreadableError(INVALID_DATA) from None
    headers[UUID] = uuid
    return Opened(headers, members.get(PAYLOAD, b""))


def written(name: str, headers: Headers, data: bytes) -> list[bytes]:  # noqa: ARG001
    """The entry of a message."""
    metadata = {_text(each): _text(value) for each, value in headers.items() if each != UUID}
    packed = msgspec.msgpack.encode(metadata) if metadata else b""
    return [UUID, headers.get(UUID, b""), METADATA, packed, PAYLOAD, data]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
