"""How much came when: the entries of a stretch of time, counted by what became of them."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from esdash.past.shown.moments import parked_codes, refused_codes
from esdash.past.track.reader import TrackReader


class Timeline(Struct, frozen=True):
    """A stretch of time in equal parts."""

    start: int
    end: int
    """Unix milliseconds."""
    entries: list[int]
    """In each part."""
    refused: list[int]
    """Of those."""
    parked: list[int]
    """Of those."""


def timeline(reader: TrackReader, start: int, end: int, parts: int) -> Timeline:
    """The entries from one time up to another, `parts` times. Raises TrackError."""
    edges = np.linspace(start, max(end, start + parts), parts + 1)
    every = np.zeros(parts, np.int64)
    no, unknown = np.zeros(parts, np.int64), np.zeros(parts, np.int64)
    codes = refused_codes(reader.fold), parked_codes()
    for place, segment in enumerate(reader.segments):
        if segment.last_ms < start or segment.first_ms > edges[-1]:
            continue
        first, last = edges.searchsorted((segment.first_ms, segment.last_ms), "right") - 1
        if first == last and 0 <= first < parts:
            before = np.array(reader.counts_before(place))
            came = np.array(segment.counts) - before
            every[first] += segment.count
            no[first] += came[codes[0]].sum()
            unknown[first] += came[codes[1]].sum()
            continue
        entries = reader.entries(place)
        every += _counted(entries.milliseconds, edges)
        for which, total in zip(codes, (no, unknown), strict=True):
            total += _counted(entries.milliseconds[np.isin(entries.codes, which)], edges)
    return Timeline(start, int(edges[-1]), *(list(map(int, each)) for each in (every, no, unknown)))


def _counted(times: NDArray[np.uint64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    counts, _ = np.histogram(times, edges)
    return counts.astype(np.int64)
