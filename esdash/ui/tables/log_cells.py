"""What stands in the columns of the event log: of an entry, of its outcome; and the outcomes counted."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary
from zlib import crc32

from esdash.engine.shown.kept import NOT_KNOWN
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.fold.outcomes import Outcome
from esdash.fold.reading import Read
from esdash.ui.paint.drawing import clock_time, milliseconds_of
from esdash.ui.paint.painted import HUES
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.visible import visible
from esdash.words.changes import gist
from esdash.words.entries import GONE, describe, describe_event, type_of, write
from esdash.words.outcomes import GLYPHS, shortfall

_SHORT_TYPE: Final = 14
"""Cells of a type's name that there should be room for."""
_LONG_TYPE: Final = 20
"""Cells of one that nobody declared: `com.example.reading`."""
_SHORT_OUTCOME: Final = 26
"""Cells of an outcome with its reason that there should be room for."""
_AMOUNT: Final = 11
"""Cells at whose right end amounts stand under one another."""
_WHOLE: Final = 20
"""Cells for which the column of outcomes has room on every terminal."""


def columns_of(fold: Fold) -> tuple[Column, ...]:
    """The log's columns, with room for the names that the domain uses."""
    names = {each.wire_name for each in fold.publishable or fold.domain.events}
    # Where the types are not known, they are nearly all that there is to tell entries by.
    type_width = _LONG_TYPE if fold.readonly else min(max(map(len, names)), _SHORT_TYPE)
    reason_width = max((len(outcome.reason or "") for outcome in fold.outcomes), default=0) + 2
    columns = (
        Column("time", "time", Kind.TEXT, least=11, rank=3),
        Column("ordinal", "#", Kind.NUMBER, rank=2),
        Column("id", "id", Kind.NUMBER, rank=4),
        Column("type", "type", Kind.TEXT, least=max(7, type_width), rank=1),
        Column("what", "what", Kind.TEXT, least=22, stretch=3),
        Column("outcome", "outcome", Kind.TEXT, least=max(21, min(reason_width, _SHORT_OUTCOME)), stretch=1),
    )
    # Where nothing is refused and only counted, there is nothing to tell of an entry but what it says.
    return columns[:-1] if fold.readonly else columns


class Mark(NamedTuple):
    """How an outcome looks; the glyph tells it without the colour."""

    glyph: str
    style: str


MARKS: Final = {
    "applied": Mark(GLYPHS["applied"], "good"),
    "rejected": Mark(GLYPHS["rejected"], "bad"),
    "parked": Mark(GLYPHS["parked"], "warning"),
    "duplicate": Mark(GLYPHS["duplicate"], "information"),
}


def the_newest(count: int, older: int) -> str:
    """What was looked at, where it is not the whole log: `the newest 10,000 of 270,000 entries`."""
    return f"the newest {count:,} of {count + older:,} entries"


def line_cells(fold: Fold, row: Row, now: float, unseen: int) -> tuple[Cell, ...]:
    """One line of the log, as its columns are. `unseen` entries came before the first of all.

    What moved is not said twice: `user 7 +500.00` is `user 7`, where `+500.00` is its outcome.
    """
    if fold.readonly:
        return entry_cells(fold, row, now, unseen)
    read = fold.read(row.fields)
    outcome = outcome_cell(fold, row, read)
    moved = outcome.text.lstrip()
    return (*entry_cells(fold, row, now, unseen, read, f" {moved}" if len(moved) <= _WHOLE else ""), outcome)


def entry_cells(
    fold: Fold, row: Row, now: float, unseen: int, read: Read | None = None, known: str = ""
) -> tuple[Cell, Cell, Cell, Cell, Cell]:
    """Time, number, id, type and content of an entry. `unseen` ones came before the first of all.

    `read` is the entry, where it was read already; `known` is what need not stand at the end of that.
    """
    if row.fields or row.mark != NOT_KNOWN:
        if read is None or read.event is None or read.type is None:
            kind, said = type_of(fold, row.fields), describe(fold, row.fields)
        else:
            kind, said = read.type.wire_name, describe_event(fold, read.event)
        content = (Cell(visible(kind) or "—", hue_of(fold, kind)), Cell(visible(said.removesuffix(known))))
    else:
        content = (Cell("—", "dim"), Cell(GONE, "dim"))
    return (
        Cell(clock_time(milliseconds_of(row.entry_id), now), "dim"),
        Cell(f"{row.ordinal + unseen:,}" if row.ordinal else "—", "dim"),
        Cell(visible(row.entry_id.decode("utf-8", "backslashreplace")), "dim"),
        *content,
    )


