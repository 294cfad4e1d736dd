"""What a question asks for, listed from a track: without folding, and without reading what is not asked for."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.past.entries.searching import Known, Searching, known_of, read_rows
from esdash.past.shown.deeds import Deeds
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader
from esdash.query.questions import Question

AT_A_TIME: Final = 500
"""Entries that are held at a time."""


class TrackListing:
    """The entries of a track from one ordinal up to another for which a question asks.

    Its methods raise TrackError, LogError.
    """

    def __init__(self, log: Stream, fold: Fold, reader: TrackReader, question: Question, first: int, last: int) -> None:
        """Raises NoPlaceError, LogError."""
        self._log = log
        self._reader = reader
        self._deeds = Deeds(reader)
        self._searching = Searching(fold, question, log, reader.origin.unseen)
        self._first, self._last = first, last
        self.unseen = reader.origin.unseen
        """Entries that had left the stream before the track's history began."""

    def rows(self, most: int | None = None) -> Iterator[Row]:
        """The last of them, at most so many, oldest first; they are looked for as they are taken."""
        if most is None:
            for segment in self._reader.segments:
                hits = list(chain(*self._hits(max(segment.first, self._first), min(segment.last, self._last))))
                yield from self._rows(hits[::-1])
        else:
            hits = list(islice(chain.from_iterable(self._hits(self._first, self._last)), most))
            yield from self._rows(hits[::-1])

    def _hits(self, first: int, last: int) -> Iterator[list[int]]:
        """Ordinals, the newest first, some at a time."""
        while last >= first:
            found = self._searching.found(self._searching.candidates(self._reader, last), self._told)
            yield [hit for hit in found.hits if hit >= first]
            last = found.down_to - 1

    def _told(self, ordinals: Numbers) -> list[Known]:
        return known_of(self._reader, ordinals, self._deeds)

    def _rows(self, ordinals: list[int]) -> Iterator[Row]:
        for start in range(0, len(ordinals), AT_A_TIME):
            yield from read_rows(self._log, known_of(self._reader, ordinals[start : start + AT_A_TIME], self._deeds))


def lists_all(log: Stream, reader: TrackReader) -> bool:
    """Whether every entry of a track is in the log still, so that each can be shown. Raises LogError."""
    facts = log.facts()
    if facts.entries_added is None:
        return facts.length >= reader.built_to
    return facts.entries_added - facts.length == reader.origin.unseen
