"""One entry with what became of it as a line of output: JSON, or for people."""

from typing import Final

from esdash.cli.output import LINE, local_time, paint
from esdash.engine.shown.row import Row
from esdash.exact import json_line
from esdash.export.entries import change_document as change_document
from esdash.export.entries import entry_document
from esdash.export.entries import place_document as place_document
from esdash.fold.folding import Fold
from esdash.log.stream import id_parts
from esdash.visible import visible
from esdash.words.entries import describe, type_of
from esdash.words.lines import deeds

COLOURS: Final = {"applied": "green", "rejected": "red", "parked": "yellow", "duplicate": "blue"}


def place_line(ordinal: int, entry_id: bytes, unseen: int) -> str:
    """Which entry it is and when it came, as a line for people begins."""
    return f"{f'#{ordinal + unseen}':>7}  {local_time(id_parts(entry_id)[0]):<19}"


def as_json_line(fold: Fold, row: Row, corrected_by: int | None) -> str:
    return json_line(entry_document(fold, row, corrected_by))


def as_line(fold: Fold, row: Row, unseen: int, corrected_by: int | None) -> str:
    """A line for people; `unseen` entries had left the stream before the row's history began."""
    assert row.code is not None, "an entry that was just folded"
    outcome = fold.outcomes[row.code]
    decision = outcome.name + (f" {outcome.reason}" if outcome.reason else "")
    return "  ".join(
        (
            place_line(row.ordinal, row.entry_id, unseen),
            f"{row.entry_id.decode():<15}",
            f"{visible(type_of(fold, row.fields), 20):<7}",
            f"{visible(describe(fold, row.fields), 100):<36}",
            paint(f"{decision:<9}", COLOURS[outcome.name]),
            visible(deeds(fold, row.told), LINE) if corrected_by is None else f"corrected by #{corrected_by}",
        )
    ).rstrip()