_hues: WeakKeyDictionary[Fold, dict[str, str]] = WeakKeyDictionary()
"""Of the types that are declared."""


def hue_of(fold: Fold, name: str) -> str:
    """The colour of a type: that of its name, or the next one where a type that was declared before has that."""
    hues = _hues.get(fold)
    if hues is None:
        hues = _hues[fold] = {}
        for each in dict.fromkeys(each.wire_name for each in fold.domain.events):
            place = crc32(each.encode()) % len(HUES)
            while HUES[place] in hues.values() and len(hues) < len(HUES):
                place = (place + 1) % len(HUES)
            hues[each] = HUES[place]
    return hues.get(name) or HUES[crc32(name.encode()) % len(HUES)]


def not_read(ordinal: int, unseen: int, columns: int) -> tuple[Cell, ...]:
    """The line of an entry that is still being read."""
    waiting = Cell("…", "dim")
    return (waiting, Cell(f"{ordinal + unseen:,}", "dim"), *(waiting,) * (columns - 2))


def outcome_cell(fold: Fold, row: Row, read: Read | None = None) -> Cell:
    """What came of an entry: of an applied one what moved, without a word; of others the glyph, the reason and, where
    there is room, the numbers that decided it. `read` is the entry, where it was read already."""
    if row.code is None:
        return Cell("· not known any more", "dim", ("· not known",))
    name, reason = fold.outcomes[row.code]
    glyph, style = MARKS[name]
    if name == "applied":
        event = None if read is None or row.mark is not None else read.event
        named = () if event is None else fold.model(event).rows(event)
        moved = gist(fold, row.told, named) if row.told is not None else ""
        if moved.startswith(("+", "−")):
            moved = moved[0] + visible(moved[1:], 40)
            return Cell(moved.rjust(_AMOUNT), "", (moved, f"{moved[0]}…"))
        return Cell(visible(moved, 40)) if moved else Cell(glyph, "dim")
    if reason is None:
        return Cell(f"{glyph} {name}", style)
    brief = f"{glyph} {reason}"
    decided = shortfall(row.told)
    if row.told is None or row.told.needed is None or row.told.available is None or not decided:
        return Cell(brief, style)
    decided = visible(decided, 100)
    short = row.told.needed - row.told.available
    lacking = f"short {visible(write(row.told.shown, short), 40)}" if short > 0 else decided
    return Cell(f"{brief} · {decided}", style, (f"{brief} · {lacking}", brief))


class Counted(NamedTuple):
    """An outcome on the log's lower edge."""

    name: str
    text: str


def counted(outcomes: Sequence[Outcome], counts: Iterable[int], width: int) -> list[Counted]:
    """`✓ 1,234 applied` and `✗ 12 rejected (out_of_stock 7, unknown_user 5)`, to be joined by two spaces: as many
    reasons as fit, the frequent first."""
    totals: dict[str, int] = {}
    reasons: dict[str, list[tuple[int, str]]] = {}
    for (name, reason), count in zip(outcomes, counts, strict=False):
        if count:
            totals[name] = totals.get(name, 0) + count
            if reason is not None:
                reasons.setdefault(name, []).append((count, reason))
    told: list[Counted] = []
    for most in (len(outcomes), 3, 2, 1, 0):
        told = list(_told(totals, reasons, most))
        if sum(len(each.text) + 2 for each in told) - 2 <= width:
            break
    return told


def _told(totals: dict[str, int], reasons: dict[str, list[tuple[int, str]]], most: int) -> Iterator[Counted]:
    for name, total in ((name, totals[name]) for name in MARKS if name in totals):
        frequent = sorted(reasons.get(name, ()), reverse=True)
        named = [f"{reason} {count:,}" for count, reason in frequent[:most]]
        why = f" ({', '.join([*named, *(['…'] if len(frequent) > most else [])])})" if named else ""
        yield Counted(name, f"{MARKS[name].glyph} {total:,} {name}{why}")
