"""`esdash find`: where a condition held."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from esdash.cli.account import warn_of_beginning
from esdash.cli.asked import condition_of
from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.guarding import Guarded, unguarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import iso_time, local_time, print_json, tell
from esdash.cli.presence import require_stream
from esdash.cli.progress import Progress
from esdash.config import Settings

if TYPE_CHECKING:
    from esdash.engine.history import Beginning, History
    from esdash.fold.folding import Fold
    from esdash.query.conditions import Condition


class _Found(NamedTuple):
    """An entry behind which the condition holds, or does not."""

    ordinal: int
    entry_id: bytes
    holds: bool
    change: bool
    """Whether it did not, or did, before."""


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
    from esdash.engine.history import History
    from esdash.log.stream import START

    if last and every:
        raise BadInputError("--last wants one place and --all every one: leave one of them out.")
    fold = fold_of(settings)
    wanted = condition_of(fold, condition)
    with open_log(settings) as log, Progress(log) as progress:
        require_stream(log)
        history = History(log, fold, on_page=progress)
        beginning = history.since(START)
        progress.clear()
        warn_of_beginning(beginning)
        found: _Found | None = None
        for each in _places(fold, history, beginning, wanted):
            if every:
                if each.change:
                    progress.clear()
                    found = each
                    _print(each, beginning.projection.unseen, as_json=as_json, every=True)
            elif each.holds:
                found = each
                if not last:
                    break
        progress.clear()
        if found is None:
            raise FailedError(f"{wanted} never holds." if not every else f"{wanted} never begins or ceases to hold.")
        if not every:
            _print(found, beginning.projection.unseen, as_json=as_json, every=False)


def _places(fold: "Fold", history: "History", beginning: "Beginning", condition: "Condition") -> Iterator[_Found]:
    """Every entry, and whether the condition holds behind it."""
    from esdash.engine.conditions import StandingCondition

    projection = beginning.projection
    standing = StandingCondition(fold, projection.state, condition)
    before, first = standing.holds, True
    if projection.ordinal:
        # What came before it cannot be told any more; the place itself can.
        yield _Found(projection.ordinal, projection.last_id, before, before)
        first = False
    for row in history.explain(projection):
        holds = standing.see(row.told.changes) if row.told is not None else standing.holds
        # Before the first entry is no place: where it holds from the outset, it does so at the first entry first.
        yield _Found(row.ordinal, row.entry_id, holds, holds is not before or (first and holds))
        before, first = holds, False


def _print(found: _Found, unseen: int, *, as_json: bool, every: bool) -> None:
    from esdash.log.stream import id_parts

    milliseconds = id_parts(found.entry_id)[0]
    if as_json:
        document: dict[str, Any] = {
            "ordinal": found.ordinal,
            "id": found.entry_id.decode(),
            "time": iso_time(milliseconds),
        }
        if every:
            print(json.dumps({**document, "holds": found.holds}))
        else:
            print_json(document)
        return
    holds = f"  {'holds' if found.holds else 'holds no more'}" if every else ""
    tell(f"{f'#{found.ordinal + unseen}':>7}  {local_time(milliseconds):<19}  {found.entry_id.decode():<15}{holds}")
