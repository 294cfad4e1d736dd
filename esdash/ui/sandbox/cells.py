"""What stands in the lists of a sandbox: its edits, the entries that are decided otherwise, the numbers that differ."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from esdash.fold.folding import Entry, Fold
from esdash.fold.outcomes import Outcome
from esdash.fold.sorting import Fields
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.log_cells import MARKS, hue_of
from esdash.visible import visible
from esdash.whatif.beside import Consequences, Tried
from esdash.whatif.decisions import Decided
from esdash.whatif.edits import Change, Edit, Insert, Skip
from esdash.words.changes import gist
from esdash.words.entries import describe, type_of
from esdash.words.outcomes import shortfall

EDITS: Final = (
    Column("glyph", "", least=1),
    Column("entry", "#", Kind.NUMBER, rank=1),
    Column("what", "what was changed", least=16, stretch=2),
    Column("outcome", "what comes of it", least=12, stretch=1, rank=2),
)
DECIDED: Final = (
    Column("entry", "#", Kind.NUMBER),
    Column("what", "entry", least=10, stretch=2, rank=1),
    Column("was", "was", least=10, stretch=1),
    Column("now", "would be", least=10, stretch=1),
)
NUMBERS: Final = (
    Column("number", "number", least=14, stretch=1),
    Column("was", "is", Kind.NUMBER, rank=1),
    Column("now", "would be", Kind.NUMBER),
    Column("moved", "±", Kind.NUMBER, rank=2),
)


class EditLine(NamedTuple):
    """One line about an edit; of entries that are inserted together each has one."""

    place: int
    """Of the edit."""
    edit: Edit
    number: str
    """What the entry is called; empty where that is not known yet."""
    fields: Fields
    """What it says now, or said where it is left out."""
    tried: Tried | None
    """What came of it, where it says something new."""


def edit_lines(edits: Sequence[Edit], found: Consequences | None) -> list[EditLine]:
    """A line for each entry that is changed; while nothing is `found`, they have no numbers."""
    tried = {} if found is None else {each.edit: each for each in found.tried}
    unseen = 0 if found is None else found.end.unseen

    def called(entry: Entry) -> str:
        ordinal = None if found is None else found.ordinals.get(entry[0])
        return "" if ordinal is None else f"#{ordinal + unseen:,}"

    lines: list[EditLine] = []
    for place, edit in enumerate(edits):
        if isinstance(edit, Insert):
            for nth, fields in enumerate(edit.entries):
                came = tried.get((place, nth))
                lines.append(EditLine(place, edit, "" if came is None else came.place.named(unseen), fields, came))
        elif isinstance(edit, Change):
            lines.append(EditLine(place, edit, called(edit.entry), edit.fields, tried.get((place, 0))))
        elif isinstance(edit, Skip):
            lines.append(EditLine(place, edit, called(edit.entry), edit.entry[1], None))
        else:
            numbers = f"{called(edit.one)} {called(edit.other)}"
            lines.append(EditLine(place, edit, numbers.strip(), edit.one[1], None))
    return lines


def edit_cells(fold: Fold, line: EditLine) -> tuple[Cell, ...]:
    edit, number, said = line.edit, Cell(line.number, "dim"), _says(fold, line.fields)
    if isinstance(edit, Skip):
        return Cell("−", "bad"), number, Cell(said, "dim"), Cell("left out", "dim")
    if isinstance(edit, Insert):
        return Cell("+", "good"), number, Cell(said), _came(fold, line.tried)
    if isinstance(edit, Change):
        return Cell("~", "warning"), number, Cell(said), _came(fold, line.tried)
    return (
        Cell("⇄", "information"),
        number,
        Cell(f"{said} and {_says(fold, edit.other[1])}"),
        Cell("change places", "dim"),
    )


def decided_cells(fold: Fold, unseen: int, decided: Decided) -> tuple[Cell, ...]:
    """One entry on which another decision would have been taken."""
    kind = visible(decided.type, 30)
    what = _says(fold, decided.fields) if decided.fields else kind
    return (
        Cell(f"{decided.ordinal + unseen:,}", "dim"),
        Cell(what, hue_of(fold, decided.type)),
        outcome_cell(decided.was),
        outcome_cell(decided.now),
    )


def outcome_cell(outcome: Outcome) -> Cell:
    mark = MARKS[outcome.name]
    return Cell(f"{mark.glyph} {outcome.reason or outcome.name}", mark.style)


def _came(fold: Fold, tried: Tried | None) -> Cell:
    if tried is None:
        return Cell("…", "dim")
    mark = MARKS[tried.outcome.name]
    if tried.outcome.name == "applied":
        told = visible(gist(fold, tried.told, ()), 60)
    else:
        why = tried.outcome.reason or tried.outcome.name
        told = " · ".join(filter(None, (why, visible(shortfall(tried.told), 100))))
    return Cell(f"{mark.glyph} {told}".rstrip(), mark.style)


def _says(fold: Fold, fields: Fields) -> str:
    return f"{visible(type_of(fold, fields), 30)} {visible(describe(fold, fields), 120)}"
