"""Which entries of a log are decided otherwise."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from esdash.fold.outcomes import Outcome

MOST_DECIDED: Final = 100_000
"""Entries that are decided otherwise and are kept one by one; all are counted."""


class Decided(Struct, frozen=True, gc=False):
    """An entry of the log on which another decision is taken."""

    ordinal: int
    """Where it stands in the log as it is."""
    entry_id: bytes
    type: str
    was: Outcome
    now: Outcome


class Decisions:
    """Compares what was decided with what would be, in the codes of each."""

    def __init__(self, was: Sequence[Outcome], now: Sequence[Outcome]) -> None:
        """What the codes mean as it was, and as it would be."""
        self._was, self._now = was, now
        known = {outcome: code for code, outcome in enumerate(was)}
        # 255 where there is no such outcome: no domain has as many.
        self._same = bytes(known.get(outcome, 255) for outcome in now).ljust(256, b"\xff")
        self._decided: list[Decided] = []
        self.kinds: Counter[tuple[str, Outcome, Outcome]] = Counter()
        """How many there are of a type, as it was decided and as it would be."""

    @property
    def count(self) -> int:
        """How many are decided otherwise."""
        return sum(self.kinds.values())

    def otherwise(self, was: bytes | bytearray, now: bytes) -> Sequence[int]:
        """The places, from 0, at which the codes of a page say something else."""
        would = now.translate(self._same)
        if would == was:
            return ()
        return [place for place, (one, other) in enumerate(zip(was, would, strict=True)) if one != other]

    def add(self, ordinal: int, entry_id: bytes, event_type: str, was: int, now: int) -> None:
        """An entry was decided, by these codes; it is nothing where they say the same."""
        if self._same[now] == was:
            return
        decided = Decided(ordinal, entry_id, event_type, self._was[was], self._now[now])
        self.kinds[event_type, decided.was, decided.now] += 1
        if len(self._decided) < MOST_DECIDED:
            self._decided.append(decided)

    def decided(self) -> Sequence[Decided]:
        """Those that were kept, in the order of the log."""
        return sorted(self._decided, key=lambda each: each.ordinal)
