"""Where an invariant turns within a page of entries: between holding and being broken.

A condition in the language follows what every entry changed, so it is exact, in a replay as well. A function is asked
after every entry of a page of few entries, as they come when the consumer is live; of more, after the page, and the
entry that broke it is found within the page by halves: one that was broken and mended again within such a page is not
noticed then. Of one that takes long it is only known between which two places it was broken.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from esdash.engine.invariants.asked import patiently, says
from esdash.engine.invariants.conditions import StandingCondition
from esdash.fold.cells import Change
from esdash.fold.folding import Fold, Told
from esdash.fold.state import State
from esdash.query.conditions import Condition

CLOSELY: Final = 100
"""Entries of a page after each of which a function is asked."""

LONG: Final = 0.05
"""Seconds that this may take, or that an entry is looked for by halves."""

CHEAP: Final = 0.005
"""Seconds from which asking a function is worth saving."""

SHARE: Final = 10
"""One that takes longer takes at most one part in so many of the time."""

T = TypeVar("T")


class Stopwatch(NamedTuple):
    """What tells how long something takes."""

    clock: Callable[[], float] = time.monotonic
    """Seconds, from anywhere on."""
    effort: Callable[[], float] = time.thread_time
    """Seconds of a processor for this thread, which does not count how busy the machine is otherwise."""


class Turn(NamedTuple):
    """An entry of a page behind which an invariant is broken, or holds again."""

    place: int
    """From 0."""
    holds: bool
    exact: bool = True
    """False: it may have been an entry before it."""


class ByChanges:
    """A condition in the language."""

    def __init__(self, fold: Fold, state: State, condition: Condition) -> None:
        self._standing = StandingCondition(fold, state, condition)

    def at(self, _: State) -> bool:
        """Whether it holds in the state that it stands beside."""
        return self._standing.holds

    def turns(self, _: State, told: Sequence[Told], held: bool, *, begins: bool) -> list[Turn]:  # noqa: ARG002 - as a function
        """Where it turns within a page."""
        standing, turns = self._standing, list[Turn]()
        for place, each in enumerate(told):
            if each.changes:
                standing.see(each.changes)
            if standing.holds is not held:
                held = standing.holds
                turns.append(Turn(place, held))
        return turns


class ByAsking:
    """A function of the state."""

    def __init__(self, fold: Fold, function: Callable[[Any], object], stopwatch: Stopwatch, patience: float) -> None:
        self._fold = fold
        self._function = function
        self._clocks = stopwatch
        self._patience = patience
        self._took = 0.0
        """Seconds of a processor, when it was asked last."""
        self._due = 0.0
        self._behind = False
        """Entries went by since it was asked."""

    def is_due(self, *, force: bool) -> bool:
        """Whether it is behind, and is to be asked now."""
        return self._behind and (force or self._clocks.clock() >= self._due)

    def at(self, state: State) -> bool:
        """Ask it of a state, which it does not change. Raises UnfitInvariantError."""
        said, self._took = self._within(lambda: self._timed(state.over(keys=False)))
        self._due = self._clocks.clock() + SHARE * self._took if self._took > CHEAP else 0.0
        self._behind = False
        return said

    def _timed(self, state: State) -> tuple[bool, float]:
        begun = self._clocks.effort()
        return says(self._fold, state, self._function), self._clocks.effort() - begun

    def turns(self, state: State, told: Sequence[Told], held: bool, *, begins: bool) -> list[Turn] | None:
        """Where it turns within a page; None where it was not asked. Raises UnfitInvariantError."""
        changing = [place for place, each in enumerate(told) if each.changes or (begins and place == 0)]
        if not changing:
            return [] if not self._behind else None
        if self._clocks.clock() < self._due:
            self._behind = True
            return None
        saw_all = not self._behind
        holds = self.at(state)
        last = len(told) - 1
        if saw_all and len(changing) <= CLOSELY and len(changing) * self._took <= LONG:
            return self._within(lambda: self._closely(_Moments(self._fold, state, told), changing, held))
        if holds is held:
            return []
        if not saw_all or len(changing).bit_length() * self._took > LONG:
            return [Turn(last, holds, exact=False)]
        return [Turn(self._by_halves(_Moments(self._fold, state, told), changing, holds), holds)]

    def _closely(self, moments: "_Moments", changing: Sequence[int], held: bool) -> list[Turn]:
        """After every entry."""
        turns = []
        for place in changing:
            if (holds := says(self._fold, moments.after(place), self._function)) is not held:
                turns.append(Turn(place, held := holds))
        return turns

    def _by_halves(self, moments: "_Moments", changing: Sequence[int], holds: bool) -> int:
        """An entry before which it is another than `holds`, as it is behind it, and at the end."""
        before, behind = -1, len(changing) - 1
        while behind - before > 1:
            middle = (before + behind) // 2
            state = moments.after(changing[middle])
            if self._within(partial(says, self._fold, state, self._function)) is holds:
                behind = middle
            else:
                before = middle
        return changing[behind]

    def _within(self, job: Callable[[], T]) -> T:
        return patiently(self._patience, job)


class _Moments:
    """The states within a page that was applied, made of what is changed; the state behind it stays as it is."""

    def __init__(self, fold: Fold, state: State, told: Sequence[Told]) -> None:
        self._state = state.over(keys=False)
        self._told = told
        self._done = len(told)
        """Entries that are done in the state."""
        self._cells = {
            (name, column.name): self._state.cells[place]
            for name, (table, places) in fold.storage.places.items()
            for place, column in zip(places, table.columns, strict=True)
        }

    def after(self, place: int) -> State:
        """The state after the entry at a place, until the next one is asked for."""
        while self._done > place + 1:
            self._done -= 1
            for change in reversed(self._told[self._done].changes):
                self._put(change, change.before)
        while self._done < place + 1:
            for change in self._told[self._done].changes:
                self._put(change, change.after)
            self._done += 1
        return self._state

    def _put(self, change: Change, value: Any) -> None:
        cells = self._cells[change.table, change.column]
        if value is None:
            cells.pop(change.key, None)
        else:
            cells[change.key] = value
