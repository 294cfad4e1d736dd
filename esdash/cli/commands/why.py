"""`esdash why`: every entry that moved a number."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.account import warn_of_beginning, warn_of_what_is_left
from esdash.cli.asked import number_of
from esdash.cli.domains import fold_of
from esdash.cli.entries import place_line
from esdash.cli.failures import FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import LINE, say
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.cli.spool import Spool
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.counted import counted
from esdash.domain import Codec
from esdash.engine.invariants.numbers import Numbers
from esdash.engine.moments.history import History
from esdash.engine.shown.row import Row
from esdash.export.entries import Moved, moved_document
from esdash.fold.folding import Entry, Fold
from esdash.fold.sorting import FIRST, Fields
from esdash.log.stream import START, Stream
from esdash.query.numbers import Cell, Number
from esdash.query.places import Place
from esdash.visible import visible
from esdash.words.entries import describe, type_of
from esdash.words.numbers import moved_text, value_text

if TYPE_CHECKING:
    from esdash.past.numbers.story import Moved as CellMoved
    from esdash.past.track.reader import TrackReader

AT_ONCE: Final = 200
"""Entries that are asked for together."""


@click.command()
@click.argument("number")
@click.option("--at", type=PLACE, metavar="PLACE", help="As it was after this place: #123, an id, a time, -5m.")
@as_json
@with_settings
def command(settings: Settings, number: str, at: Place | None, as_json: bool) -> None:
    """Show every entry that moved a number, newest first.

    \b
    A NUMBER is a cell of a table, or is over a table:
      esdash why accounts:7.total
      esdash why 'accounts:"two words".total'
      esdash why 'sum(accounts.total)'       also count(accounts), min(…), max(…)

    What it is now is said first, on stderr. With --json a line for each entry: {"ordinal", "id", "time", "type",
    "outcome", "before", "after"}. A number that never was there ends with exit code 1.
    """
    fold = fold_of(settings)
    asked = number_of(fold, number)

    def write(entry: Moved) -> str:
        return _as_json(fold, entry) if as_json else _as_line(fold, asked, entry)

    with open_stream(settings) as log, Spool() as spool, Progress(log) as progress:
        for line in story_of(settings, log, fold, asked, at, write, spool, progress):
            print(line)


def story_of(
    settings: Settings,
    log: Stream,
    fold: Fold,
    asked: Number,
    at: Place | None,
    write: Callable[[Moved], str],
    spool: Spool,
    progress: Progress,
) -> Iterator[str]:
    """What is written of every entry that moved a number, newest first, over a spool; what it is now is said.

    Raises FailedError where it never was there.
    """
    until = None if at is None else end_of(log, at)
    if isinstance(asked, Cell) and _tell_by_track(settings, log, fold, asked, until, write, spool):
        return spool.oldest_first()
    spool.clear()
    history = History(log, fold, on_page=progress)
    beginning = history.since(START, until)
    progress.clear()
    warn_of_beginning(beginning)  # before it moves on
    projection = beginning.projection
    numbers = Numbers(fold, projection.state, [asked])
    first = before = numbers.value(asked)
    for row in history.explain(projection, until=until or b"+"):
        if row.told is None or not numbers.see(row.told.changes):
            continue
        after = numbers.value(asked)
        if after != before or type(after) is not type(before):
            spool.add(write(Moved(row, projection.unseen, before, after)))
            before = after
    progress.clear()
    if before is None and first is None and not len(spool):
        raise FailedError(f"{asked} never was there{'' if at is None else ' until then'}.")
    _say(fold, asked, before, len(spool), past=at is not None)
    return spool.newest_first()


def _say(fold: Fold, asked: Number, value: Any, times: int, *, past: bool) -> None:
    moved = counted(times, "entry moved", "entries moved")
    say(f"{asked} {'was' if past else 'is'} {_text(fold, asked, value)}. {moved} it.")


def _tell_by_track(
    settings: Settings,
    log: Stream,
    fold: Fold,
    asked: Cell,
    until: bytes | None,
    write: Callable[[Moved], str],
    spool: Spool,
) -> bool:
    """Tell it from the past that a dashboard keeps, where that has all of it: without folding. Whether it was told."""

    def tell_all(reader: "TrackReader") -> tuple[int, Any]:
        last = reader.built_to if until is None else reader.ordinal_of(until)
        unseen, value = reader.origin.unseen, None
        for place, (each, entry) in enumerate(_moves(log, fold, reader, asked, last)):
            kind = fold.domain.events[each.kind - FIRST].wire_name
            fields = _typed(fold, kind) if entry is None else entry[1]
            row = Row(each.ordinal, each.entry_id, fields, each.code)
            value = each.after if not place else value
            spool.add(write(Moved(row, unseen, each.before, each.after)))
        return unseen, value

    told = by_track(settings, log, fold, until, tell_all)
    if told is None:
        return False
    unseen, value = told
    warn_of_what_is_left(unseen)
    if not len(spool):
        raise FailedError(f"{asked} never was there{'' if until is None else ' until then'}.")
    _say(fold, asked, value, len(spool), past=until is not None)
    return True


def _typed(fold: Fold, kind: str) -> Fields:
    """An entry that says its type, and nothing else."""
    wire = fold.domain.wire
    return fold.fields(kind, b"{}", None) if isinstance(wire, Codec) else [wire.type.encode(), kind.encode()]


def _moves(
    log: Stream, fold: Fold, reader: "TrackReader", cell: Cell, last: int
) -> "Iterator[tuple[CellMoved, Entry | None]]":
    """Every entry up to an ordinal that moved a cell, newest first; beside it what the stream has of it."""
    from esdash.past.numbers.story import Story

    table, _ = fold.storage.places[cell.table]
    column = next(each for each in table.columns if each.name == cell.column)
    moves = Story(reader, table, column, cell.key).backwards(last)
    while some := list(islice(moves, AT_ONCE)):
        yield from zip(some, log.entries([each.entry_id for each in some]), strict=True)


def _as_json(fold: Fold, entry: Moved) -> str:
    row, _, before, after = entry
    return json.dumps(moved_document(fold, row, before, after))


def _as_line(fold: Fold, number: Number, entry: Moved) -> str:
    row, unseen, before, after = entry
    moved = "new" if before is None else "gone" if after is None else moved_text(fold, number, before, after)
    line = "  ".join(
        (
            place_line(row.ordinal, row.entry_id, unseen),
            f"{visible(moved, 100):>12}",
            f"→ {_text(fold, number, after):<12}",
            f"{visible(type_of(fold, row.fields), 20):<7}",
            visible(describe(fold, row.fields), 100),
        )
    )
    return visible(line.rstrip(), LINE)


def _text(fold: Fold, number: Number, value: Any) -> str:
    return visible(value_text(fold, number, value), 100)
