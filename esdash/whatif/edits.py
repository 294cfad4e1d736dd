"""What a person changes in a log to see what would have been: values, and what they make of a page of it."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from esdash.engine.moments.history import id_before
from esdash.engine.moments.places import id_after
from esdash.fold.folding import Entry
from esdash.fold.sorting import Fields
from esdash.log.facts import START, id_parts
from esdash.query.places import Id


class Skip(Struct, frozen=True, tag=True):
    """An entry is left out."""

    entry: Entry
    """As it is in the log."""


class Change(Struct, frozen=True, tag=True):
    """An entry says something else."""

    entry: Entry
    """As it is in the log."""
    fields: Fields


class Swap(Struct, frozen=True, tag=True):
    """Two entries change places: each gets the id of the other, since ids belong to the log."""

    one: Entry
    other: Entry
    """As they are in the log."""


class Insert(Struct, frozen=True, tag=True):
    """Entries that were never appended."""

    after: bytes | None
    """The id behind which they stand, of an entry or not; None: at the end of the log, wherever that is."""
    entries: tuple[Fields, ...]


Edit = Skip | Change | Swap | Insert


class Line(NamedTuple):
    """An entry as it would have been."""

    entry: Entry
    origin: bytes | None
    """The id of the entry of the log that it is, in its place or in another one; None: it was inserted."""
    edit: tuple[int, int] | None
    """The edit that made it say what no entry of the log does, and the entry among those of that, both from 0."""
    place: int
    """So many entries of the page stand up to there in the log as it is."""


class _Content(NamedTuple):
    """What stands in a place of the log."""

    fields: Fields
    origin: bytes
    edit: tuple[int, int] | None


class Plan:
    """Edits in the order in which they were made, to be carried out once, page after page, in the order of the log."""

    def __init__(self, edits: Iterable[Edit], end: bytes, now_ms: int = 0, behind: bytes | None = None) -> None:
        """`end` is the id of the last entry that is looked at, `behind` that of the one after it in the log. Where
        there is none, what is inserted there has the time `now_ms`, Unix ms.
        """
        self._end = end
        self._now_ms = now_ms
        self._behind = None if behind is None else id_parts(behind)
        self._contents: dict[bytes, _Content | None] = {}
        """By the id of the place; None: nothing."""
        self._place_of: dict[bytes, bytes] = {}
        """Where the entries are that were moved."""
        self._inserts: dict[bytes, list[tuple[Fields, tuple[int, int]]]] = {}
        for place, edit in enumerate(edits):
            self._add(place, edit)
        self._waiting = deque(sorted(self._inserts, key=id_parts))
        """Places after which entries are still to be inserted."""
        self._places = sorted(map(id_parts, self._contents))

    @property
    def begin(self) -> bytes | None:
        """The greatest id up to which nothing is changed; None where nothing is."""
        starts = [*self._inserts, *map(id_before, self._contents)]
        return min(starts, key=id_parts) if starts else None

    @property
    def places(self) -> list[bytes]:
        """Every id at which, or behind which, something is changed."""
        return [*self._inserts, *self._contents]

    @property
    def entries(self) -> frozenset[bytes]:
        """The entries of the log that are not left as they are."""
        return frozenset(self._contents)

    @property
    def moved(self) -> frozenset[bytes]:
        """The entries that stand somewhere else."""
        return frozenset(entry_id for entry_id, place in self._place_of.items() if place != entry_id)

    def page(self, page: Sequence[Entry]) -> list[Line] | None:
        """What stands there instead; None where that is the same."""
        first, last = id_parts(page[0][0]), id_parts(page[-1][0])
        untouched = bisect_left(self._places, first) == bisect_right(self._places, last)
        if untouched and not (self._waiting and id_parts(self._waiting[0]) < last):
            return None
        lines: list[Line] = []
        for place, (entry_id, fields) in enumerate(page):
            here = id_parts(entry_id)
            while self._waiting and id_parts(self._waiting[0]) < here:
                self._insert(lines, self._waiting.popleft(), here, place)
            content = self._contents.get(entry_id, _Content(fields, entry_id, None))
            if content is not None:
                lines.append(Line((entry_id, content.fields), content.origin, content.edit, place + 1))
        return lines

    def rest(self) -> list[Line]:
        """What comes after the last page."""
        lines: list[Line] = []
        while self._waiting:
            self._insert(lines, self._waiting.popleft(), self._behind, 0)
        return lines

    def _add(self, place: int, edit: Edit) -> None:
        if isinstance(edit, Insert):
            inserts = self._inserts.setdefault(self._end if edit.after is None else edit.after, [])
            inserts += [(fields, (place, nth)) for nth, fields in enumerate(edit.entries)]
        elif isinstance(edit, Swap):
            (one, first), (other, second) = edit.one, edit.other
            places = self._where(one), self._where(other)
            contents = (
                self._contents.get(places[0], _Content(first, one, None)),
                self._contents.get(places[1], _Content(second, other, None)),
            )
            self._contents[places[1]], self._contents[places[0]] = contents
            self._place_of[one], self._place_of[other] = places[1], places[0]
        else:
            entry_id, _ = edit.entry
            content = _Content(edit.fields, entry_id, (place, 0)) if isinstance(edit, Change) else None
            self._contents[self._where(entry_id)] = content

    def _where(self, entry_id: bytes) -> bytes:
        return self._place_of.get(entry_id, entry_id)

    def _insert(self, lines: list[Line], after: bytes, before: Id | None, place: int) -> None:
        """Entries get ids between their neighbours; where none is free, that of the one before them."""
        last = max(after, lines[-1].entry[0] if lines else START, key=id_parts)
        free = id_after(last)
        if before is None and self._now_ms > id_parts(last)[0]:
            free = b"%d-0" % self._now_ms
        for fields, edit in self._inserts[after]:
            if before is None or id_parts(free) < before:
                last, free = free, id_after(free)
            lines.append(Line((last, fields), None, edit, place))
