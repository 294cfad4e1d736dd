"""Entries about one row: those whose event names it, and those that changed it. A relation, not a search in text.

Typed into the filter of the log as `account:A`, by the table's word for a row; Enter on the row writes the same.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from esdash.domain import Table
from esdash.engine.row import Row
from esdash.fold.folding import Fold
from esdash.fold.tables import MAX_INT, MIN_INT
from esdash.words.typed import read_name, write_name


class Relation(NamedTuple):
    """The rows that entries are about."""

    table: str
    key: int | str | None
    """None: any row of the table, since nothing is typed behind the colon yet."""

    def holds(self, rows: Collection[tuple[str, int | str]]) -> bool:
        """Whether an entry that is about these rows is one of them."""
        if self.key is None:
            return any(table == self.table for table, _ in rows)
        return (self.table, self.key) in rows


def rows_of(fold: Fold, row: Row) -> Iterator[tuple[str, int | str]]:
    """The rows that an entry is about, each once: those it names first, then those it changed."""
    found: dict[tuple[str, int | str], None] = {}
    event = fold.read(row.fields).event if row.mark is None else None
    if event is not None:
        found.update(dict.fromkeys(fold.model(event).rows(event)))
    if row.told is not None:
        found.update(dict.fromkeys((change.table, change.key) for change in row.told.changes))
    yield from found


def relation_of(fold: Fold, text: str) -> Relation | None:
    """What a filter asks for; None where it is text to look for."""
    for table in fold.domain.tables:
        word, colon, rest = text.lstrip().partition(":")
        if colon and word.casefold() == table.one.casefold():
            return _relation(table, rest)
    return None


def text_of(table: Table, key: int | str) -> str:
    """What to type to see the entries about a row."""
    return f"{table.one}:{_quoted(str(key))}"


def _relation(table: Table, typed: str) -> Relation | None:
    text = typed.strip()
    if not text:
        return Relation(table.name, None)
    if table.key is int:
        digits = text.replace(",", "")
        if len(digits) > 20 or not digits.removeprefix("-").isdecimal() or not digits.isascii():
            return None
        number = int(digits)
        return Relation(table.name, number) if MIN_INT <= number <= MAX_INT else None
    if text.startswith('"'):
        text = text[1:].removesuffix('"')
    return Relation(table.name, read_name(text))


def _quoted(key: str) -> str:
    """A key that begins with a quotation mark stands between two more."""
    written = write_name(key)
    return f'"{written}"' if written.startswith('"') or " " in written else written
