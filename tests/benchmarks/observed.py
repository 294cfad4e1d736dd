"""The shop, with a clock at its fold: when each page had been applied.

The engine takes any domain, so nothing of the program is changed to be observed.
"""

import array
import itertools
import time
from collections.abc import Sequence

from esdash.fold.folding import Entry, Told
from esdash.fold.state import State
from tests.domains.shop import Shop


class ObservedShop(Shop):
    """Notes how many entries had been folded when."""

    def __init__(self) -> None:
        super().__init__()
        self.when = array.array("d")
        """time.monotonic() at the end of each page."""
        self.sizes = array.array("q")
        """Entries of each page."""

    def fold(self, state: State, entries: Sequence[Entry], tell: list[Told] | None = None) -> bytes:
        """Apply entries in order."""
        codes = super().fold(state, entries, tell)
        self.when.append(time.monotonic())
        self.sizes.append(len(entries))
        return codes

    def delays(self, sent: Sequence[float], burst: int) -> list[float]:
        """Seconds between the sending of each entry and its being applied; `sent` are moments of whole bursts."""
        found: list[float] = []
        for when, count in zip(self.when, self.sizes, strict=True):
            found += [when - sent[place // burst] for place in range(len(found), len(found) + count)]
        return found

    def longest_pause(self, since: float, until: float) -> float:
        """The longest time between two pages that were applied between two moments."""
        moments = [when for when in self.when if since <= when <= until]
        return max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)
