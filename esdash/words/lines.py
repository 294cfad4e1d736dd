"""The line of one entry: what people read of it, and so what a text is looked for in."""

from weakref import WeakKeyDictionary

from esdash.domain import Format
from esdash.fold.folding import Fold, Told
from esdash.fold.sorting import Fields
from esdash.words.changes import column_of, title_of
from esdash.words.entries import type_of, write
from esdash.words.outcomes import shortfall

_known: WeakKeyDictionary[Fold, dict[tuple[str, str], tuple[str, Format] | None]] = WeakKeyDictionary()
"""By table and column, what `_seen` said."""


def deeds(fold: Fold, told: Told | None) -> str:
    """The numbers that moved, or those for which an entry was refused: `balance of 7 new → 12.34`.

    Made of text of the stream, which is not made harmless here.
    """
    if told is None:
        return ""
    moved = []
    known = _known.setdefault(fold, {})
    for change in told.changes:
        place = change.table, change.column
        if place not in known:
            known[place] = _seen(fold, *place)
        seen = known[place]
        if seen is not None:
            title, shown = seen
            before = "new" if change.before is None else write(shown, change.before)
            moved.append(f"{title} of {change.key} {before} → {write(shown, change.after)}")
    return ", ".join(moved) or shortfall(told)


def _seen(fold: Fold, table: str, column: str) -> tuple[str, Format] | None:
    """What a column is called, and how people read it; None where its table is hidden."""
    declared, found = column_of(fold, table, column)
    return None if declared.hidden else (title_of(found), found.shown)


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
        f"{name} {reason}" if reason else name,
        deeds(fold, told),
    )
    return "  ".join(part for part in parts if part)
