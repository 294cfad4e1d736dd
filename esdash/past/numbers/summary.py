"""A row in short: how much moved its numbers, how they went over time, and how many entries are about it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from esdash.domain import Column, Table
from esdash.past.numbers.story import cell_before
from esdash.past.shown.moments import Moments
from esdash.past.track.encoding import part_name
from esdash.past.track.reader import TrackReader
from esdash.words.changes import is_amount

_Ordinals = NDArray[np.int64]
"""Ascending."""


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


class Summary(Struct, frozen=True):
    """A row in short."""

    seen: Seen
    totals: dict[str, Totals]
    """By column, of those that hold amounts."""
    curves: dict[str, Curve]


class Moves(NamedTuple):
    """What moved one column of a row."""

    ordinals: _Ordinals
    totals: Totals | None = None
    """None for a column that holds no amounts."""
    curve: Curve | None = None


def summary_of(
    reading: Callable[[], AbstractContextManager[Moments]],
    table: Table,
    key: int | str,
    until: int,
    points: int,
    refused: Sequence[int],
) -> Summary:
    """A row in short, up to an ordinal, the curves at so many moments; `refused` are the outcomes by a rule.

    `reading` gives what is in the track, column after column: between two of them others may ask. Raises what it does.
    """
    found: dict[str, Moves] = {}
    for column in table.columns:
        with reading() as moments:
            found[column.name] = moves(moments.reader, table, column, key, until, points)
    with reading() as moments:
        about = seen(moments.reader, table, key, until, [each.ordinals for each in found.values()], refused)
    return Summary(
        about,
        {name: each.totals for name, each in found.items() if each.totals is not None},
        {name: each.curve for name, each in found.items() if each.curve is not None},
    )


def moves(reader: TrackReader, table: Table, column: Column, key: int | str, until: int, points: int) -> Moves:
    """What moved a cell, up to an ordinal, its curve at so many moments. Raises TrackError."""
    name = part_name(table, column)
    if not is_amount(column):
        return Moves(_about(reader, name, table, key, until))
    now = cell_before(reader, table, column, key, 0) or 0
    up = down = 0
    ordinals, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for place, part in reader.about(name, table, key, 0, reader.segment_of(until) + 1):
        where = part.where(key)
        at = part.changes.entries[where] + reader.segments[place].first
        at = at[: int(at.searchsorted(until, "right"))]
        if not len(at):
            break
        # Kept are differences modulo 2^64: which way each goes tell the numbers before and after it.
        moved = part.moved[where][: len(at)]
        after = np.cumsum(moved) + now
        before = after - moved
        up += sum(moved[after > before].view(np.uint64).tolist())
        down -= sum((-moved[after < before]).view(np.uint64).tolist())
        now = int(after[-1])
        ordinals.append(at)
        values.append(after)
    at = np.concatenate(ordinals)
    totals = Totals(up, down, len(at), int(at[0]) if len(at) else None)
    return Moves(at, totals, _curve(reader, at, np.concatenate(values), points))


def seen(
    reader: TrackReader, table: Table, key: int | str, until: int, changed: Sequence[_Ordinals], refused: Sequence[int]
) -> Seen:
    """Count the entries about a row, up to an ordinal.

    `changed` are those that moved a column of it, `refused` the outcomes by a rule. Raises TrackError.
    """
    named = _about(reader, table.name, table, key, until)
    ordinals = np.unique(np.concatenate((*changed, named)))
    if not len(ordinals):
        return Seen()
    refusals = 0
    for segment_place in sorted({reader.segment_of(each) for each in named.tolist()}):
        segment = reader.segments[segment_place]
        within = named[(named >= segment.first) & (named <= segment.last)] - segment.first
        refusals += int(np.isin(reader.entries(segment_place).codes[within], refused).sum())
    first, last = int(ordinals[0]), int(ordinals[-1])
    return Seen(len(ordinals), refusals, first, last, reader.id_of(first), reader.id_of(last))


def _curve(reader: TrackReader, at: _Ordinals, values: NDArray[np.int64], points: int) -> Curve:
    if len(at) < 2:
        return Curve([])
    first, last = int(at[0]), int(at[-1])
    moments = np.linspace(first, last, max(2, points)).astype(np.int64)
    found = values[at.searchsorted(moments, "right") - 1]
    return Curve(found.tolist(), first, last, reader.id_of(first), reader.id_of(last))


def _about(reader: TrackReader, name: str, table: Table, key: int | str, until: int) -> _Ordinals:
    """The entries of a part that are about a row, up to an ordinal."""
    found = [np.empty(0, np.int64)]
    for place, part in reader.about(name, table, key, 0, reader.segment_of(until) + 1):
        found.append(part.entries_about(key) + reader.segments[place].first)
    ordinals = np.concatenate(found)
    return ordinals[: int(ordinals.searchsorted(until, "right"))]
