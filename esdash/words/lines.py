"""The line of one entry: what people read of it, and so what a text is looked for in."""

from esdash.fold.folding import Fold, Told
from esdash.fold.sorting import Fields
from esdash.words.changes import column_of, title_of
from esdash.words.entries import type_of, write
from esdash.words.outcomes import shortfall


def deeds(fold: Fold, told: Told | None) -> str:
    """The numbers that moved, or those for which an entry was refused: `balance of 7 new → 12.34`.

    Made of text of the stream, which is not made harmless here.
    """
    if told is None:
        return ""
    moved = []
    for change in told.changes:
        table, column = column_of(fold, change.table, change.column)
        if not table.hidden:
            before = "new" if change.before is None else write(column.shown, change.before)
            moved.append(f"{title_of(column)} of {change.key} {before} → {write(column.shown, change.after)}")
    return ", ".join(moved) or shortfall(told)


def line_of(
    fold: Fold, number: int, entry_id: bytes, fields: Fields, said: str, code: int | None, told: Told | None
) -> str:
    """All of an entry's line but when it was: number, id, type, what is `said`, its outcome, and what it did.

    Nothing is cut, and text of the stream is not made harmless here.
    """
    name, reason = fold.outcomes[code] if code is not None else ("", None)
    parts = (
        f"#{number}",
        entry_id.decode("utf-8", "backslashreplace"),
        type_of(fold, fields),
        said,
        name,
        reason or "",
        deeds(fold, told),
    )
    return "  ".join(part for part in parts if part)
