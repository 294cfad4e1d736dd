"""Entries about one row: those whose event names it, and those that changed it."""

from collections.abc import Iterator

from esdash.domain import Table
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold


def rows_of(fold: Fold, row: Row) -> Iterator[tuple[str, int | str]]:
    """The rows that an entry is about, each once: those it names first, then those it changed."""
    found: dict[tuple[str, int | str], None] = {}
    event = fold.read(row.fields).event if row.mark is None else None
    if event is not None:
        found.update(dict.fromkeys(fold.model(event).rows(event)))
    if row.told is not None:
        found.update(dict.fromkeys((change.table, change.key) for change in row.told.changes))
    yield from found


def text_of(table: Table, key: int | str) -> str:
    """What to ask the log for the entries about a row."""
    from esdash.query.terms import AboutRow

    return str(AboutRow(table.one, table.name, key))
