"""Numbers of a state, as people name them.

`tickets:7.grams` is one cell of a table; `count(tickets)`, `sum(tickets.grams)`, `min(…)` and `max(…)` are over one.
"""

import re
from typing import Final

from msgspec import Struct

from esdash.query.errors import QueryError, listed, near
from esdash.query.lexing import Scanner, quoted
from esdash.query.schema import ColumnOf, Schema, TableOf, read_key

COUNT: Final = "count"
FUNCTIONS: Final = (COUNT, "sum", "min", "max")

BEGINNING: Final = re.compile(r"([^\W\d]\w*)([:(])")
"""What a number begins with, so that a text which begins so is written in quotes."""
_NAME: Final = re.compile(r"[^\W\d]\w*")
_BARE: Final = re.compile(r'[^\s()<>=!"]+')


class Cell(Struct, frozen=True):
    """One cell of a table, whether it is there or not; a text or a truth value, too."""

    table: str
    key: int | str
    column: str

    def __str__(self) -> str:
        key = str(self.key)
        bare = key.replace("-", "").replace("_", "").isalnum()
        return f"{self.table}:{key if bare else quoted(key)}.{self.column}"


class Aggregate(Struct, frozen=True):
    """How many rows a table has, or the sum, the least or the greatest of a column's cells."""

    function: str
    table: str
    column: str
    """Empty for `count`."""

    def __str__(self) -> str:
        return f"{self.function}({self.table}{'.' if self.column else ''}{self.column})"


Number = Cell | Aggregate


def read_number(text: str, schema: Schema) -> Number:
    """The number that was typed. Raises QueryError."""
    scanner = Scanner(text)
    scanner.skip()
    number = scan_number(scanner, schema)
    scanner.skip()
    if not scanner.ended:
        raise scanner.wrong("Expected nothing more behind the number.", len(scanner.rest.rstrip()))
    return number


def column_of(number: Number, schema: Schema) -> ColumnOf | None:
    """The column that a number is of; None for a count."""
    table = schema.table(number.table)
    return table.column(number.column) if table is not None and number.column else None


def begins_number(scanner: Scanner, schema: Schema) -> bool:
    """Whether what comes next looks like a number, and not like a value."""
    found = BEGINNING.match(scanner.text, scanner.place)
    if found is None:
        return False
    return found[1] in FUNCTIONS if found[2] == "(" else schema.table(found[1]) is not None


def scan_number(scanner: Scanner, schema: Schema) -> Number:
    """The number that comes next. Raises QueryError."""
    found = BEGINNING.match(scanner.text, scanner.place)
    if found is None:
        word = _BARE.match(scanner.text, scanner.place)
        raise scanner.wrong(f"Expected a number, like {example(schema)}.", len(word[0]) if word else 0)
    if found[2] == "(":
        return _aggregate(scanner, found[1], schema)
    return _cell(scanner, found[1], schema)


def example(schema: Schema) -> str:
    """Two numbers that can be typed in this domain."""
    table = schema.tables[0]
    column = next((column for column in table.columns if column.values.kind == "int"), table.columns[0])
    key = 7 if table.key is int else '"two words"'
    whole = f"sum({table.name}.{column.name})" if column.values.kind == "int" else f"count({table.name})"
    return f"{table.name}:{key}.{column.name} or {whole}"


def _cell(scanner: Scanner, name: str, schema: Schema) -> Cell:
    table = _table(scanner, name, schema)
    scanner.place += len(name) + 1
    key_start = scanner.place
    if scanner.next == '"':
        key_text = scanner.quotation()
        key_end = scanner.place
        if scanner.next != ".":
            raise scanner.wrong(f"Expected a . and a column: {_columns(table)}.", 0)
        scanner.place += 1
    else:
        bare = scanner.take(_BARE)
        key_text, point, column_name = bare[0].rpartition(".") if bare else ("", "", "")
        if bare is None or (point and not key_text):
            raise scanner.wrong(f"Expected a key of {table.name}.", 0, key_start)
        if not point:
            raise scanner.wrong(f"Expected a . and a column behind the key: {_columns(table)}.", 0)
        key_end = scanner.place - len(column_name) - 1
        scanner.place = key_end + 1
    column = _column(scanner, table)
    try:
        key = read_key(table, key_text)
    except ValueError as error:
        raise QueryError(str(error), scanner.text, (key_start, key_end)) from None
    return Cell(table.name, key, column.name)


def _aggregate(scanner: Scanner, function: str, schema: Schema) -> Aggregate:
    if function not in FUNCTIONS:
        raise scanner.wrong(f"There is no {function}(…). Expected {listed(list(FUNCTIONS))}.", len(function))
    scanner.place += len(function) + 1
    scanner.skip()
    name = _NAME.match(scanner.text, scanner.place)
    if name is None:
        raise scanner.wrong(f"Expected a table: {listed([table.name for table in schema.tables])}.", 0)
    table = _table(scanner, name[0], schema)
    scanner.place = name.end()
    column = ""
    if function == COUNT:
        if scanner.next == ".":
            raise scanner.wrong(f"Expected a ): count({table.name}) counts the rows.", 1)
    else:
        if scanner.next != ".":
            raise scanner.wrong(f"Expected a . and a column: {_numeric(table)}.", 0)
        scanner.place += 1
        start = scanner.place
        found = _column(scanner, table)
        if found.values.kind not in ("int", "time"):
            message = f"{found.name} holds no numbers. Expected {_numeric(table)}."
            raise scanner.wrong(message, len(found.name), start)
        column = found.name
    scanner.skip()
    if scanner.next != ")":
        raise scanner.wrong("Expected a ).", 0)
    scanner.place += 1
    return Aggregate(function, table.name, column)


def _table(scanner: Scanner, name: str, schema: Schema) -> TableOf:
    table = schema.table(name)
    if table is None:
        names = [table.name for table in schema.tables]
        raise scanner.wrong(f"There is no table {name}.{near(name, names)} Expected {listed(names)}.", len(name))
    return table


def _column(scanner: Scanner, table: TableOf) -> ColumnOf:
    name = _NAME.match(scanner.text, scanner.place)
    if name is None:
        raise scanner.wrong(f"Expected a column: {_columns(table)}.", 0)
    column = table.column(name[0])
    if column is None:
        names = [column.name for column in table.columns]
        told = f"{table.name} has no column {name[0]}.{near(name[0], names)} Expected {listed(names)}."
        raise scanner.wrong(told, len(name[0]))
    scanner.place = name.end()
    return column


def _columns(table: TableOf) -> str:
    return listed([column.name for column in table.columns])


def _numeric(table: TableOf) -> str:
    names = [column.name for column in table.columns if column.values.kind in ("int", "time")]
    return listed(names) if names else f"count({table.name}), since {table.name} has no column of numbers"
