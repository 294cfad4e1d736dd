"""What questions and conditions are made of: terms that all hold, of which one holds, or that do not hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import astuple

from esdash.query.errors import Span
from esdash.query.lexing import AND, NOT, OR, Scanner

DEEPEST: Final = 50
"""Parentheses and negations within one another."""

MOST_TERMS: Final = 200
"""Terms of one question or condition."""

NOWHERE: Final[Span] = (0, 0)
"""Where a term stands that nobody typed."""


class Term(Struct, frozen=True, kw_only=True, eq=False):
    """What a question or a condition is made of. Two are the same wherever they stand."""

    span: Span = NOWHERE
    """Where in the text."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[Any, ...]:
        *meaning, _ = astuple(self)
        return tuple(meaning)


@dataclass(frozen=True, slots=True)
class All:
    """Holds when all parts hold; without any, always."""

    parts: tuple[Any, ...]
    joint: str = field(default=" ", compare=False)
    """What stands between them: a space in a question, ` and ` in a condition."""

    def __str__(self) -> str:
        return self.joint.join(f"({part})" if isinstance(part, Either) else str(part) for part in self.parts)


class Either(Struct, frozen=True):
    """Holds when one of the parts does."""

    parts: tuple[Any, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.parts))


class Negated(Struct, frozen=True):
    """Holds when the part does not."""

    part: Any

    def __str__(self) -> str:
        return f"not ({self.part})" if isinstance(self.part, All | Either) else f"not {self.part}"


def terms_of(tree: Any) -> Iterator[Any]:
    """Every term of a tree, in the order in which they were written."""
    if isinstance(tree, All | Either):
        for part in tree.parts:
            yield from terms_of(part)
    elif isinstance(tree, Negated):
        yield from terms_of(tree.part)
    else:
        yield tree


class Logic:
    """Reads `or`, `and`, `not` and parentheses; the terms between them are another's."""

    def __init__(
        self, scanner: Scanner, term: Callable[[], Any], expected: str, *, spaces: bool, minus: bool = False
    ) -> None:
        """`expected` is what a term is, for people. With `spaces` terms beside each other all hold; with `minus` a
        term is also negated by `-`.
        """
        self._scanner = scanner
        self._term = term
        self._expected = expected
        self._spaces = spaces
        self._minus = minus
        self._terms = 0

    def read(self) -> Any:
        """The tree of the whole text. Raises QueryError."""
        scanner = self._scanner
        scanner.skip()
        if self._spaces and scanner.ended:
            return All(())
        tree = self._either(0)
        if not scanner.ended:
            if scanner.next == ")":
                raise scanner.wrong("There is no ( to this ).", 1)
            raise scanner.wrong("Expected and, or, or the end.", len(scanner.rest.split()[0]))
        return tree

    def _either(self, depth: int) -> Any:
        parts = [self._all(depth)]
        while self._scanner.take_word(OR):
            parts.append(self._all(depth))
        return _joined(Either, parts)

    def _all(self, depth: int) -> Any:
        parts = [self._one(depth)]
        while True:
            if not self._scanner.take_word(AND) and not (self._spaces and self._goes_on()):
                return _joined(self._make_all, parts)
            parts.append(self._one(depth))

    def _make_all(self, parts: tuple[Any, ...]) -> All:
        return All(parts, " " if self._spaces else " and ")

    def _goes_on(self) -> bool:
        scanner = self._scanner
        return not scanner.ended and scanner.next != ")" and not scanner.at_word(OR)

    def _one(self, depth: int) -> Any:
        scanner = self._scanner
        if depth > DEEPEST:
            raise scanner.wrong(f"This is nested more than {DEEPEST} deep.", 1)
        start = scanner.place
        if scanner.take_word(NOT):
            return Negated(self._one(depth + 1))
        if self._minus and scanner.next == "-":
            scanner.place += 1
            if scanner.ended or scanner.next.isspace():
                raise scanner.wrong("Expected right behind the - what shall not hold.", 0)
            return Negated(self._one(depth + 1))
        if scanner.next == "(":
            scanner.place += 1
            scanner.skip()
            tree = self._either(depth + 1)
            if scanner.ended:
                raise scanner.wrong("Expected a ) to this (.", 1, start)
            if scanner.next != ")":
                raise scanner.wrong("Expected and, or, or a ).", len(scanner.rest.split()[0]))
            scanner.place += 1
            if not (scanner.ended or scanner.next.isspace() or scanner.next == ")"):
                raise scanner.wrong("Expected a space behind the ).", 0)
            scanner.skip()
            return tree
        if scanner.ended or scanner.next == ")" or scanner.at_word(OR) or scanner.at_word(AND):
            length = 0 if scanner.ended else len(scanner.rest.split()[0])
            raise scanner.wrong(f"Expected {self._expected}.", length)
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise scanner.wrong(f"More than {MOST_TERMS} terms are too many.", 0)
        term = self._term()
        scanner.skip()
        return term


def _joined(make: Callable[[tuple[Any, ...]], Any], parts: list[Any]) -> Any:
    """One part by itself; of parts that are joined in the same way theirs."""
    if len(parts) == 1:
        return parts[0]
    kind = Either if make is Either else All
    return make(tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,))))
