"""The parts of a segment, read: the other side of `encoding`."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.fold.cells import MAX_INT, MIN_INT, is_name, is_text
from esdash.past.track.encoding import APPEARED, KINDS, STRIDE, VANISHED
from esdash.past.track.packing import Numbers, unpack

_END: Final = b"\n"
_GREATEST: Final = 2**64 - 1

_OF_NUMBERS: Final = 3
"""Arrays that are stored of what changed in a column of numbers; of texts there are more."""


class Refused(NamedTuple):
    """The two numbers that decided each refusal which had some."""

    entries: Numbers
    needed: NDArray[Any]
    available: NDArray[Any]
    """Of both, integers of Python's: 64 bits may not hold them."""
    shown: Numbers
    """Places in the formats that the segment was written with."""


class SegmentEntries:
    """What is known of a segment's entries, whatever they changed."""

    def __init__(self, name: str, blob: bytes) -> None:
        """Raises DamagedTrackError."""
        first, times, sequences, there, both, refused, *decided, shown = unpack(name, blob)
        at = np.cumsum(times.astype(np.int64)) + (first.astype(np.int64) if len(first) else 0)
        self.milliseconds: NDArray[np.uint64] = at.view(np.uint64)
        """Of the ids; ascending."""
        self.sequences: NDArray[np.uint64] = sequences.astype(np.int64).view(np.uint64)
        codes, kinds = (each.astype(np.uint8) for each in divmod(there.astype(np.int64), KINDS))
        self.codes: NDArray[np.uint8] = codes[both]
        """Outcomes."""
        self.kinds: NDArray[np.uint8] = kinds[both]
        """Why it is parked, or FIRST + the index of its type."""
        self.refused = Refused(
            np.cumsum(refused, dtype=np.int64),
            _unbounded(*decided[:2]),
            _unbounded(*decided[2:]),
            shown.astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.codes)

    def id(self, entry: int) -> bytes:
        """The id of an entry."""
        return b"%d-%d" % (int(self.milliseconds[entry]), int(self.sequences[entry]))

    def ids(self, entries: Numbers) -> list[bytes]:
        """The ids of some entries."""
        pairs = zip(self.milliseconds[entries].tolist(), self.sequences[entries].tolist(), strict=True)
        return [b"%d-%d" % pair for pair in pairs]

    def before(self, milliseconds: int) -> int:
        """How many entries come before a time in Unix milliseconds."""
        return 0 if milliseconds <= 0 else self.until(milliseconds - 1)

    def until(self, milliseconds: int) -> int:
        """How many entries come up to a time in Unix milliseconds."""
        if milliseconds < 0:
            return 0
        return int(self.milliseconds.searchsorted(np.uint64(min(milliseconds, _GREATEST)), "right"))


class Changes(NamedTuple):
    """What a segment changed in a column, or which rows its entries are about: by row, then in order."""

    rows: Numbers
    """Of each, the place of its row."""
    entries: Numbers


