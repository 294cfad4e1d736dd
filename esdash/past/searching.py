"""The entries of a track as rows, by their ordinals; and those that a question asks for, newest first."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from msgspec import Struct

from esdash.engine.asking import Asked, Examined
from esdash.engine.history import id_before
from esdash.engine.kept import NOT_KNOWN, row_of
from esdash.engine.places import Reached
from esdash.engine.row import Row
from esdash.fold.folding import Entry, Fold, Told
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.deeds import Deeds
from esdash.past.reader import TrackReader
from esdash.past.sieve import Sieve
from esdash.query.questions import Question

CHUNK: Final = 500
"""Entries that are read at a time."""

_CROWDED: Final = 4
"""Entries that are worth passing over, for one that is wanted, to read all in one piece."""


class Found(Struct, frozen=True):
    """What was found by going back a bit further."""

    hits: list[int]
    """Ordinals, the newest first, all of them less than those found before."""
    down_to: int
    """All entries from this ordinal on were looked at."""
    gone: int = 0
    """Of those looked at in this step: have left the stream, so that nobody can tell whether they are asked for."""


class Known(Struct, frozen=True):
    """What a track has of an entry."""

    ordinal: int
    entry_id: bytes
    code: int
    told: Told

    def row(self, entry: Entry | None) -> Row:
        """As it is kept for people; without fields where the entry has left the stream."""
        if entry is None:
            return Row(self.ordinal, self.entry_id, (), self.code, mark=NOT_KNOWN, told=self.told)
        return row_of(self.ordinal, entry, self.code, self.told)


class Candidates(Struct, frozen=True):
    """What the track says of the last entries that were not looked at."""

    sure: list[int]
    """Asked for. Ordinals, the newest first."""
    unsure: list[Known]
    """To be read, oldest first."""
    down_to: int


class Searching:
    """One question, put to the entries of a track from some ordinal down."""

    def __init__(self, fold: Fold, question: Question, log: Stream, unseen: int) -> None:
        """Raises NoPlaceError, LogError."""
        self._fold = fold
        self._question = question
        self._reach = Reached(log)
        self._asks = Asked(fold, question, self._reach)
        self._unseen = unseen

    def candidates(self, reader: TrackReader, deeds: Deeds, until: int) -> Candidates:
        """The next ones up to an ordinal, which is in the track; at most as many to be read as are read at a time.

        Raises TrackError.
        """
        place = reader.segment_of(until)
        first = reader.segments[place].first
        sure, possible = (mask[: until - first + 1] for mask in Sieve(reader, self._question, self._reach).sift(place))
        unsure = np.flatnonzero(possible & ~sure)
        start = int(unsure[-CHUNK]) if len(unsure) > CHUNK else 0
        hits = np.flatnonzero(sure[start:]) + start + first
        return Candidates(
            hits[::-1].tolist(),
            [known_of(reader, deeds, first + int(entry)) for entry in unsure[-CHUNK:]],
            first + start,
        )

    def found(self, candidates: Candidates, rows: Sequence[Row]) -> Found:
        """What becomes of them; `rows` are those that had to be read."""
        there = [row for row in rows if row.fields]
        hits = [row.ordinal for row in there if self._asks(Examined(self._fold, row, self._unseen))]
        hits = sorted((*hits, *candidates.sure), reverse=True)
        return Found(hits, candidates.down_to, len(rows) - len(there))


def known_of(reader: TrackReader, deeds: Deeds, ordinal: int) -> Known:
    """What is known of an entry that is in the track. Raises TrackError."""
    return Known(ordinal, reader.id_of(ordinal), reader.code_of(ordinal), deeds.told(ordinal))


def read(log: Stream, known: Sequence[Known]) -> list[Row]:
    """The rows of entries, ascending. Raises LogError."""
    if not known:
        return []
    if known[-1].ordinal - known[0].ordinal >= _CROWDED * len(known):
        entries = log.entries([each.entry_id for each in known])
        return [each.row(entry) for each, entry in zip(known, entries, strict=True)]
    rows: list[Row] = []
    rest = iter(known)
    each = next(rest, None)
    for entry in _between(log, known[0].entry_id, known[-1].entry_id):
        while each is not None and id_parts(each.entry_id) <= id_parts(entry[0]):
            rows.append(each.row(entry if each.entry_id == entry[0] else None))
            each = next(rest, None)
    while each is not None:
        rows.append(each.row(None))
        each = next(rest, None)
    return rows


def _between(log: Stream, first: bytes, last: bytes) -> Iterator[Entry]:
    after = id_before(first)
    while True:
        page = log.page(after, last, CHUNK)
        yield from page
        if len(page) < CHUNK:
            return
        after = page[-1][0]
