"""What the second process makes of a page in these tests: its entries' fields as they are."""

from collections.abc import Sequence
from typing import Final

import msgspec

PACKING: Final = "tests.log.packing:pack"


def pack(entries: Sequence[tuple[bytes, Sequence[bytes]]]) -> bytes:
    """The fields of a page."""
    return msgspec.msgpack.encode([list(fields) for _, fields in entries])


unpack = msgspec.msgpack.Decoder(list[list[bytes]]).decode
