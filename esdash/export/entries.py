"""Entries as they are handed on: with what became of them, and those that make up the story of a number or a row."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from esdash.domain import Column, Table
from esdash.engine.shown.row import Row
from esdash.exact import json_line, read_as_written
from esdash.export.sheet import Heading, Sheet
from esdash.export.whole import value_document
from esdash.fold.cells import Change
from esdash.fold.folding import Fold
from esdash.fold.stored import number_name
from esdash.log.facts import id_parts
from esdash.query.numbers import Number
from esdash.words.changes import moved, title_of
from esdash.words.entries import describe, payload_of, type_of, write
from esdash.words.lines import deeds
from esdash.words.numbers import moved_text, value_text
from esdash.words.outcomes import outcome_of, shortfall
from esdash.words.times import iso_time, zoned_time

if TYPE_CHECKING:
    from esdash.past.numbers.story import StoryLine


class Decided(NamedTuple):
    """An entry of the log."""

    row: Row
    corrected_by: int | None = None
    """The number of the entry that says what it should have said."""


class Moved(NamedTuple):
    """An entry that moved a number."""

    row: Row
    unseen: int
    before: Any
    after: Any


def place_document(ordinal: int, entry_id: bytes) -> dict[str, Any]:
    """Which entry it is, as JSON has it."""
    return {"ordinal": ordinal, "id": entry_id.decode(), "time": iso_time(id_parts(entry_id)[0])}


def change_document(change: Change) -> dict[str, Any]:
    from msgspec.structs import asdict

    return {"number": number_name(change.table, change.key, change.column), **asdict(change)}


def entry_document(fold: Fold, row: Row, corrected_by: int | None = None) -> dict[str, Any]:
    """An entry as JSON has it. Of one that is too large for a screen `bytes` says how many there are, not which.

    Where nobody described what entries say, all their fields are told.
    """
    outcome = outcome_of(fold, row.code)
    key = fold.keys.of(row.fields)
    data, raw = (None, None) if row.mark is not None else _payload(fold, row.fields)
    told = row.told
    short = {} if told is None or told.needed is None else {"needed": told.needed, "available": told.available}
    return {
        **place_document(row.ordinal, row.entry_id),
        "type": type_of(fold, row.fields),
        "key": None if key is None else key.decode("utf-8", "backslashreplace"),
        "outcome": None if outcome is None else outcome.name,
        "reason": None if outcome is None else outcome.reason,
        **short,
        **({} if corrected_by is None else {"corrected_by": corrected_by}),
        "data": data,
        "raw": raw,
        **({} if row.mark is None else {"bytes": row.size}),
        **({} if row.mark is not None or not fold.readonly else {"fields": list(_fields(row.fields))}),
        "changes": [change_document(change) for change in told.changes] if told is not None else [],
    }


def moved_document(fold: Fold, row: Row, before: Any, after: Any) -> dict[str, Any]:
    """An entry that moved a number, as JSON has it."""
    outcome = outcome_of(fold, row.code)
    return {
        **place_document(row.ordinal, row.entry_id),
        "type": type_of(fold, row.fields),
        "outcome": None if outcome is None else outcome.name,
        "before": before,
        "after": after,
    }


_PLACE = (Heading("#", is_number=True), Heading("id"), Heading("time"), Heading("type"))


def log_sheet(fold: Fold, entries: Iterable[Decided], unseen: int) -> Sheet[Decided]:
    """Entries of the log; `unseen` ones came before the history began."""

    def cells(entry: Decided) -> Sequence[str]:
        row = entry.row
        outcome = outcome_of(fold, row.code)
        key = fold.keys.of(row.fields)
        corrected = "" if entry.corrected_by is None else f"corrected by #{entry.corrected_by}"
        return (
            *_place(fold, row, unseen),
            "" if key is None else key.decode("utf-8", "backslashreplace"),
            describe(fold, row.fields),
            "" if outcome is None else outcome.name,
            "" if outcome is None else outcome.reason or "",
            corrected or deeds(fold, row.told),
        )

    headings = (*_PLACE, *map(Heading, ("key", "entry", "outcome", "reason", "what it did")))
    return Sheet("Log", headings, entries, lambda entry: entry_document(fold, *entry), cells)


def number_sheet(fold: Fold, number: Number, entries: Iterable[Moved]) -> Sheet[Moved]:
    """The entries that moved a number."""

    def cells(entry: Moved) -> Sequence[str]:
        row, unseen, before, after = entry
        by = "new" if before is None else "gone" if after is None else moved_text(fold, number, before, after)
        return (*_place(fold, row, unseen), by, value_text(fold, number, after), describe(fold, row.fields))

    def document(entry: Moved) -> dict[str, Any]:
        return moved_document(fold, entry.row, entry.before, entry.after)

    headings = (*_PLACE, Heading("by", is_number=True), Heading("after", is_number=True), Heading("entry"))
    return Sheet(str(number), headings, entries, document, cells)


def row_sheet(
    fold: Fold, table: Table, key: int | str, lines: "Iterable[tuple[StoryLine, Row | None]]", unseen: int
) -> "Sheet[tuple[StoryLine, Row | None]]":
    """The entries that changed a row or are about it."""

    def cells(told: "tuple[StoryLine, Row | None]") -> Sequence[str]:
        line, row = told
        outcome, known = fold.outcomes[line.code], row or Row(line.ordinal, line.entry_id, (), line.code)
        return (
            *_place(fold, known, unseen),
            outcome.name,
            outcome.reason or "",
            *(cell for column in table.columns for cell in _of_column(line, column)),
            describe(fold, known.fields),
            shortfall(known.told),
        )

    def document(told: "tuple[StoryLine, Row | None]") -> dict[str, Any]:
        line, row = told
        known = row or Row(line.ordinal, line.entry_id, (), line.code)
        return {**entry_document(fold, known), "changes": list(map(change_document, line.changes))}

    headings = [*_PLACE, Heading("outcome"), Heading("reason")]
    for column in table.columns:
        if column.kind is int:
            headings.append(Heading(f"{title_of(column)} by", is_number=True))
        headings.append(Heading(title_of(column), is_number=column.kind is int))
    return Sheet(f"{table.one} {key}", [*headings, Heading("entry"), Heading("numbers")], lines, document, cells)


def _of_column(line: "StoryLine", column: Column) -> Iterator[str]:
    change = next((each for each in line.changes if each.column == column.name), None)
    if column.kind is int:
        yield "" if change is None else moved(column, change.before, change.after)
    yield "" if change is None else write(column.shown, change.after)


def _place(fold: Fold, row: Row, unseen: int) -> Sequence[str]:
    return (
        str(row.ordinal + unseen),
        row.entry_id.decode("utf-8", "backslashreplace"),
        zoned_time(id_parts(row.entry_id)[0]),
        type_of(fold, row.fields),
    )


def _fields(fields: Sequence[bytes]) -> Iterator[tuple[Any, Any]]:
    """In their order, as `esdash export --all` has them."""
    values = map(value_document, fields)
    return zip(values, values, strict=True)


def _payload(fold: Fold, fields: Sequence[bytes]) -> tuple[Any, str | None]:
    """The payload as an object, or, when it is none, its bytes as hexadecimal digits; neither when there is none."""
    name = fold.payload_field.encode()
    if not fields or (name and name not in fields[::2] and fold.sorter.envelope(fields) is None):
        return None, None
    payload = payload_of(fold, fields)
    try:
        data = read_as_written(payload.decode())
        if isinstance(data, dict):
            json_line(data)
            return data, None
    except (ValueError, RecursionError):
        pass
    return None, payload.hex()
