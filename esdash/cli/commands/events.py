"""`esdash events`: the entries and what became of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import click

from esdash.cli.account import warn_of_beginning, warn_of_what_is_left
from esdash.cli.asked import question_of
from esdash.cli.connect import open_log
from esdash.cli.domains import fold_of
from esdash.cli.entries import as_json_line, as_line
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.guarding import Asking, unguarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import warn, warn_of_edited
from esdash.cli.places import PLACE, begin_of, end_of
from esdash.cli.presence import absence
from esdash.cli.progress import Progress
from esdash.cli.rows import Named, called, read_rows
from esdash.cli.spool import Spool
from esdash.cli.track import listing_by_track
from esdash.config import Settings
from esdash.engine.moments.asking import Asked, Examined, bounds_of
from esdash.engine.moments.history import Beginning, History, id_before
from esdash.engine.moments.open_entries import ReadAhead
from esdash.engine.moments.places import Reached
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.fold.outcomes import PARKED
from esdash.fold.state import State
from esdash.log.errors import RefusedError
from esdash.log.stream import START, Stream, id_parts
from esdash.query.places import Place
from esdash.query.questions import Question
from esdash.query.terms import Since

NEAR: Final = 10_000
"""Entries at the end that are looked at first when the last ones are wanted."""


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
    first: Place | None,
    last: Place | None,
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
    A QUESTION chooses. Words beside each other all hold; there are or,
    parentheses, and - or not before a word:
      esdash events 'account:7 -outcome:applied since:-5m'
      esdash events '(amount>100 or quantity>=3) until:14:03'
      type:NAME, outcome:NAME, reason:NAME, key:KEY, id:ID
      since:PLACE, until:PLACE
      account:"two words"        what is about a row, by the word for one
      amount>100, lines.cost=3   a field: = != < <= > >=; of a list one is enough
      @name                      a question that was saved under a name
      text, "two words"          found anywhere in the line, in capitals or not
      /regular expression/, /…/i in the first 4,096 characters of the line;
                                 without \\1 and (?=…)

    --about and --outcome may be repeated; an entry is shown when it is about one of the rows of each table that is
    named, and has one of the outcomes. --follow goes on until interrupted, and ends with exit code 5 when the server is
    lost: --from with the last id that was shown goes on from there.
    """
    if follow and reverse:
        raise BadInputError("--follow has no newest entry to begin with: leave --reverse or --follow out.")
    fold = fold_of(settings)
    tree = question_of(fold, settings, question)
    fits = _Filter(fold, read_rows(fold, about), outcomes)
    with open_log(settings) as log, Progress(log) as progress:
        if missing := absence(log):
            if not follow:
                raise FailedError(missing)
            warn(f"{missing} Waiting for its first entry.")
        asks, begin, until = stretch_of(log, fold, tree, first, last)
        history = History(log, fold, on_page=progress)
        printer = _Printer(progress, count, flush=follow)

        def line_of(unseen: int, row: Row, corrected_by: int | None) -> str:
            if as_json:
                return as_json_line(fold, row, corrected_by)
            return as_line(fold, row, unseen, corrected_by)

        most = min([each for each in (tail, count if reverse else None) if each is not None], default=None)
        if question and not (follow or about or outcomes):
            with listing_by_track(settings, log, fold, tree, begin, until) as tracked:
                if tracked is not None:
                    progress.clear()
                    warn_of_what_is_left(tracked.unseen)
                    rows = _corrected(tracked.rows(most), ReadAhead(history, fold), tracked.unseen)
                    lines = (line_of(tracked.unseen, *row) for row in rows)
                    if reverse:
                        with Spool() as spool:
                            for line in lines:
                                spool.add(line)
                            printer.print(spool.newest_first())
                    else:
                        printer.print(lines)
                    return
        if reverse or tail is not None:
            with Spool(most) as spool:
                for start in _starts(history, begin, until, most):
                    listing = Listing(log, fold, history.since(start, until), until)
                    spool.clear()
                    for entry in listing.found(history.explain(listing.projection, until=until or b"+"), fits, asks):
                        spool.add(line_of(listing.projection.unseen, *entry))
                    if len(spool) == most:
                        break
                progress.clear()
                if len(spool) == most:  # so nothing that was asked for is left out
                    warn_of_what_is_left(listing.projection.unseen)
                    warn_of_edited(listing.projection)
                else:
                    warn_of_beginning(listing.beginning, ranged=True)
                printer.print(spool.newest_first() if reverse else spool.oldest_first())
        else:
            listing = Listing(log, fold, history.since(begin, until), until)
            progress.clear()
            warn_of_beginning(listing.beginning, ranged=True)
            found = listing.found(history.explain(listing.projection, until=until or b"+"), fits, asks)
            printer.print(line_of(listing.projection.unseen, *entry) for entry in found)
        if follow and not printer.done:
            found = listing.found(history.explain(listing.projection, follow=True), fits, asks)
            printer.print(line_of(listing.projection.unseen, *entry) for entry in found)
    unknown = [] if printer.done else fits.never_met(listing.projection.state)
    if unknown:
        raise FailedError(f"There is no {', no '.join(unknown)} in these entries or before them.")


