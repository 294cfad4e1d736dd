"""What one entry says and did, on a line."""

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.ui.paint.painted import Line, Span
from esdash.ui.tables.log_cells import MARKS
from esdash.visible import visible
from esdash.words.changes import text_of
from esdash.words.entries import describe, type_of
from esdash.words.outcomes import shortfall


def about_entry(fold: Fold, row: Row | None, ordinal: int) -> Line:
    """Type, what it says, the decision, and each number before → after; None: no entry is known at the ordinal."""
    if row is None:
        return (Span("the earliest moment that is kept" if ordinal else "before the first entry", "dim"),)
    kind, said = visible(type_of(fold, row.fields), 30), visible(describe(fold, row.fields), 120)
    spans = [*([Span(f"{kind}  ", "strong")] if kind else []), Span(f"{said}  ", "" if row.fields else "dim")]
    outcome = None if row.code is None else fold.outcomes[row.code]
    if outcome is not None and outcome.name != "applied":
        mark = MARKS[outcome.name]
        spans.append(Span(f"{mark.glyph} {outcome.name} {outcome.reason or ''} ".replace("  ", " "), mark.style))
    if row.told is not None:
        if short := shortfall(row.told):
            spans.append(Span(visible(short, 120), "dim"))
        for change in row.told.changes:
            if fold.storage.places[change.table][0].hidden:
                continue
            text = text_of(fold, change)
            spans += [
                Span(f"{text.column} of {visible(text.key, 40)} ", "dim"),
                Span(f"{text.before} → {text.after}  ", "strong"),
            ]
    return tuple(spans)
