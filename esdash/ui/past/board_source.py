"""The lines of the board of refusals: by reason, and by row."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from esdash.domain import TIME, Format
from esdash.fold.folding import Fold
from esdash.ui.paint.drawing import clock_time, spark
from esdash.ui.tables.columns import Cell, Column, Kind
from esdash.ui.tables.lines import Made
from esdash.ui.tables.log_cells import MARKS
from esdash.ui.tables.relation import text_of
from esdash.visible import visible
from esdash.words.entries import write

if TYPE_CHECKING:
    from esdash.past.entries.board import Board, RefusedReason, RefusedRow

PARTS: Final = 24
"""Of a stretch: as many blocks has a spark at most."""

REASONS: Final = (
    Column("reason", "reason", Kind.TEXT, least=24),
    Column("count", "times", Kind.NUMBER),
    Column("spark", "when", Kind.TEXT, least=6, rank=3),
    Column("short", "short", Kind.NUMBER, rank=2),
    Column("needed", "needed", Kind.NUMBER, rank=5),
    Column("rows", "most about", Kind.TEXT, least=12, stretch=1, rank=1),
    Column("since", "since", Kind.TEXT, least=11, rank=4),
)

ROWS: Final = (
    Column("row", "about", Kind.TEXT, least=12, stretch=1),
    Column("count", "times", Kind.NUMBER),
    Column("reasons", "reasons", Kind.TEXT, least=16, stretch=3, rank=1),
    Column("since", "since", Kind.TEXT, least=11, rank=2),
)


def reason_lines(fold: Fold, board: "Board", now: float) -> list[Made]:
    """A line for each reason; `now` in Unix seconds."""
    return [_of_reason(fold, board, reason, now) for reason in board.reasons]


def row_lines(fold: Fold, board: "Board", now: float) -> list[Made]:
    return [
        (
            f"{text_of(row.table, row.key)} outcome:rejected",
            (
                Cell(_named(row)),
                Cell(f"{row.count:,}", "strong"),
                _shortened(f"{fold.outcomes[code].reason} {count:,}" for code, count in row.codes),
                _since(row.first + board.unseen, row.first_ms, now),
            ),
        )
        for row in board.rows
    ]


def _of_reason(fold: Fold, board: "Board", reason: "RefusedReason", now: float) -> Made:
    outcome = fold.outcomes[reason.code]
    mark = MARKS[outcome.name]
    parked = "outcome:parked " if outcome.name == "parked" else ""
    cells = (
        Cell(f"{mark.glyph} {outcome.reason}", mark.style),
        Cell(f"{reason.count:,}", "strong"),
        _spark(reason.parts),
        Cell(_together((each.shown, each.short) for each in reason.sums)),
        Cell(_together((each.shown, each.needed) for each in reason.sums), "dim"),
        _shortened(f"{_named(row)} ×{row.count:,}" for row in reason.rows),
        _since(reason.first + board.unseen, reason.first_ms, now),
    )
    return f"{parked}reason:{outcome.reason}", cells


def _together(sums: Iterable[tuple[Format, int]]) -> str:
    """Sums as they are shown; times are not added up."""
    return " + ".join(visible(write(shown, value), 40) for shown, value in sums if shown != TIME)


def _named(row: "RefusedRow") -> str:
    return f"{visible(row.table.one, 30)} {visible(str(row.key), 40)}"


def _since(number: int, milliseconds: int, now: float) -> Cell:
    when = clock_time(milliseconds, now)
    return Cell(f"{when} #{number:,}", "dim", (when,))


def _spark(parts: Sequence[int]) -> Cell:
    """A block for each part, in which there was something; where there is less room, for some of them together."""
    drawn = []
    for together in (1, 2, 4):
        sums = [sum(parts[place : place + together]) for place in range(0, len(parts), together)]
        top = max(sums, default=0)
        drawn.append("".join(spark(value, top) if value else " " for value in sums))
    return Cell(drawn[0], "information", tuple(drawn[1:]))


def _shortened(parts: Iterable[str]) -> Cell:
    """All parts, or as many of the first as there is room for."""
    told = list(parts)
    texts = ["  ".join(told[:count]) for count in range(len(told), 0, -1)] or [""]
    return Cell(texts[0], "", tuple(texts[1:]))
