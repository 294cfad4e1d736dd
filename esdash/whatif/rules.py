"""What other rules make of a log, beside what the rules that there are made of it. No snapshot of either is used."""

from collections.abc import Callable, Sequence

import msgspec

from esdash.engine.console import EngineError
from esdash.engine.invariants.asked import UnfitInvariantError, holds_in, unheld_in
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.moments.numbers_between import numbers_between
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Position
from esdash.fold import sorting
from esdash.fold.apart import Apart
from esdash.fold.declaration import invariants_of
from esdash.fold.failing import DomainError
from esdash.fold.folding import Fold
from esdash.fold.sorting import FIRST, Kinds
from esdash.fold.writing import packing
from esdash.log.pages import PackedPage, Page
from esdash.log.stream import START, Stream, id_parts
from esdash.whatif.beside import Consequences, OtherwiseError
from esdash.whatif.decisions import Decisions


class MovedError(EngineError):
    """The log is not any more what the old rules were applied to: it has to be folded anew by both."""


class Comparing:
    """Compares the pages of a log, and the states at its end, under old and new rules."""

    def __init__(self, old: Fold, new: Fold) -> None:
        """Raises EngineError for what has no rules."""
        for fold in (old, new):
            if fold.readonly:
                raise EngineError(f"The domain {fold.name} has no rules, so there is nothing to compare.")
        self._old, self._new = old, new
        self._decisions = Decisions(old.outcomes, new.outcomes)
        alike = _with_ids(old.kinds) == _with_ids(new.kinds)
        self.packing = packing(_with_ids(new.kinds)) if alike else ""
        """What sorts pages for both in another process; empty where they do not sort alike."""
        self.next = 1
        """The ordinal of the first entry of the next page."""

    def see(self, first: int, page: Page | PackedPage, was: bytes | bytearray, now: bytes) -> None:
        """What both decided of a page; its first entry has ordinal `first`."""
        self.next = first + page.count
        places = self._decisions.otherwise(was, now)
        if not places:
            return
        ids, types = self._named(page, places)
        for place, entry_id, event_type in zip(places, ids, types, strict=True):
            self._decisions.add(first + place, entry_id, event_type, (), was[place], now[place])

    def _named(self, page: Page | PackedPage, places: Sequence[int]) -> tuple[list[bytes], list[str]]:
        """Ids and types of the entries in some places of a page."""
        if isinstance(page, Page):
            entries = [page.entries[place] for place in places]
            one, other = self._new.sorter.type_of, self._old.sorter.type_of
            return [entry_id for entry_id, _ in entries], [one(fields) or other(fields) for _, fields in entries]
        # What is parked without a look at its payload is so by both, since they sort alike.
        found, names = sorting.from_bytes(page.packed), [each.wire_name for each in self._new.domain.events]
        return [found.ids[place] for place in places], [names[found.kinds[place] - FIRST] for place in places]

    def end(self, was: Projection, now: Projection) -> Consequences:
        """Both stand at the end. Raises OtherwiseError where an invariant of the new rules can tell nothing."""
        return Consequences(
            Position(START.decode(), 0, was.unseen),
            was.position,
            list(numbers_between(self._old, was.state, self._new, now.state)),
            self._decisions.decided(),
            self._decisions.count,
            unheld=self._unheld(was, now),
        )

    def _unheld(self, was: Projection, now: Projection) -> list[str]:
        found = []
        for each in invariants_of(self._new.domain):
            try:
                if not holds_in(self._new, now.state, each):
                    found.append(each.name)
            except UnfitInvariantError as error:
                number = now.ordinal + now.unseen
                why = f"The invariant {each.name} of the new rules can tell nothing after #{number:,}"
                raise OtherwiseError(f"{why}: {str(error).rstrip('.')}.") from error
        former = unheld_in(self._old, was.state) if found else ()
        return [name for name in found if name not in former]


def compare(
    log: Stream, old: Apart, new: Apart, until: bytes, on_page: Callable[[Projection], object] = id
) -> Consequences:
    """What is otherwise by the new rules after the entry `until`, from the beginning of the log: read once for both.

    `on_page` hears of the old projection, page after page. Raises OtherwiseError where rules fail on an entry, or an
    invariant on what comes out, EngineError where entries are missing; LogError.
    """
    comparing = Comparing(old.fold, new.fold)
    was, now = Projection(old.fold), Projection(new.fold)

    def see(first: int, page: Page | PackedPage, codes: bytes) -> None:
        now.unseen = was.unseen
        try:
            with new:
                found = now.apply_ahead(page)
        except DomainError as error:
            raise _failed("new", error, comparing.next + now.unseen) from error
        comparing.see(first, page, codes, found)

    try:
        with old:
            History(log, old.fold, on_page=on_page).advance_far(was, see, until, comparing.packing)
    except DomainError as error:
        raise _failed("old", error, comparing.next + was.unseen) from error
    with new:
        return comparing.end(was, now)


class Kept:
    """What old rules made of a log, kept to be compared with others again and again: a byte an entry, and the state."""

    def __init__(self, fold: Fold) -> None:
        self._fold = fold
        self._packing = fold.packing
        self.was = Projection(fold)
        self._codes = bytearray()
        self.failure = ""
        """Why it ends before the log does: a sentence; empty where it does not."""

    def advance(self, log: Stream, on_page: Callable[[Projection], object] = id) -> None:
        """Go on to the end of the log. Raises MovedError, LogError."""
        until = log.facts().last_id
        while not self.failure and id_parts(self.was.last_id) < id_parts(until):
            try:
                History(log, self._fold, on_page=on_page).advance_far(self.was, self._keep, until, self._packing)
            except BrokenError as error:
                raise MovedError(str(error)) from error
            except DomainError as error:
                if error.spoiled:
                    # Once more, page by page: the fold is careful from now on, and stops before the entry.
                    self.was, self._codes, self._packing = Projection(self._fold), bytearray(), ""
                else:
                    self.failure = str(_failed("old", error, len(self._codes) + 1 + self.was.unseen))
                    self._codes += error.codes

    def beside(self, log: Stream, new: Fold, on_page: Callable[[Projection], object] = id) -> Consequences:
        """What is otherwise by new rules. `on_page` hears of their projection.

        Raises OtherwiseError where they fail on an entry, or an invariant on what comes out; MovedError, LogError.
        """
        comparing, was, now = Comparing(self._fold, new), self.was, Projection(new)

        def see(first: int, page: Page | PackedPage, codes: bytes) -> None:
            if now.unseen != was.unseen:
                raise MovedError("Entries left the stream meanwhile.")
            comparing.see(first, page, self._codes[first - 1 : first - 1 + page.count], codes)

        try:
            if was.ordinal:
                History(log, new, on_page=on_page).advance_far(now, see, was.last_id, comparing.packing)
        except BrokenError as error:
            raise MovedError(str(error)) from error
        except DomainError as error:
            raise _failed("new", error, comparing.next + now.unseen) from error
        if now.ordinal != was.ordinal:
            raise MovedError("Entries left the stream meanwhile.")
        return comparing.end(was, now)

    def _keep(self, _: int, __: Page | PackedPage, codes: bytes) -> None:
        self._codes += codes


def _failed(rules: str, error: DomainError, first: int) -> OtherwiseError:
    """`first` is the number of the first entry of the page on which rules failed."""
    number = first + len(error.codes)
    return OtherwiseError(f"The {rules} rules fail on #{number:,}, {error.where}: {error.what.rstrip('.')}.")


def _with_ids(kinds: Kinds) -> Kinds:
    return msgspec.structs.replace(kinds, ids=True)
