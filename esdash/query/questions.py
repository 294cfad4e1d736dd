"""Questions, which filter entries: what people type, read into a tree."""

import re
from typing import Final

from esdash.query.errors import QueryError, Span, listed, near
from esdash.query.expressions import PatternError
from esdash.query.lexing import OPERATOR, Scanner
from esdash.query.patterns import Pattern
from esdash.query.places import Place, PlaceError, read_place
from esdash.query.schema import FieldOf, Schema, TypeOf, read_key
from esdash.query.terms import (
    RESERVED,
    AboutRow,
    Compared,
    Matches,
    Meant,
    OfId,
    OfKey,
    OfOutcome,
    OfReason,
    OfType,
    Says,
    Since,
    Until,
)
from esdash.query.trees import All, Either, Logic, Negated, Term
from esdash.visible import visible

Question = All | Either | Negated | Term

_NAMED: Final = re.compile(r"[^\W\d][\w.\-]*(?=[:=<>]|!=)")
_APART: Final = re.compile(r"([^\W\d][\w.\-]*)\s+(?=!=|<=|>=|[=<>])")
"""A name that spaces part from its operator; not from a colon, before which people seldom leave one."""
_BARE: Final = re.compile(r"[^\s()]+")
_VALUE: Final = re.compile(r'[^\s()"][^\s()]*')
_DATE_AND_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?=[\s)]|$)", re.ASCII)
_SAVED: Final = re.compile(r"@([^\W\d][\w-]*)(?=[\s)]|$)")
_ID: Final = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)
SAVED_NAME: Final = re.compile(r"[^\W\d][\w-]{0,39}")
"""What a question can be saved under: `@` and this asks it."""

DEEPEST_SAVED: Final = 3
"""Saved questions within one another."""

MOST_SAVED: Final = 50
"""Saved questions that one asks for, those within them as well."""

_EXPECTED: Final = "something to look for: a text, type:…, outcome:…, a row or a field of an event"


def read_question(text: str, schema: Schema, now: float) -> Question:
    """The question that was typed; `now` is Unix time in seconds. Raises QueryError."""
    return _Reader(Scanner(text), schema, now).read()


