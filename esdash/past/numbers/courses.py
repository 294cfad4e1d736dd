"""What a number was, entry after entry: through the segments of a track, without folding."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.past.numbers.story import cell_before
from esdash.past.shown.columns import Passed
from esdash.past.shown.cursor import TrackedColumn
from esdash.past.track.decoding import SegmentPart
from esdash.past.track.encoding import part_name
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader
from esdash.query.numbers import COUNT, Aggregate, Cell, Number

_SAFE: Final = 2.0**62
"""Up to here a sum of magnitudes, which is not known to the last digit, says that 64 bits hold them all."""

_GREATEST: Final = int(np.iinfo(np.int64).max)

_MANY: Final = 100
"""Values that may be the least at some time, from which it is worth to leave out those that are so at none."""


class Course(NamedTuple):
    """What a number was through a segment."""

    entries: Numbers
    """Places of those that may have changed it, ascending."""
    values: NDArray[Any]
    """Before the segment, then after each of these entries: integers of 64 bits, or objects; anything for nothing."""
    there: NDArray[np.bool_]
    """Of each value, whether there was one."""

    def last(self) -> Any:
        """What it was after the segment; None for nothing."""
        return self.values[-1:].tolist()[0] if self.there[-1] else None


class Follows(Protocol):
    """Follows one number. Each method raises TrackError."""

    def stand(self, place: int) -> Any:
        """Stand before the segment at a place; what the number was there, None for nothing."""

    def through(self, end: int) -> Iterator[tuple[int, Course]]:
        """Go on until before the segment at a place: the courses through those that may change it, with their places.

        All of them are to be taken.
        """


def follow(reader: TrackReader, number: Number) -> Follows:
    """What follows a number, which stands nowhere yet."""
    table, _ = reader.fold.storage.places[number.table]
    column = next((each for each in table.columns if each.name == number.column), table.columns[0])
    if isinstance(number, Cell):
        return _OneCell(reader, table, column, number.key)
    kinds: dict[str, type[_Count] | type[_Sum]] = {COUNT: _Count, "sum": _Sum}
    if (kind := kinds.get(number.function)) is not None:
        return kind(reader, table, column)
    return _Extreme(reader, table, column, greatest=number == Aggregate("max", number.table, number.column))


class _OneCell:
    """A cell, of whatever kind."""

    def __init__(self, reader: TrackReader, table: Table, column: Column, key: int | str) -> None:
        self._reader = reader
        self._of = table, column, key
        self._name = part_name(table, column)
        self._place = 0
        self._value: Any = None

    def stand(self, place: int) -> Any:
        self._place, self._value = place, cell_before(self._reader, *self._of, place)
        return self._value

    def through(self, end: int) -> Iterator[tuple[int, Course]]:
        table, column, key = self._of
        for place, part in self._reader.about(self._name, table, key, self._place, end):
            where = part.where(key)
            values, there = (self._texts if column.kind is str else self._numbers)(part, where)
            course = Course(part.entries_about(key), values, there)
            self._value = course.last()
            yield place, course
        self._place = end

    def _texts(self, part: SegmentPart, where: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        values = np.empty(where.stop - where.start + 1, object)
        values[0], values[1:] = self._value, part.after[where]
        return values, np.array([each is not None for each in values], bool)

    def _numbers(self, part: SegmentPart, where: slice) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        return (
            _sums(int(self._value or 0), part.moved_in(where)),
            _sums(int(self._value is not None), part.there_in(where)) > 0,
        )


class _Over:
    """What all that follow a number over a column share."""

    def __init__(self, reader: TrackReader, table: Table, column: Column) -> None:
        self._reader = reader
        self._table = table
        self._name = part_name(table, column)
        self._column = TrackedColumn(reader, table, column)
        self._place = 0

    def _stand(self, place: int) -> None:
        self._place = place
        self._column.stand_before(place)

    def _parts(self, end: int) -> Iterator[tuple[int, SegmentPart]]:
        yield from self._reader.parts(self._name, self._table, self._place, end)
        self._place = end

    def _by_entry(self, place: int, part: SegmentPart, moved: Numbers) -> Numbers:
        """What each entry of a segment moved."""
        by_entry = np.zeros(self._reader.segments[place].count, np.int64)
        np.add.at(by_entry, part.entries, moved)
        return by_entry


class _Count(_Over):
    """How many rows there are."""

    def stand(self, place: int) -> int:
        self._stand(place)
        self._count = int(np.count_nonzero(self._column.cells.there))
        return self._count

    def through(self, end: int) -> Iterator[tuple[int, Course]]:
        for place, part in self._parts(end):
            if part.comes_or_goes:
                counts = _sums(self._count, self._by_entry(place, part, part.there))
                self._count = int(counts[-1])
                yield place, _whole(counts)


class _Sum(_Over):
    """The cells that are there, added up."""

    def stand(self, place: int) -> int:
        self._stand(place)
        values = self._column.cells.values
        self._sum: int = sum(values.tolist())
        self._reach = _reach(values)
        """All cells together are not farther from 0."""
        return self._sum

    def through(self, end: int) -> Iterator[tuple[int, Course]]:
        for place, part in self._parts(end):
            if self._fits(place, _reach(part.moved)):
                course = _whole(_sums(self._sum, self._by_entry(place, part, part.moved)))
            else:
                course = self._unbounded(part, self._column.pass_through(place, part))
            self._sum = course.last()
            yield place, course

    def _fits(self, place: int, more: float) -> bool:
        """Whether 64 bits hold the sum and each cell through a segment that moves cells by so much in all."""
        if self._reach + more >= _SAFE:
            self._column.stand_before(place)
            self._reach = _reach(self._column.cells.values)
        if self._reach + more >= _SAFE:
            return False
        self._reach += more
        return True

    def _unbounded(self, part: SegmentPart, passed: Passed) -> Course:
        """In integers of Python's: differences are kept modulo 2^64, so it takes what was before and after."""
        entries = part.entries
        order = np.argsort(entries, kind="stable")
        sums = [self._sum]
        for before, after in zip(passed.before[order].tolist(), passed.after[order].tolist(), strict=True):
            sums.append(sums[-1] + after - before)
        ordered = entries[order]
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        values = np.empty(len(last) + 1, object)
        values[:] = [sums[place] for place in (0, *(last + 1).tolist())]
        return Course(ordered[last], values, np.ones(len(values), bool))


