"""`esdash diff`: what differs between two places."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from esdash.cli.domains import fold_of
from esdash.cli.failures import ExitCode
from esdash.cli.guarding import Guarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import (
    iso_time,
    local_time,
    new_table,
    number,
    print_json,
    print_tables,
    tell,
    warn,
    warn_of_edited,
    warn_of_partial_history,
)
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.engine.moments.comparing import Distance, Kind, Moment, distance
from esdash.engine.moments.history import History
from esdash.engine.shown.view import Position
from esdash.export.states import Came, came_document, difference_document
from esdash.fold.folding import Fold
from esdash.log.stream import Stream, id_parts
from esdash.query.places import OfSnapshot, Place
from esdash.visible import visible
from esdash.words.changes import by_size, text_of

if TYPE_CHECKING:
    from rich.table import Table as RichTable


ROWS: Final = 1000
"""Numbers that are shown at most."""


@click.command(cls=Guarded)
@click.argument("first", type=PLACE, metavar="PLACE")
@click.argument("second", type=PLACE, metavar="PLACE")
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, first: Place, second: Place, as_json: bool) -> None:
    """Show what differs between two places.

    Numbers, and the entries in between.

    \b
    A PLACE is the moment after its last entry:
      esdash diff -2h now
      esdash diff '#1200' '#1300'                    n1200 and n1300 need no quotes
      esdash diff snapshot:60-ab snapshot:90-cd      two snapshots, as they were stored

    For people the numbers that differ most come first; with --json they are in the order of tables, keys and columns.
    The places may be in any order: before is at the first that is named. Hidden tables are shown with --json. Exit code
    3 when a number differs.
    """
    fold = fold_of(settings)
    with open_stream(settings) as log:
        found = distance_of(settings, log, fold, first, second)
    if as_json:
        print_json(_document(found))
    else:
        tell(f"from {_place(found.first)}")
        tell(f"to   {_place(found.second)}")
        print_tables(*_tables(fold, found))
    warn_of_distance(found)
    if found.numbers:
        context.exit(ExitCode.DIFFERENCE)


def distance_of(settings: Settings, log: Stream, fold: Fold, first: Place, second: Place) -> Distance:
    """What differs between two places; what should be known of it is said."""
    one, other = _moment(log, first), _moment(log, second)
    found = _by_track(settings, log, fold, one, other)
    if found is None:
        with Progress(log) as progress:
            history = History(log, fold, on_page=progress)
            found = distance(log, history, fold, one, other)
        warn_of_edited(history)
    return found


def warn_of_distance(found: Distance) -> None:
    """Say what a difference cannot tell."""
    if found.entries is None:
        warn("The entries between the two snapshots are gone from the stream, so they are not counted.")
    warn_of_partial_history(max(found.first.unseen, found.second.unseen))


def _moment(log: Stream, place: Place) -> Moment:
    return Moment(end_of(log, place), place.snapshot_id if isinstance(place, OfSnapshot) else "")


def _by_track(settings: Settings, log: Stream, fold: Fold, first: Moment, second: Moment) -> Distance | None:
    """What differs, by the past that a dashboard keeps: without folding. None where it does not have all of it."""
    from esdash.past.numbers.distance import distance_by

    if first.snapshot_id or second.snapshot_id:
        return None
    one, other = first.entry_id, second.entry_id
    return by_track(settings, log, fold, max(one, other, key=id_parts), lambda track: distance_by(track, one, other))


def _document(found: Distance) -> dict[str, Any]:
    return {
        "from": _position(found.first),
        "to": _position(found.second),
        "numbers": list(map(difference_document, found.numbers)),
        "entries": None if found.entries is None else list(map(came_document, kinds_of(found.entries))),
    }


def kinds_of(entries: Mapping[Kind, int]) -> Iterator[Came]:
    """The entries between two places, counted, by type and outcome."""
    for (name, outcome), count in sorted(entries.items(), key=_by_name):
        yield Came(name, outcome, count)


def _by_name(counted: tuple[Kind, int]) -> tuple[str, str, str]:
    (name, outcome), _ = counted
    return name, outcome.name, outcome.reason or ""


def _position(position: Position) -> dict[str, Any]:
    return {
        "last_event_id": position.last_event_id,
        "ordinal": position.ordinal,
        "unseen": position.unseen,
        "time": iso_time(_milliseconds(position)) if position.ordinal else None,
    }


def _milliseconds(position: Position) -> int:
    return id_parts(position.last_event_id)[0]


def _place(position: Position) -> str:
    when = f", {local_time(_milliseconds(position))}" if position.ordinal else ""
    return f"#{position.number:,}, {position.last_event_id}{when}"


def _tables(fold: Fold, found: Distance) -> "list[RichTable]":
    shown = [each for each in found.numbers if not fold.storage.places[each.table][0].hidden]
    rows = [text_of(fold, change) for change in by_size(shown, fold)[:ROWS]]
    more = f", the first {ROWS:,} shown; --json has all" if len(shown) > ROWS else ""
    tables = [
        new_table(
            f"Numbers ({len(shown):,}{more})",
            [("number", "left"), ("before", "right"), ("after", "right"), ("", "right")],
            [[visible(part) for part in (each.number, each.before, each.after, each.moved)] for each in rows],
        )
    ]
    if found.entries is not None:
        frequent = sorted(found.entries.items(), key=lambda pair: (-pair[1], _by_name(pair)))
        tables.append(
            new_table(
                f"Entries ({sum(found.entries.values()):,})",
                [("type", "left"), ("outcome", "left"), ("reason", "left"), ("entries", "right")],
                [
                    (visible(name, 64), outcome.name, outcome.reason or "", number(count))
                    for (name, outcome), count in frequent
                ],
            )
        )
    return tables
