"""What a page's server and the dashboard of one of its sessions say to each other over two pipes: packets, each a
letter for its kind, four bytes for its length, and so many bytes."""

from collections.abc import Iterator
from enum import Enum
from typing import Final

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a packet, at most."""

HEAD: Final = 5
"""Bytes before those of a packet: its letter and its length."""

CHUNK: Final = 64 * 1024
"""Bytes of a file that one packet carries."""

KEY: Final = 32
"""Letters of the key of a file that is offered."""


class Kind(bytes, Enum):
    """What a packet is."""

    TYPED = b"T"
    """To the dashboard: what a terminal would send."""
    RESIZED = b"R"
    """To the dashboard: `[columns, lines]`."""
    WANTED = b"W"
    """To the dashboard: the key of a file, more of which is wanted."""
    DRAWN = b"D"
    """From the dashboard: what a terminal would be sent."""
    OFFERED = b"O"
    """From the dashboard: `[key, name, content type]` of a file that is to be downloaded."""
    PART = b"P"
    """From the dashboard: the key of a file and some of it; without any the file has ended."""
    ENDED = b"E"
    """From the dashboard, at last: why, in a sentence; empty where a person left it."""


class PacketError(ValueError):
    """That is no packet."""


def packet(kind: Kind, payload: bytes = b"") -> bytes:
    """A packet."""
    return kind.value + len(payload).to_bytes(4, "big") + payload


def read_head(head: bytes) -> tuple[Kind, int]:
    """The kind of a packet and its length, from its first five bytes. Raises PacketError."""
    size = int.from_bytes(head[1:], "big")
    try:
        kind = Kind(head[:1])
    except ValueError:
        raise PacketError(f"{head[:1]!r} begins no packet") from None
    if size > LONGEST:
        raise PacketError(f"a packet of {size:,} bytes is too long")
    return kind, size


class Packets:
    """Takes bytes as they come, and gives the packets that are whole."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """The packets that end with these bytes. Raises PacketError."""
        rest = self._rest
        rest += data
        while len(rest) >= HEAD:
            kind, size = read_head(bytes(rest[:HEAD]))
            if len(rest) < HEAD + size:
                return
            payload = bytes(rest[HEAD : HEAD + size])
            del rest[: HEAD + size]
            yield kind, payload
