"""`esdash publish batch --keep-ids`: a whole stream put back from the file that `esdash export --all` wrote."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from esdash.cli.connect import open_log
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.output import warn
from esdash.cli.progress import Progress
from esdash.cli.spool import in_temporary_folder
from esdash.config import Settings
from esdash.export.whole import Export, WrongExportError
from esdash.log.errors import LogError, UnreachableError
from esdash.log.facts import Entry, StreamFacts
from esdash.log.refilling import NotEmptyError, Refilling
from esdash.log.stream import Stream

EVERY: Final = 1000
"""Entries between two looks at whether progress is to be shown."""


def refill(settings: Settings, file: BinaryIO) -> dict[str, Any]:
    """Put all of a file into the stream; what was done, as JSON has it.

    Raises BadInputError for a file that is not as it was written and for a stream that is not empty, FailedError,
    LogError: nothing is in the stream then.
    """
    with open_log(settings) as log:
        refilling = Refilling(log)
        try:
            refilling.require_empty()
            with _seekable(file) as whole:
                return _refill(log, refilling, whole)
        except NotEmptyError as error:
            raise BadInputError(f"{error} Nothing was written.") from error


def _refill(log: Stream, refilling: Refilling, file: BinaryIO) -> dict[str, Any]:
    start = file.tell()
    try:
        with Progress(log) as checked:
            export = Export(file)
            for _ in _shown(export, checked):
                pass
        file.seek(start)
        with Progress(log) as sent:
            export = Export(file)
            refilling.add(_shown(export, sent))
        header = export.header
        facts = StreamFacts(
            header.length, header.entries_added, None, header.last_id.encode(), header.max_deleted_id.encode()
        )
        try:
            kept = refilling.finish(facts)
        except UnreachableError as error:
            raise FailedError(
                f"{error} All was sent, but whether it became the stream is not known: `esdash state` tells."
            ) from error
    except WrongExportError as error:
        raise BadInputError(f"The file is no whole export: {_lowered(str(error))} Nothing was written.") from error
    except NotEmptyError:
        raise
    except LogError as error:
        raise type(error)(f"{error} Nothing is in the stream.") from error
    finally:
        refilling.give_up()
    if not kept:
        warn(
            "This server does not count the entries of a stream (since Redis 7.0), so those that had left it before "
            "are forgotten: the first entry there is #1."
        )
    added = header.entries_added if kept else None
    return {
        "stream": log.name,
        "entries": header.length,
        "first_id": header.first_id,
        "last_id": header.last_id,
        "entries_added": added,
    }


def _shown(export: Export, progress: Progress) -> Iterator[Entry]:
    """The entries, and on a terminal how far they are."""
    for done, entry in enumerate(export.entries()):
        if not done % EVERY:
            progress.tell(done, export.header.length)
        yield entry


@contextmanager
def _seekable(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file itself; what comes through a pipe as a file, for it is read twice."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile(prefix="esdash-") as spooled:
        with in_temporary_folder():
            shutil.copyfileobj(file, spooled)
            spooled.seek(0)
        yield spooled


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