class _Extreme(_Over):
    """The least cell, or the greatest."""

    def __init__(self, reader: TrackReader, table: Table, column: Column, *, greatest: bool) -> None:
        super().__init__(reader, table, column)
        # The order of what has all bits inverted is the other way round: so the greatest is a least as well.
        self._turned = np.int64(-1 if greatest else 0)
        self._least = _GREATEST
        """Of all cells, turned."""
        self._key: int | str | None = None
        """Of a row that has it; None while there is no cell."""

    def stand(self, place: int) -> int | None:
        self._stand(place)
        self._seek()
        return None if self._key is None else int(self._least ^ self._turned)

    def _seek(self) -> None:
        """Find the least of all cells, and a row that has it."""
        cells = self._column.cells
        there = cells.there
        self._least, self._key = self._least_of(cells.values, there), None
        if there.any():
            place = int(np.argmax(there & (cells.values == self._least ^ self._turned)))
            self._key = cells.keys[place : place + 1].tolist()[0]

    def _least_of(self, values: Numbers, among: NDArray[np.bool_]) -> int:
        """Of values as they are; the greatest integer where there is none."""
        if self._turned:
            return ~int(values.max(where=among, initial=~_GREATEST))
        return int(values.min(where=among, initial=_GREATEST))

    def through(self, end: int) -> Iterator[tuple[int, Course]]:
        for place, part in self._parts(end):
            passed = self._column.pass_through(place, part)
            # Mostly the least cell is one that the segment did not change.
            stays = self._key is not None and part.place(self._key) is None
            least, is_left = (self._least, True) if stays else self._least_left(passed)
            values, low = self._low(passed, least)
            if len(low) or not is_left:
                count = self._reader.segments[place].count
                places, lowest = _least(_stretches(part, passed, count, values, low), count)
                there = np.ones(len(places), bool)
                if not is_left and part.comes_or_goes:
                    cells = _sums(int(np.count_nonzero(passed.existed)), self._by_entry(place, part, part.there))
                    there = cells[places] > 0
                lowest = np.minimum(lowest, least)
                stays = stays and lowest[-1] >= least
                yield place, Course(places[1:] - 1, lowest ^ self._turned, there)
            if not stays:
                self._seek()

    def _least_left(self, passed: Passed) -> tuple[int, bool]:
        """The least of the cells that a segment did not change, and whether there are any."""
        rest = self._column.cells.there
        rest[passed.places] = False
        return self._least_of(self._column.cells.values, rest), bool(rest.any())

    def _low(self, passed: Passed, least: int) -> tuple[Numbers, Numbers]:
        """What each row that a segment changed was before, then what each change made; and the places of those that may
        be less than `least`, which others are, and the least of all."""
        befores, afters = passed.before[passed.starts] ^ self._turned, passed.after ^ self._turned
        values = np.concatenate((befores, afters))
        low = np.concatenate((passed.existed, passed.exists))
        if least < _GREATEST:
            low &= values < least
        if np.count_nonzero(low) > _MANY:
            # At any time each cell is at most what it ever is: the least of those is never passed.
            always = passed.existed & np.logical_and.reduceat(passed.exists, passed.starts)
            most = np.maximum(befores, np.maximum.reduceat(afters, passed.starts))
            low &= values <= most.min(where=always, initial=_GREATEST)
        return values, np.flatnonzero(low)


