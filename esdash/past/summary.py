"""A row in short: how much moved its numbers, how they went over time, and how many entries are about it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.past.columns import cell_of
from esdash.past.encoding import part_name
from esdash.past.reader import TrackReader


class Totals(Struct, frozen=True):
    """All that ever moved a cell of a column of numbers."""

    up: int
    down: int
    times: int
    first: int | None
    """The ordinal of the first entry that did; None where none did."""


class Curve(Struct, frozen=True):
    """A cell of a column of numbers, from its first change to its last one."""

    values: list[int]
    """After entries that lie equally far apart in the log, earliest first; empty where it changed less than twice."""
    first: int = 0
    last: int = 0
    """The ordinals of those two changes."""
    first_id: bytes = b""
    last_id: bytes = b""


class Seen(Struct, frozen=True):
    """The entries that changed a row or are about it."""

    count: int = 0
    refused: int = 0
    """Of them, by a rule."""
    first: int = 0
    last: int = 0
    """Ordinals; 0 where there is none."""
    first_id: bytes = b""
    last_id: bytes = b""


class _Steps(NamedTuple):
    """What a segment did to a cell."""

    place: int
    entries: NDArray[np.int64]
    """Within the segment, ascending."""
    moved: NDArray[np.int64]
    """Modulo 2^64: which way each went tell the numbers before and after it."""
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def totals(reader: TrackReader, table: Table, column: Column, key: int | str, until: int) -> Totals:
    """What moved a cell of a column of numbers, up to an ordinal. Raises TrackError."""
    up = down = times = 0
    first = None
    for step in _steps(reader, table, column, key, until):
        up += sum(step.moved[step.after > step.before].view(np.uint64).tolist())
        down -= sum((-step.moved[step.after < step.before]).view(np.uint64).tolist())
        times += len(step.moved)
        if first is None:
            first = reader.segments[step.place].first + int(step.entries[0])
    return Totals(up, down, times, first)


def curve(reader: TrackReader, table: Table, column: Column, key: int | str, until: int, points: int) -> Curve:
    """How a cell of a column of numbers went, up to an ordinal, at so many moments. Raises TrackError."""
    ordinals, values = [], []
    for step in _steps(reader, table, column, key, until):
        ordinals.append(step.entries + reader.segments[step.place].first)
        values.append(step.after)
    if sum(map(len, ordinals)) < 2:
        return Curve([])
    at = np.concatenate(ordinals)
    first, last = int(at[0]), int(at[-1])
    moments = np.linspace(first, last, max(2, points)).astype(np.int64)
    found = np.concatenate(values)[at.searchsorted(moments, "right") - 1]
    return Curve(found.tolist(), first, last, reader.id_of(first), reader.id_of(last))


def seen(reader: TrackReader, table: Table, key: int | str, until: int, refused: Sequence[int]) -> Seen:
    """Count the entries about a row, up to an ordinal; `refused` are the outcomes by a rule. Raises TrackError."""
    found: dict[int, list[NDArray[np.int64]]] = {}
    names = [part_name(table, column) for column in table.columns]
    for name in (*names, table.name):
        for place, part in reader.about(name, table, key, len(reader.segments)):
            found.setdefault(place, []).append(part.entries_about(key))
    codes = np.array(refused)
    count = refusals = first = last = 0
    for place, parts in sorted(found.items()):
        begin = reader.segments[place].first
        entries = np.unique(np.concatenate(parts))
        entries = entries[: int(entries.searchsorted(until - begin, "right"))]
        if not len(entries):
            break
        count += len(entries)
        refusals += int(np.isin(reader.entries(place).codes[entries], codes).sum())
        first, last = first or begin + int(entries[0]), begin + int(entries[-1])
    if not count:
        return Seen()
    return Seen(count, refusals, first, last, reader.id_of(first), reader.id_of(last))


def _steps(reader: TrackReader, table: Table, column: Column, key: int | str, until: int) -> Iterator[_Steps]:
    """What moved a cell, segment after segment; never nothing."""
    now = cell_of(*reader.keyframe(table, column, 0), key) or 0 if 0 in reader.keyframes(table, column) else 0
    for place, part in reader.about(part_name(table, column), table, key, len(reader.segments)):
        where = part.where(key)
        entries = part.changes.entries[where]
        entries = entries[: int(entries.searchsorted(until - reader.segments[place].first, "right"))]
        if not len(entries):
            return
        moved = part.moved[where][: len(entries)]
        after = np.cumsum(moved) + now
        yield _Steps(place, entries, moved, after - moved, after)
        now = int(after[-1])
