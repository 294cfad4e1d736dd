"""States as they are handed on: the rows of a table, and what differs between two moments."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from esdash.domain import Table
from esdash.export.sheet import Heading, Sheet
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.fold.stored import number_name
from esdash.words.changes import text_of, title_of
from esdash.words.entries import words, write


class Line(NamedTuple):
    """A row of a table."""

    key: int | str
    cells: Sequence[Any]
    """In the order of the columns; None where there is none."""


class Came(Struct, frozen=True):
    """Entries of one kind between two moments."""

    type: str
    outcome: Outcome
    count: int


def table_sheet(table: Table, rows: Iterable[Line]) -> Sheet[Line]:
    names = [column.name for column in table.columns]

    def cells(row: Line) -> Sequence[str]:
        return (
            str(row.key),
            *(
                "" if value is None else write(column.shown, value)
                for column, value in zip(table.columns, row.cells, strict=True)
            ),
        )

    def document(row: Line) -> dict[str, Any]:
        return {"table": table.name, "key": row.key, "cells": dict(zip(names, row.cells, strict=True))}

    title = table.title or words(table.name).capitalize()
    headings = [Heading(table.one, is_number=table.key is int)]
    headings += [Heading(title_of(column), is_number=column.kind is int) for column in table.columns]
    return Sheet(title, headings, rows, document, cells)


def difference_sheets(fold: Fold, numbers: Iterable[Change], came: Iterable[Came]) -> tuple[Sheet[Change], Sheet[Came]]:
    """The numbers that differ, and the entries between."""

    def cells(change: Change) -> Sequence[str]:
        told = text_of(fold, change)
        return told.number, told.before, told.after, told.moved

    headings = [Heading("number"), *(Heading(each, is_number=True) for each in ("before", "after", "difference"))]
    kinds = [*map(Heading, ("type", "outcome", "reason")), Heading("entries", is_number=True)]
    return (
        Sheet("Numbers", headings, numbers, difference_document, cells),
        Sheet(
            "Entries",
            kinds,
            came,
            came_document,
            lambda each: (each.type, each.outcome.name, each.outcome.reason or "", f"{each.count:,}"),
        ),
    )


def difference_document(change: Change) -> dict[str, Any]:
    """A number that differs, as JSON has it."""
    number = number_name(change.table, change.key, change.column)
    return {"number": number, "before": change.before, "after": change.after}


def came_document(each: Came) -> dict[str, Any]:
    """Entries of one kind, as JSON has them."""
    return {"type": each.type, "outcome": each.outcome.name, "reason": each.outcome.reason, "count": each.count}
