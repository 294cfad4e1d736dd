"""The promises that the functions of a domain make, tried on entries."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from esdash.checking import outside, shrinking
from esdash.checking.doings import Doings
from esdash.checking.making import Maker
from esdash.checking.reading import undeclared
from esdash.checking.ways import CLOSELY, Run, Ways, guarded, result
from esdash.domain import EventType, Invariant
from esdash.engine.invariants.asked import UnfitInvariantError, holds_in
from esdash.fold import decoding
from esdash.fold.declaration import invariants_of
from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State

PROMISES: Final = {
    "samples": "Samples are events of the domain, which can be published.",
    "writes": "An event that is written is read as the same one.",
    "describes": "Every event is described in a line.",
    "returns": "A rule returns None, a reason of the domain, or a Refusal.",
    "raises": "No rule raises.",
    "kinds": "Cells hold values of their columns' kinds, and no row is without its first column.",
    "ends": "Every rule ends.",
    "trace": "A refusal leaves no trace.",
    "outside": "Rules read and change nothing but the state.",
    "invariants": "The invariants hold after every entry.",
    "again": "The same entries give the same state again.",
    "pages": "They give it in pages of every size.",
    "cuts": "They give it when the state is stored and restored after every entry.",
    "forks": "They give it while snapshots are taken of it.",
    "fast": "They give it on bare mappings and with every write checked.",
    "elsewhere": "They give it in other processes, with another hash seed, time zone, locale and clock.",
}

SAME: Final = ("again", "pages", "cuts", "forks", "fast", "elsewhere")
"""Those of the same state."""

PAGES: Final = (1, 2, 3, 7, 50)

SHRINKING: Final = 3.0
"""Seconds in which the smallest input is looked for, a promise."""


class Broken(NamedTuple):
    """A promise that is not kept."""

    promise: str
    input: list[Entry]
    where: str


class Check:
    """Tries a domain; `broken` grows meanwhile."""

    def __init__(
        self, fold: Fold, trying: Callable[[Sequence[Entry]], object] = lambda _: None, seconds: float = 60
    ) -> None:
        """`trying` is told what is about to be folded, which may never come back. After `seconds` it tries no more."""
        self._until = time.monotonic() + seconds
        self.unfinished = False
        """Whether it ran out of time."""
        self._fold = fold
        self._fold.careful = True
        self._ways = Ways(fold)
        self._trying = trying
        self._found: dict[tuple[str, str], None] = {}
        self._fickle: tuple[str, list[Entry]] | None = None
        """Entries of which once another state came, and what was looked at."""
        self.broken: list[Broken] = []
        self.tried: set[str] = set()
        """The promises that were looked at."""
        self.state = fold.empty()
        """After everything that could be folded."""

    def entries(self) -> list[Entry]:
        """What the domain is tried on."""
        self.tried |= {"samples"} if self._fold.domain.sample else set()
        maker = Maker(self._fold)
        try:
            maker.take_samples()
            for event in maker.samples:
                event_type = self._fold.type_of(event)
                if self._fold.made(event_type, self._fold.encode(event)[1])[0] is None:
                    raise ValueError(f"{event!r:.100} is no event that the model understands")
        except Exception as error:  # noqa: BLE001 - whatever the function of the domain raises
            sample = getattr(self._fold.domain.sample, "__code__", None)
            self._break("samples", [], f"{_place(sample)}: {type(error).__name__}: {error}")
            maker.samples = []
        return maker.entries()

    def one_by_one(self, entries: Sequence[Entry]) -> list[Entry]:
        """Fold each, looking at everything around it; those that could be folded."""
        self.tried |= {"returns", "raises", "kinds", "ends", "trace", "outside"}
        self.tried |= {"invariants"} if self._fold.domain.invariants else set()
        self.tried |= {"describes"} if self._fold.domain.describe else set()
        places = outside.Places(self._fold)
        doings = Doings(self._fold)
        invariants = list(invariants_of(self._fold.domain))
        kept: list[Entry] = []
        step = 1 + len(entries) // CLOSELY
        for number, entry in enumerate(entries):
            if self._is_late():
                break
            closely = number % step == 0
            self._trying([entry])
            so_far = [*kept, entry]
            with doings:
                self._look_at_event(so_far)
            self._describe(entry)
            self._write(entry)
            before = [cells.copy() for cells in self.state.cells] if closely else []
            try:
                with doings:
                    code = self._fold.fold(self.state, [entry])[0]
            except DomainError as error:
                self._break(_promise_of(error), so_far, error.where, self._fails(error.where))
                continue
            except KeyboardInterrupt as error:
                self._break("raises", [entry], f"{self._where(entry)}: {type(error).__name__}")
                continue
            if self._fold.outcomes[code].name != "applied" and closely and self.state.cells != before:
                self._break("trace", so_far, self._where(entry), self._leaves_a_trace)
            kept.append(entry)
            if changed := places.changed():
                self._break(
                    "outside", so_far, f"{self._where(entry)}: {', '.join(changed)}", self._changes(places, changed)
                )
            for where, what in doings.heard():
                self._break("outside", so_far, f"{where}: {what}", self._does(doings, where))
            for invariant in tuple(invariants) if closely else ():
                if (said := self._unheld(invariant, self.state)) is not None:
                    invariants.remove(invariant)
                    source = getattr(invariant.condition, "__code__", None)
                    where = f"{_place(source)}: {invariant.name}" if source else f"the invariant {invariant.name}"
                    self._break("invariants", so_far, where + said, self._violates(invariant, said))
        for rule, line, reason in undeclared(self._fold):
            if ("returns", rule) not in self._found:
                self._break("returns", [], f"{line}: {reason}")
        return kept

    def once_more(self, entries: Sequence[Entry]) -> None:
        """Fold all twice, one after the other: rules meet entries that they know in a state that they do not."""
        twice = [*entries, *entries]
        self._trying(twice[-1:])
        try:
            self._fold.fold(self._fold.empty(), twice)
        except DomainError as error:
            self._break(_promise_of(error), twice[: len(error.codes) + 1], error.where, self._fails(error.where))

    def compare(self, entries: list[Entry], elsewhere: Sequence[Run]) -> None:
        """Fold all, in every way in which the same must come of it."""
        self._trying(entries[-1:])
        if self._same("again", entries, self._ways.whole, self._ways.whole):
            for size in PAGES:
                self._same("pages", entries, self._ways.whole, self._ways.in_pages(size))
            self._same("cuts", entries, self._ways.whole, self._ways.restored)
            self._same("forks", entries, self._ways.whole, self._ways.forked)
            if self._fold.domain.fast:
                self._same("fast", entries, self._ways.whole, self._ways.on_bare)
            for run in elsewhere:
                # The other process has not met the first half, which this one may remember.
                if self._same("elsewhere", entries[len(entries) // 2 :], self._ways.whole, run):
                    self._same("elsewhere", entries, self._ways.whole, run)
        if self._fickle is not None and not any(each.promise in SAME for each in self.broken):
            self._break(*self._fickle, "the domain")

    # What is looked at

    def _is_late(self) -> bool:
        self.unfinished = self.unfinished or time.monotonic() > self._until
        return self.unfinished

    def _same(self, promise: str, entries: list[Entry], one: Run, other: Run) -> bool:
        if self._is_late():
            return True
        self.tried.add(promise)

        def differs(some: list[Entry]) -> bool:
            return guarded(one, some) != guarded(other, some)

        if not differs(entries):
            return True
        found = self._smallest(entries, differs)
        if not any(differs(found) for _ in range(3)):
            # What cannot be shown again is nothing that the last rule did.
            self._fickle = self._fickle or (promise, entries)
            return True
        self._break(promise, found, self._where(found[-1]))
        return False

    def _look_at_event(self, so_far: list[Entry]) -> None:
        if self._changes_event(self.state, so_far[-1]):
            self._break("outside", so_far, f"{self._where(so_far[-1])}: the event", self._changes_its_event)

    def _describe(self, entry: Entry) -> None:
        describe, event = self._fold.domain.describe, self._fold.read(entry[1]).event
        if describe is not None and event is not None:
            described: object = None
            with suppress(Exception, SystemExit):  # whatever it raises, there is no line then
                described = describe(event)
            if not isinstance(described, str):
                self._break("describes", [entry], _place(getattr(describe, "__code__", None)))

    def _write(self, entry: Entry) -> None:
        event = self._fold.read(entry[1]).event
        if event is None or (event_type := self._fold.type_of(event)) not in self._fold.publishable:
            return
        self.tried.add("writes")
        data = self._fold.encode(event)[1]
        if self._fold.made(event_type, data)[0] is None:
            self._break("writes", [entry], event_type.model.__name__)

    def _unheld(self, invariant: Invariant, state: State) -> str | None:
        """None where it holds; else why its function can tell nothing of the state, or an empty text."""
        try:
            return None if holds_in(self._fold, state, invariant) else ""
        except UnfitInvariantError as error:
            return f" ({error})"

    def _violates(self, invariant: Invariant, said: str) -> shrinking.Shows:
        def shows(entries: list[Entry]) -> bool:
            state = self._fold.empty()
            guarded(lambda some: str(self._fold.fold(state, some)), entries)
            return self._unheld(invariant, state) == said

        return shows

    def _changes_event(self, state: State, entry: Entry) -> bool:
        event = self._fold.read(entry[1]).event
        if event is None:
            return False
        before = decoding.encode(event)
        with suppress(DomainError, KeyboardInterrupt):  # which the fold itself meets next
            self._fold.decide(state, event, entry[0])
        return decoding.encode(event) != before

    def _changes_its_event(self, entries: list[Entry]) -> bool:
        state = self._fold.empty()
        guarded(lambda some: str(self._fold.fold(state, some)), entries[:-1])
        return self._changes_event(state, entries[-1])

    def _changes(self, places: outside.Places, names: list[str]) -> shrinking.Shows:
        def shows(entries: list[Entry]) -> bool:
            places.changed()
            result(self._fold, entries)
            return set(names) <= set(places.changed())

        return shows

    def _does(self, doings: Doings, where: str) -> shrinking.Shows:
        def shows(entries: list[Entry]) -> bool:
            with doings:
                result(self._fold, entries)
            return where in dict(doings.heard())

        return shows

    def _leaves_a_trace(self, entries: list[Entry]) -> bool:
        state = self._fold.empty()
        with suppress(DomainError):
            self._fold.fold(state, entries[:-1])
            before = [cells.copy() for cells in state.cells]
            code = self._fold.fold(state, entries[-1:])[0]
            return self._fold.outcomes[code].name != "applied" and state.cells != before
        return False

    def _fails(self, where: str) -> shrinking.Shows:
        def shows(entries: list[Entry]) -> bool:
            try:
                self._fold.fold(self._fold.empty(), entries)
            except DomainError as error:
                return error.where == where and len(error.codes) == len(entries) - 1
            return False

        return shows

    def _smallest(self, entries: list[Entry], shows: shrinking.Shows) -> list[Entry]:
        until = min(time.monotonic() + SHRINKING, self._until)

        def tried(some: list[Entry]) -> bool:
            self._trying(some)
            return shows(some)

        simpler = partial(shrinking.simpler, self._fold)
        return shrinking.smallest(entries, tried, simpler, lambda: time.monotonic() < until)

    def _break(self, promise: str, entries: list[Entry], where: str, shows: shrinking.Shows | None = None) -> None:
        if (promise, where) not in self._found and len(self._found) < 20:
            self._found[promise, where] = None
            self.broken.append(Broken(promise, self._smallest(entries, shows) if shows else entries, where))

    def _where(self, entry: Entry) -> str:
        """The rule that applies an entry."""
        read = self._fold.read(entry[1])
        event_type: EventType | None = read.type if read.event is None else self._fold.type_of(read.event)
        return _place(getattr(event_type.apply, "__code__", None)) if event_type else self._fold.name

    def count(self, entries: Sequence[Entry]) -> dict[str, int]:
        """How many entries of each event type were understood."""
        counts = {f"{each.wire_name} v{each.v} {each.encoding}": 0 for each in self._fold.domain.events}
        for _, fields in entries:
            read = self._fold.read(fields)
            if read.type is not None and read.event is not None:
                counts[f"{read.type.wire_name} v{read.type.v} {read.type.encoding}"] += 1
        return counts

    def unreached(self) -> list[str]:
        """The reasons that no entry was refused for."""
        outcomes = zip(self._fold.outcomes, self.state.counts, strict=True)
        own = self._fold.domain.reasons
        return [outcome.reason for outcome, count in outcomes if not count and outcome.reason in own and outcome.reason]


def _promise_of(error: DomainError) -> str:
    if "none of the domain's reasons" in error.what:
        return "returns"
    return "kinds" if type(error.__cause__).__name__ == "UnfitError" else "raises"


def _place(code: Any) -> str:
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code is not None else "the domain"
