"""`esdash find`: where a condition held."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from esdash.cli.account import warn_of_beginning, warn_of_what_is_left
from esdash.cli.asked import condition_of
from esdash.cli.domains import fold_of
from esdash.cli.entries import place_document, place_line
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.guarding import Guarded, unguarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import LINE
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.cli.spool import Spool
from esdash.cli.track import by_track
from esdash.config import Settings
from esdash.engine.invariants.conditions import StandingCondition
from esdash.engine.moments.history import Beginning, History
from esdash.fold.folding import Fold
from esdash.log.stream import START, Stream
from esdash.query.conditions import Condition
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.numbers.turns import Turn
    from esdash.past.track.reader import TrackReader


class _Found(NamedTuple):
    """An entry behind which the condition holds, or does not."""

    ordinal: int
    entry_id: bytes
    holds: bool


class _Wanted(NamedTuple):
    """Which of the places are asked for: the first where the condition holds, if nothing else is."""

    last: bool
    """The last."""
    every: bool
    """All where it begins to hold, or ceases to."""


@click.command(cls=Guarded)
@click.argument("condition", nargs=-1, required=True, callback=unguarded)
@click.option("--last", is_flag=True, help="The last place in place of the first.")
@click.option("--all", "every", is_flag=True, help="Every place where it begins to hold, or ceases to.")
@as_json
@with_settings
def command(settings: Settings, condition: tuple[str, ...], last: bool, every: bool, as_json: bool) -> None:
    """Find where a condition holds.

    The first entry behind which it does; the last one or all of them, if told so.

    \b
    A CONDITION compares numbers with values, or with each other:
      esdash find 'accounts:7.total < 0'
      esdash find 'count(accounts) >= 100 and not max(accounts.total) > 1,234.50'
      esdash find 'accounts:"two words".owner = "Ann B"'

    = != < <= > >=, and, or, not, parentheses. Values are written as people read them, texts in quotation marks. A
    comparison with a number that is not there is false. Prints {"ordinal", "id", "time"} with --json, with --all a line
    for each place, with "holds". Exit code 1 when it never holds.
    """
    if last and every:
        raise BadInputError("--last wants one place and --all every one: leave one of them out.")
    fold = fold_of(settings)
    wanted, which = condition_of(fold, condition), _Wanted(last, every)
    with open_stream(settings) as log, Spool() as spool, Progress(log) as progress:
        unseen = _spool_by_track(settings, log, fold, wanted, which, spool, as_json=as_json)
        count = len(spool)
        if unseen is not None:
            warn_of_what_is_left(unseen)
            for line in spool.oldest_first():
                print(line)
        else:
            history = History(log, fold, on_page=progress)
            beginning = history.since(START)
            progress.clear()
            warn_of_beginning(beginning)
            for found in _by_folding(fold, history, beginning, wanted, which):
                progress.clear()
                print(_line(found, beginning.projection.unseen, which, as_json=as_json))
                count += 1
        progress.clear()
        if not count:
            raise FailedError(f"{wanted} never holds." if not every else f"{wanted} never begins or ceases to hold.")


def _by_folding(
    fold: Fold, history: History, beginning: Beginning, condition: Condition, which: _Wanted
) -> Iterator[_Found]:
    """The places that are asked for, in their order."""
    projection = beginning.projection
    standing = StandingCondition(fold, projection.state, condition)
    held: _Found | None = None
    # Before the first entry is no place: where it holds from the outset, it does so at the first entry first.
    before, is_first = standing.holds, True
    if projection.ordinal:
        # What came before it cannot be told any more; the place itself can.
        held = _Found(projection.ordinal, projection.last_id, before) if before else None
        is_first = False
        if held is not None and not which.last:
            yield held
            if not which.every:
                return
    for row in history.explain(projection):
        holds = standing.see(row.told.changes) if row.told is not None else standing.holds
        found = _Found(row.ordinal, row.entry_id, holds)
        if which.every:
            if holds is not before or (is_first and holds):
                yield found
        elif holds:
            held = found
            if not which.last:
                yield found
                return
        before, is_first = holds, False
    if which.last and held is not None:
        yield held


def _spool_by_track(
    settings: Settings,
    log: Stream,
    fold: Fold,
    condition: Condition,
    which: _Wanted,
    spool: Spool,
    *,
    as_json: bool,
) -> int | None:
    """Find the places by the past that a dashboard keeps, where that has all of it: without folding.

    How many entries are not in it because they were gone before; None where it cannot tell.
    """

    def tell_all(reader: "TrackReader") -> int:
        unseen = reader.origin.unseen
        for ordinal, holds in _turns(reader, condition, which):
            spool.add(_line(_Found(ordinal, reader.id_of(ordinal), holds), unseen, which, as_json=as_json))
        return unseen

    unseen = by_track(settings, log, fold, None, tell_all)
    if unseen is None:
        spool.clear()
    return unseen


def _turns(reader: "TrackReader", condition: Condition, which: _Wanted) -> "Iterator[Turn]":
    from esdash.past.numbers.turns import Turn, turns

    last: Turn | None = None
    for turn in turns(reader, condition):
        if which.every:
            yield turn
        elif which.last:
            last = turn
        elif turn.holds:
            yield turn
            return
    if last is not None and (last.holds or last.ordinal > 1):
        # Either it holds to the end, or it did up to the entry before the one that ended it; before the first is none.
        yield Turn(reader.built_to if last.holds else last.ordinal - 1, holds=True)


def _line(found: _Found, unseen: int, which: _Wanted, *, as_json: bool) -> str:
    if as_json:
        document = place_document(found.ordinal, found.entry_id)
        return json.dumps({**document, "holds": found.holds} if which.every else document)
    holds = f"  {'holds' if found.holds else 'holds no more'}" if which.every else ""
    line = f"{place_line(found.ordinal, found.entry_id, unseen)}  {found.entry_id.decode():<15}{holds}"
    return visible(line, LINE)
