"""Domains that nobody thought of, what happens in them, and what that comes to by the plainest reading.

One to four tables with keys that are numbers or texts, columns of every kind and format, an event type for each: data
of two levels, rows of other tables named in it, keys of two parts. The rules of a domain are the same functions in both
readings; what reads and writes for them is the program's state here, and plain dicts there.

`EXAMPLES=2000 pytest -k any_declaration` looks for faults for longer than the suite does.
"""

import copy
import json
import os
import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Final

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from esdash.domain import (
    COUNT,
    MONEY,
    PLAIN,
    TEXT,
    TIME,
    Column,
    Domain,
    EventType,
    Refusal,
    Table,
    Wire,
    about,
    decimal,
)
from esdash.fold import declaration
from esdash.fold.folding import Entry, Fold

NAMES: Final = ("things", "count", "sum", "rows", "type", "a", "key", "Parts", "yes", "n", "data", "at")
"""Of tables and columns, among them words that mean something to questions."""
WORDS: Final = ("thing", "spare part", "Größe", "a/b", "x.y", "count", "it's", 'the "one"', "n", "yes")
"""For a row."""
TEXTS: Final = (
    "a",
    "B",
    "",
    "two words",
    'q"q',
    "b\\",
    "x.y",
    "é\u202e",
    "\x1b[31m",
    "-5m",
    "7",
    "#1",
    "yes",
    "(",
    "\n",
    "null",
    "[1]",
)
LONG: Final = "é" * 2_500
"""More than a cell holds."""
NUMBERS: Final = (0, 1, -1, 7, 100, 12_345, 1_700_000_000_000, 2**63 - 1, -(2**63))
FORMATS: Final = {int: (PLAIN, COUNT, MONEY, decimal(3, "kg"), TIME), str: (PLAIN, TEXT), bool: (PLAIN,)}
VALUES: Final[dict[type, Any]] = {int: NUMBERS, str: (*TEXTS, LONG), bool: (True, False)}
NOTHING: Final = {int: 0, str: "", bool: False}
FIRST_TIME: Final = 1_700_000_000_000

FLAT: Final = Wire("kind.", "", "id.", "version.")
"""Members are fields of an entry, and texts; then data has one level."""

PRESENT: Domain | None = None
"""The domain that commands find here, which a test sets."""

Step = Callable[[Any, Any], object]
"""A part of a rule: takes a state and an event, and may return why it is refused."""


