"""What there is to read about one entry, in paragraphs: its details and its preview are made of them."""

from collections.abc import Iterator

from rich.cells import cell_len

from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold, Told
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.payload import LABEL
from esdash.ui.tables.log_cells import MARKS
from esdash.ui.tables.relation import rows_of
from esdash.visible import visible
from esdash.words.changes import text_of
from esdash.words.entries import write
from esdash.words.outcomes import outcome_of, sentence, shortfall

Place = tuple[str, int | str]
"""A row: table and key."""


def tell_outcome(fold: Fold, row: Row, label: str = "", indent: int = 0) -> Iterator[Paragraph]:
    """The decision with its glyph, and what it means."""
    outcome = outcome_of(fold, row.code)
    if outcome is None:
        yield Paragraph("not known any more", label, "dim", indent)
        return
    mark = MARKS[outcome.name]
    name = outcome.name if outcome.reason is None else f"{outcome.name}: {outcome.reason}"
    yield Paragraph(f"{mark.glyph} {name}", label, mark.style, indent)
    yield Paragraph(visible(sentence(fold, outcome), 400), indent=indent)


def tell_decided(told: Told) -> Iterator[Paragraph]:
    """The numbers that decided a refusal, one below the other; nothing where none did."""
    if told.needed is None or told.available is None:
        return
    short = told.needed - told.available
    numbers = {"needed": told.needed, "had": told.available} | ({"short": short} if short > 0 else {})
    texts = {label: visible(write(told.shown, number), 60) for label, number in numbers.items()}
    widest = max(map(cell_len, texts.values()))
    for label, text in texts.items():
        style = "bad" if label == "short" else "strong"
        yield Paragraph(" " * (widest - cell_len(text)) + text, f"  {label}", style, LABEL)


def tell_changes(fold: Fold, told: Told, width: int) -> Iterator[Paragraph]:
    """Every number before and after, and by how much, each in two lines where one is too short; of a refusal what
    decided it."""
    if not told.changes:
        yield Paragraph("Nothing changed.", style="dim")
        if decided := shortfall(told):
            yield Paragraph(visible(decided, 200))
        return
    places = fold.storage.places
    # What keeps the books of a domain that is for looking only is nothing to look at.
    changes = [each for each in told.changes if not (fold.readonly and places[each.table][0].hidden)]
    texts = [text_of(fold, change) for change in changes]
    subjects = [f"{visible(text.one, 40)} {visible(text.key, 30)}" for text in texts]
    labels = [visible(text.column, 24) for text in texts]
    values = [f"{visible(text.before)} → {visible(text.after)}" for text in texts]
    moves = [
        f"({visible(text.moved, 60)})" if text.moved and "–" not in (text.before, text.after) else "" for text in texts
    ]
    widest = max(map(cell_len, subjects))
    indent = max(LABEL, max(map(cell_len, labels)) + 2)
    longest = max(cell_len(value + move) for value, move in zip(values, moves, strict=True))
    apart = indent + widest + 4 + longest > width
    for subject, label, value, move in zip(subjects, labels, values, moves, strict=True):
        did = f"{value}  {move}".rstrip()
        if apart:
            yield Paragraph(subject, label, indent=indent)
            yield Paragraph(did, indent=2)
        else:
            yield Paragraph(f"{subject}{' ' * (widest - cell_len(subject))}  {did}", label, indent=indent)


def links_of(fold: Fold, row: Row) -> list[Place]:
    """The rows that an entry is about and that have a panel."""
    hidden = {table.name for table in fold.domain.tables if table.hidden}
    return [place for place in rows_of(fold, row) if place[0] not in hidden]


def name_of(fold: Fold, place: Place) -> str:
    """A row in words: `user 7`."""
    table, key = place
    return f"{visible(fold.storage.places[table][0].one, 40)} {visible(str(key), 60)}"
