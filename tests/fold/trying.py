"""A domain of one event for trying what a function may do with the state, and what is told of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Struct

from esdash.domain import TEXT, Column, Domain, EventType, Table, about
from esdash.fold import declaration
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State

Apply = Callable[[Any, "Do"], object]


class Do(Struct, frozen=True):
    """Whatever the function under test does with it."""

    key: str = "a"
    n: int = 0
    text: str = ""
    mark: int = 1


class Named(Struct, frozen=True):
    """Names rows of both tables."""

    thing: Annotated[str, about("things")]
    mark: Annotated[int, about("marks")] = 0
    others: list[Annotated[str, about("things")]] = []


TABLES = (
    Table("things", "thing", str, (Column("n"), Column("text", str, TEXT), Column("flag", bool))),
    Table("marks", "mark", int, (Column("n"), Column("m"))),
)
REASONS = {"no": "No.", "never": "Never."}


def folding(
    apply: Apply, *others: EventType, reasons: Mapping[str, str] = REASONS, fast: bool = False, **more: Any
) -> Fold:
    """The fold of a domain with one event, `Do`, and what else is given."""
    domain = Domain("trial", "1", TABLES, (EventType(Do, apply), *others), reasons, fast=fast, **more)
    declaration.check(domain)
    return Fold(domain)


def entry(number: int, event: Any, key: bytes | None = None, name: str = "") -> Entry:
    """An entry as the server sends it."""
    fields = [b"type", (name or type(event).__name__).encode(), b"data", msgspec.json.encode(event)]
    return b"%d-0" % (1_700_000_000_000 + number), fields if key is None else [*fields, b"key", key]


def in_words(fold: Fold, codes: Iterable[int]) -> list[str]:
    """Outcome codes in words: `applied`, `rejected:no`."""
    outcomes = (fold.outcomes[code] for code in codes)
    return [name if reason is None else f"{name}:{reason}" for name, reason in outcomes]


def rows(fold: Fold, state: State) -> dict[str, dict[Any, dict[str, Any]]]:
    """The tables of a state: table → key → column → value; what is absent is not there."""
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for table in fold.domain.tables:
        columns = fold.cells_of(state)[table.name]
        found[table.name] = {
            key: {column.name: cells[key] for column, cells in zip(table.columns, columns, strict=True) if key in cells}
            for key in sorted(columns[0])
        }
    return found


class Trial:
    """A function, and the state that it has made so far."""

    def __init__(self, apply: Apply, **more: Any) -> None:
        self.fold = folding(apply, **more)
        self.state = self.fold.empty()
        self.count = 0

    def put(self, table: str, key: Any, **cells: Any) -> None:
        """Cells that are there from the beginning."""
        names = [column.name for each in TABLES if each.name == table for column in each.columns]
        for name, value in cells.items():
            self.fold.cells_of(self.state)[table][names.index(name)][key] = value

    def does(self, event: Any = None, key: bytes | None = None) -> str:
        """What becomes of one more entry."""
        self.count += 1
        sent = entry(self.count, Do() if event is None else event, key)
        return in_words(self.fold, self.fold.fold(self.state, [sent]))[0]

    @property
    def things(self) -> dict[Any, dict[str, Any]]:
        """The rows of the table of that name."""
        return rows(self.fold, self.state)["things"]

    @property
    def marks(self) -> dict[Any, dict[str, Any]]:
        """The rows of the table of that name."""
        return rows(self.fold, self.state)["marks"]
