"""Known rows and choices that fit what is being typed, found without walking through all of them. No textual."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from esdash.domain import Column, Table
from esdash.engine.shown.picture import TablePicture
from esdash.engine.shown.view import View
from esdash.fold.schema import Field
from esdash.visible import visible
from esdash.words.changes import title_of
from esdash.words.entries import words, write
from esdash.words.typed import pair_of, read_name, read_pairs, read_value, write_pair_name, write_value

MOST: Final = 5
"""Matches offered at once."""
SCANNED: Final = 20_000
"""Rows looked through for a match in the middle of the name: a few milliseconds."""
MOST_CELLS: Final = 3
"""Cells of a row that are told."""


class Match(NamedTuple):
    """One thing that could be meant."""

    written: str
    """What the field holds when it is taken."""
    name: str
    detail: str
    """What is known of it."""


class Completion(NamedTuple):
    """What fits a part of a text."""

    start: int
    end: int
    """Where in the text the part stands that a match replaces."""
    matches: Sequence[Match]
    more: int
    """Known matches that are not listed; for names 0 or 1, which stands for some."""

    def part_of(self, text: str) -> str:
        """The part that a match replaces."""
        return text[self.start : self.end]


def complete_row(view: View, field: Field, text: str) -> Completion:
    """Rows of the table that a field names, whose key fits what is typed."""
    table = _table(view, field)
    matches, more = _rows(table, field, text)
    return Completion(0, len(text), matches, more)


def complete_pair(view: View, field: Field, text: str, cursor: int) -> Completion:
    """The same for the first part of the record that the cursor is at, in a list. None beside one."""
    pair = pair_of(field)
    assert pair is not None, "only such a list is typed so"
    table = _table(view, pair[0])
    start = end = cursor
    for each in read_pairs(field, text):
        if each.start < cursor <= each.name_end:
            start, end = each.start, each.name_end
        elif each.start < cursor <= each.end:
            return Completion(cursor, cursor, (), 0)
    matches, more = _rows(table, pair[0], text[start:end].strip('"'))
    quoted = [match._replace(written=write_pair_name(match.written)) for match in matches]
    return Completion(start, end, quoted, more)


def complete_choice(choices: Sequence[str], text: str) -> Completion:
    typed = text.strip()
    fitting = [choice for choice in choices if choice.casefold().startswith(typed.casefold())]
    matches = [Match(choice, visible(choice, 40), "") for choice in sorted(fitting, key=typed.__ne__)]
    return Completion(0, len(text), matches[:MOST], len(matches) - len(matches[:MOST]))


def told_cells(columns: Sequence[Column], cells: Sequence[Any], *, titled: bool = True) -> str:
    """The cells of a row in their formats: `cost 12.00 · left 5`; without titles where there is but one."""
    titled = titled or len(columns) > 1
    told = [
        f"{title_of(column)} {write(column.shown, cell)}" if titled else write(column.shown, cell)
        for column, cell in zip(columns, cells, strict=True)
        if cell is not None
    ]
    return visible(" · ".join(told[:MOST_CELLS]), 60)


def _table(view: View, field: Field) -> TablePicture | None:
    return None if view.state is None else view.state.tables.get(field.about)


def _rows(table: TablePicture | None, field: Field, text: str) -> tuple[list[Match], int]:
    if field.kind == "int":
        return _numbers(table, field, text)
    found = [] if table is None else list(islice(_names(table, text), MOST + 1))
    return [_match(table, field, number) for number in found[:MOST] if table is not None], int(len(found) > MOST)


def _match(table: TablePicture, field: Field, number: int) -> Match:
    row = table.row(number)
    written = write_value(field, row.key)
    return Match(written, visible(str(row.key), 30), told_cells(table.table.columns, row.cells, titled=False))


def _numbers(table: TablePicture | None, field: Field, text: str) -> tuple[list[Match], int]:
    """Keys that begin with what is typed, lowest first.

    What is typed comes first, as a new one may be meant: taking the first match never changes a whole number.
    """
    typed = text.strip().replace(",", "")
    if typed.isascii() and typed.isdigit():
        typed = typed.lstrip("0") or "0"
    matches: list[Match] = []
    more = 0
    if table is not None:
        order: Any = table.order(needle=typed) if typed else range(len(table))
        matches = [_match(table, field, int(number)) for number in order[:MOST]]
        more = len(order) - len(matches)
    if typed and (not matches or matches[0].written != typed):
        try:
            key = read_value(field, typed)
        except ValueError:
            pass
        else:
            known = None if table is None else table.number(key)
            word = "row" if table is None else _one(table.table)
            if known is None:
                matches.insert(0, Match(typed, visible(str(key), 30), f"new {word}"))
                more += len(matches) - len(matches[:MOST])
    return matches[:MOST], more


def _one(table: Table) -> str:
    return visible(words(table.one), 30)


def _names(table: TablePicture, text: str) -> Iterator[int]:
    """Rows whose key begins with what is typed, then rows whose key holds it in any case."""
    typed = read_name(text)
    keys = table.keys
    first = after = bisect_left(keys, typed)
    while after < len(keys) and keys[after].startswith(typed):
        yield after
        after += 1
    needle = typed.casefold()
    for number, key in enumerate(islice(keys, SCANNED)):
        if not first <= number < after and needle in key.casefold():
            yield number
