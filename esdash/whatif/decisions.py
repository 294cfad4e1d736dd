"""Which entries of a log are decided otherwise."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from esdash.fold.outcomes import Outcome
from esdash.fold.sorting import Fields

MOST_DECIDED: Final = 100_000
"""Entries that are decided otherwise and are kept one by one; all are counted."""

MOST_SAID: Final = 1_000
"""Of those, the entries of which it is kept what they say."""


class Decided(Struct, frozen=True, gc=False):
    """An entry of the log on which another decision is taken."""

    ordinal: int
    """Where it stands in the log as it is."""
    entry_id: bytes
    type: str
    was: Outcome
    now: Outcome
    fields: Fields = ()
    """Of the first MOST_SAID, where they are known."""


class Decisions:
    """Compares what was decided with what would be, in the codes of each."""

    def __init__(self, was: Sequence[Outcome], now: Sequence[Outcome]) -> None:
        """What the codes mean as it was, and as it would be."""
        self._was, self._now = was, now
        known = {outcome: code for code, outcome in enumerate(was)}
        # 255 where there is no such outcome: no domain has as many.
        self._same = bytes(known.get(outcome, 255) for outcome in now).ljust(256, b"\xff")
        self._decided: list[Decided] = []
        self.count = 0
        """How many are decided otherwise."""

    def otherwise(self, was: bytes | bytearray, now: bytes) -> Sequence[int]:
        """The places, from 0, at which the codes of a page say something else."""
        would = now.translate(self._same)
        if would == was:
            return ()
        return [place for place, (one, other) in enumerate(zip(was, would, strict=True)) if one != other]

    def differ(self, was: int, now: int) -> bool:
        """Whether two codes say something else."""
        return self._same[now] != was

    def add(self, ordinal: int, entry_id: bytes, event_type: str, fields: Fields, was: int, now: int) -> None:
        """An entry is decided otherwise, by these codes."""
        said = fields if len(self._decided) < MOST_SAID else ()
        self.count += 1
        if len(self._decided) < MOST_DECIDED:
            self._decided.append(Decided(ordinal, entry_id, event_type, self._was[was], self._now[now], said))

    def decided(self) -> Sequence[Decided]:
        """Those that were kept, in the order of the log."""
        return sorted(self._decided, key=lambda each: each.ordinal)
