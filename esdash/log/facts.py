"""What is known about a stream and its server, and how ids compare. Imports no client, so a reader starts quickly."""

import hashlib
from typing import Any, Final

from msgspec import Struct

from esdash.log import shapes
from esdash.log.shapes import Entry as Entry

START: Final = b"0-0"
"""The id before every entry."""


def id_parts(entry_id: bytes | str) -> tuple[int, int]:
    """`1575032026828-1` → (1575032026828, 1): ids compare as these. The first is Unix time in milliseconds."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, sequence = text.partition("-")
    return int(milliseconds), int(sequence or 0)


class ServerFacts(Struct, frozen=True):
    """`INFO server` and `INFO replication`, as far as they matter to a consumer."""

    product: str
    """valkey or redis; `a server` when it does not tell."""
    version: str
    run_id: str
    role: str
    """master or slave, in the server's words."""


class StreamFacts(Struct, frozen=True):
    """`XINFO STREAM`, as far as it matters (https://valkey.io/commands/xinfo-stream/)."""

    length: int = 0
    entries_added: int | None = 0
    """Entries ever added; None when the server is too old to tell (before Redis 7)."""
    first_id: bytes | None = None
    """The oldest entry there is; None when there is none."""
    last_id: bytes = START
    """The newest id ever given, whether or not its entry is still there."""
    max_deleted_id: bytes = START
    """The newest id that XDEL removed; trimming does not count."""
    exists: bool = False

    @classmethod
    def parse(cls, reply: Any) -> "StreamFacts":
        """From the reply of `XINFO STREAM`: name, value, … Raises UnreadableError when it is none."""
        values = shapes.members(reply)
        first = values.get(b"first-entry")
        return cls(
            shapes.number(values.get(b"length")),
            shapes.number_or_none(values.get(b"entries-added")),
            shapes.entries([first])[0][0] if first is not None else None,
            shapes.entry_id(values.get(b"last-generated-id")),
            shapes.entry_id(values.get(b"max-deleted-entry-id", START)),
            True,
        )


class Evidence(Struct, frozen=True):
    """What was read around a position, all of it in one transaction."""

    facts: StreamFacts
    anchor: str | None
    """`anchor_of` the entry at the position; None when it is not there."""
    after: int | None
    """Entries after the position; None when there are more than were read."""


def anchor_of(entry: Entry) -> str:
    """40 hexadecimal digits that stand for the entry's id and fields: SHA-1, which the server's scripts have too."""
    entry_id, fields = entry
    parts = [entry_id, *fields]
    return hashlib.sha1(b"".join(b"%d:%b" % (len(part), part) for part in parts), usedforsecurity=False).hexdigest()
