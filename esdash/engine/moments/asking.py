"""Whether an entry is one that a question asks for. Where entries come from is another's matter."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.log.facts import id_parts
from esdash.query.conditions import compare
from esdash.query.patterns import Pattern
from esdash.query.places import Id
from esdash.query.questions import Question
from esdash.query.terms import (
    AboutRow,
    Compared,
    Matches,
    OfId,
    OfKey,
    OfOutcome,
    OfReason,
    OfType,
    Says,
    Since,
    Until,
)
from esdash.query.trees import All, Either, Negated
from esdash.words.entries import describe, describe_event, type_of
from esdash.words.lines import line_of

Reach = Callable[[Since | Until], Id]
"""The least id that a place reaches from, or the greatest that it reaches up to. Raises what the log does."""

_UNREAD: Final = object()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def codes_of(fold: Fold, term: OfOutcome | OfReason) -> frozenset[int]:
    by_name = isinstance(term, OfOutcome)
    return frozenset(
        code for code, outcome in enumerate(fold.outcomes) if (outcome.name if by_name else outcome.reason) == term.name
    )


class Examined:
    """One entry as a question looks at it: each part is made when it is first wanted."""

    __slots__ = ("_event", "_fold", "_line", "_rows", "_unseen", "row")

    def __init__(self, fold: Fold, row: Row, unseen: int, event: Any = _UNREAD) -> None:
        """`unseen` entries had left the stream before the row's history began; `event` is what it says, where that was
        read with others."""
        self.row = row
        self._fold = fold
        self._unseen = unseen
        self._event = event
        self._line: str | None = None
        self._rows: frozenset[tuple[str, int | str]] | None = None

    @property
    def event(self) -> Any:
        """What it says; None where that cannot be understood."""
        if self._event is _UNREAD:
            self._event = self._fold.read(self.row.fields).event
        return self._event

    @property
    def line(self) -> str:
        """What people read of it."""
        if self._line is None:
            row, fold, event = self.row, self._fold, self.event
            said = describe(fold, row.fields) if event is None else describe_event(fold, event)
            number = row.ordinal + self._unseen
            self._line = line_of(fold, number, row.entry_id, row.fields, said, row.code, row.told)
        return self._line

    @property
    def rows(self) -> frozenset[tuple[str, int | str]]:
        """The rows that it is about, (table, key): those that its event names, and those that it changed."""
        if self._rows is None:
            told, event = self.row.told, self.event
            rows = {(change.table, change.key) for change in told.changes} if told is not None else set()
            if event is not None:
                rows.update(self._fold.model(event).rows(event))
            self._rows = frozenset(rows)
        return self._rows


Holds = Callable[[Examined], bool]


class Asked:
    """A question that is put to one entry after the other."""

    def __init__(self, fold: Fold, question: Question, reach: Reach) -> None:
        """`reach` is asked once for each `since:` and `until:`; what it raises is raised here."""
        self._fold = fold
        self._reach = reach
        self._holds = self._made(question)

    def __call__(self, entry: Examined) -> bool:
        """Whether the question asks for an entry."""
        return self._holds(entry)

    def _made(self, tree: Any) -> Holds:
        if isinstance(tree, All):
            parts = [self._made(part) for part in tree.parts]
            return lambda entry: all(holds(entry) for holds in parts)
        if isinstance(tree, Either):
            ways = [self._made(part) for part in tree.parts]
            return lambda entry: any(holds(entry) for holds in ways)
        if isinstance(tree, Negated):
            part = self._made(tree.part)
            return lambda entry: not part(entry)
        return self._term(tree)

    def _term(self, term: Any) -> Holds:
        fold = self._fold
        if isinstance(term, OfType):
            return lambda entry: type_of(fold, entry.row.fields) == term.name
        if isinstance(term, OfOutcome | OfReason):
            codes = codes_of(fold, term)
            return lambda entry: entry.row.code in codes
        if isinstance(term, OfKey):
            return lambda entry: self._key(entry) == term.key
        if isinstance(term, OfId):
            return lambda entry: _is_of(id_parts(entry.row.entry_id), term)
        if isinstance(term, Since):
            first = self._reach(term)
            return lambda entry: id_parts(entry.row.entry_id) >= first
        if isinstance(term, Until):
            last = self._reach(term)
            return lambda entry: id_parts(entry.row.entry_id) <= last
        if isinstance(term, AboutRow):
            row = term.table, term.key
            return lambda entry: row in entry.rows
        if isinstance(term, Compared):
            return _compared(term)
        if isinstance(term, Says):
            text = term.text.casefold()
            return lambda entry: text in entry.line.casefold()
        assert isinstance(term, Matches), "every term is known"
        pattern = Pattern(term.pattern, ignoring_case=term.ignoring_case)
        return lambda entry: pattern.search(entry.line)

    def _key(self, entry: Examined) -> str | None:
        key = self._fold.keys.of(entry.row.fields)
        return None if key is None else key.decode("utf-8", "backslashreplace")


def bounds_of(question: Question) -> Iterator[Since | Until]:
    """The terms without which no entry is asked for, and that say from where, or up to where, entries are."""
    for part in question.parts if isinstance(question, All) else (question,):
        if isinstance(part, Since | Until):
            yield part


def _is_of(entry_id: Id, term: OfId) -> bool:
    milliseconds, sequence = entry_id
    return milliseconds == term.milliseconds and term.sequence in (None, sequence)


def _compared(term: Compared) -> Holds:
    return lambda entry: compared(term, [entry.event])[0]


def compared(term: Compared, events: Sequence[Any]) -> list[bool]:
    """Which of some events have a field that is so; None has none."""
    found = [False] * len(events)
    operator = term.operator
    types = list(map(type, events))
    for each in term.meant:
        low, high, path = each.low, each.high, each.path
        for place in [place for place, kind in enumerate(types) if kind is each.model]:
            for value in _values(events[place], path):
                if compare(value if type(value) is int else _plain(value), operator, low, high):
                    found[place] = True
                    break
    return found


def _values(value: Any, path: tuple[str, ...]) -> Iterable[Any]:
    """What stands at the end of a path; of lists on the way each element."""
    for place, name in enumerate(path):
        value = getattr(value, name, None)
        if isinstance(value, list | tuple):
            rest = path[place + 1 :]
            return [found for each in _elements(value) for found in _values(each, rest)]
    return (value,)


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _elements(each)
    else:
        yield value


def _plain(value: Any) -> Any:
    """A value as it is compared: that of a choice itself, a time as Unix milliseconds."""
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MILLISECOND
    return value.value if isinstance(value, Enum) else value
