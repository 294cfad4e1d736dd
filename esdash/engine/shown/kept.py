"""How much of an entry is kept for a screen: its beginning, when it is large, and what it was."""

from collections.abc import Sequence
from itertools import chain, repeat
from typing import Final

from esdash.engine.shown.row import Row
from esdash.fold.folding import Entry, Told
from esdash.fold.keys import Keys
from esdash.fold.sorting import Fields

MOST_OF_A_FIELD: Final = 64 * 1024 + 1
"""Bytes. One more than a payload may have, so that the beginning of one that is too large is too large as well."""

MOST_OF_AN_ENTRY: Final = 256 * 1024
"""Bytes of all its fields."""

MOST_FIELDS: Final = 1000
"""Names and values."""

NOT_KNOWN: Final = 0
"""The mark of an entry that was not seen itself."""


def rows_of(
    first: int, page: Sequence[Entry], codes: bytes, told: Sequence[Told] | None = None, *, only: Keys | None = None
) -> list[Row]:
    """Rows of a folded page whose first entry has ordinal `first`; perhaps `only` its keys are kept."""
    numbered = zip(range(first, first + len(page)), page, codes, told or repeat(None), strict=False)
    if only is not None:
        return [
            Row(ordinal, entry_id, only.alone(fields), code, mark=_mark(fields))
            for ordinal, (entry_id, fields), code, _ in numbered
        ]
    most, longest = _extent(page)
    if most <= MOST_FIELDS and longest <= MOST_OF_A_FIELD and most * longest <= MOST_OF_AN_ENTRY:
        return [Row(ordinal, entry_id, fields, code, told=did) for ordinal, (entry_id, fields), code, did in numbered]
    return [row_of(ordinal, entry, code, did) for ordinal, entry, code, did in numbered]


def row_of(ordinal: int, entry: Entry, code: int | None, told: Told | None = None) -> Row:
    """An entry as it is kept."""
    entry_id, fields = entry
    sizes = tuple(map(len, fields))
    most = _most_of_each(sizes)
    if len(fields) <= MOST_FIELDS and max(sizes, default=0) <= most:
        return Row(ordinal, entry_id, fields, code, told=told)
    beginning = [value[:most] for value in fields[:MOST_FIELDS]]
    return Row(ordinal, entry_id, beginning, code, sizes[:MOST_FIELDS], sum(sizes), _mark(fields), told)


def is_same(row: Row, entry: Entry) -> bool:
    """Whether an entry of the log is the one that the row was made of, as far as can be told."""
    if row.mark is None:
        return entry[0] == row.entry_id and list(entry[1]) == list(row.fields)
    return entry[0] == row.entry_id and row.mark in (NOT_KNOWN, _mark(entry[1]))


def size_of(row: Row) -> int:
    """About how many bytes the row takes."""
    return 200 + 40 * len(row.fields) + sum(map(len, row.fields))


def size_at_most(page: Sequence[Entry]) -> int:
    """Bytes that a page does not exceed: as if each entry had as many fields as any, all of them as long as any."""
    most, longest = _extent(page)
    return len(page) * most * (longest + 40)


def _extent(page: Sequence[Entry]) -> tuple[int, int]:
    """The most fields that an entry has, and the length of the longest field."""
    fields = [fields for _, fields in page]
    return max(map(len, fields), default=0), max(map(len, chain.from_iterable(fields)), default=0)


def _most_of_each(sizes: Sequence[int]) -> int:
    """How long a field may be, so that none is longer than it may be and they fit together."""
    kept = sorted(sizes[:MOST_FIELDS])
    room, most = MOST_OF_AN_ENTRY, MOST_OF_A_FIELD
    for place, size in enumerate(kept):
        share = room // (len(kept) - place)
        if size > share:
            return min(share, most)
        room -= size
    return most


def _mark(fields: Fields) -> int:
    return hash(tuple(fields)) or 1
