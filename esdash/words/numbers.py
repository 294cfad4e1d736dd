"""Values of numbers that people named, told as their columns are read."""

from typing import Any

from esdash.domain import COUNT, Column
from esdash.fold.folding import Fold
from esdash.query.numbers import Number
from esdash.words.changes import column_of, moved
from esdash.words.entries import write


def value_text(fold: Fold, number: Number, value: Any) -> str:
    """A number's value as people read it; `–` where there is none. Not made harmless here."""
    return write(_column(fold, number).shown, value)


def moved_text(fold: Fold, number: Number, before: Any, after: Any) -> str:
    """By how much a number moved, with its sign; empty for what is none."""
    return moved(_column(fold, number), before, after)


def _column(fold: Fold, number: Number) -> Column:
    if not number.column:
        return Column(f"count of {number.table}", int, COUNT)
    return column_of(fold, number.table, number.column)[1]