class _Reader:
    """Reads the terms of one question."""

    def __init__(self, scanner: Scanner, schema: Schema, now: float, within: int = 0, asked: list[str] | None = None):
        """`within` so many saved questions; `asked` are the names of all that were met."""
        self.scanner = scanner
        self._schema = schema
        self._now = now
        self._within = within
        self._asked: list[str] = [] if asked is None else asked

    def read(self) -> Question:
        """The whole. Raises QueryError."""
        tree: Question = Logic(self.scanner, self.term, _EXPECTED, spaces=True, minus=True).read()
        return tree

    def term(self) -> Question:
        """The term that comes next. Raises QueryError."""
        scanner = self.scanner
        start = scanner.place
        if scanner.next == "/":
            return self._pattern()
        if scanner.next == "@":
            return self._saved()
        if scanner.next == '"':
            text = scanner.quotation()
            end = scanner.place
            if (operator := scanner.take(OPERATOR)) is not None:
                return self._named(text, (start, end), operator[0])
            scanner.require_space('the "')
            if not text:
                raise QueryError('Expected a text between the "".', scanner.text, (start, end))
            return Says(text, span=(start, end))
        if (name := scanner.take(_NAMED)) is not None:
            operator = scanner.take(OPERATOR)
            assert operator is not None, "the pattern looked at it"
            return self._named(name[0], (start, name.end()), operator[0])
        apart = _APART.match(scanner.text, start)
        if apart is not None and self._schema.fields(apart[1]):
            scanner.place = apart.end()
            operator = scanner.take(OPERATOR)
            assert operator is not None, "the pattern looked at it"
            return self._named(apart[1], apart.span(1), operator[0])
        found = scanner.take(_BARE)
        assert found is not None, "whoever asks for a term has seen that there is one"
        scanner.require_space("a text")
        return Says(found[0], span=(start, scanner.place))

    def _saved(self) -> Question:
        """What was saved under a name, as if it stood here in parentheses. Raises QueryError."""
        scanner, saved = self.scanner, self._schema.saved
        start = scanner.place
        if (found := scanner.take(_SAVED)) is None:
            told = 'Expected the name of a saved question behind the @. A text that begins with a @ is put in "…".'
            raise scanner.wrong(told, 1)
        name, span = found[1], (start, scanner.place)
        if name not in saved:
            told = f"There is no saved question {name}.{near(name, list(saved))}"
            raise QueryError(f'{told} A text that begins with a @ is put in "…".', scanner.text, span)
        self._asked.append(name)
        if self._within == DEEPEST_SAVED or len(self._asked) > MOST_SAVED:
            raise QueryError("Too many saved questions ask for one another.", scanner.text, span)
        try:
            return _Reader(Scanner(saved[name]), self._schema, self._now, self._within + 1, self._asked).read()
        except QueryError as error:
            told = f"The saved question {name} cannot be asked: {visible(saved[name], 100)}: {error}"
            raise QueryError(told, scanner.text, span) from None

    def _pattern(self) -> Matches:
        scanner = self.scanner
        text, start = scanner.text, scanner.place
        place, pattern = start + 1, ""
        while (char := text[place : place + 1]) != "/":
            if not char:
                told = 'Expected a / that ends this regular expression. A text that begins with a / is put in "…".'
                raise scanner.wrong(told, 1)
            pair = text[place : place + 2] if char == "\\" else char
            pattern += "/" if pair == "\\/" else pair
            place += len(pair)
        scanner.place = place + 1
        ignoring_case = scanner.next == "i"
        scanner.place += ignoring_case
        if not (scanner.ended or scanner.next.isspace() or scanner.next == ")"):
            told = 'Expected a space behind the regular expression. A text that begins with a / is put in "…".'
            raise scanner.wrong(told, 1)
        if not pattern:
            raise scanner.wrong("Expected a regular expression between the //.", 2, start)
        try:
            Pattern(pattern, ignoring_case=ignoring_case)
        except PatternError as error:
            raise scanner.wrong(str(error), 1, min(start + 1 + error.place, place)) from None
        return Matches(pattern, ignoring_case, span=(start, scanner.place))

    def _named(self, name: str, span: Span, operator: str) -> Term:
        """A term that begins with a name and an operator. Raises QueryError."""
        schema = self._schema
        fields = schema.fields(name)
        valued = [each for each in fields if each[1].values.kind != "record"]
        if name in RESERVED:
            self._require_equal(name, operator)
            return self._of_the_entry(name, span)
        # A row's own word goes first, then a field, then what is only written like such a word.
        if any(table.one == name for table in schema.tables) and (operator == ":" or not valued):
            return self._about(name, span, operator)
        if valued:
            return self._compared(name, span, operator, valued)
        if schema.table_of_word(name) is not None or schema.table(name) is not None:
            return self._about(name, span, operator)
        if fields:
            within = listed(list(fields[0][1].values.choices))
            told = f"{name} has no value of its own. Expected one of its fields: {within}."
            raise QueryError(told, self.scanner.text, span)
        words = [table.one for table in self._schema.tables]
        names = [
            *RESERVED,
            *words,
            *dict.fromkeys(".".join(field.path) for kind in self._schema.types for field in kind.fields),
        ]
        told = (
            f"There is no {name} to ask for.{near(name, names)} Expected {listed([*RESERVED, *words], 20)}, a field of"
        )
        raise QueryError(f'{told} an event, or a text in "…".', self.scanner.text, span)

    def _require_equal(self, name: str, operator: str) -> None:
        if operator not in (":", "="):
            start = self.scanner.place - len(operator)
            raise self.scanner.wrong(f"Expected a : behind {name}.", len(operator), start)

    def _value(self, what: str) -> tuple[str, Span]:
        operator = self.scanner.text[self.scanner.place - 1]
        if operator != ":":
            self.scanner.skip()
        value, span = self.scanner.value(f"{what} right behind the {operator}", _VALUE)
        self.scanner.require_space("the value")
        return value, span

    def _of_the_entry(self, name: str, span: Span) -> Term:
        start = span[0]
        schema = self._schema
        if name in ("since", "until"):
            return self._place(name, start)
        if name == "type":
            value, (_, end) = self._value(f"a type{f', like {schema.known_types[0]},' if schema.known_types else ''}")
            return OfType(_known(value, schema.known_types), span=(start, end))
        if name == "outcome":
            value, found = self._value(f"an outcome, {listed(list(schema.outcomes))},")
            self._require_one(value, schema.outcomes, "outcome", found)
            return OfOutcome(value, span=(start, found[1]))
        if name == "reason":
            value, found = self._value("a reason")
            self._require_one(value, schema.reasons, "reason", found)
            return OfReason(value, span=(start, found[1]))
        if name == "key":
            value, (_, end) = self._value("a key")
            return OfKey(value, span=(start, end))
        value, found = self._value("an id, like 1700000000000-0,")
        match = _ID.fullmatch(value)
        if match is None:
            raise QueryError("Expected an id, like 1700000000000-0, or its milliseconds.", self.scanner.text, found)
        sequence = None if match[2] is None else int(match[2])
        return OfId(value, int(match[1]), sequence, span=(start, found[1]))

    def _require_one(self, value: str, of: tuple[str, ...], what: str, span: Span) -> None:
        if value not in of:
            told = f"There is no {what} {value[:64]}.{near(value, list(of))} Expected {listed(list(of), 30)}."
            raise QueryError(told, self.scanner.text, span)

    def _place(self, name: str, start: int) -> Since | Until:
        scanner = self.scanner
        begin = scanner.place
        if (found := scanner.take(_DATE_AND_TIME)) is not None:
            value, span = found[0], (begin, scanner.place)
        else:
            value, span = self._value("a place, like -5m or 14:03,")
        try:
            place: Place = read_place(value, self._now)
        except PlaceError as error:
            raise QueryError(str(error), scanner.text, span) from None
        return (Since if name == "since" else Until)(value, place, span=(start, span[1]))

    def _about(self, word: str, span: Span, operator: str) -> AboutRow:
        self._require_equal(word, operator)
        table = self._schema.table_of_word(word) or self._schema.table(word)
        assert table is not None, "the name was looked up"
        value, found = self._value(f"the key of one {table.one}")
        try:
            key = read_key(table, value)
        except ValueError as error:
            raise QueryError(str(error), self.scanner.text, found) from None
        return AboutRow(word, table.name, key, span=(span[0], found[1]))

    def _compared(self, name: str, span: Span, operator: str, fields: list[tuple[TypeOf, FieldOf]]) -> Compared:
        place = self.scanner.place - len(operator)
        if operator not in (":", "=", "!="):
            ordered = [(kind, field) for kind, field in fields if field.values.ordered]
            if not ordered:
                told = f"{name} is neither less nor greater than another: expected : or !=."
                raise self.scanner.wrong(told, len(operator), place)
            fields = ordered
        choices = list(dict.fromkeys(choice for _, field in fields for choice in field.values.choices))
        value, found = self._value(f"a value of {name}{f', {listed(choices)},' if choices else ''}")
        meant: list[Meant] = []
        problems: list[str] = []
        for kind, field in fields:
            try:
                low, high = field.values.read(value, self._now)
            except ValueError as error:
                problems.append(str(error))
            else:
                meant.append(Meant(kind.model, field.path, low, high))
        if not meant:
            told = problems[0]
            raise QueryError(f"{told[:1].upper()}{told[1:].rstrip('.')}.", self.scanner.text, found)
        return Compared(name, operator, value, tuple(meant), span=(span[0], found[1]))


def _known(value: str, known: tuple[str, ...]) -> str:
    """The type that was meant: the same name, or the only one that is written alike, `paid-out` for `PaidOut`."""
    if value in known:
        return value
    alike = [name for name in known if _bare(name) == _bare(value)]
    return alike[0] if len(alike) == 1 else value


def _bare(name: str) -> str:
    return re.sub(r"[-_]", "", name).casefold()
