"""`esdash export`: what other commands show, handed on as CSV, JSON lines or Markdown; or the whole stream."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import click

from esdash.cli.account import warn_of_beginning
from esdash.cli.asked import number_of, question_of
from esdash.cli.commands.diff import distance_of, kinds_of, warn_of_distance
from esdash.cli.commands.events import Listing, stretch_of
from esdash.cli.commands.state import rows_of, state_at
from esdash.cli.commands.why import story_of
from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.failures import FailedError
from esdash.cli.guarding import Asking, Guarded, unguarded
from esdash.cli.options import common_options, settings_of, with_settings
from esdash.cli.output import warn_of_partial_history
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream, require_stream
from esdash.cli.progress import Progress
from esdash.cli.rows import read_tables
from esdash.cli.spool import Spool
from esdash.cli.target import Target, exported, require_allowed, to_file
from esdash.config import Settings
from esdash.engine.moments.history import BrokenError, History
from esdash.engine.shown.view import Verdict
from esdash.export.entries import Decided, Moved, log_sheet, number_sheet
from esdash.export.formats import head_written, line_written
from esdash.export.states import Line, difference_sheets, table_sheet
from esdash.export.whole import Header, WrongExportError, lines_of
from esdash.log.archive.through import even_if_gone
from esdash.log.copying import Copying
from esdash.log.facts import Entry
from esdash.log.stream import Stream
from esdash.query.places import Place

EVERY: Final = 1000
"""Entries between two looks at whether progress is to be shown."""


@click.group(invoke_without_command=True, no_args_is_help=False)
@click.option("--all", "everything", is_flag=True, help="The whole stream, for `publish batch --keep-ids`.")
@to_file
@common_options
@click.pass_context
def command(context: click.Context, everything: bool, output: Path | None, force: bool) -> None:
    """Hand on what the other commands show, or the whole stream.

    JSON lines have the values as they are, amounts in their smallest unit. CSV and Markdown have them as people read
    them; in CSV a text that a spreadsheet would take for a formula begins with an apostrophe.

    \b
    `esdash export --all` writes every entry as it is, with its id, as JSON
    lines that prove themselves: the first is about the stream, the last has a
    checksum. They bring it back, with the same ids, numbers and digest:
      esdash export --all --output orders.jsonl
      esdash publish batch orders.jsonl --keep-ids --stream copy
    """
    if context.invoked_subcommand is not None:
        if everything or output is not None or force:
            raise click.UsageError("--all stands alone; other options come after what is exported")
        return
    if not everything:
        raise click.UsageError("Say what to export: log, table, story, diff or board, or the whole stream with --all")
    settings = settings_of(context)
    require_allowed(settings)
    _export_all(settings, Target(output, force=force))


@command.command("log", cls=Asking)
@click.argument("question", nargs=-1, callback=unguarded)
@click.option("--from", "first", type=PLACE, metavar="PLACE", help="From this place on: #123, an id, a time, -5m.")
@click.option("--to", "last", type=PLACE, metavar="PLACE", help="Up to and with this place.")
@exported
@with_settings
def export_log(
    settings: Settings, target: Target, question: tuple[str, ...], first: Place | None, last: Place | None
) -> None:
    """Entries and what became of them; QUESTION as of `esdash events`.

    JSON lines are those of `esdash events --json`.
    """
    fold = fold_of(settings)
    tree = question_of(fold, settings, question)
    with open_stream(settings) as log, Progress(log) as progress:
        asks, begin, until = stretch_of(log, fold, tree, first, last)
        history = History(log, fold, on_page=progress)
        listing = Listing(log, fold, history.since(begin, until), until)
        progress.clear()
        warn_of_beginning(listing.beginning, ranged=True)
        rows = history.explain(listing.projection, until=until or b"+")
        found = (Decided(*each) for each in listing.found(rows, lambda _: True, asks))
        target.write_sheets(log_sheet(fold, found, listing.projection.unseen), progress=progress)


@command.command("table")
@click.argument("name")
@click.option("--at", type=PLACE, metavar="PLACE", help="As it was after this place: #123, an id, a time, -5m.")
@exported
@with_settings
def export_table(settings: Settings, target: Target, name: str, at: Place | None) -> None:
    """The rows of the table NAME.

    A JSON line is {"table", "key", "cells"}.
    """
    fold = fold_of(settings)
    (named,) = read_tables(fold, (name,))
    with open_stream(settings) as log:
        projection, continuity, _ = state_at(settings, log, fold, at)
    if continuity.verdict in (Verdict.GAP, Verdict.DIVERGED):
        raise BrokenError(continuity, "The state cannot be told")
    warn_of_partial_history(continuity.unseen_before_start)
    rows = [Line(key, list(cells.values())) for key, cells in rows_of(fold, projection.state, named).items()]
    table, _ = fold.storage.places[named]
    target.write_sheets(table_sheet(table, rows))


@command.command("story")
@click.argument("number")
@click.option("--at", type=PLACE, metavar="PLACE", help="As it was after this place: #123, an id, a time, -5m.")
@exported
@with_settings
def export_story(settings: Settings, target: Target, number: str, at: Place | None) -> None:
    """Every entry that moved the NUMBER, newest first; as `esdash why`.

    JSON lines are those of `esdash why --json`.
    """
    fold = fold_of(settings)
    asked = number_of(fold, number)
    sheet = number_sheet(fold, asked, ())

    def write(entry: Moved) -> str:
        return line_written(sheet, entry, target.form)

    with open_stream(settings) as log, Spool() as spool, Progress(log) as progress:
        lines = story_of(settings, log, fold, asked, at, write, spool, progress)
        target.write_text(chain(head_written(sheet, target.form), target.counting(lines)), progress)


@command.command("diff", cls=Guarded)
@click.argument("first", type=PLACE, metavar="PLACE")
@click.argument("second", type=PLACE, metavar="PLACE")
@exported
@with_settings
def export_difference(settings: Settings, target: Target, first: Place, second: Place) -> None:
    """What differs between two places; as `esdash diff`.

    A JSON line is {"number", "before", "after"}, or {"type", "outcome", "reason", "count"} of the entries between. In
    CSV and Markdown these follow after an empty line.
    """
    fold = fold_of(settings)
    with open_stream(settings) as log:
        found = distance_of(settings, log, fold, first, second)
    warn_of_distance(found)
    target.write_sheets(*difference_sheets(fold, found.numbers, kinds_of(found.entries or {})))


@command.command("board")
@click.option("--from", "first", type=PLACE, metavar="PLACE", help="From this place on: #123, an id, a time, -5m.")
@click.option("--to", "last", type=PLACE, metavar="PLACE", help="Up to and with this place.")
@exported
@with_settings
def export_board(settings: Settings, target: Target, first: Place | None, last: Place | None) -> None:
    """What rules refused and what could not be understood.

    By reason and then by row, of these the 500 most often refused. A JSON line is {"outcome", "reason", "count",
    "first", "sums", "rows"}, or {"table", "key", "count", "first", "reasons"}.
    """
    from esdash.cli.board import board_of
    from esdash.export.refusals import board_sheets

    fold = fold_of(settings)
    with open_stream(settings) as log, Progress(log) as progress:
        board = board_of(settings, log, fold, first, None if last is None else end_of(log, last), progress)
    warn_of_partial_history(board.unseen)
    target.write_sheets(*board_sheets(fold, board))


def _even_if_gone(log: Stream) -> Stream:
    if not log.archive_root:
        return log

    return even_if_gone(log)


def _export_all(settings: Settings, target: Target) -> None:
    fold = fold_of(settings)
    with open_log(settings) as opened, Progress(opened) as progress:
        log = _even_if_gone(opened)
        if not log.facts().exists:
            require_stream(log)
            raise FailedError("The stream is not there any more, only snapshots of it: nothing can be exported.")
        copying = Copying(log)
        header = Header.of(log.name, fold.name, copying.facts)

        def entries() -> Iterator[Entry]:
            for done, entry in enumerate(target.counting(copying.entries())):
                if not done % EVERY and not target.is_terminal:
                    progress.tell(done, header.length)
                yield entry

        try:
            target.write(lines_of(header, entries()), progress)
        except WrongExportError as error:
            raise FailedError(str(error)) from error