def tried(examples: int) -> settings:
    """Settings of a test that tries so many domains, each against whatever the test shares with the others."""
    return settings(
        max_examples=int(os.environ.get("EXAMPLES", examples)),
        deadline=None,
        # To make what was found smaller would take longer than a test may.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


class TooLargeError(Exception):
    """What would leave the bounds of a state."""


class PlainColumn(dict[Any, Any]):
    """A column: cells by key, in their order; of the first column, whole rows."""

    rows: "PlainTable"

    def __setitem__(self, key: Any, value: Any) -> None:
        for each, most in ((key, 256 * 4), (value, 4096)):
            too_large = len(each.encode()) > most if isinstance(each, str) else not -(2**63) <= each < 2**63
            if too_large:
                raise TooLargeError
        if isinstance(key, str) and not is_key(key):
            raise TooLargeError
        super().__setitem__(key, value)

    def __iter__(self) -> Iterator[Any]:
        return iter(sorted(super().__iter__()))

    def pop(self, key: Any, *default: Any) -> Any:
        """Take a cell out."""
        if self is self.rows.columns[0]:
            for column in self.rows.columns[1:]:
                dict.pop(column, key, None)
        return super().pop(key, *default)


class PlainTable(SimpleNamespace):
    """A table: its columns by their names."""

    columns: list[PlainColumn]

    def remove(self, key: Any) -> None:
        """Take a row out."""
        self.columns[0].pop(key)


def is_key(text: str) -> bool:
    """Whether a row can be called so."""
    return 0 < len(text) <= 256 and not any(unicodedata.category(each) == "Cc" for each in text)


@dataclass(frozen=True)
class Happened:
    """An entry, and what it is known to say."""

    fields: list[bytes]
    event: Any = None
    key: bytes | None = None
    parked: str = ""
    """Why it cannot be understood; empty where it can."""
    table: str = ""
    """The one that its event is about."""


class Plain:
    """What entries come to."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.tables = SimpleNamespace()
        for table in domain.tables:
            rows = PlainTable(columns=[PlainColumn() for _ in table.columns])
            for column, cells in zip(table.columns, rows.columns, strict=True):
                cells.rows = rows
                setattr(rows, column.name, cells)
            setattr(self.tables, table.name, rows)
        self.keys: set[bytes] = set()
        self.outcomes: dict[str, Any] = {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0}
        self.rules = {each.model: each.apply for each in domain.events}

    def see(self, happened: Happened) -> tuple[str, str | None]:
        """Take the next entry; its outcome and why."""
        name, reason = self._decide(happened)
        if reason is None:
            self.outcomes[name] += 1
        else:
            self.outcomes[name][reason] = self.outcomes[name].get(reason, 0) + 1
        return name, reason

    def _decide(self, happened: Happened) -> tuple[str, str | None]:
        if happened.parked:
            return "parked", happened.parked
        if happened.key is not None and happened.key in self.keys:
            return "duplicate", None
        if happened.key is not None:
            self.keys.add(happened.key)
        before = copy.deepcopy(self.tables)
        rule = self.rules[type(happened.event)]
        assert rule is not None
        try:
            refusal = rule(self.tables, happened.event)
        except TooLargeError:
            refusal = "overflow"
        if refusal is None:
            return "applied", None
        self.tables = before
        return "rejected", refusal.reason if isinstance(refusal, Refusal) else str(refusal)

    @property
    def rows(self) -> dict[str, dict[Any, dict[str, Any]]]:
        """Table → key → column → value, None where there is none."""
        return {
            table.name: {
                key: {column.name: getattr(rows, column.name).get(key) for column in table.columns}
                for key in rows.columns[0]
            }
            for table in self.domain.tables
            if (rows := getattr(self.tables, table.name))
        }


@dataclass(frozen=True)
class Drawn:
    """A domain and what happens in it."""

    domain: Domain
    happened: list[Happened]

    def fold(self) -> Fold:
        """The domain, made anew."""
        fold = Fold(self.domain)
        fold.choice = "nowhere"
        return fold

    @property
    def entries(self) -> list[Entry]:
        """As a server has them."""
        return [
            (b"%d-%d" % (FIRST_TIME + 1000 * place, place % 2), each.fields) for place, each in enumerate(self.happened)
        ]


# ------------------------------------------------------------------------------------------------------ rules


def _setting(table: str, column: str) -> Step:
    def step(state: Any, event: Any) -> None:
        value = getattr(event.cells, column)
        if value is not None:
            getattr(getattr(state, table), column)[event.row] = value

    return step


def _adding(table: str, column: str) -> Step:
    def step(state: Any, event: Any) -> None:
        cells = getattr(getattr(state, table), column)
        cells[event.row] = cells.get(event.row, 0) + (getattr(event.cells, column) or 1)

    return step


def _emptying(table: str, column: str) -> Step:
    def step(state: Any, event: Any) -> None:
        if getattr(event.cells, column) is None:
            getattr(getattr(state, table), column).pop(event.row, None)

    return step


def _removing(table: str) -> Step:
    def step(state: Any, event: Any) -> None:
        if event.gone:
            getattr(state, table).remove(event.row)

    return step


def _refusing(table: str, column: str, counts: bool) -> Step:
    """After whatever was written before it."""

    def step(state: Any, event: Any) -> object:
        there = getattr(getattr(state, table), column).get(event.row)
        if there != getattr(event.cells, column):
            return None
        return Refusal("the_same", 2**70 * len(event.lines), len(event.lines) - 1) if counts else "the_same"

    return step


def _noting(other: Table) -> Step:
    """Each line in a row of another table, whose key has two parts if it is a text."""
    first = other.columns[0]

    def step(state: Any, event: Any) -> None:
        cells = getattr(getattr(state, other.name), first.name)
        for line in event.lines:
            key = line.number if other.key is int else f"{event.row}/{line.name}"
            if first.kind is int:
                cells[key] = cells.get(key, 0) + line.number
            else:
                cells[key] = line.name if first.kind is str else line.number > 0

    return step


def _forgetting(other: Table) -> Step:
    """All rows of another table from the name of a line on."""

    def step(state: Any, event: Any) -> None:
        if not event.gone or not event.lines:
            return
        rows = getattr(state, other.name)
        least = event.lines[0].number if other.key is int else event.lines[0].name
        for key in getattr(rows, other.columns[0].name):
            if key >= least:
                rows.remove(key)

    return step


def _rule(table: Table, steps: Sequence[Step]) -> Step:
    first = table.columns[0]

    def apply(state: Any, event: Any) -> object:
        for step in steps:
            rows = getattr(getattr(state, table.name), first.name)
            if event.row not in rows:
                rows[event.row] = NOTHING[first.kind]
            if (refusal := step(state, event)) is not None:
                return refusal
        return None

    return apply


# ---------------------------------------------------------------------------------------------------- drawing


class Line(msgspec.Struct, frozen=True):
    """Something of another table."""

    name: str
    number: int


def _names(draw: DrawFn, least: int, most: int, of: Sequence[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(of), min_size=least, max_size=most, unique=True))


@st.composite
def _tables(draw: DrawFn) -> tuple[Table, ...]:
    names = _names(draw, 1, 4, NAMES)
    words = _names(draw, len(names), len(names), WORDS)
    return tuple(
        Table(name, one, draw(st.sampled_from([int, str])), draw(_columns()), hidden=draw(st.booleans()))
        for name, one in zip(names, words, strict=True)
    )


@st.composite
def _columns(draw: DrawFn) -> tuple[Column, ...]:
    def column(name: str) -> Column:
        kind = draw(st.sampled_from([int, int, str, bool]))
        return Column(name, kind, draw(st.sampled_from(FORMATS[kind])), bar=draw(st.booleans()))

    return tuple(column(name) for name in _names(draw, 1, 4, NAMES))


@st.composite
def _type(draw: DrawFn, table: Table, tables: Sequence[Table], flat: bool) -> EventType:
    row = ("row", Annotated[table.key, about(table.name)])
    cells: list[Any] = [(each.name, each.kind | None, None) for each in table.columns]
    if flat:
        namespace = {"cells": property(lambda self: self), "lines": ()}
        fields = [row, *cells, ("gone", bool, False)]
        model = msgspec.defstruct(f"Set_{table.name}", fields, frozen=True, namespace=namespace)
    else:
        inner = msgspec.defstruct(f"CellsOf_{table.name}", cells, frozen=True)
        lines: Any = ("lines", list[Line], msgspec.field(default_factory=list))
        fields = [row, ("cells", inner, inner()), lines, ("gone", bool, False)]
        model = msgspec.defstruct(f"Set_{table.name}", fields, frozen=True)
    column, other = st.sampled_from(table.columns), st.sampled_from(tables)
    steps = st.one_of(
        column.map(lambda each: _setting(table.name, each.name)),
        column.map(lambda each: (_adding if each.kind is int else _setting)(table.name, each.name)),
        column.map(lambda each: _emptying(table.name, each.name)),
        st.just(_removing(table.name)),
        st.builds(_refusing, st.just(table.name), column.map(lambda each: each.name), st.booleans()),
        other.map(_noting),
        other.map(_forgetting),
    )
    every = [_setting(table.name, each.name) for each in table.columns]
    return EventType(model, _rule(table, [*every, *draw(st.lists(steps, max_size=4))]))


@st.composite
def domains(draw: DrawFn) -> Domain:
    """Draw a declaration."""
    tables = draw(_tables())
    wire = draw(st.sampled_from([Wire(), Wire("kind", "body", "id", "version"), FLAT]))
    domain = Domain(
        name="at random",
        version="1",
        tables=tables,
        events=tuple(draw(_type(table, tables, not wire.data)) for table in tables),
        reasons={"the_same": "It is so already."},
        wire=wire,
    )
    declaration.check(domain)
    return domain


_KEYS: Final = (*[None] * 6, b"k1", b"k2", b"k3", b"\xff")
_ROWS: Final[dict[type, Any]] = {int: (*NUMBERS, 2, 3), str: (*TEXTS, "x" * 256, "x" * 257)}


def _happened(seed: int, domain: Domain, fold: Fold, called: dict[type, list[Any]]) -> Happened:
    chance = random.Random(seed)
    place = chance.randrange(len(domain.tables))
    table, model = domain.tables[place], domain.events[place].model
    key, wire = chance.choice(_KEYS), domain.wire
    assert isinstance(wire, Wire)
    if chance.random() < 0.05:
        parked = chance.choice(["unknown_type", "missing_field", *["invalid_data"] * bool(wire.data)])
        fields = fold.fields("Nothing" if parked == "unknown_type" else model.__name__, b'{"row":[]}', key)
        if parked == "missing_field":
            gone = fields.index((wire.data or wire.type).encode())
            del fields[gone : gone + 2]
        return Happened(fields, key=key, parked=parked)
    row = chance.choice(called[table.key])
    cells = {each.name: chance.choice(VALUES[each.kind]) for each in table.columns if chance.random() < 0.7}
    lines = [Line(chance.choice(TEXTS), chance.choice(NUMBERS)) for _ in range(chance.randrange(4))]
    members = {"lines": lines, "cells": _cells_of(model)(**cells)} if wire.data else cells
    event = model(row, gone=chance.random() < 0.3, **members)
    data = json.dumps(msgspec.to_builtins(event), ensure_ascii=chance.random() < 0.5).encode()
    parked = "invalid_data" if isinstance(row, str) and not is_key(row) else ""
    return Happened(fold.fields(model.__name__, data, key), event, key, parked, table.name)


def _cells_of(model: type) -> type:
    return next(type(each.default) for each in msgspec.structs.fields(model) if each.name == "cells")


@st.composite
def drawn(draw: DrawFn, size: int = 30) -> Drawn:
    """Draw a domain and entries of it, about few rows, so that they meet."""
    domain = draw(domains())
    fold = Fold(domain)
    called = {kind: draw(st.lists(st.sampled_from(some), min_size=1, max_size=4)) for kind, some in _ROWS.items()}
    seeds = draw(st.lists(st.integers(0, 2**32), min_size=draw(st.sampled_from([0, 5, size - 5])), max_size=size))
    return Drawn(domain, [_happened(seed, domain, fold, called) for seed in seeds])
