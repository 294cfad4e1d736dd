"""The entries of a track as rows, by their ordinals; and those that a question asks for, newest first."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, Final

import numpy as np
from msgspec import Struct

from esdash.engine.moments.asking import Asked, Examined
from esdash.engine.moments.history import id_before
from esdash.engine.moments.places import Reached
from esdash.engine.shown.kept import NOT_KNOWN, row_of
from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Fold, Told
from esdash.fold.sorting import FIRST
from esdash.log.facts import id_parts
from esdash.log.stream import Stream
from esdash.past.entries.comparing import compared
from esdash.past.entries.sieve import Leaves, Sieve, joined, known
from esdash.past.entries.wording import Characters, Wording, characters
from esdash.past.shown.deeds import Deeds
from esdash.past.track.packing import Numbers
from esdash.past.track.reader import TrackReader
from esdash.query.questions import Question
from esdash.query.terms import Compared, Matches, OfKey, Says
from esdash.query.trees import terms_of
from esdash.words.entries import describe_event

FIRST_CHUNK: Final = 500
"""Entries that are read first: so that something is found soon."""

CHUNK: Final = 5000
"""Entries that are read at a time in the end."""

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


class Known(Struct, frozen=True, gc=False):
    """What a track has of an entry."""

    ordinal: int
    entry_id: bytes
    code: int
    kind: int
    """Why it is parked, or FIRST + the index of its type."""
    told: Told | None
    """None where nobody wants to know."""

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
    leaves: Leaves
    """What is known of these."""
    did: Characters | None
    """What is told of what they did has no others; None where nobody knows or wants to."""
    down_to: int


class Searching:
    """One question, put to the entries of a track from some ordinal down."""

    def __init__(self, fold: Fold, question: Question, log: Stream, unseen: int) -> None:
        """Raises NoPlaceError, LogError."""
        self._fold = fold
        self._question = question
        self._log = log
        self._reach = Reached(log)
        self._asks = Asked(fold, question, self._reach)
        self._unseen = unseen
        self._wordings = {term: Wording(term) for term in terms_of(question) if isinstance(term, Says | Matches)}
        self._wants_told = bool(self._wordings) or any(isinstance(term, OfKey) for term in terms_of(question))
        """What entries did decides about lines, and about rows where something else is left to be told."""
        self._said: dict[tuple[int, int], str] = {}
        self._characters = lru_cache(1)(characters)
        self._chunk = FIRST_CHUNK

    def candidates(self, reader: TrackReader, until: int) -> Candidates:
        """The next ones up to an ordinal, which is in the track; at most as many to be read as are read at a time.

        Raises TrackError.
        """
        place = reader.segment_of(until)
        first = reader.segments[place].first
        size = until - first + 1
        leaves = Sieve(reader, self._question, self._reach).leaves(place)
        sure, possible = joined(self._question, leaves, len(reader.entries(place))).only(np.arange(size))
        unsure = np.flatnonzero(possible & ~sure)
        start = int(unsure[-self._chunk]) if len(unsure) > self._chunk else 0
        unsure = unsure[-self._chunk :]
        hits = np.flatnonzero(sure[start:]) + start + first
        self._chunk = min(2 * self._chunk, CHUNK)
        return Candidates(
            hits[::-1].tolist(),
            known_of(reader, unsure + first, None),
            {term: sifted.only(unsure) for term, sifted in leaves.items()},
            self._characters(reader, place) if self._wordings else None,
            first + start,
        )

    def found(self, candidates: Candidates, told: Callable[[Numbers], list[Known]]) -> Found:
        """What becomes of them; `told` adds what entries did, by their ordinals, ascending.

        Raises LogError, and what `told` does.
        """
        hits, read, gone = candidates.sure, 0, 0
        for some, entries in _read(self._log, candidates.unsure):
            there = [place for place, entry in enumerate(entries) if entry is not None]
            at = np.array(there, np.int64) + read
            hits += self._chosen(
                [some[place] for place in there],
                [entry for entry in entries if entry is not None],
                {term: sifted.only(at) for term, sifted in candidates.leaves.items()},
                candidates.did,
                told,
            )
            read += len(some)
            gone += len(some) - len(there)
        return Found(sorted(hits, reverse=True), candidates.down_to, gone)

    def _chosen(
        self,
        some: Sequence[Known],
        entries: Sequence[Entry],
        leaves: Leaves,
        did: Characters | None,
        told: Callable[[Numbers], list[Known]],
    ) -> list[int]:
        events = self._fold.events(entries)
        for term in leaves:
            if isinstance(term, Compared):
                leaves[term] = known(compared(term, events))
        sure, possible = joined(self._question, leaves, len(events))
        if self._wordings:
            lines = [
                self._part(each, event) if undecided else None
                for each, event, undecided in zip(some, events, (possible & ~sure).tolist(), strict=True)
            ]
            for term, wording in self._wordings.items():
                leaves[term] = wording.sift(lines, elsewhere=wording.may_be(did))
            sure, possible = joined(self._question, leaves, len(events))
        hits = [some[place].ordinal for place in np.flatnonzero(sure).tolist()]
        rest = np.flatnonzero(possible & ~sure).tolist()
        left = [some[place] for place in rest]
        if left and self._wants_told:
            left = told(np.array([each.ordinal for each in left], np.int64))
        for each, place in zip(left, rest, strict=True):
            row = Row(each.ordinal, each.entry_id, entries[place][1], each.code, told=each.told)
            if self._asks(Examined(self._fold, row, self._unseen, events[place])):
                hits.append(each.ordinal)
        return hits

    def _part(self, each: Known, event: Any) -> str | None:
        """What an entry's line says of its type, its event and its outcome; None where it has to be read."""
        if event is None:
            return None
        said = self._said.get((each.kind, each.code))
        if said is None:
            fold = self._fold
            outcome = " ".join(filter(None, fold.outcomes[each.code]))
            said = f"{fold.domain.events[each.kind - FIRST].wire_name}  {outcome}"
            self._said[each.kind, each.code] = said
        return f"{said}  {describe_event(self._fold, event)}"


