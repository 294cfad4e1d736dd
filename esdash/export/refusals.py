"""The board of refusals as it is handed on: by reason, and by row."""

from collections.abc import Iterable, Sequence
from typing import Any

from esdash.domain import TIME, Format
from esdash.export.sheet import Heading, Sheet
from esdash.fold.folding import Fold
from esdash.past.entries.board import Board, RefusedReason, RefusedRow
from esdash.words.entries import write
from esdash.words.times import iso_time, zoned_time


def board_sheets(fold: Fold, board: Board) -> tuple[Sheet[RefusedReason], Sheet[RefusedRow]]:
    """What was refused and parked: its reasons, then its rows."""

    def of_reason(reason: RefusedReason) -> Sequence[str]:
        outcome = fold.outcomes[reason.code]
        return (
            outcome.name,
            outcome.reason or "",
            f"{reason.count:,}",
            _together((each.shown, each.short) for each in reason.sums),
            _together((each.shown, each.needed) for each in reason.sums),
            ", ".join(f"{_named(row)} ×{row.count:,}" for row in reason.rows),
            *_since(board, reason),
        )

    def of_row(row: RefusedRow) -> Sequence[str]:
        told = (f"{fold.outcomes[code].reason} {count:,}" for code, count in row.codes)
        return _named(row), f"{row.count:,}", ", ".join(told), *_since(board, row)

    def reason_document(reason: RefusedReason) -> dict[str, Any]:
        outcome = fold.outcomes[reason.code]
        sums = [{"times": each.times, "needed": each.needed, "short": each.short} for each in reason.sums]
        rows = [{"table": row.table.name, "key": row.key, "count": row.count} for row in reason.rows]
        told = {"outcome": outcome.name, "reason": outcome.reason, "count": reason.count}
        return {**told, **_first(board, reason), "sums": sums, "rows": rows}

    def row_document(row: RefusedRow) -> dict[str, Any]:
        reasons = {str(fold.outcomes[code].reason): count for code, count in row.codes}
        told = {"table": row.table.name, "key": row.key, "count": row.count}
        return {**told, **_first(board, row), "reasons": reasons}

    times, since = Heading("times", is_number=True), Heading("since")
    number = Heading("#", is_number=True)
    sums = (Heading("short", is_number=True), Heading("needed", is_number=True))
    by_reason = (Heading("outcome"), Heading("reason"), times, *sums, Heading("most about"), since, number)
    by_row = (Heading("about"), times, Heading("reasons"), since, number)
    return (
        Sheet("Refused and parked, by reason", by_reason, board.reasons, reason_document, of_reason),
        Sheet("By row", by_row, board.rows, row_document, of_row),
    )


def _first(board: Board, found: RefusedReason | RefusedRow) -> dict[str, Any]:
    return {"first": {"ordinal": found.first, "number": found.first + board.unseen, "time": iso_time(found.first_ms)}}


def _since(board: Board, found: RefusedReason | RefusedRow) -> Sequence[str]:
    return zoned_time(found.first_ms), str(found.first + board.unseen)


def _named(row: RefusedRow) -> str:
    return f"{row.table.one} {row.key}"


def _together(sums: Iterable[tuple[Format, int]]) -> str:
    """Sums as they are shown; times are not added up."""
    return " + ".join(write(shown, value) for shown, value in sums if shown != TIME)
