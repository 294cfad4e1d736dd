"""Whether a text can be in the lines of entries: told of many at once, without making their lines.

The parts of a line stand two blanks apart (`words.lines`). So a text that neither begins nor ends with a blank, and has
no two together, is in one of the parts or not in the line. And case folding goes character by character: a text is in
a line only if it is so when both are folded.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from esdash.domain import PLAIN, TEXT, Column, Table
from esdash.past.entries.sieve import Sifted
from esdash.past.track.encoding import formats, part_name
from esdash.past.track.reader import TrackReader
from esdash.query.patterns import Pattern
from esdash.query.terms import Matches, Says
from esdash.words.changes import title_of

Characters = frozenset[str]
"""That may be in a text, once it is folded."""

_NUMBERED: Final = frozenset("#-0123456789")
"""Of the number of an entry, and of its id."""

_DID: Final = frozenset("new of needed had short → – , -0123456789")
"""Of what an entry did, whatever that is."""


class Wording:
    """What a term looks for in lines."""

    def __init__(self, term: Says | Matches) -> None:
        if isinstance(term, Says):
            folded = term.text.casefold()
        else:
            folded = Pattern(term.pattern, ignoring_case=term.ignoring_case).needed
        self._text = max((piece.strip(" ") for piece in folded.split("  ")), key=len)
        self._decides = isinstance(term, Says) and self._text == folded

    def may_be(self, did: Characters | None) -> bool:
        """Whether it can be in a number, an id, or what an entry did; None: nobody knows what is in that."""
        return did is None or _NUMBERED.issuperset(self._text) or did.issuperset(self._text)

    def sift(self, said: Sequence[str | None], elsewhere: bool) -> Sifted:
        """What is known of lines, by what of each is known; `elsewhere`: it may be in the rest of it, too.

        `said` are parts of lines; None where they have to be read.
        """
        found = np.array([text is not None and self._text in text.casefold() for text in said], bool)
        unread = np.array([text is None for text in said], bool)
        return Sifted(found if self._decides else np.zeros(len(said), bool), found | unread | elsewhere)


def characters(reader: TrackReader, place: int) -> Characters | None:
    """Those of what the entries of a segment did, as it is told; None where nobody knows. Raises TrackError."""
    shown = formats(reader.fold)
    found = [shown[each].characters for each in np.unique(reader.entries(place).refused.shown).tolist()]
    for table in reader.fold.domain.tables:
        if not table.hidden:
            found += [each for column in table.columns for each in _changed(reader, table, column, place)]
    known = [each for each in found if each is not None]
    return _DID.union(*map(str.casefold, known)) if len(known) == len(found) else None


def _changed(reader: TrackReader, table: Table, column: Column, place: int) -> list[str | None]:
    """Texts that have all characters of what is told of the changes in a column; None where nobody knows one."""
    part = reader.part(part_name(table, column), table, place)
    if part is None:
        return []
    keys = "".join(part.keys.tolist()) if table.key is str else ""
    if column.kind is not str:
        return [title_of(column), keys, column.shown.characters]
    return [title_of(column), keys, "".join(part.texts) if column.shown in (PLAIN, TEXT) else None]
