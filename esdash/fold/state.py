"""The tables of a state: plain dicts, since a fold touches a column once or twice an entry."""

from collections import deque
from typing import Final

from esdash.fold.hooks import Seen, Way
from esdash.fold.overlay import Cells, Overlay

KEY_WINDOW: Final = 100_000
"""How many distinct idempotency keys are remembered, oldest out first."""


class State:
    """Tables, counted outcomes, the window of idempotency keys. Only a `Fold` changes it."""

    __slots__ = ("cells", "counts", "key_order", "keys", "seen")

    def __init__(self, columns: int, outcomes: int) -> None:
        self.cells: list[Cells] = [{} for _ in range(columns)]
        """The columns of all tables, in the order of the declaration."""
        self.counts = [0] * outcomes
        """Entries by outcome code."""
        self.keys: set[bytes] = set()
        self.key_order: deque[bytes] = deque()
        """The keys in the order of their arrival; a deque, for a dict is slow to drop its oldest."""
        self.seen: dict[Way, Seen] = {}
        """How functions of the domain see it; made when first wanted."""

    def fork(self) -> "State":
        """The state as it is now; from here on this one notes what changes beside it."""
        other = State(0, 0)
        other.cells, self.cells = self.cells, [Overlay(cells) for cells in self.cells]
        other.counts, other.keys, other.key_order = self.counts.copy(), self.keys.copy(), self.key_order.copy()
        self.seen = {}
        return other

    def copy(self) -> "State":
        """Another state of its own that is the same now."""
        other = State(0, 0)
        other.cells = [cells.whole() if isinstance(cells, Overlay) else cells.copy() for cells in self.cells]
        other.counts, other.keys, other.key_order = self.counts.copy(), self.keys.copy(), self.key_order.copy()
        return other

    def join(self) -> None:
        """Take back what is shared with a fork that nobody reads any more."""
        self.cells = [cells.settle() if isinstance(cells, Overlay) else cells for cells in self.cells]
        self.seen = {}

    def over(self, *, keys: bool = True) -> "State":
        """A state of its own over this one, which it leaves as it is: for trying something.

        Without its own window of `keys`, which is what costs, only for what remembers none.
        """
        other = State(0, 0)
        other.cells = [Overlay(cells) for cells in self.cells]
        other.counts = self.counts.copy()
        other.keys, other.key_order = (self.keys.copy(), self.key_order.copy()) if keys else (self.keys, self.key_order)
        return other
