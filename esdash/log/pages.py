"""A page: entries after a position, read in one transaction with what proves that none is missing between.

The proof is the entry at the position, the anchor, and the facts about the stream. Were they read one after the other,
a log that is swapped in between could pass for the one that the state was made from. Imports no client, so that a
reader starts quickly.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from esdash.log import shapes
from esdash.log.facts import Entry, Evidence, StreamFacts, anchor_of, id_parts


class Page(Struct, frozen=True):
    """The first entries after a position, oldest first."""

    entries: list[Entry]
    evidence: Evidence
    """About the position before the first of them."""
    full: bool
    """As many entries as were asked for: there may be more."""

    @property
    def count(self) -> int:
        """How many entries."""
        return len(self.entries)

    @property
    def last_entry(self) -> Entry | None:
        """The newest of them; None when there are none."""
        return self.entries[-1] if self.entries else None


class PackedPage(Struct, frozen=True):
    """The first entries after a position, read and packed by another process."""

    count: int
    last_entry: Entry
    evidence: Evidence
    """About the position before the first of them."""
    packed: bytes
    noted: Sequence[tuple[int, bytes, bytes]]
    """What the function `noting` found in it: (place from 0, id, key)."""


def commands(key: bytes, after: bytes, until: bytes, count: int) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """What to send between MULTI and EXEC for at most `count` entries after an id up to another (inclusive)."""
    # From the position itself on, so that its entry comes along.
    return (b"XRANGE", key, after, until, b"COUNT", b"%d" % (count + 1)), (b"XINFO", b"STREAM", key)


def page_of(reply: Any, facts: StreamFacts, after: bytes, until: bytes, count: int) -> Page:
    """The page that the replies to `commands` make. Raises UnreadableError when they are none."""
    entries = shapes.entries(reply)
    if len(entries) > count + 1 or (entries and id_parts(entries[-1][0]) < id_parts(after)):
        raise shapes.UnreadableError("entries that were not asked for")
    more = len(entries) > count
    anchor = anchor_of(entries[0]) if entries and entries[0][0] == after else None
    if anchor is not None:
        del entries[0]
    elif more:
        entries.pop()
    to_the_end = (not more and until == b"+") or (bool(entries) and entries[-1][0] == facts.last_id)
    return Page(entries, Evidence(facts, anchor, len(entries) if to_the_end else None), len(entries) == count)
