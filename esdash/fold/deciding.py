"""The loops over the entries of a page: event after event is applied, and a refusal undone."""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import call
from typing import Any

from esdash.domain import Refusal
from esdash.fold.hooks import OverflowedError, Seen, UnfitError
from esdash.fold.reading import Apply, skip
from esdash.fold.recording import UNTOLD, Record, Told, told_by
from esdash.fold.sorting import Sorted


class Decider:
    """Decides the entries of one page.

    Each loop writes the code of every refusal into `codes` and keeps `place` at the entry that is being decided: where
    a function of the domain raises, that is the one it failed on.
    """

    __slots__ = ("_reasons", "place")

    def __init__(self, reasons: Mapping[str, int]) -> None:
        """`reasons`: the codes of those for which an entry may be refused."""
        self._reasons = reasons
        self.place = 0

    def checked(
        self,
        seen: Seen,
        page: Sorted,
        events: list[Any],
        applies: list[Apply],
        codes: bytearray,
        told: Callable[[Told], object],
        *,
        changes: bool,
    ) -> None:
        """With every write checked. `told` hears of every entry, before the journal is cleared; of its `changes`, too,
        where those are wanted."""
        journal, raised, entry, view = seen.journal, seen.raised, seen.entry, seen.state
        keys, ids = page.keys, page.ids
        place = 0
        try:
            for place, (apply, event) in enumerate(zip(applies, events, strict=True)):
                if apply is skip:
                    told(UNTOLD)
                    continue
                if ids:
                    entry._id, entry._key = ids[place], keys[place] if keys else None
                try:
                    refusal = apply(view, event)
                except OverflowedError:
                    refusal = "overflow"
                if refusal is not None or raised:
                    codes[place] = self.refuse(seen, refusal, told)
                elif journal:
                    seen.require_rows()
                    told(Told(seen.changes()) if changes else UNTOLD)
                    journal.clear()
                else:
                    told(UNTOLD)
        finally:
            self.place = place

    def bare(self, seen: Seen, events: list[Any], applies: list[Apply], codes: bytearray) -> None:
        """For functions that need no checks: the loop is one of C."""
        refusals: list[Any] = []
        try:
            refusals.extend(map(call, applies, repeat(seen.state), events))
        finally:
            self.place = len(refusals)
        if refusals.count(None) != len(refusals):
            for place, refusal in enumerate(refusals):
                if refusal is not None:
                    self.place = place
                    codes[place] = self._code(refusal)

    def noted(self, seen: Seen, events: list[Any], applies: list[Apply], codes: bytearray, record: Record) -> None:
        """The same, and every write is noted. Where a function fails, what is to be undone is left."""
        first, done = len(record), seen.done
        done[:] = [None] * first
        try:
            # A list grows with each thing that it is extended by, and a write is noted with how long it is.
            done.extend(map(call, applies, repeat(seen.state), events))
        finally:
            try:
                self._refused(done[first:], codes, record)
            finally:
                seen.writes.move(record.writes, first + self.place)

    def _refused(self, refusals: Sequence[Any], codes: bytearray, record: Record) -> None:
        if refusals.count(None) != len(refusals):
            for self.place, refusal in enumerate(refusals):
                if refusal is not None:
                    codes[self.place] = self._code(refusal)
                    if isinstance(refusal, Refusal):
                        record.decide(self.place, refusal)
        self.place = len(refusals)

    def refuse(self, seen: Seen, refusal: Any, told: Callable[[Told], object]) -> int:
        """Undo what an entry wrote; the code of the reason. Raises UnfitError where it was caught by the rule."""
        for each in seen.raised:
            if isinstance(each, UnfitError):
                raise each
        if seen.raised:
            refusal = "overflow"
        seen.undo()
        code = self._code(refusal)
        told(told_by(refusal))
        return code

    def _code(self, refusal: Any) -> int:
        reason = refusal if refusal.__class__ is str else getattr(refusal, "reason", refusal)
        code = self._reasons.get(reason) if isinstance(reason, str) else None
        if code is None:
            raise UnfitError(f"it returned {reason!r:.60}, which is none of the domain's reasons")
        return code
