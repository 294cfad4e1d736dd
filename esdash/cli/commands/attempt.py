"""`esdash try`: what would be otherwise, had the log been another one."""

import shlex
import time
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import click

from esdash.cli.batch import Lines
from esdash.cli.consequences import consequences_document, print_consequences
from esdash.cli.domains import fold_of
from esdash.cli.failures import BadInputError, ExitCode
from esdash.cli.guarding import Guarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import print_json, warn_of_partial_history
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.config import Settings
from esdash.engine.moments.history import id_before
from esdash.engine.publishing.publisher import new_keys
from esdash.fold.folding import Fold
from esdash.fold.sorting import Fields
from esdash.log.stream import Stream
from esdash.query.places import Between, End, Numbered, Place, PlaceError, read_place
from esdash.visible import visible
from esdash.whatif.editing import changed
from esdash.whatif.edits import Change, Edit, Insert, Skip, Swap
from esdash.whatif.sandbox import Sandbox


@click.command("try", cls=Guarded)
@click.option("--at", type=PLACE, metavar="PLACE", help="Where what is inserted stands.  [now]")
@click.option("--until", type=PLACE, metavar="PLACE", help="Compare the state after this place.  [now]")
@click.option("--skip", "skipped", type=PLACE, metavar="PLACE", multiple=True, help="Leave an entry out.")
@click.option("--edit", "edited", metavar="'PLACE FIELD=VALUE…'", multiple=True, help="Change what an entry says.")
@click.option("--swap", "swapped", metavar="'PLACE PLACE'", multiple=True, help="Let two entries change places.")
@click.option("--insert", "inserted", type=click.File("rb"), metavar="FILE", help="Add the events of FILE (-: stdin).")
@as_json
@with_settings
@click.pass_context
def command(
    context: click.Context,
    settings: Settings,
    at: Place | None,
    until: Place | None,
    skipped: Sequence[Place],
    edited: Sequence[str],
    swapped: Sequence[str],
    inserted: BinaryIO | None,
    as_json: bool,
) -> None:
    """Try what would have been.

    Fold the log once more with other entries, and show what would be otherwise: numbers, and entries on which another
    decision would have been taken. Nothing is written to the server.

    \b
    Each entry is named by a place, such as n123 or its id:
      esdash try --skip n123
      esdash try --edit 'n130 amount=5.00 note="two words"' --swap 'n140 n141'
      esdash try --at n120 --insert more.jsonl

    Values are written as people read them, `FIELD=` takes an optional one away. FILE has a line for each event as
    `esdash publish batch` reads it. An inserted entry is called #120a, and has an id between its neighbours' where one
    is free. Exit code 3 when anything would be otherwise.
    """
    if not (skipped or edited or swapped or inserted):
        raise BadInputError("There is nothing to try: say --skip, --edit, --swap or --insert.")
    fold = fold_of(settings)
    entries = _read(fold, inserted) if inserted is not None else ()
    with open_stream(settings) as log:
        sandbox = Sandbox(log, fold)
        edits: list[Edit] = [Skip(sandbox.entry(_id(log, place))) for place in skipped]
        edits += _changes(fold, log, sandbox, edited)
        edits += [_swap(log, sandbox, text) for text in swapped]
        begin = end_of(log, at) if at is not None else None
        if entries:
            edits.append(Insert(begin, entries))
        # The log may grow: nothing that was named above comes after its end.
        end = end_of(log, until) if until is not None else sandbox.end()
        with Progress(log) as progress:
            found = sandbox.consequences(edits, end, begin=begin, on_page=progress.tell)
    if as_json:
        print_json(consequences_document(found))
    else:
        print_consequences(fold, found)
    warn_of_partial_history(found.end.unseen)
    if found.differ:
        context.exit(ExitCode.DIFFERENCE)


def _read(fold: Fold, file: BinaryIO) -> tuple[Fields, ...]:
    """The entries of a file of events; those without a key get one, as they would when they are published."""
    events = [event for page in Lines(fold).pages(file) for event in page]
    if not events:
        raise BadInputError("There is no event in the file, so nothing can be inserted.")
    return tuple(
        fold.fields(name, data, (key or fresh).encode())
        for (name, data, key), fresh in zip(events, new_keys(len(events)), strict=True)
    )


def _changes(fold: Fold, log: Stream, sandbox: Sandbox, texts: Sequence[str]) -> Iterator[Edit]:
    """One for each entry: what is said of it twice holds together."""
    changes: dict[bytes, Change] = {}
    for text in texts:
        place, assignments = _assignments(text)
        entry = sandbox.entry(_named(log, place))
        former = changes.get(entry[0])
        try:
            said = changed(fold, entry[1] if former is None else former.fields, assignments)
        except ValueError as error:
            raise BadInputError(f"--edit {visible(text, 80)!r}: {visible(str(error).rstrip('.'), 300)}.") from None
        changes[entry[0]] = Change(entry, said)
    yield from changes.values()


def _assignments(text: str) -> tuple[str, dict[str, str]]:
    """The place, and by field what was typed for it. Raises BadInputError."""
    try:
        place, *assignments = shlex.split(text) or [""]
    except ValueError:
        raise BadInputError(f"--edit {visible(text, 80)!r}: a quotation is still open.") from None
    if not all("=" in each for each in assignments) or not assignments:
        raise BadInputError(f"--edit {visible(text, 80)!r}: after the place comes FIELD=VALUE.")
    return place, dict(each.split("=", 1) for each in assignments)


def _swap(log: Stream, sandbox: Sandbox, text: str) -> Edit:
    places = text.split()
    if len(places) != 2:
        raise BadInputError(f"--swap {visible(text, 80)!r}: two places, such as 'n140 n141'.")
    one, other = (sandbox.entry(_named(log, place)) for place in places)
    return Swap(one, other)


def _named(log: Stream, text: str) -> bytes:
    try:
        return _id(log, read_place(text, time.time()))
    except PlaceError as error:
        raise BadInputError(str(error)) from None


def _id(log: Stream, place: Place) -> bytes:
    """The id of the one entry that a place names. Raises BadInputError where it may name several."""
    is_id = isinstance(place, Between) and place.first == place.last
    if isinstance(place, Between) and not is_id and place.first[0] == place.last[0]:
        # The milliseconds of an id: mostly there is one entry.
        found = log.page(id_before(b"%d-%d" % place.first), b"%d-%d" % place.last, count=2)
        if len(found) == 1:
            return found[0][0]
    if not (is_id or isinstance(place, Numbered) or place is End.FIRST):
        raise BadInputError("Name one entry to try something with, as n123 or by its id.")
    return end_of(log, place)
