"""What a track alone can say of a question: which entries it asks for, and which have to be read to tell."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esdash.domain import Table
from esdash.engine.moments.asking import Reach, codes_of
from esdash.fold.sorting import FIRST
from esdash.past.track.decoding import SegmentEntries
from esdash.past.track.encoding import part_name
from esdash.past.track.reader import TrackReader
from esdash.query.places import Id
from esdash.query.questions import Question
from esdash.query.terms import AboutRow, Compared, OfId, OfOutcome, OfReason, OfType, Since, Until
from esdash.query.trees import All, Either, Negated, terms_of

_GREATEST: Final = 2**64 - 1

Mask = NDArray[np.bool_]
"""Of each entry of a segment, one."""


class Sifted(NamedTuple):
    """What is known of the entries of a segment."""

    sure: Mask
    """The question asks for them."""
    possible: Mask
    """It may ask for them; those that are sure are among them."""

    def only(self, chosen: NDArray[Any]) -> "Sifted":
        """The same of some of the entries."""
        return Sifted(self.sure[chosen], self.possible[chosen])


Leaves = dict[Any, Sifted]
"""What is known of each term of a question."""


class Sieve:
    """A question that is put to whole segments of a track. For one reader, and in its thread."""

    def __init__(self, reader: TrackReader, question: Question, reach: Reach) -> None:
        """`reach` is asked at once for each `since:` and `until:`; what it raises is raised here."""
        self._reader = reader
        self._reach = reach
        self._question = question
        self._terms = {term: self._term(term) for term in terms_of(question)}

    def leaves(self, place: int) -> Leaves:
        """What is known of each term, of the entries of the segment at a place. Raises TrackError."""
        return {term: sift(place) for term, sift in self._terms.items()}

    def sift(self, place: int) -> Sifted:
        """The entries of the segment at a place. Raises TrackError."""
        return joined(self._question, self.leaves(place), len(self._entries(place)))

    def _term(self, term: Any) -> Callable[[int], Sifted]:
        fold = self._reader.fold
        if isinstance(term, OfOutcome | OfReason):
            codes = list(codes_of(fold, term))
            return lambda place: known(np.isin(self._entries(place).codes, codes))
        if isinstance(term, OfType):
            kinds = [FIRST + at for at, each in enumerate(fold.domain.events) if each.wire_name == term.name]
            return lambda place: self._of_kinds(place, kinds)
        if isinstance(term, OfId):
            return lambda place: known(self._of_id(place, term))
        if isinstance(term, Since):
            first = self._reach(term)
            return lambda place: known(~_before(self._entries(place), first))
        if isinstance(term, Until):
            last = self._reach(term)
            return lambda place: known(_up_to(self._entries(place), last))
        if isinstance(term, AboutRow):
            table, _ = fold.storage.places[term.table]
            return lambda place: known(self._about(place, table, term.key))
        if isinstance(term, Compared):
            models = {each.model for each in term.meant}
            # What an older schema says may become an event of any.
            those = [
                FIRST + at for at, each in enumerate(fold.domain.events) if each.apply is None or each.model in models
            ]
            return lambda place: self._may(np.isin(self._entries(place).kinds, those))
        return lambda place: self._may(np.ones(len(self._entries(place)), bool))

    def _entries(self, place: int) -> SegmentEntries:
        return self._reader.entries(place)

    def _may(self, possible: Mask) -> Sifted:
        return Sifted(np.zeros(len(possible), bool), possible)

    def _of_kinds(self, place: int, wanted: Sequence[int]) -> Sifted:
        kinds = self._entries(place).kinds
        sure = np.isin(kinds, wanted)
        # Of a parked entry the track knows why, and not its type.
        return Sifted(sure, sure | (kinds < FIRST))

    def _of_id(self, place: int, term: OfId) -> Mask:
        entries = self._entries(place)
        if max(term.milliseconds, term.sequence or 0) > _GREATEST:
            return np.zeros(len(entries), bool)
        least = term.milliseconds, 0 if term.sequence is None else term.sequence
        most = term.milliseconds, _GREATEST if term.sequence is None else term.sequence
        return ~_before(entries, least) & _up_to(entries, most)

    def _about(self, place: int, table: Table, key: int | str) -> Mask:
        found = np.zeros(len(self._entries(place)), bool)
        for name in (table.name, *(part_name(table, column) for column in table.columns)):
            for _, part in self._reader.about(name, table, key, place, place + 1):
                found[part.entries_about(key)] = True
        return found


def joined(tree: Question, leaves: Leaves, size: int) -> Sifted:
    """What is known of so many entries, by what is known of each term."""
    if isinstance(tree, All | Either):
        both = isinstance(tree, All)
        join = np.logical_and if both else np.logical_or
        sure = possible = np.full(size, both)
        for part in tree.parts:
            sifted = joined(part, leaves, size)
            sure, possible = join(sure, sifted.sure), join(possible, sifted.possible)
        return Sifted(sure, possible)
    if isinstance(tree, Negated):
        inner = joined(tree.part, leaves, size)
        return Sifted(~inner.possible, ~inner.sure)
    return leaves[tree]


def known(mask: Mask) -> Sifted:
    """What there is no doubt about."""
    return Sifted(mask, mask)


def _before(entries: SegmentEntries, entry_id: Id) -> Mask:
    milliseconds, sequences = entries.milliseconds, entries.sequences
    at = np.uint64(entry_id[0])
    found: Mask = (milliseconds < at) | ((milliseconds == at) & (sequences < np.uint64(entry_id[1])))
    return found


def _up_to(entries: SegmentEntries, entry_id: Id) -> Mask:
    milliseconds, sequences = entries.milliseconds, entries.sequences
    at = np.uint64(entry_id[0])
    found: Mask = (milliseconds < at) | ((milliseconds == at) & (sequences <= np.uint64(entry_id[1])))
    return found
