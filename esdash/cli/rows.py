"""Rows of tables as arguments of commands: `accounts:7`, `accounts:"two words"`."""

from collections.abc import Iterable
from typing import NamedTuple

from esdash.cli.failures import BadInputError
from esdash.domain import Table
from esdash.fold.folding import Fold
from esdash.visible import visible


class Named(NamedTuple):
    """A row of a table, whether it is there or not."""

    table: str
    key: int | str


def read_rows(fold: Fold, texts: Iterable[str]) -> list[Named]:
    """The rows that were typed, each once. Raises BadInputError."""
    return list(dict.fromkeys(_read(fold, text) for text in texts))


def read_tables(fold: Fold, names: Iterable[str]) -> list[str]:
    """The tables that were typed, each once. Raises BadInputError."""
    return list(dict.fromkeys(_table(fold, name, name).name for name in names))


def called(fold: Fold, row: Named) -> str:
    """A row, for people: `account 7`."""
    return f"{_declared(fold, row.table).one} {visible(str(row.key), 64)}"


def _declared(fold: Fold, name: str) -> Table:
    return fold.storage.places[name][0]


def _read(fold: Fold, text: str) -> Named:
    name, colon, key = text.partition(":")
    if not colon or not key:
        raise BadInputError(f"{visible(text, 64)!r} is no row: write a table and a key, like {_example(fold)}.")
    table = _table(fold, name, text)
    key = _unquoted(key)
    if table.key is str:
        return Named(table.name, key)
    if not key.removeprefix("-").isdecimal() or not key.isascii() or len(key) > 30:
        raise BadInputError(f"{visible(text, 64)!r} is no row: the keys of {table.name} are whole numbers.")
    return Named(table.name, int(key))


def _table(fold: Fold, name: str, text: str) -> Table:
    """A table by its name or by its word for a row; as in a question its name goes before the word of another."""
    for table in sorted((table for table, _ in fold.storage.places.values()), key=lambda each: each.name != name):
        if name in (table.name, table.one):
            return table
    there = ", ".join(fold.storage.places)
    raise BadInputError(f"{visible(text, 64)!r} names no table of the domain {visible(fold.name)}. There are {there}.")


def _unquoted(key: str) -> str:
    if len(key) < 2 or key[0] != '"' or key[-1] != '"':
        return key
    text, rest = "", iter(key[1:-1])
    for char in rest:
        text += next(rest, char) if char == "\\" else char
    return text


def _example(fold: Fold) -> str:
    table = next(iter(fold.storage.places.values()))[0]
    return f"{table.name}:7" if table.key is int else f'{table.name}:"two words"'
