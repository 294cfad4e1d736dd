"""What the screens over the past hand on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from esdash.domain import Table
from esdash.export.entries import row_sheet
from esdash.export.refusals import board_sheets
from esdash.export.states import Came, difference_sheets
from esdash.fold.folding import Fold
from esdash.ui.export.handed import Handed

if TYPE_CHECKING:
    from esdash.past.entries.board import Board
    from esdash.past.numbers.difference import Difference
    from esdash.past.service import Past
    from esdash.ui.past.story_source import Told

AT_ONCE: Final = 200
"""Entries of a story that are read at a time."""


def story(fold: Fold, past: "Past", table: Table, key: int | str, until: int, unseen: int, title: str) -> Handed:
    """All of a row's story up to an ordinal, however far it is listed; `unseen` entries came before the history."""

    def lines() -> "Iterator[Told]":
        at = until
        while at > 0 and (some := past.story(table, key, at, AT_ONCE)):
            yield from some
            at = some[-1][0].ordinal - 1

    return Handed(f"{table.name}-{key}", title, lambda: [row_sheet(fold, table, key, lines(), unseen)])


def difference(fold: Fold, found: "Difference", title: str) -> Handed:
    came = [Came(each.type, each.outcome, each.count) for each in found.came]
    return Handed("difference", title, lambda: difference_sheets(fold, found.numbers, came))


def board(fold: Fold, found: "Board", title: str) -> Handed:
    return Handed("refusals", title, lambda: board_sheets(fold, found))
