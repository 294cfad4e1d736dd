"""`esdash domain compare`: what other rules make of a log."""

from typing import Any

import click

from esdash.cli.consequences import consequences_document, print_consequences
from esdash.cli.domains import OWN
from esdash.cli.failures import BadInputError, ExitCode
from esdash.cli.guarding import Guarded
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import print_json, tell, warn, warn_of_partial_history
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.config import Settings
from esdash.counted import counted
from esdash.fold.apart import Apart
from esdash.fold.folding import Fold
from esdash.fold.loading import DomainFileError
from esdash.query.places import Place
from esdash.visible import visible
from esdash.whatif.beside import Consequences
from esdash.whatif.rules import compare


@click.command(cls=Guarded)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--until", type=PLACE, metavar="PLACE", help="Compare the state after this place.  [now]")
@as_json
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, old: str, new: str, until: Place | None, as_json: bool) -> None:
    """Fold a real log by two versions of a domain, and compare.

    OLD and NEW are domains as --domain takes them, mostly two files: `bank.py` as it was, and as it is now. The whole
    stream is folded by both, from its first entry on and without any snapshot; nothing is written. Shown are the
    entries that are decided otherwise, and the numbers that are other ones.

    Exits with 3 when anything differs: a regression test of rules on the log that they are for.
    """
    olds, news = _load(old), _load(new)
    with open_stream(settings) as log:
        end = end_of(log, until) if until is not None else log.facts().last_id
        with Progress(log) as progress:
            found = compare(log, olds, news, end, progress)
    if as_json:
        document = consequences_document(found)
        del document["tried"]
        both = {"old": _document(olds.fold), "new": _document(news.fold)}
        print_json({**both, **document})
    else:
        _tell(olds.fold, news.fold, found)
    warn_of_partial_history(found.end.unseen)
    if found.differ:
        same = (olds.fold.name, olds.fold.version) == (news.fold.name, news.fold.version)
        if same and (found.numbers or found.count):
            warn(
                f"The version of both is {visible(news.fold.version, 40)!r}: change it in the new file, or snapshots "
                "that the old rules made are used."
            )
        context.exit(ExitCode.DIFFERENCE)


def _load(choice: str) -> Apart:
    from esdash.engine.invariants.asked import require_readable

    try:
        return Apart(OWN.get(choice, choice), require_readable)
    except DomainFileError as error:
        # Both files may be called the same.
        raise BadInputError(f"{visible(choice, 200)}: {error}", error.lines) from error


def _document(fold: Fold) -> dict[str, Any]:
    return {"domain": fold.name, "version": fold.version, "fingerprint": fold.fingerprint}


def _tell(old: Fold, new: Fold, found: Consequences) -> None:
    entries = counted(found.end.ordinal, "entry", "entries")
    if not found.differ:
        tell(f"The same on {entries}.")
        return
    numbers = counted(len(found.numbers), "number differs", "numbers differ")
    decided = f"{counted(found.count, 'entry', 'entries')} of {found.end.ordinal:,} decided otherwise"
    first = f", the first #{found.decided[0].ordinal + found.end.unseen:,}" if found.decided else ""
    tell(f"{numbers} · {decided}{first}.")
    print_consequences(old, found, new)