class _Stretches(NamedTuple):
    """Values, each from one place up to another."""

    starts: Numbers
    ends: Numbers
    values: Numbers


def _stretches(part: SegmentPart, passed: Passed, count: int, values: Numbers, some: Numbers) -> _Stretches:
    """How long some of the values of `_low` were so, in places: 0 before the first entry, then one after each."""
    after = part.entries + 1
    ends = np.append(after[1:], count + 1)
    ends[np.append(passed.starts[1:], len(after)) - 1] = count + 1
    starts = np.concatenate((np.zeros(len(passed.starts), np.int64), after))
    return _Stretches(starts[some], np.concatenate((after[passed.starts], ends))[some], values[some])


def _least(stretches: _Stretches, last: int) -> tuple[Numbers, Numbers]:
    """Places from 0 to the last one at most, and the least value of the stretches from each until the next.

    That is the greatest integer where there is none.

    Two stretches as long as a power of two cover each; those of one length are handed down to half of it.
    """
    starts, ends, values = stretches
    places = np.unique(np.concatenate((np.zeros(1, np.int64), starts, ends)))
    starts, ends = places.searchsorted(starts), places.searchsorted(ends)
    places = places[places <= last]
    levels = np.frexp((ends - starts).astype(np.float64))[1] - 1
    least = np.full((int(levels.max(initial=0)) + 1, len(places)), _GREATEST, np.int64)
    for at in (starts, ends - (1 << levels)):
        np.minimum.at(least.reshape(-1), levels * len(places) + at, values)
    for level in range(len(least) - 1, 0, -1):
        half = 1 << (level - 1)
        np.minimum(least[level - 1], least[level], out=least[level - 1])
        np.minimum(least[level - 1, half:], least[level, :-half], out=least[level - 1, half:])
    return places, least[0]


def _sums(first: int, moved: Numbers) -> Numbers:
    """Running sums, modulo 2^64."""
    sums: Numbers = np.cumsum(np.concatenate((np.array([first], np.int64), moved)))
    return sums


def _reach(values: Numbers) -> float:
    return float(np.abs(values.astype(np.float64)).sum())


def _whole(values: Numbers) -> Course:
    """Of a number that is always there: after each entry of a segment."""
    return Course(np.arange(len(values) - 1), values, np.ones(len(values), bool))
