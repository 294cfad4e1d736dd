"""What an entry changed, told for people: `balance of user 7 1,555.00 → 2,055.00`."""

from typing import Any, NamedTuple

from esdash.domain import COUNT, TIME, Column, Table
from esdash.fold.folding import Fold
from esdash.fold.stored import Difference, number_name
from esdash.fold.tables import Change
from esdash.words.entries import words, write


class ChangeText(NamedTuple):
    """One change, in parts; made of text of the stream, which is not made harmless here."""

    column: str
    """`balance`"""
    one: str
    """The table's word for a row."""
    key: str
    before: str
    """As people read it; `–` where there was nothing."""
    after: str
    moved: str
    """By how much, with its sign; empty for what is no number."""
    number: str
    """As it is named elsewhere: `users:7.balance`."""


def column_of(fold: Fold, table: str, column: str) -> tuple[Table, Column]:
    """A column's declaration."""
    declared, _ = fold.storage.places[table]
    return declared, next(each for each in declared.columns if each.name == column)


def title_of(column: Column) -> str:
    """What a column is called on a screen."""
    return column.title or words(column.name)


def text_of(fold: Fold, change: Change) -> ChangeText:
    """A change in words."""
    table, column = column_of(fold, change.table, change.column)
    return ChangeText(
        title_of(column),
        table.one,
        str(change.key),
        write(column.shown, change.before),
        write(column.shown, change.after),
        moved(column, change.before, change.after),
        number_name(change.table, change.key, change.column),
    )


def difference_of(fold: Fold, difference: Difference) -> tuple[str, str]:
    """The two values of a number on which two states do not agree, as people read them."""
    shown = next(
        (
            column.shown
            for table in fold.domain.tables
            for column in table.columns
            if difference.number.startswith(f"{table.name}:") and difference.number.endswith(f".{column.name}")
        ),
        COUNT,
    )
    first, second = (
        "nothing" if value is None else write(shown, value) for value in (difference.first, difference.second)
    )
    return first, second


def moved(column: Column, before: Any, after: Any) -> str:
    """By how much a number moved, with its sign: `+500.00`; empty for what is none, or did not move."""
    if column.kind is not int or after is None or before == after:
        return ""
    return by(column, after - (before or 0))


def is_amount(column: Column) -> bool:
    """Whether it means something to add up what it holds, or to compare how far two of it lie apart."""
    return column.kind is int and column.shown != TIME


def by(column: Column, delta: int) -> str:
    """A difference with its sign, a real minus included."""
    try:
        text = str(column.shown.moved(delta))
    except Exception:  # noqa: BLE001 - whatever a domain's own function raises
        text = f"{delta:+,}"
    return f"−{text[1:]}" if text.startswith("-") else text