def known_of(reader: TrackReader, ordinals: "Sequence[int] | Numbers", deeds: Deeds | None) -> list[Known]:
    """What is known of entries that are in the track, ascending; what they did is where there are `deeds`.

    Raises TrackError.
    """
    known: list[Known] = []
    rest = np.asarray(ordinals, np.int64)
    while len(rest):
        place = reader.segment_of(int(rest[0]))
        segment, about = reader.segments[place], reader.entries(place)
        some, rest = np.split(rest, rest.searchsorted([segment.last + 1]))
        entries = some - segment.first
        told = repeat(None, len(some)) if deeds is None else deeds.told(place, entries)
        about_each = about.ids(entries), about.codes[entries].tolist(), about.kinds[entries].tolist()
        known += map(Known, some.tolist(), *about_each, told)
    return known


def read_rows(log: Stream, known: Sequence[Known]) -> list[Row]:
    """The rows of entries, ascending. Raises LogError."""
    return [each.row(entry) for some, entries in _read(log, known) for each, entry in zip(some, entries, strict=True)]


def _read(log: Stream, known: Sequence[Known]) -> Iterator[tuple[Sequence[Known], Sequence[Entry | None]]]:
    """Entries, ascending, some at a time; None where one has left the stream."""
    if not known:
        return
    if known[-1].ordinal - known[0].ordinal >= _CROWDED * len(known):
        for start in range(0, len(known), FIRST_CHUNK):
            some = known[start : start + FIRST_CHUNK]
            yield some, list(log.entries([each.entry_id for each in some]))
        return
    for page in log.pages(id_before(known[0].entry_id), known[-1].entry_id):
        if page.last_entry is not None:
            last = id_parts(page.last_entry[0])
            end = bisect_right(known, last, key=lambda each: id_parts(each.entry_id))
            there = {entry[0]: entry for entry in page.entries}
            yield known[:end], [there.get(each.entry_id) for each in known[:end]]
            known = known[end:]
    yield known, [None] * len(known)
