"""What names mean in questions, numbers and conditions: a domain's tables, event types, outcomes and reasons.

A value that whoever has the domain makes (`words.asked`), so that nothing here knows how a domain is folded.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

Read = Callable[[str, float], tuple[Any, Any]]
"""What a text that was typed means: the least and the greatest value, which differ where a time names a stretch.

The second argument is Unix time in seconds, now. Raises ValueError with a sentence.
"""


class Values(Struct, frozen=True):
    """Values of one kind, and how people write them."""

    kind: str
    """int, str, bool, decimal, choice, time (compared as Unix milliseconds); record or list of them for no value."""
    read: Read
    choices: tuple[str, ...] = ()
    """All there are, where they are few."""

    @property
    def ordered(self) -> bool:
        """Whether one is less than another."""
        return self.kind in ("int", "str", "decimal", "time")


class FieldOf(Struct, frozen=True):
    """A field of an event, perhaps within records and lists."""

    path: tuple[str, ...]
    """The attributes from the event down; lists between them are entered."""
    members: tuple[str, ...]
    """The same by the names in the payload."""
    values: Values


class TypeOf(Struct, frozen=True):
    """A type of event that is applied."""

    name: str
    """On the wire."""
    model: type
    """The class of its events."""
    fields: tuple[FieldOf, ...]


class ColumnOf(Struct, frozen=True):
    """A column of a table."""

    name: str
    values: Values


class TableOf(Struct, frozen=True):
    """A table of the state."""

    name: str
    one: str
    """The word for a row."""
    key: type
    """int or str."""
    columns: tuple[ColumnOf, ...]

    def column(self, name: str) -> ColumnOf | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, slots=True)
class Schema:
    """What names mean."""

    tables: tuple[TableOf, ...]
    types: tuple[TypeOf, ...]
    known_types: tuple[str, ...]
    """Every name on the wire, those of older schemas as well."""
    outcomes: tuple[str, ...]
    reasons: tuple[str, ...]
    saved: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Questions by the name under which a person has saved them, which may become others."""

    def table(self, name: str) -> TableOf | None:
        """A table by its name, or by its word for a row."""
        for table in self.tables:
            if table.name == name:
                return table
        return self.table_of_word(name)

    def table_of_word(self, word: str) -> TableOf | None:
        """A table by its word for a row, or by one that is written alike: `spare-part` for `Spare part`."""
        exact = (table for table in self.tables if table.one == word)
        alike = (table for table in self.tables if _alike(table.one) == _alike(word))
        return next(exact, None) or next(alike, None)

    def fields(self, name: str) -> list[tuple[TypeOf, FieldOf]]:
        """The fields that a name may mean: `quantity`, `lines.quantity`, `Type.quantity`."""
        parts = name.split(".")
        return [
            (kind, field)
            for kind in self.types
            for field in kind.fields
            if _ends(parts, (*kind.name.split("."), *field.path))
            or _ends(parts, (*kind.name.split("."), *field.members))
        ]


def _alike(word: str) -> str:
    return word.casefold().replace(" ", "-").replace("_", "-")


def _ends(parts: list[str], path: tuple[str, ...]) -> bool:
    """Whether the parts are some of a path in their order, the last of them its end."""
    if parts[-1] != path[-1] or len(path) < 2:
        return False
    rest = iter(path[:-1])
    return all(part in rest for part in parts[:-1])


_KEY_DIGITS: Final = 30


def read_key(table: TableOf, text: str) -> int | str:
    """The key of a row that was typed. Raises ValueError with a sentence."""
    if table.key is str:
        if not text:
            raise ValueError(f"A key of {table.name} is not empty.")
        return text
    digits = text.strip().replace(",", "")
    if not digits.removeprefix("-").isdecimal() or not digits.isascii() or len(digits) > _KEY_DIGITS:
        raise ValueError(f"The keys of {table.name} are whole numbers, like {table.one}:7.")
    return int(digits)
