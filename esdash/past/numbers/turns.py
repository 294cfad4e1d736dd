"""When a condition begins to hold and when it ceases to, told by a track without folding."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby, repeat
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esdash.engine.invariants.conditions import holds
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.past.numbers.courses import Course, Follows, follow
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader
from esdash.query.conditions import Comparison, Condition, compare, numbers_of
from esdash.query.numbers import Number
from esdash.query.trees import All, Either, Negated

SEGMENTS: Final = 16
"""That are gone through at a time."""


class Turn(NamedTuple):
    """An entry behind which a condition holds that did not before, or the other way round."""

    ordinal: int
    holds: bool


class _Truth(NamedTuple):
    """Whether something holds through a segment."""

    entries: Numbers
    """Places of those that may have changed it, ascending."""
    holds: NDArray[np.bool_]
    """Before the segment, then after each of these entries."""


class Turns:
    """A condition beside a track. For one reader, and in its thread; each method raises TrackError."""

    def __init__(self, reader: TrackReader, condition: Condition) -> None:
        """It stands nowhere yet."""
        self._reader = reader
        self._condition = condition
        self._numbers: dict[Number, Follows] = {number: follow(reader, number) for number in numbers_of(condition)}
        self._values: dict[Number, Any] = {}
        self.place = 0
        """Of the segment before which it stands."""

    def stand(self, place: int) -> bool:
        """Stand before the segment at a place; whether the condition holds there."""
        self.place = place
        self._values = {number: follows.stand(place) for number, follows in self._numbers.items()}
        return self.holds

    @property
    def holds(self) -> bool:
        """Whether the condition does where this stands."""
        return holds(self._condition, self._values.__getitem__)

    def through(self, end: int) -> list[Turn]:
        """Go on until before the segment at a place; the turns on the way, in their order.

        Before the first entry is no moment: where it holds from the outset, it begins to at the first moment there is.
        """
        reader = self._reader
        at_outset = self.place == 0 and self.holds
        self.place = end
        found: list[Turn] = []
        courses = merge(*(_named(number, each.through(end)) for number, each in self._numbers.items()), key=_place)
        for place, group in groupby(courses, key=_place):
            here = {number: course for _, number, course in group}
            truth = self._truth(self._condition, here)
            self._values.update((number, course.last()) for number, course in here.items())
            turned = np.flatnonzero(truth.holds[1:] != truth.holds[:-1])
            ordinals = truth.entries[turned] + reader.segments[place].first
            found += map(Turn, ordinals.tolist(), truth.holds[turned + 1].tolist())
        first = reader.shown_from or 1
        if at_outset and end and (not found or found[0].ordinal > first):
            found.insert(0, Turn(first, holds=True))
        return found

    def _truth(self, tree: Condition, courses: Mapping[Number, Course]) -> _Truth:
        if isinstance(tree, All | Either):
            join = np.logical_and if isinstance(tree, All) else np.logical_or
            truths = [self._truth(part, courses) for part in tree.parts]
            entries = _merged([truth.entries for truth in truths])
            return _Truth(entries, join.reduce([truth.holds[_spread(truth.entries, entries)] for truth in truths]))
        if isinstance(tree, Negated):
            inner = self._truth(tree.part, courses)
            return _Truth(inner.entries, ~inner.holds)
        return self._compared(tree, courses)

    def _compared(self, tree: Comparison, courses: Mapping[Number, Course]) -> _Truth:
        one, other = tree.number, tree.other
        if one not in courses and other not in courses:
            return _Truth(np.empty(0, np.int64), np.array([holds(tree, self._values.__getitem__)]))
        course = courses[one] if one in courses else _still(self._values[one])
        if other is None:
            beside = _beside(tree.operator, course.values, tree.low, tree.high)
            return _Truth(course.entries, course.there & beside)
        second = courses[other] if other in courses else _still(self._values[other])
        entries = _merged([course.entries, second.entries])
        at, beside_it = _spread(course.entries, entries), _spread(second.entries, entries)
        low = second.values[beside_it]
        beside = _beside(tree.operator, course.values[at], low, low)
        return _Truth(entries, course.there[at] & second.there[beside_it] & beside)


class Search:
    """Looks for a moment at which a condition begins to hold, step by step; where it holds at the first moment that can
    be shown, it begins there. For one reader, and in its thread."""

    def __init__(self, reader: TrackReader, condition: Condition, at: int | None, *, back: bool = False) -> None:
        """After the moment of an ordinal, or before it; without one the very first."""
        self.reader = reader
        self.found: int | None = None
        """The ordinal of the moment."""
        self._turns = Turns(reader, condition)
        self._at = -1 if at is None else at
        self._back = back
        place = max(0, reader.segment_of(self._at))
        self._next = place + 1 if back else place
        """Of the segment before which, or from which on, it is looked next."""
        self._begun = False

    @property
    def looked_to(self) -> int:
        """The ordinal up to which, or down to which, all moments were looked at."""
        if not self._back:
            return self.reader.segments[self._next - 1].last if self._next else self.reader.shown_from
        return self.reader.segments[self._next].first if self._next < len(self.reader.segments) else self._at

    def left(self, *, whole: bool) -> bool:
        """Whether there is more to look at now: `whole` says that the newest segment does not grow any more."""
        if self.found is not None:
            return False
        return self._next > 0 if self._back else self._next < len(self.reader.segments) - (not whole)

    def step(self, *, whole: bool) -> None:
        """Look at a few segments of those that are left. Raises TrackError."""
        if self._back:
            start, end = max(0, self._next - SEGMENTS), min(self._next, len(self.reader.segments))
        else:
            start, end = self._next, min(self._next + SEGMENTS, len(self.reader.segments) - (not whole))
        if self._back or not self._begun:
            self._turns.stand(start)
            self._begun = True
        begun = [turn.ordinal for turn in self._turns.through(end) if turn.holds]
        self._next = start if self._back else end
        if self._back:
            self.found = max((each for each in begun if each < self._at), default=None)
        else:
            self.found = min((each for each in begun if each > self._at), default=None)


def turns(reader: TrackReader, condition: Condition) -> Iterator[Turn]:
    """Every turn of a condition in a track. Raises TrackError."""
    found = Turns(reader, condition)
    found.stand(0)
    while found.place < len(reader.segments):
        yield from found.through(min(found.place + SEGMENTS, len(reader.segments)))


def _place(named: tuple[int, Number, Course]) -> int:
    return named[0]


def _named(number: Number, courses: Iterator[tuple[int, Course]]) -> Iterator[tuple[int, Number, Course]]:
    for place, course in courses:
        yield place, number, course


def _still(value: Any) -> Course:
    """A number that does not change."""
    values = np.empty(1, np.int64 if _is_bounded(value) else object)
    values[0] = value
    return Course(np.empty(0, np.int64), values, np.array([value is not None]))


def _beside(operator: str, values: NDArray[Any], low: Any, high: Any) -> NDArray[np.bool_]:
    """Each value beside what lies from `low` to `high`, values or one for each."""
    if values.dtype == object or not _is_bounded(low) or not _is_bounded(high):
        lows, highs = (each.tolist() if isinstance(each, np.ndarray) else repeat(each) for each in (low, high))
        pairs = zip(values.tolist(), lows, highs, strict=False)
        return np.array([compare(value, operator, least, most) for value, least, most in pairs], bool)
    found: NDArray[np.bool_]
    if operator in ("=", "!="):
        found = (values >= low) & (values <= high)
        return found if operator == "=" else ~found
    if operator == "<":
        found = values < low
    elif operator == "<=":
        found = values <= high
    else:
        found = values > high if operator == ">" else values >= low
    return found


def _is_bounded(value: Any) -> bool:
    """Whether 64 bits hold it."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype != object)
    return isinstance(value, int) and MIN_INT <= value <= MAX_INT


def _merged(all_entries: Sequence[Numbers]) -> Numbers:
    """All entries of several, ascending."""
    first, *others = all_entries
    if all(np.array_equal(first, each) for each in others):
        return first
    return np.unique(np.concatenate(all_entries))


def _spread(entries: Numbers, among: Numbers) -> Numbers:
    """Where to find what is so before the first and after each of some entries, which are `among` others: before the
    first and after each of those."""
    return np.append(0, entries.searchsorted(among, "right"))