def _starts(history: History, begin: bytes, until: bytes | None, most: int | None) -> Iterator[bytes]:
    """Where to begin when the last entries are wanted: near the end, and only where that is not enough at `begin`."""
    if most is not None:
        try:
            near = history.last(max(NEAR, 4 * most), until)
        except RefusedError:  # not everybody may read backwards
            near = None
        if near is not None and id_parts(near) > id_parts(begin):
            yield near
    yield begin


def stretch_of(
    log: Stream, fold: Fold, tree: Question, first: Place | None, last: Place | None
) -> tuple[Asked, bytes, bytes | None]:
    """What asks a question, and the ids between which it is asked; what was assumed of places is said.

    Raises NoPlaceError, LogError.
    """
    reach = Reached(log, warn)
    asks = Asked(fold, tree, reach)
    begins = [START if first is None else begin_of(log, first)]
    ends = [] if last is None else [end_of(log, last)]
    for bound in bounds_of(tree):
        (begins if isinstance(bound, Since) else ends).append(reach.reached(bound))
    begin, until = max(begins, key=id_parts), min(ends, key=id_parts, default=None)
    if until is not None:
        # A range that ends before it begins has no entries, and none before its beginning are asked for.
        until = max(until, id_before(begin), key=id_parts)
    return asks, begin, until


class Listing:
    """The entries that are wanted, from one beginning on."""

    def __init__(self, log: Stream, fold: Fold, beginning: Beginning, until: bytes | None) -> None:
        self.beginning = beginning
        self.projection = beginning.projection
        self._fold = fold
        self._until = until
        self._ahead = ReadAhead(History(log, fold), fold)

    def found(
        self, rows: Iterable[Row], fits: Callable[[Examined], bool], asks: Asked
    ) -> Iterator[tuple[Row, int | None]]:
        """Those of the rows that are wanted, up to the last place; beside each by which entry it was corrected."""
        return _corrected(self._wanted(rows, fits, asks), self._ahead, self.projection.unseen)

    def _wanted(self, rows: Iterable[Row], fits: Callable[[Examined], bool], asks: Asked) -> Iterator[Row]:
        for row in rows:
            if self._until is not None and id_parts(row.entry_id) > id_parts(self._until):
                return
            entry = Examined(self._fold, row, self.projection.unseen)
            # The order matters: --about remembers what it has met.
            if fits(entry) and asks(entry):
                yield row


def _corrected(rows: Iterable[Row], ahead: ReadAhead, unseen: int) -> Iterator[tuple[Row, int | None]]:
    """Each of the rows, oldest first, and by which entry it was corrected where it was parked."""
    for row in rows:
        parked = row.code is not None and row.code < len(PARKED)
        yield row, ahead.corrected_by(row, row.ordinal + unseen) if parked else None


class _Printer:
    """Prints lines until there are enough."""

    def __init__(self, progress: Progress, most: int | None, *, flush: bool) -> None:
        self._progress = progress
        self._left = most
        self._flush = flush

    @property
    def done(self) -> bool:
        """Whether as many were printed as were wanted."""
        return self._left == 0

    def print(self, lines: Iterable[str]) -> None:
        """Print these, as long as more are wanted."""
        for line in lines:
            self._progress.clear()
            print(line, flush=self._flush)
            if self._left is not None:
                self._left -= 1
                if self.done:
                    return


class _Filter:
    """Which entries are wanted; remembers which of the wanted rows it has met."""

    def __init__(self, fold: Fold, rows: Sequence[Named], outcomes: tuple[str, ...]) -> None:
        """Raises click.BadParameter for what is no outcome."""
        self._fold = fold
        self._rows = rows
        self._tables = {row.table for row in rows}
        self._codes = set(_codes(fold, outcomes)) if outcomes else None
        self._met: set[Named] = set()

    def __call__(self, entry: Examined) -> bool:
        wanted = self._codes is None or entry.row.code in self._codes
        if not self._rows:
            return wanted
        found = {row for row in self._rows if row in entry.rows}
        self._met |= found
        return wanted and self._tables <= {each.table for each in found}

    def never_met(self, state: State) -> list[str]:
        """Rows that no entry was about and that the state does not hold either, for people."""
        cells = self._fold.cells_of(state)
        return [
            called(self._fold, row) for row in self._rows if row not in self._met and row.key not in cells[row.table][0]
        ]


def _codes(fold: Fold, outcomes: tuple[str, ...]) -> Iterator[int]:
    there = [part for outcome in fold.outcomes for part in outcome if part]
    for wanted in outcomes:
        if wanted not in there:
            raise click.BadParameter(
                f"{wanted!r} is none of {', '.join(dict.fromkeys(there))}.", param_hint="'--outcome'"
            )
    for code, (name, reason) in enumerate(fold.outcomes):
        if name in outcomes or reason in outcomes:
            yield code
