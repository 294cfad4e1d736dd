"""`esdash archive`: what streams hold, written to files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from esdash.cli.failures import BadInputError, ExitCode, FailedError, exit_code_of, message_of
from esdash.cli.options import as_json, folder_of, stream_name, with_settings
from esdash.cli.output import print_json, tell, warn
from esdash.cli.presence import open_stream
from esdash.cli.progress import Progress
from esdash.config import Settings
from esdash.counted import counted
from esdash.engine.operations.trimming import pin_archived
from esdash.log.archive.folder import Archive
from esdash.log.archive.segment import DamagedArchiveError
from esdash.log.archive.writing import archive
from esdash.log.errors import LogError, RefusedError
from esdash.log.snapshots import SnapshotStore


@click.command()
@click.argument(
    "folder",
    metavar="DIR",
    required=False,
    type=click.Path(file_okay=False),
    callback=lambda _, __, value: None if value is None else folder_of(value),
)
@click.argument(
    "streams", metavar="[STREAM...]", nargs=-1, callback=lambda _, __, value: tuple(map(stream_name, value))
)
@click.option("--check", is_flag=True, help="Read all that is archived back as well; exit code 3 for damage.")
@as_json
@with_settings
@click.pass_context
def command(
    context: click.Context,
    settings: Settings,
    folder: Path | None,
    streams: tuple[str, ...],
    check: bool,
    as_json: bool,
) -> None:
    """Write what the stream holds to files.

    Raw entries, compressed, with checksums: an archive. In DIR (without it, that of --archive or the settings) each
    stream has a folder. What is there already stays, and what came since is added, up to the newest entry. It may be
    ended at any time: the next run goes on. Where entries vanished before they were archived, or the log is another
    one, nothing is added: exit code 4. Of several streams the others are archived all the same.

    Nothing leaves the stream by this: `esdash trim` removes what is archived. For that the newest snapshot whose
    entries are archived is pinned: kept however many newer ones come. Every command reads through an archive with
    --archive DIR.
    """
    folder = folder or settings.archive
    if folder is None:
        raise BadInputError("Name the folder of the archive: `esdash archive DIR`.")
    codes: list[int] = []
    for stream in streams or (settings.stream,):
        try:
            document = _archived(replace(settings, stream=stream, archive=None), folder, check)
        except (LogError, FailedError) as error:
            # What is wrong with one stream does not keep the others from being archived.
            warn(message_of(error))
            found_damage = check and isinstance(error, DamagedArchiveError)
            codes.append(ExitCode.DIFFERENCE if found_damage else exit_code_of(error))
            if codes[-1] == ExitCode.UNREACHABLE:
                break
            continue
        if as_json:
            print_json(document)
        else:
            _tell_people(document)
    if codes:
        context.exit(codes[0])


def _archived(settings: Settings, folder: Path, check: bool) -> dict[str, Any]:
    with open_stream(settings) as log:
        kept = Archive(folder, log.name)
        pinned: list[str] = []
        with Progress(log) as progress:
            added = archive(log, kept, progress.tell)
            if check:
                done = 0
                for count in kept.check():
                    done += count
                    progress.tell(done, kept.count)
        if not settings.readonly:
            try:
                pinned = [header.snapshot_id for header in pin_archived(SnapshotStore(log), kept)]
            except RefusedError as error:
                warn(f"No snapshot could be pinned, so `esdash trim` may find none to go by: {error}")
    return _document(kept, added, pinned)


def _document(kept: Archive, added: int, pinned: list[str]) -> dict[str, Any]:
    first = kept.first_id
    return {
        "stream": kept.stream,
        "folder": str(kept.folder),
        "added": added,
        "entries": kept.count,
        "unseen": kept.unseen,
        "first_event_id": None if first is None else first.decode(),
        "last_event_id": kept.last_id.decode(),
        "segments": len(kept.segments),
        "bytes": kept.size,
        "digest": kept.digest,
        "pinned": pinned,
    }


def _tell_people(document: dict[str, Any]) -> None:
    if not document["entries"]:
        tell(f"{document['stream']}: the stream has no entries, so there is nothing to archive yet.")
        return
    entries = counted(document["added"], "entry", "entries")
    last = document["unseen"] + document["entries"]
    tell(f"{document['stream']}: {entries} added; #{document['unseen'] + 1:,} to #{last:,} are in {document['folder']}")
    segments = counted(document["segments"], "segment", "segments")
    tell(f"{segments}, {document['bytes']:,} bytes, digest {document['digest']}")
    if document["unseen"] > 0:
        older = counted(document["unseen"], "older entry was", "older entries were")
        warn(f"{older} gone from the stream before and cannot be archived.")
