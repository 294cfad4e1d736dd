"""`esdash state`: the state now or as it was."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.domains import fold_of
from esdash.cli.failures import ExitCode, FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import (
    new_table,
    number,
    print_json,
    print_tables,
    tell,
    warn,
    warn_of_edited,
    warn_of_partial_history,
    warn_of_rungs,
)
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.rows import Named, called, read_rows, read_tables
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.domain import Column, Table
from esdash.engine.guard import check_position
from esdash.engine.moments.history import History
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Continuity, Rung, Verdict
from esdash.fold.folding import Fold
from esdash.fold.state import State
from esdash.log.stream import Stream
from esdash.query.places import Place
from esdash.visible import visible
from esdash.words.changes import title_of
from esdash.words.entries import words, write

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from esdash.past.track.reader import TrackReader

ROWS: Final = 1000
"""Rows of a table that are shown at most."""

Rows = dict[Any, dict[str, Any]]
"""Rows of a table in ascending order: key → column → value, None where there is none."""


@click.command()
@click.option("--at", type=PLACE, metavar="PLACE", help="As it was after this place: #123, an id, a time, -5m.")
@click.option("--about", multiple=True, metavar="ROW", help='Only this row, like accounts:7 or accounts:"two words".')
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table.")
@as_json
@with_settings
def command(
    settings: Settings, at: Place | None, about: tuple[str, ...], tables: tuple[str, ...], as_json: bool
) -> None:
    """Show the tables and the outcomes.

    Answers from the newest good snapshot and the entries since, or from the past that a dashboard keeps; needs no
    running consumer and writes nothing. --about and --table may be repeated, and show a part of the tables; position,
    outcomes and digest remain those of the whole state. A table that a domain hides is shown when it is named, and
    always with --json.
    """
    fold = fold_of(settings)
    rows, named = read_rows(fold, about), read_tables(fold, tables)
    with open_stream(settings) as log:
        projection, continuity, tried = state_at(settings, log, fold, at)
    shown = {name: rows_of(fold, projection.state, name) for name in named or fold.storage.places}
    unknown = _choose(fold, projection.state, shown, rows, named)
    document: dict[str, Any] = {
        "stream": settings.stream,
        "domain": fold.name,
        "last_event_id": projection.position.last_event_id,
        "ordinal": projection.ordinal,
        "unseen": projection.unseen,
        "tables": {name: {str(key): cells for key, cells in each.items()} for name, each in shown.items()},
        "outcomes": outcomes_of(fold, projection.state),
        "digest": fold.digest(projection.state),
        "continuity": str(continuity),
        "missing": continuity.missing,
        "partial": continuity.unseen_before_start,
    }
    if as_json:
        print_json(document)
    else:
        _print_facts(document)
        asked = {*named, *(row.table for row in rows)}
        print_tables(*_tables(fold, shown, asked), _outcomes_table(document["outcomes"]))
    warn_of_rungs(tried)
    warn_of_partial_history(continuity.unseen_before_start)
    if continuity.verdict in (Verdict.GAP, Verdict.DIVERGED):
        warn(f"{'The state then cannot be told: ' if at else ''}{continuity.explanation}")
        click.get_current_context().exit(ExitCode.BROKEN)
    if continuity.verdict is Verdict.UNKNOWN:
        warn(continuity.explanation)
    if unknown:
        raise FailedError(f"There is no {', no '.join(unknown)}{' then' if at else ''}.")


def state_at(
    settings: Settings, log: Stream, fold: Fold, at: Place | None
) -> tuple[Projection, Continuity, tuple[Rung, ...]]:
    """The state now or after a place, its continuity, and the snapshots that were tried."""
    tried: tuple[Rung, ...] = ()

    def note(rungs: tuple[Rung, ...]) -> None:
        nonlocal tried
        tried = rungs

    until = None if at is None else end_of(log, at)
    if until is not None:
        found = by_track(settings, log, fold, until, lambda track: _by_track(log, track, until))
        if found is not None:  # without folding
            return found, check_position(log, found), ()
    history = History(log, fold)
    projection, continuity = history.at(until, on_rung=note)
    warn_of_edited(history)
    return projection, continuity, tried


def _by_track(log: Stream, track: "TrackReader", until: bytes) -> Projection | None:
    from esdash.past.whole import projection_by

    return projection_by(log, track, until)


def rows_of(fold: Fold, state: State, table: str) -> Rows:
    declared, _ = fold.storage.places[table]
    columns = fold.cells_of(state)[table]
    names = [column.name for column in declared.columns]
    return {
        key: dict(zip(names, (cells.get(key) for cells in columns), strict=True))
        # The row exists when its key is in the first column.
        for key in sorted(columns[0])
    }


def outcomes_of(fold: Fold, state: State) -> dict[str, Any]:
    """How many entries had which outcome; reasons that never occurred are left out."""
    found: dict[str, Any] = {"applied": 0, "rejected": {}, "parked": {}, "duplicate": 0}
    for (name, reason), count in zip(fold.outcomes, state.counts, strict=True):
        if not isinstance(found[name], dict):
            found[name] = count
        elif count:
            found[name][reason] = count
    return found


def _choose(fold: Fold, state: State, shown: dict[str, Rows], rows: Sequence[Named], named: Sequence[str]) -> list[str]:
    """Keep these rows only; those that are not there, for people."""
    if not rows:
        return []
    about = {row.table for row in rows}
    for table in about - shown.keys():
        shown[table] = rows_of(fold, state, table)
    unknown = [called(fold, row) for row in rows if row.key not in shown[row.table]]
    wanted = set(rows)
    for table, found in shown.items():
        if table in about or table not in named:
            shown[table] = {key: cells for key, cells in found.items() if Named(table, key) in wanted}
    return unknown


def _print_facts(document: Mapping[str, Any]) -> None:
    for name, value in (
        ("stream", document["stream"]),
        ("domain", document["domain"]),
        ("last event", f"{document['last_event_id']}, #{document['ordinal'] + document['unseen']:,}"),
        ("continuity", document["continuity"]),
        ("digest", document["digest"]),
    ):
        tell(f"{name:<11} {value}")


def _tables(fold: Fold, shown: Mapping[str, Rows], asked: set[str]) -> "Iterator[RichTable]":
    for name, rows in shown.items():
        table, _ = fold.storage.places[name]
        if name in asked if asked else not table.hidden:
            yield _table(table, rows)


def _table(table: Table, rows: Rows) -> "RichTable":

    def cells(key: Any, row: Mapping[str, Any]) -> list[str]:
        return [visible(str(key)), *(visible(write(each.shown, row[each.name])) for each in table.columns)]

    title = table.title or words(table.name).capitalize()
    more = f", the first {ROWS:,} shown; --json has all" if len(rows) > ROWS else ""
    return new_table(
        visible(f"{title} ({len(rows):,}{more})"),
        [
            (visible(table.one), "right" if table.key is int else "left"),
            *((visible(title_of(column)), _side(column)) for column in table.columns),
        ],
        [cells(*row) for row in islice(rows.items(), ROWS)],
    )


def _side(column: Column) -> str:
    return "right" if column.kind is int else "left"


def _outcomes_table(outcomes: Mapping[str, Any]) -> "RichTable":
    counts = [("applied", "", outcomes["applied"])]
    for name in ("rejected", "parked"):
        counts += [(name, reason, count) for reason, count in outcomes[name].items()]
    counts.append(("duplicate", "", outcomes["duplicate"]))
    return new_table(
        "Outcomes",
        [("outcome", "left"), ("reason", "left"), ("entries", "right")],
        [(name, reason, number(count)) for name, reason, count in counts],
    )
