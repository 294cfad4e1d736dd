"""One log folded twice, beside each other: as it was, and as it would have been. What comes out differently."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.invariants.asked import unheld_in
from esdash.engine.moments.numbers_between import numbers_between
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position
from esdash.fold.cells import Change
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold, Told
from esdash.fold.outcomes import Outcome
from esdash.fold.sorting import Fields
from esdash.fold.state import State
from esdash.log.facts import id_parts
from esdash.whatif.decisions import Decided, Decisions
from esdash.whatif.edits import Line, Plan

PAGE: Final = 1_000
"""Entries that are folded at a time, where some of them are not those of the log."""

MOST_TRIED: Final = 1_000
"""Entries that were changed or inserted of which it is kept what they do."""


class Place(NamedTuple):
    """Where an entry stands, or would."""

    ordinal: int
    """Of the entry of the log that stands there, or behind which it is inserted; 0: before the first."""
    nth: int
    """The n-th that is inserted behind that; 0: there stands the entry itself."""

    def named(self, unseen: int) -> str:
        """`#130`, `#130a` for the first one behind it, `#130aa` for the 27th."""
        letters, nth = "", self.nth
        while nth:
            nth, letter = divmod(nth - 1, 26)
            letters = chr(ord("a") + letter) + letters
        return f"#{self.ordinal + unseen:,}{letters}"


class Tried(Struct, frozen=True, gc=False):
    """An entry that says what none of the log does."""

    edit: tuple[int, int]
    """The edit that made it, and the entry among those of that, both from 0."""
    place: Place
    entry: Entry
    outcome: Outcome
    told: Told


class Consequences(Struct, frozen=True):
    """What would have been otherwise."""

    begin: Position
    """Up to here all is the same."""
    end: Position
    """Of the log as it is: what is compared is the state after this entry."""
    numbers: Sequence[Change]
    """Before: as it was; after: as it would have been. By table, key and column."""
    decided: Sequence[Decided]
    """In the order of the log; the first to be found, at most so many as `decisions.MOST_DECIDED`."""
    count: int
    """How many there are."""
    tried: Sequence[Tried] = ()
    """At most MOST_TRIED."""
    ordinals: Mapping[bytes, int] = {}
    """Of the entries of the log that an edit is about, by id."""
    unheld: Sequence[str] = ()
    """Invariants that would not hold at the end; none that does not hold as it is, either."""

    @property
    def differ(self) -> bool:
        """Whether anything would be otherwise."""
        return bool(self.numbers or self.count or self.unheld)


class OtherwiseError(EngineError):
    """A function of the domain fails on what would have been."""


class Beside:
    """Follows a state through the log (`engine.moments.history`), and makes another one beside it."""

    def __init__(
        self,
        was: Projection,
        fold: Fold,
        state: State,
        plan: Plan,
        on_page: Callable[[int], object] = id,
    ) -> None:
        """`state` is what `fold` goes on with, and `was` stands where both begin. `on_page` hears how many entries the
        one beside it consists of so far; what it raises ends it.
        """
        self._was = was
        self._fold = fold
        self._state = state
        self._plan = plan
        self._begin = was.position
        self._decisions = Decisions(was.domain.outcomes, fold.outcomes)
        self._moved = plan.moved
        self._edited = frozenset(plan.places)
        self._tried: list[Tried] = []
        self._was_of: dict[bytes, tuple[int, int]] = {}
        """Of entries that stand somewhere else: ordinal and code, as it was."""
        self._now_of: dict[bytes, tuple[int, Fields]] = {}
        """Code and fields, as it would be."""
        self._ordinals: dict[bytes, int] = {}
        self._at = Place(was.ordinal, 0)
        self._on_page = on_page
        self._done = was.ordinal

    def see(self, first: int, page: Sequence[Entry], codes: bytes) -> None:
        """A page of the log was folded; its first entry has ordinal `first`. Raises OtherwiseError."""
        lines = self._plan.page(page)
        if lines is not None:
            there = {entry_id: (first + place, codes[place]) for place, (entry_id, _) in enumerate(page)}
            self._see_lines(lines, first, there)
        else:
            now = self._folded(page, None, lambda place: Place(first + place, 0))
            for place in self._decisions.otherwise(codes, now):
                self._decide(first + place, page[place], codes[place], now[place])
        self._at = Place(first + len(page) - 1, 0)

    def end(self) -> Consequences:
        """The log is at its end. Raises OtherwiseError."""
        self._see_lines(self._plan.rest(), self._at.ordinal + 1, {})
        if gone := self._plan.entries - self._ordinals.keys():
            entry = min(gone, key=id_parts).decode()
            raise OtherwiseError(f"Entry {entry} is not in the stream, so nothing can be tried with it.")
        for entry_id, (code, fields) in self._now_of.items():
            ordinal, was = self._was_of[entry_id]
            self._decide(ordinal, (entry_id, fields), was, code)
        return Consequences(
            self._begin,
            self._was.position,
            list(numbers_between(self._was.domain, self._was.state, self._fold, self._state)),
            self._decisions.decided(),
            self._decisions.count,
            self._tried,
            self._ordinals,
            self._unheld(),
        )

    def _unheld(self) -> list[str]:
        found = unheld_in(self._fold, self._state)
        former = unheld_in(self._was.domain, self._was.state) if found else ()
        return [name for name in found if name not in former]

    def _see_lines(self, lines: Sequence[Line], first: int, there: Mapping[bytes, tuple[int, int]]) -> None:
        """`there` has ordinal and code of each entry of the page that the lines stand for; the first is `first`."""
        for entry_id in self._moved.intersection(there):
            self._was_of[entry_id] = there[entry_id]
        self._ordinals.update((each, there[each][0]) for each in self._edited.intersection(there))
        for start in range(0, len(lines), PAGE):
            self._see_some(lines[start : start + PAGE], first, there)

    def _see_some(self, lines: Sequence[Line], first: int, there: Mapping[bytes, tuple[int, int]]) -> None:
        places: list[Place] = []
        for line in lines:
            ordinal, at = first - 1 + line.place, self._at
            nth = at.nth + 1 if at.ordinal == ordinal else 1
            self._at = Place(ordinal, nth if line.origin is None else 0)
            places.append(self._at)
        wanted = len(self._tried) < MOST_TRIED and any(line.edit is not None for line in lines)
        told: list[Told] | None = [] if wanted else None
        codes = self._folded([line.entry for line in lines], told, places.__getitem__)
        for place, (at, line, code) in enumerate(zip(places, lines, codes, strict=True)):
            if line.edit is not None and told is not None and len(self._tried) < MOST_TRIED:
                self._tried.append(Tried(line.edit, at, line.entry, self._fold.outcomes[code], told[place]))
            if line.origin in self._moved:
                self._now_of[line.origin] = code, line.entry[1]
            elif line.origin is not None:
                ordinal, was = there[line.origin]
                self._decide(ordinal, line.entry, was, code)

    def _folded(self, page: Sequence[Entry], told: list[Told] | None, at: Callable[[int], Place]) -> bytes:
        try:
            codes = self._fold.fold(self._state, page, told)
        except DomainError as error:
            number = at(len(error.codes)).named(self._begin.unseen)
            raise OtherwiseError(f"The rules fail on {number}, {error.where}: {error.what.rstrip('.')}.") from error
        self._done += len(page)
        self._on_page(self._done)
        return codes

    def _decide(self, ordinal: int, entry: Entry, was: int, now: int) -> None:
        if not self._decisions.differ(was, now):
            return
        entry_id, fields = entry
        self._decisions.add(ordinal, entry_id, self._fold.sorter.type_of(fields), fields, was, now)
