"""`esdash verify`: a full replay against every stored snapshot."""

from typing import TYPE_CHECKING, Any

import click

from esdash.cli.domains import fold_of
from esdash.cli.failures import ExitCode
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import print_json, say, tell
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.cli.track import track_of
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.shown.verification import Segment, Verification
from esdash.engine.shown.view import Position
from esdash.engine.verification.verify import verify
from esdash.fold.declaration import invariants_of
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.words.changes import difference_of

if TYPE_CHECKING:
    from esdash.past.checking import Checked


@click.command()
@as_json
@click.option("--processes", type=click.IntRange(1, 64), help="How many segments at a time.  [one a core]")
@with_settings
@click.pass_context
def command(context: click.Context, settings: Settings, as_json: bool, processes: int | None) -> None:
    """Replay everything and compare with every snapshot.

    The first difference names the events between which it arose, and the numbers that differ. Exits with 3 when there
    is one. Writes nothing to the server. The past that a dashboard keeps is compared at the same places; where it is
    wrong it is deleted, and the next dashboard keeps it anew.
    """
    fold = fold_of(settings)
    with open_stream(settings) as log, Progress(log) as progress:
        found = verify(log, fold, processes=processes, on_progress=progress.tell)
        past = _past(settings, log, fold, found)
    if as_json:
        print_json({**_document(fold, found), "past": {"moments": past.moments, "wrong": past.wrong}})
    else:
        tell_people(fold, found)
        _tell_of_past(past, found.unseen)
    if not found.holds or past.wrong:
        context.exit(ExitCode.DIFFERENCE)


def _past(settings: Settings, log: Stream, fold: Fold, found: Verification) -> "Checked":
    """The past that is kept, beside what was replayed."""
    from esdash.past.checking import Checked, check

    path = track_of(settings, log, fold)
    if path is None:
        return Checked(0, [])
    replayed = [(each.end.ordinal, each.replayed_digest) for each in found.segments if each.holds]
    return check(log, path, fold, found.unseen, replayed)


def _tell_of_past(past: "Checked", unseen: int) -> None:
    if past.wrong:
        tell(f"✗ the past that is kept shows another state after #{past.wrong[0] + unseen:,}; it was deleted")
    elif past.moments:
        tell(f"✓ the past that is kept: the same at {counted(past.moments, 'place', 'places')}")


def _document(fold: Fold, found: Verification) -> dict[str, Any]:
    broken = found.broken
    known = () if broken is None else invariants_of(fold.domain)
    invariants = {each.name: each.name not in (broken or ()) for each in known}
    return {
        "holds": found.holds,
        "entries": found.entries,
        "seconds": round(found.seconds, 3),
        "unseen": found.unseen,
        "segments": [_segment(segment) for segment in found.segments],
        "first_difference": _segment(found.first_difference) if found.first_difference else None,
        "damaged": [{"id": snapshot_id, "reason": reason} for snapshot_id, reason in found.damaged],
        "skipped": [{"id": snapshot_id, "reason": reason} for snapshot_id, reason in found.skipped],
        **({"invariants": invariants} if invariants else {}),
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "start": _position(segment.start),
        "end": _position(segment.end),
        "snapshot": segment.snapshot_id,
        "holds": segment.holds,
        "replayed_digest": segment.replayed_digest,
        "found_digest": segment.found_digest,
        "differences": [
            {"number": each.number, "replayed": each.first, "found": each.second} for each in segment.differences
        ],
    }


def _position(position: Position) -> dict[str, Any]:
    return {"last_event_id": position.last_event_id, "ordinal": position.ordinal}


def tell_people(fold: Fold, found: Verification) -> None:
    """Say what was found, line by line."""
    for segment in found.segments:
        what = f"snapshot {segment.snapshot_id}" if segment.snapshot_id else "the newest event"
        mark = "✓" if segment.holds else "✗"
        tell(f"{mark} events {segment.start.number + 1:,} to {segment.end.number:,}: {what}")
    for snapshot_id, reason in found.damaged:
        tell(f"✗ snapshot {snapshot_id} is damaged: {reason}")
    for snapshot_id, reason in found.skipped:
        tell(f"– snapshot {snapshot_id} was not checked: {reason}")
    for name in found.broken or ():
        tell(f"✗ the invariant {name} does not hold at the end; `esdash doctor` finds the entry")
    if found.unseen > 0:
        click.echo(f"– {found.unseen:,} older events are not in the stream any more and could not be replayed")
    first = found.first_difference
    if first is not None:
        tell(f"The first difference arose after {first.start.last_event_id} and up to {first.end.last_event_id}.")
        for each in first.differences:
            replayed, stored = difference_of(fold, each)
            tell(f"  {each.number}: {replayed} replayed, {stored} stored")
    say(f"{found.entries:,} events replayed in {found.seconds:.2f} s.")
