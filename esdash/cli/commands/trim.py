"""`esdash trim`: what is archived and needed by nobody leaves the stream."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from esdash.cli.connect import archive_of, require_writable
from esdash.cli.domains import fold_of
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.options import as_json, with_settings
from esdash.cli.output import local_time, new_table, print_json, print_tables, say, tell, warn
from esdash.cli.places import PLACE, end_of
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.operations.trimming import Plan, plan, prove, trim
from esdash.log.archive.folder import Archive
from esdash.log.errors import FullError
from esdash.log.facts import id_parts
from esdash.log.snapshots import SnapshotStore
from esdash.log.stream import Stream
from esdash.query.places import Place


@click.command()
@click.option("--until", type=PLACE, metavar="PLACE", help="Remove nothing after this place.")
@click.option("--dry-run", is_flag=True, help="Say what could be removed and what keeps the rest; remove nothing.")
@click.option("--yes", is_flag=True, help="Remove it unasked.")
@as_json
@with_settings
def command(settings: Settings, until: Place | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove what is archived from the stream.

    What goes lies before all of these: the end of the archive (--archive DIR), the newest snapshot whose entries are
    archived, the newest one of every other version of the rules, and what a consumer group has not got or not
    acknowledged. Before anything is removed, it is compared with the archive, entry by entry, and the archive is folded
    to the digest of the snapshot, which is kept from then on. It is said what would be removed, and asked; without a
    terminal it wants --yes.

    Without an archive nothing is removed: exit code 1.
    """
    fold, root = fold_of(settings), archive_of(settings)
    if not dry_run or fold.readonly:
        require_writable(settings, "Nothing was removed", fold)
    with open_stream(settings) as through:
        # A place is looked for in the archive, too, and one that does not go on in the stream is said.
        end = None if until is None else end_of(through, until)
        log = Stream(through.server, through.name)
        store = SnapshotStore(log)
        archive = Archive(Path(root), log.name) if root else None
        found = plan(log, store, fold, archive, end)
        document = _document(found, archive)
        if dry_run and (found.refusal or archive is None):
            _show(document, found, archive, as_json)
            return
        if found.refusal or archive is None:
            raise FailedError(found.refusal)
        assert found.snapshot is not None, "it would have been refused"
        if not dry_run:
            with suppress(FullError):  # then no other takes its place either
                store.pin(found.snapshot)
        with Progress(log) as progress:
            count = prove(log, store, fold, archive, found, progress.tell)
        document["removes"] = count
        proof = (
            f"{counted(count, 'entry', 'entries')} can be removed. Each is in the archive as it is in the stream, and "
            f"the archive makes the state of snapshot {found.snapshot.snapshot_id}, {found.snapshot.digest}."
        )
        if dry_run or not count:
            _show(document, found, archive, as_json)
            say(proof if count else "There is nothing to remove.")
            return
        if not yes:
            if not as_json:
                _tell_people(found, archive)
            say(proof)
            _ask(count)
        document["removed"] = trim(store, found)
        if found.facts.entries_added is None:
            warn(
                "This server does not count entries. When it is upgraded to Redis 7, Valkey or later, its count begins "
                "anew with what is left: set it before anything consumes. OPERATING.md tells how."
            )
        if as_json:
            print_json(document)
        else:
            tell(f"Removed {counted(document['removed'], 'entry', 'entries')} before {found.minid.decode()}.")


def _show(document: dict[str, Any], found: Plan, archive: Archive | None, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        _tell_people(found, archive)
        if found.refusal:
            say(found.refusal)


def _tell_people(found: Plan, archive: Archive | None) -> None:
    """The bounds, the one that decides first."""
    columns = ("stays from", "right"), ("id", "left"), ("time", "left"), ("for", "left"), ("", "left"), ("why", "left")
    rows = [
        (
            _numbered(archive, each.minid),
            each.minid.decode(),
            local_time(id_parts(each.minid)[0]),
            each.what,
            each.name,
            each.why,
        )
        for each in sorted(found.bounds, key=lambda bound: id_parts(bound.minid))
    ]
    print_tables(new_table("What must stay", columns, rows))


def _numbered(archive: Archive | None, entry_id: bytes) -> str:
    number = None if archive is None else archive.number_of(entry_id)
    return "–" if number is None else f"#{number:,}"


def _ask(count: int) -> None:
    """Raises BadInputError when nobody can be asked, and FailedError when the answer is no."""
    if not sys.stdin.isatty():
        raise BadInputError("Nothing was removed. Add --yes to remove it without being asked.")
    if not click.confirm(f"Remove {counted(count, 'entry', 'entries')} from the stream?", err=True):
        raise FailedError("Nothing was removed.")


def _document(found: Plan, archive: Archive | None) -> dict[str, Any]:
    return {
        "minid": found.minid.decode() if found.bounds else None,
        "removes": None,
        "removed": 0,
        "bounds": [
            {"what": each.what, "name": each.name, "minid": each.minid.decode(), "why": each.why}
            for each in found.bounds
        ],
        "snapshot": None if found.snapshot is None else found.snapshot.snapshot_id,
        "digest": None if found.snapshot is None else found.snapshot.digest,
        "archive": None if archive is None else str(archive.folder),
        "refusal": found.refusal or None,
    }
