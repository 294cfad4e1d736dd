"""A snapshot's header: what is needed to find it, to rank it and to trust it."""

import hashlib
import re
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec import Struct

FORMAT: Final = 3
"""Of header and chunks."""

READABLE: Final = (FORMAT,)

CHECKSUM: Final = 16
"""Bytes of the checksum before the header."""

_ID: Final = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)


class Pin(StrEnum):
    """Why a snapshot is kept however many newer ones come."""

    ARCHIVED = "archived"
    """All that its state was made from is in an archive."""
    TRIMMED = "trimmed"
    """The archive was folded to it, and entries before it left the stream."""


class Draft(Struct, frozen=True):
    """What a writer knows of a snapshot before its bytes are made."""

    last_event_id: str
    ordinal: int
    unseen: int
    """Entries that were gone before esdash first read the stream."""
    anchor: str
    """`facts.anchor_of` the entry at the position."""
    domain: str
    """Its name."""
    version: str
    """Of the domain's rules, as declared."""
    digest: str
    """Of the state."""
    created_ms: int
    """Unix time by the writer's clock."""
    owner: str
    """Which process took it: host and process number."""
    fingerprint: str = ""
    """Of the source of the domain's rules."""
    confirmed: int = 0
    """Entries that a person agreed to lose when the state was made anew from what was left; part of `unseen`."""

    @property
    def rules(self) -> tuple[str, str]:
        """Name and version of the domain that it was made by."""
        return self.domain, self.version


class Header(Draft, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is needed to find a snapshot and to trust it."""

    snapshot_id: str
    checksum: str
    """Of the chunks: BLAKE2b, 32 hexadecimal digits."""
    chunks: int
    size: int
    """Bytes of all chunks."""
    seconds: float
    """How long taking it took."""
    format: int
    foreign: bool = False
    """Not stored in it: it was found to be of another history, and is of this one only if its anchor is there."""
    condemned: bool = False
    """Not stored in it: a verification found that the entries make another state of it."""
    pinned: str = ""
    """Not stored in it: why it is kept however old it gets, `Pin`; empty for one that is not."""


class Unreadable(Struct, frozen=True):
    """A header that cannot be trusted."""

    snapshot_id: str
    reason: str
    unseen: int = 0
    """Entries its state had not seen, as far as is known: without a word it had seen everything."""


def write_header(header: Header) -> bytes:
    """The header as it is stored: its checksum, its JSON."""
    raw = msgspec.json.encode(header)
    return _checksum(raw) + raw


def read_header(
    name: bytes, raw: bytes, *, foreign: bool, condemned: bool = False, pinned: str = ""
) -> Header | Unreadable:
    """What is stored under a snapshot's id."""
    snapshot_id = name.decode("utf-8", "replace")
    if raw[:CHECKSUM] != _checksum(raw[CHECKSUM:]):
        return Unreadable(snapshot_id, "its header is damaged")
    try:
        values: Any = msgspec.json.decode(raw[CHECKSUM:])
        if isinstance(values, dict) and values.get("format") not in READABLE:
            unseen = values.get("unseen")
            return Unreadable(
                snapshot_id,
                f"it has format {values.get('format')}, this esdash reads {FORMAT}",
                unseen if isinstance(unseen, int) else 0,
            )
        header = msgspec.convert(values, Header)
        header = msgspec.structs.replace(header, foreign=foreign, condemned=condemned, pinned=pinned)
    except (msgspec.MsgspecError, ValueError) as error:
        return Unreadable(snapshot_id, f"its header cannot be read: {error}")
    counts = header.ordinal, header.chunks, header.size, header.confirmed, header.created_ms
    possible = min(counts) >= 0 and max(*counts, abs(header.unseen)) < 2**64
    if not _is_id(header.last_event_id) or not possible:
        return Unreadable(snapshot_id, "its header cannot be read: it names a place that cannot be")
    if header.snapshot_id != snapshot_id:
        return Unreadable(snapshot_id, "its header belongs to another snapshot")
    return header


def rank(header: Header | Unreadable) -> tuple[int, int, int, int]:
    """The least is the best: completeness goes before age. Those that are condemned or cannot be read come last."""
    if isinstance(header, Unreadable):
        return (2, 0, 0, 0)
    return (int(header.condemned), max(0, header.unseen), -(header.ordinal + header.unseen), -header.created_ms)


def _is_id(text: str) -> bool:
    found = _ID.fullmatch(text)
    return found is not None and max(map(int, found.groups())) < 2**64


def _checksum(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=CHECKSUM // 2).hexdigest().encode()
