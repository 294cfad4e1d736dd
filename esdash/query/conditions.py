"""Conditions on a state: numbers compared with values or with each other, joined by `and`, `or`, `not`."""

import re
from typing import Any, Final

from esdash.query.errors import QueryError, listed
from esdash.query.lexing import Scanner, quoted, written
from esdash.query.numbers import BEGINNING, Aggregate, Number, begins_number, column_of, example, scan_number
from esdash.query.schema import Schema, Values
from esdash.query.trees import All, Either, Logic, Negated, Term, terms_of

OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=")
_OPERATOR: Final = re.compile(r"!=|<=|>=|==?|[<>]")
_WHOLE: Final = re.compile(r"-?(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})", re.ASCII)


class Comparison(Term, frozen=True):
    """A number beside a value, or beside another number; false where one of them is not there."""

    number: Number
    operator: str
    value: str
    """As it was typed; empty beside another number."""
    low: Any = None
    """The least value that is meant; `high` the greatest. They differ where a time names a stretch."""
    high: Any = None
    other: Number | None = None

    def __str__(self) -> str:
        value = quoted(self.value) if BEGINNING.match(self.value) else written(self.value)
        return f"{self.number} {self.operator} {value if self.other is None else self.other}"


Condition = All | Either | Negated | Comparison


def compare(value: Any, operator: str, low: Any, high: Any) -> bool:
    """Whether a value stands so to what lies from `low` to `high`; what is not there does to nothing."""
    if value is None or low is None:
        return False
    if operator in ("=", ":", "!="):
        # Of choices of several kinds it can only be told whether they are the same.
        same = value == low if low == high else low <= value <= high
        return bool(same) is (operator != "!=")
    if operator == "<":
        return bool(value < low)
    if operator == "<=":
        return bool(value <= high)
    return bool(value > high) if operator == ">" else bool(value >= low)


def numbers_of(condition: Condition) -> list[Number]:
    """The numbers that it is about, each once."""
    terms: list[Comparison] = list(terms_of(condition))
    return list(dict.fromkeys(each for term in terms for each in (term.number, term.other) if each is not None))


def seems_condition(text: str, schema: Schema) -> bool:
    """Whether a text that is nothing else is meant to be one: it compares something, or begins with a number."""
    begin = re.sub(r"^(?:not\b|[\s(])*", "", text)
    return _OPERATOR.search(text) is not None or begins_number(Scanner(begin), schema)


def read_condition(text: str, schema: Schema, now: float) -> Condition:
    """The condition that was typed; `now` is Unix time in seconds. Raises QueryError."""
    scanner = Scanner(text)

    def term() -> Comparison:
        return _comparison(scanner, schema, now)

    tree: Condition = Logic(scanner, term, f"a number, like {example(schema)}", spaces=False).read()
    return tree


def _comparison(scanner: Scanner, schema: Schema, now: float) -> Comparison:
    start = scanner.place
    number = scan_number(scanner, schema)
    values = _values(number, schema)
    scanner.skip()
    place = scanner.place
    found = scanner.take(_OPERATOR)
    if found is None:
        raise scanner.wrong(f"Expected {listed(list(OPERATORS))} behind {number}.", 0)
    operator = "=" if found[0] == "==" else found[0]
    if operator not in ("=", "!=") and not values.ordered:
        raise scanner.wrong(
            f"{number} is neither less nor greater than another: expected = or !=.", len(operator), place
        )
    scanner.skip()
    if begins_number(scanner, schema):
        place = scanner.place
        other = scan_number(scanner, schema)
        if _values(other, schema).kind != values.kind:
            told = f"{number} and {other} are of different kinds and cannot be compared."
            raise scanner.wrong(told, scanner.place - place, place)
        return Comparison(number, operator, "", other=other, span=(start, scanner.place))
    value, span = scanner.value(f"a value behind the {operator}, or another number")
    scanner.require_space("the value")
    try:
        low, high = values.read(value, now)
    except ValueError as error:
        raise QueryError(_sentence(str(error)), scanner.text, span) from None
    return Comparison(number, operator, value, low, high, span=(start, scanner.place))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _values(number: Number, schema: Schema) -> Values:
    column = column_of(number, schema)
    if column is None:
        assert isinstance(number, Aggregate), "a cell has a column"
        return _COUNTS
    return column.values


def _read_count(text: str, _: float) -> tuple[int, int]:
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError("a count is a whole number")
    count = int(text.replace(",", ""))
    return count, count


_COUNTS: Final = Values("int", _read_count)
