"""A column at one moment, which moves along with the entries in either direction."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.fold.cells import Change
from esdash.past.track.decoding import SegmentPart
from esdash.past.track.packing import Numbers

_WORTH: Final = 20
"""Places of texts that are learned in the time in which one is looked for."""


class Last(NamedTuple):
    """What changed a cell last."""

    entry: int
    """Its place in the segment."""
    moved: int | None
    """By how much, modulo 2^64; None for what is no number, or was not there before or after."""


class Applied(NamedTuple):
    """What was applied of a segment's part; it stays as it is when the column moves on."""

    part: SegmentPart
    entries: int
    numbers: bool

    def last(self, key: int | str) -> Last | None:
        """What changed a row last; None where nothing did."""
        where = self.part.where(key)
        entries = self.part.changes.entries
        at = where.start + int(entries[where].searchsorted(self.entries)) - 1
        return None if at < where.start else Last(int(entries[at]), self._moved(at))

    def _moved(self, at: int) -> int | None:
        if not self.numbers or self.part.there[at] < 0:
            return None
        return int(self.part.moved[at])

    def newest(self) -> Iterator[tuple[Any, int]]:
        """Each row that was changed, and the place of the last entry that did."""
        changes = self.part.changes
        applied = changes.entries < self.entries
        keys = self.part.keys.tolist()
        yield from zip(
            map(keys.__getitem__, changes.rows[applied].tolist()), changes.entries[applied].tolist(), strict=True
        )


class Passed(NamedTuple):
    """What a segment did in a column of numbers."""

    places: Numbers
    """Where the rows are that it changed."""
    starts: Numbers
    """Of each of them, the first of its changes."""
    before: Numbers
    """What each change found; 0 for nothing."""
    after: Numbers
    """What it made."""
    exists: NDArray[np.bool_]
    """Whether there is a cell after it."""
    existed: NDArray[np.bool_]
    """Of each row, whether there was one before the segment."""