class SegmentPart:
    """One part of a segment; what is asked for is read then. Raises DamagedTrackError."""

    def __init__(self, name: str, first: int, table: Table, rows: bytes, data: Callable[[], bytes]) -> None:
        """`data` is called when it is first wanted."""
        self._place = f"{name} {first}"
        self._table = table
        self._packed_rows = rows
        self._data = data

    @cached_property
    def _rows(self) -> list[NDArray[Any]]:
        return unpack(f"{self._place} rows", self._packed_rows)

    @cached_property
    def counts(self) -> Numbers:
        """How often each row is in it."""
        return self._rows[-1].astype(np.int64)

    @cached_property
    def keys(self) -> Any:
        """The rows, ascending: an array of integers, or of texts as objects."""
        return _keys(self._table, self._rows[:-1])

    def place(self, key: int | str) -> int | None:
        """The place of a row; None when the segment has nothing about it, or no row can be called so."""
        if isinstance(key, int):
            return self._place_of(key) if MIN_INT <= key <= MAX_INT else None
        if not is_name(key) or not is_text(key):
            return None
        joined = self._rows[0].tobytes()
        at = joined.find(_END + key.encode() + _END)
        return None if at < 0 else joined.count(_END, 0, at)

    def _place_of(self, key: int) -> int | None:
        milestones, gaps = self._rows[:-1]
        stride = int(milestones.searchsorted(key, "right")) - 1
        if stride < 0:
            return None
        start = stride * STRIDE
        behind = np.cumsum(gaps[start : start + STRIDE - 1], dtype=np.int64) + milestones[stride].astype(np.int64)
        if milestones[stride] == key:
            return start
        at = int(behind.searchsorted(key))
        return start + 1 + at if at < len(behind) and behind[at] == key else None

    def entries_about(self, key: int | str) -> Numbers:
        """The entries that changed a row, or are about it; ascending. Raises DamagedTrackError."""
        return np.cumsum(self._unpacked[0][self.where(key)].astype(np.int64))

    def where(self, key: int | str) -> slice:
        """Which of the changes are those of a row."""
        place = self.place(key)
        if place is None:
            return slice(0, 0)
        start = int(self._rows[-1][:place].sum())
        return slice(start, start + int(self._rows[-1][place]))

    @property
    def changes(self) -> Changes:
        """All of it. Raises DamagedTrackError."""
        return Changes(self.rows, self.entries)

    @cached_property
    def rows(self) -> Numbers:
        """Of each change, the place of its row."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def entries(self) -> Numbers:
        """Of each change. Raises DamagedTrackError."""
        counts = self.counts
        sums = np.cumsum(self._unpacked[0], dtype=np.int64)
        # What is stored of the first entry of a row is no gap.
        before = np.zeros(len(counts), np.int64)
        before[1:] = sums[np.cumsum(counts)[:-1] - 1]
        return sums - np.repeat(before, counts)

    @cached_property
    def _unpacked(self) -> list[NDArray[Any]]:
        return unpack(f"{self._place} data", self._data())

    @cached_property
    def moved(self) -> Numbers:
        """Of a column of numbers: each difference, modulo 2^64."""
        return self.moved_in(slice(None))

    def moved_in(self, where: slice) -> Numbers:
        """The same of some changes."""
        return self._unpacked[1][where].astype(np.int64)

    @cached_property
    def there(self) -> Numbers:
        """1 where a cell appeared, −1 where one vanished, else 0."""
        return self.there_in(slice(None))

    def there_in(self, where: slice) -> Numbers:
        """The same of some changes."""
        # Of texts it is told by those before and after, 0 for none; of numbers by a flag.
        if len(self._unpacked) > _OF_NUMBERS:
            before, after = (each[where] != 0 for each in self._unpacked[1:3])
        else:
            flags = self._unpacked[2][where]
            before, after = flags == VANISHED, flags == APPEARED
        there: Numbers = after.astype(np.int64) - before
        return there

    @cached_property
    def comes_or_goes(self) -> bool:
        """Whether any cell appeared or vanished."""
        if len(self._unpacked) > _OF_NUMBERS:
            return bool(self.there.any())
        return bool(self._unpacked[2].any())

    @cached_property
    def before(self) -> NDArray[Any]:
        """Of a column of texts: what was there before each change, None for nothing."""
        before: NDArray[Any] = self._before_and_after[self._unpacked[1]]
        return before

    @cached_property
    def after(self) -> NDArray[Any]:
        """Of a column of texts: what was there after each change."""
        after: NDArray[Any] = self._before_and_after[self._unpacked[2]]
        return after

    @cached_property
    def texts(self) -> list[str]:
        """Of a column of texts: those that were there before or after a change."""
        return msgspec.msgpack.decode(self._unpacked[3].tobytes(), type=list[str])

    @cached_property
    def _before_and_after(self) -> NDArray[Any]:
        return _objects([None, *self.texts])


def decode_cells(name: str, ordinal: int, table: Table, column: Column, blob: bytes) -> tuple[Any, NDArray[Any]]:
    """Keys, ascending, and the value of each. Raises DamagedTrackError."""
    *keys, packed = unpack(f"{name} {ordinal} cells", blob)
    if column.kind is not str:
        return _keys(table, keys), packed.astype(np.int64)
    return _keys(table, keys), _objects(msgspec.msgpack.decode(packed.tobytes(), type=list[str]))


def _keys(table: Table, packed: list[NDArray[Any]]) -> Any:
    if table.key is int:
        milestones, gaps = packed
        keys = np.empty(min(1, len(milestones)) + len(gaps), np.int64)
        keys[:1], keys[1:] = milestones[:1], gaps
        return np.cumsum(keys, out=keys)
    return _objects(packed[0].tobytes().decode().split("\n")[1:-1])


def _objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _unbounded(bounded: NDArray[Any], texts: NDArray[Any]) -> NDArray[Any]:
    return _objects(bounded.tolist() or [int(each, 16) for each in texts.tobytes().split()])


def decode_keys(name: str, blob: bytes) -> list[tuple[int, bytes]]:
    """Place of the entry and key, of each idempotency key that entered the window. Raises DamagedTrackError."""
    places, lengths, joined = unpack(name, blob)
    text, ends = joined.tobytes(), np.cumsum(lengths.astype(np.int64)).tolist()
    starts = [0, *ends[:-1]]
    return [(place, text[start:end]) for place, start, end in zip(places.tolist(), starts, ends, strict=True)]
