"""What other rules make of a log, as it goes from one process to another: text, since each domain has formats of its
own."""

from typing import Final

from msgspec import Struct

from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.whatif.beside import Consequences
from esdash.words.changes import by_size, text_between

MOST: Final = 5_000
"""Entries, and numbers, that are told one by one."""


class Number(Struct, frozen=True, array_like=True):
    """A number that is another one; made of text of the stream, which is not made harmless here."""

    name: str
    was: str
    now: str
    moved: str


class Entry(Struct, frozen=True, array_like=True):
    """An entry that is decided otherwise."""

    number: int
    """As people count."""
    entry_id: str
    type: str
    was: Outcome
    now: Outcome


class Result(Struct, frozen=True):
    """A log, folded by old and new rules."""

    entries: int
    number_count: int
    decided_count: int
    numbers: list[Number]
    """Those that differ most first; at most MOST."""
    decided: list[Entry]
    """The first in the log first; at most MOST."""
    same_version: bool
    """The new rules call themselves as the old ones do."""
    version: str
    """Of the new rules."""
    ends: str = ""
    """Why the comparison ends before the log does: a sentence; empty where it does not."""
    unheld: list[str] = []
    """Invariants that do not hold any more."""

    @property
    def differ(self) -> bool:
        """Whether anything is otherwise."""
        return bool(self.asks_for_a_version or self.unheld)

    @property
    def asks_for_a_version(self) -> bool:
        """Whether the state is another one, or how it came to be: what holds of it alone changes no snapshot."""
        return bool(self.number_count or self.decided_count)


class Told(Struct, frozen=True):
    """How far it is with the rules as they were saved last."""

    saved_ms: int = 0
    """When that was noticed, Unix ms; 0: nothing was saved since the old rules were taken."""
    folding: bool = False
    done: int = 0
    total: int = 0
    """Of so many entries, while they are folded."""
    error: str = ""
    """Why there is no result: a sentence."""
    stuck: bool = False
    """No save is told any more, until the rules in the file become the old ones."""
    result: Result | None = None


def result_of(old: Fold, new: Fold, found: Consequences, ends: str) -> Result:
    """What was found, in words."""
    numbers = [text_between(old, new, change) for change in by_size(found.numbers, new, old)[:MOST]]
    return Result(
        found.end.ordinal,
        len(found.numbers),
        found.count,
        [Number(each.number, each.before, each.after, each.moved) for each in numbers],
        [
            Entry(each.ordinal + found.end.unseen, each.entry_id.decode(), each.type, each.was, each.now)
            for each in found.decided[:MOST]
        ],
        (old.name, old.version) == (new.name, new.version),
        new.version,
        ends,
        list(found.unheld),
    )