class MovingColumn:
    """The cells of a column after some entry of a segment.

    Rows that had a cell once and have none now are kept, as absent.
    """

    def __init__(self, table: Table, column: Column) -> None:
        self.table = table
        self.column = column
        self._numbers = column.kind is not str
        self.clear()

    def clear(self) -> None:
        """No cells."""
        self.keys: Any = np.empty(0, np.int64 if self.table.key is int else object)
        self.values: NDArray[Any] = np.empty(0, np.int64 if self._numbers else object)
        self._cells = np.empty(0, np.int64)
        """Of a column of numbers: 1 where there is one, 0 where not; then its value is 0."""
        self._places_by_key: dict[Any, int] | None = None
        """Where each key is, once many were asked for."""
        self.leave()

    def leave(self) -> None:
        """Stand in a segment that changes nothing here."""
        self._part: SegmentPart | None = None
        self._entries: Numbers = np.empty(0, np.int64)
        self._changes: Numbers = self._entries
        self._places: Numbers = self._entries
        self._last = 0
        """Of the segment that was entered: entries that are applied."""
        self._done = 0
        """Of the segment that was entered: changes that are applied."""

    def set(self, keys: Any, values: NDArray[Any]) -> None:
        """The cells of a keyframe; `keys` ascend."""
        self.keys, self.values, self._cells = keys, values.copy(), np.ones(len(keys), np.int64)
        self._places_by_key = None
        self.leave()

    def skip(self, part: SegmentPart, *, back: bool) -> None:
        """Apply all that a segment changed, or take it back."""
        self.leave()
        places = self._places_of(part.keys)
        ends = np.cumsum(part.counts)
        starts = ends - part.counts
        if self._numbers:
            sign = -1 if back else 1
            self.values[places] += sign * np.add.reduceat(part.moved, starts)
            self._cells[places] += sign * np.add.reduceat(part.there, starts)
        else:
            self._put(places, part.before[starts] if back else part.after[ends - 1])

    def pass_through(self, part: SegmentPart) -> Passed:
        """Apply all that a segment changed in a column of numbers, and tell what each change was."""
        self.leave()
        places, rows = self._places_of(part.keys), part.rows
        ends = np.cumsum(part.counts)
        starts = ends - part.counts
        existed = self._cells[places] > 0
        after, exists = running(self.values[places], part.moved, starts, rows), existed[rows]
        self.values[places] = after[ends - 1]
        if part.comes_or_goes:
            cells = running(self._cells[places], part.there, starts, rows)
            exists, self._cells[places] = cells > 0, cells[ends - 1]
        return Passed(places, starts, after - part.moved, after, exists, existed)

    def enter(self, part: SegmentPart, *, at_end: bool) -> None:
        """Stand at the beginning or the end of a segment, to move in it."""
        changes = part.changes
        order = np.argsort(changes.entries, kind="stable")
        self._part = part
        self._entries, self._changes = changes.entries[order], order
        self._places = self._places_of(part.keys)[changes.rows[order]]
        self._done = len(order) if at_end else 0

    def move(self, entries: int) -> bool:
        """Stand after so many entries of the segment that was entered. Whether that changed anything."""
        self._last = entries
        target = int(self._entries.searchsorted(entries))
        start, end = sorted((self._done, target))
        back = target < self._done
        self._done = target
        if start == end or self._part is None:
            return False
        places, changes = self._places[start:end], self._changes[start:end]
        if self._numbers:
            sign = -1 if back else 1
            np.add.at(self.values, places, sign * self._part.moved[changes])
            np.add.at(self._cells, places, sign * self._part.there[changes])
        elif back:
            self._put(places[::-1], self._part.before[changes[::-1]])
        else:
            self._put(places, self._part.after[changes])
        return True

    @property
    def there(self) -> NDArray[np.bool_]:
        """Of each key, whether it has a cell."""
        if self._numbers:
            return self._cells > 0
        return np.array([value is not None for value in self.values], bool)

    def get(self, key: int | str) -> Any:
        """A cell, as a value of the column's kind; None where there is none."""
        (place,), known = self._find(_array([key], self.table))
        return self.value(int(place)) if known.all() else None

    def value(self, place: int) -> Any:
        """The cell of the key at a place, as a value of the column's kind; None where there is none."""
        if not self._numbers:
            return self.values[place]
        return self.column.kind(self.values[place]) if self._cells[place] else None

    def cells(self) -> dict[Any, Any]:
        """All of them, by key."""
        there = np.flatnonzero(self.there)
        keys, values = self.keys[there].tolist(), self.values[there].tolist()
        return dict(zip(keys, map(bool, values) if self.column.kind is bool else values, strict=True))

    def shown(self, keys: Any) -> NDArray[Any]:
        """The cells of these keys, copied: integers, or objects where some are absent or texts."""
        if len(keys) == len(self.keys) and bool((keys == self.keys).all()):
            places, known = np.arange(len(keys)), self.there
        else:
            places, known = self._find(keys)
            known[known] = self.there[places[known]]
        if self.column.kind is int and known.all():
            return self.values[places]
        values = np.empty(len(keys), object)
        found = np.flatnonzero(known)
        values[found] = [self.value(place) for place in places[found].tolist()]
        return values

    def applied(self) -> Applied | None:
        """What was applied of the segment that it stands in; None for nothing."""
        return None if self._part is None else Applied(self._part, self._last, self.column.kind is int)

    def changed(self) -> Iterator[Change]:
        """What the last entry that was applied changed."""
        if self._part is None or not self._last:
            return
        start, end = self._entries.searchsorted((self._last - 1, self._last))
        for place, change in zip(self._places[start:end].tolist(), self._changes[start:end].tolist(), strict=True):
            key, after = self.keys[place : place + 1].tolist()[0], self.value(place)
            if self._numbers:
                there = int(self._cells[place] - self._part.there[change])
                before = self.column.kind(before_of(self.values[place], self._part.moved[change])) if there else None
            else:
                before = self._part.before[change]
            yield Change(self.table.name, key, self.column.name, before, after)

    def _put(self, places: Numbers, values: NDArray[Any]) -> None:
        # In their order: of several in one place the last one stays.
        self.values[places] = values

    def _find(self, keys: Any) -> tuple[Numbers, NDArray[np.bool_]]:
        """Where keys are or would be, and which are there."""
        if self.table.key is int:
            if len(self.keys) and int(self.keys[-1]) - int(self.keys[0]) == len(self.keys) - 1:
                # None is left out, as is usual: then a key tells its place.
                places = keys - self.keys[0]
                known = (keys >= self.keys[0]) & (keys <= self.keys[-1])
                return np.where(known, places, np.where(keys < self.keys[0], 0, len(self.keys))), known
            places = self.keys.searchsorted(keys)
        else:
            places = np.array(self._text_places(keys), np.int64)
        known = np.zeros(len(keys), bool)
        inside = places < len(self.keys)
        known[inside] = self.keys[places[inside]] == keys[inside]
        return places, known

    def _text_places(self, keys: Any) -> list[int]:
        if self._places_by_key is None and len(keys) * _WORTH > len(self.keys):
            self._places_by_key = dict(zip(self.keys.tolist(), range(len(self.keys)), strict=True))
        places = list(map((self._places_by_key or {}).get, keys.tolist()))
        if None not in places:
            return places  # type: ignore[return-value]  # which is what was just asked
        return [
            bisect_left(self.keys, key) if place is None else place for key, place in zip(keys, places, strict=True)
        ]

    def _places_of(self, keys: Any) -> Numbers:
        """Where keys are; those that are not there are added, without a cell."""
        places, known = self._find(keys)
        if known.all():
            return places
        new = places[~known]
        self.keys = np.insert(self.keys, new, keys[~known])
        self._places_by_key = None
        nothing: Any = 0 if self._numbers else None
        self.values = np.insert(self.values, new, nothing)
        self._cells = np.insert(self._cells, new, 0) if self._numbers else self._cells
        return self._find(keys)[0]


def before_of(after: Any, moved: Any) -> int:
    """What a number was that became another: both are of 64 bits, and how far it moved is kept modulo 2^64."""
    return (int(after) - int(moved) + 2**63) % 2**64 - 2**63


def running(base: Numbers, moved: Numbers, starts: Numbers, rows: Numbers) -> "NDArray[np.int64]":
    """What a cell is after each change; `base` is what it was before the first of its row."""
    sums = np.cumsum(moved)
    before = np.zeros(len(base), np.int64)
    before[1:] = sums[starts[1:] - 1]
    running: NDArray[np.int64] = sums + (base - before)[rows]
    return running


def cell_of(keys: Any, values: Any, key: int | str) -> Any:
    """The value beside a key, where keys ascend; None where it is not among them."""
    place = bisect_left(keys, key) if keys.dtype == object else int(keys.searchsorted(key))
    found = place < len(keys) and keys[place] == key
    return values[place : place + 1].tolist()[0] if found else None


def _array(keys: list[Any], table: Table) -> Any:
    array = np.empty(len(keys), np.int64 if table.key is int else object)
    array[:] = keys
    return array
