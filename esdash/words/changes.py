"""What an entry changed, told for people: `balance of user 7 1,555.00 → 2,055.00`."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from esdash.domain import COUNT, TIME, Column, Table
from esdash.fold.cells import Change
from esdash.fold.failing import FAILURES, raise_signals
from esdash.fold.folding import Fold, Told
from esdash.fold.stored import Difference, number_name
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
    """By how much, as of `moved`."""
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
    return text_between(fold, fold, change)


def text_between(one: Fold, other: Fold, change: Change) -> ChangeText:
    """A change from a number of one domain to that of another, of which at least one has it."""
    (table, column), (_, former) = (
        column_of(each if has_column(each, change) else instead, change.table, change.column)
        for each, instead in ((other, one), (one, other))
    )
    return ChangeText(
        title_of(column),
        table.one,
        str(change.key),
        write(former.shown, change.before),
        write(column.shown, change.after),
        moved(column, change.before, change.after) if former.kind is column.kind else "",
        number_name(change.table, change.key, change.column),
    )


def has_column(fold: Fold, change: Change) -> bool:
    declared, _ = fold.storage.places.get(change.table, (None, ()))
    return declared is not None and any(each.name == change.column for each in declared.columns)


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
    """By how much a number moved, with its sign: `+500.00`; empty for what is none, or did not move.

    Of an amount that appeared or vanished that is all of it; nothing is so far from a time.
    """
    if column.kind is not int or before == after or (None in (before, after) and not is_amount(column)):
        return ""
    return by(column, (after or 0) - (before or 0))


def is_amount(column: Column) -> bool:
    """Whether it means something to add up what it holds, or to compare how far two of it lie apart."""
    return column.kind is int and column.shown != TIME


def by(column: Column, delta: int) -> str:
    """A difference with its sign, a real minus included."""
    try:
        text = str(column.shown.moved(delta))
    except FAILURES as error:  # whatever a domain's own function raises
        raise_signals(error)
        text = f"{delta:+,}"
    return f"−{text[1:]}" if text.startswith("-") else text


def gist(fold: Fold, told: Told, named: Iterable[tuple[str, int | str]]) -> str:
    """What an entry did, in a word or two: `−44.00`; empty where it moved nothing that people see.

    Of the rows that it changed it is about the first that is among those it `named`, else about the first of all; of
    that row, about the number that has a bar, else about the first. Made of text of the stream, which is not made
    harmless here.
    """
    places = fold.storage.places
    seen = [change for change in told.changes if not places[change.table][0].hidden]
    if not seen:
        return ""
    own = next(
        (
            found
            for table, key in named
            if (found := [each for each in seen if each.key == key and each.table == table])
        ),
        None,
    ) or [each for each in seen if each.key == seen[0].key and each.table == seen[0].table]
    table = places[own[0].table][0]
    best: tuple[Column, int] | None = None
    for change in own:
        column = next(each for each in table.columns if each.name == change.column)
        if change.after is not None and is_amount(column) and (delta := change.after - (change.before or 0)):
            if column.bar:
                return by(column, delta)
            best = best or (column, delta)
    if best is not None:
        return by(*best)
    first = next((change for change in own if change.column == table.columns[0].name), None)
    if first is not None and None in (first.before, first.after):
        return "new" if first.before is None else "gone"
    _, column = column_of(fold, own[0].table, own[0].column)
    return f"{title_of(column)} {write(column.shown, own[0].after)}"


def by_size(changes: Iterable[Change], *folds: Fold) -> list[Change]:
    """Amounts first, those that differ most before others, one that is on one side only by all of it; `folds` are those
    that may have a column."""
    tables = [table for fold in folds for table in fold.domain.tables]
    amounts = {(table.name, column.name) for table in tables for column in table.columns if is_amount(column)}
    return sorted(changes, key=lambda each: -_size(each) if (each.table, each.column) in amounts else 1)


def _size(change: Change) -> int:
    before, after = (value if type(value) is int else 0 for value in (change.before, change.after))
    return abs(after - before)
