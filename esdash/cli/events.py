"""`esdash events`: the entries and what became of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from esdash.cli.account import warn_of_beginning
from esdash.cli.asked import question_of
from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.entries import as_json_line, as_line
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.guarding import Asking, unguarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import warn
from esdash.cli.places import PLACE, begin_of, end_of
from esdash.cli.presence import absence
from esdash.cli.progress import Progress
from esdash.cli.rows import Named, called, read_rows
from esdash.cli.spool import Spool
from esdash.config import Settings

if TYPE_CHECKING:
    from esdash.engine.asking import Examined
    from esdash.engine.row import Row
    from esdash.fold.folding import Fold
    from esdash.fold.tables import State
    from esdash.log.stream import Log
    from esdash.query.places import Id, Place
    from esdash.query.terms import Since, Until


@click.command(cls=Asking)
@click.argument("question", nargs=-1, callback=unguarded)
@click.option("--from", "first", type=PLACE, metavar="PLACE", help="From this place on: #123, an id, a time, -5m.")
@click.option("--to", "last", type=PLACE, metavar="PLACE", help="Up to and with this place.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after printing this many.")
@click.option("--tail", type=click.IntRange(min=1), metavar="N", help="Only the last N; --follow goes on from there.")
@click.option("--reverse", is_flag=True, help="Newest first.")
@click.option("--follow", is_flag=True, help="Go on with what is appended, until interrupted.")
@click.option("--about", multiple=True, metavar="ROW", help="Only what is about this row, like accounts:7.")
@click.option(
    "--outcome",
    "outcomes",
    metavar="OUTCOME",
    multiple=True,
    help="Only applied, rejected, parked or duplicate entries, or those with a reason, like invalid_data.",
)
@as_json
@with_settings
def command(
    settings: Settings,
    question: tuple[str, ...],
    first: "Place | None",
    last: "Place | None",
    count: int | None,
    tail: int | None,
    reverse: bool,
    follow: bool,
    as_json: bool,
    about: tuple[str, ...],
    outcomes: tuple[str, ...],
) -> None:
    """Show entries and what became of them.

    In their order: number, what they say, outcome, and what changed. Everything from the first entry on, unless
    told otherwise.

    \b
    A QUESTION chooses. Words beside each other all hold; or, parentheses, - or not before a word:
      esdash events 'account:7 -outcome:applied since:-5m'
      esdash events '(amount>100 or quantity>=3) until:14:03'
      type:NAME   outcome:NAME   reason:NAME   key:KEY   id:ID   since:PLACE   until:PLACE
      account:7, account:"two words"   what is about a row, by a table's word for one
      amount>100, lines.quantity=3     a field: = != < <= > >=; of a list one is enough
      text, "two words"                found anywhere in the line, in capitals or not
      /regular expression/, /…/i       in the first 4,096 characters of the line; no \\1, no (?=…)

    --about and --outcome may be repeated; an entry is shown when it is about one of the rows of each table that is
    named, and has one of the outcomes. --follow goes on until interrupted, and ends with exit code 5 when the server is
    lost: --from with the last id that was shown goes on from there.
    """
    from esdash.engine.asking import Asked, Examined, bounds_of
    from esdash.engine.history import History
    from esdash.engine.open_entries import ReadAhead
    from esdash.fold.outcomes import PARKED
    from esdash.log.stream import START, id_parts
    from esdash.query.terms import Since

    if follow and reverse:
        raise BadInputError("--follow has no newest entry to begin with: leave --reverse or --follow out.")
    fold = fold_of(settings)
    tree = question_of(fold, question)
    fits, parked = _Filter(fold, read_rows(fold, about), outcomes), range(len(PARKED))
    with open_log(settings) as log:
        if missing := absence(log):
            if not follow:
                raise FailedError(missing)
            warn(f"{missing} Waiting for its first entry.")
        reach = _Reach(log)
        asks = Asked(fold, tree, reach)
        begins = [START if first is None else begin_of(log, first)]
        ends = [] if last is None else [end_of(log, last)]
        for bound in bounds_of(tree):
            (begins if isinstance(bound, Since) else ends).append(reach.reached(bound))
        until = min(ends, key=id_parts, default=None)
        progress = Progress(log)
        history, ahead = History(log, fold, on_page=progress), ReadAhead(History(log, fold), fold)
        beginning = history.since(max(begins, key=id_parts), until)
        projection = beginning.projection
        progress.clear()
        warn_of_beginning(beginning, ranged=True)

        def line_of(row: "Row") -> str:
            corrected_by = None
            if row.code in parked:
                corrected_by = ahead.corrected_by(row, row.ordinal + projection.unseen)
            if as_json:
                return as_json_line(fold, row, corrected_by)
            return as_line(fold, row, projection.unseen, corrected_by)

        def wanted(rows: "Iterable[Row]") -> "Iterator[Row]":
            for row in rows:
                if until is not None and id_parts(row.entry_id) > id_parts(until):
                    return
                entry = Examined(fold, row, projection.unseen)
                # The order matters: --about remembers what it has met.
                if fits(entry) and asks(entry):
                    yield row

        printed = 0

        def show(lines: Iterable[str]) -> bool:
            """Whether that was enough."""
            nonlocal printed
            for line in lines:
                progress.clear()
                print(line, flush=follow)
                printed += 1
                if printed == count:
                    return True
            return False

        rows = history.explain(projection, until=until or b"+")
        if reverse or tail is not None:
            with Spool(tail) as spool:
                for row in wanted(rows):
                    spool.add(line_of(row))
                if show(spool.newest_first() if reverse else spool.oldest_first()):
                    return
        elif show(map(line_of, wanted(rows))):
            return
        if follow and show(map(line_of, wanted(history.explain(projection, follow=True)))):
            return
        progress.clear()
    if unknown := fits.never_met(projection.state):
        raise FailedError(f"There is no {', no '.join(unknown)} in these entries or before them.")


class _Reach:
    """What `since:` and `until:` of a question reach from and to; each is looked up once."""

    def __init__(self, log: "Log") -> None:
        self._log = log
        self._found: dict[Since | Until, bytes] = {}

    def reached(self, term: "Since | Until") -> bytes:
        """An id. Raises NoPlaceError, LogError."""
        from esdash.query.terms import Since

        if term not in self._found:
            self._found[term] = (begin_of if isinstance(term, Since) else end_of)(self._log, term.place)
        return self._found[term]

    def __call__(self, term: "Since | Until") -> "Id":
        """The same, as ids compare."""
        from esdash.log.stream import id_parts

        return id_parts(self.reached(term))


class _Filter:
    """Which entries are wanted; remembers which of the wanted rows it has met."""

    def __init__(self, fold: "Fold", rows: Sequence[Named], outcomes: tuple[str, ...]) -> None:
        """Raises click.BadParameter for what is no outcome."""
        self._fold = fold
        self._rows = rows
        self._tables = {row.table for row in rows}
        self._codes = set(_codes(fold, outcomes)) if outcomes else None
        self._met: set[Named] = set()

    def __call__(self, entry: "Examined") -> bool:
        wanted = self._codes is None or entry.row.code in self._codes
        if not self._rows:
            return wanted
        found = {row for row in self._rows if row in entry.rows}
        self._met |= found
        return wanted and self._tables <= {each.table for each in found}

    def never_met(self, state: "State") -> list[str]:
        """Rows that no entry was about and that the state does not hold either, for people."""
        cells = self._fold.cells_of(state)
        return [
            called(self._fold, row) for row in self._rows if row not in self._met and row.key not in cells[row.table][0]
        ]


def _codes(fold: "Fold", outcomes: tuple[str, ...]) -> Iterator[int]:
    there = [part for outcome in fold.outcomes for part in outcome if part]
    for wanted in outcomes:
        if wanted not in there:
            raise click.BadParameter(
                f"{wanted!r} is none of {', '.join(dict.fromkeys(there))}.", param_hint="'--outcome'"
            )
    for code, (name, reason) in enumerate(fold.outcomes):
        if name in outcomes or reason in outcomes:
            yield code
