"""Archiving: what a stream holds is written to segments, with the proof that nothing between is missing."""

from collections.abc import Callable

from msgspec.structs import replace

from esdash.log import shapes
from esdash.log.archive.folder import Archive
from esdash.log.archive.segment import ArchiveError, BrokenArchiveError, SegmentWriter
from esdash.log.continuity import Continuity, Standing, Verdict, judge_page, unseen_before
from esdash.log.facts import StreamFacts, anchor_of
from esdash.log.plainly import plainly
from esdash.log.stream import Page, Stream


def archive(log: Stream, kept: Archive, progressed: Callable[[int], object] = id) -> int:
    """Add what a stream holds now and an archive does not; how many entries that are.

    The segments that were closed stay where this fails or is ended, at whatever byte, and the next time goes on behind
    them. `progressed` hears of each page how many entries there are by now. Raises BrokenArchiveError where entries
    vanished before they were archived, or the log is of another history, ArchiveError, LogError.
    """
    try:
        with kept.alone():
            for unfinished in kept.folder.glob("*.part"):
                unfinished.unlink()
            return _add(log, kept, progressed)
    except OSError as error:
        raise ArchiveError(
            f"The archive {kept.folder} cannot be written: {error.strerror}. What was archived before stays as it is; "
            "when that is mended, run it again to go on."
        ) from error


def _add(log: Stream, kept: Archive, progressed: Callable[[int], object]) -> int:
    begun, standing = kept.count, kept.standing
    writer: SegmentWriter | None = None
    try:
        facts = log.facts()
        require_there(log, kept, facts)
        until = facts.last_id
        for page in log.pages(standing.last_id, until):
            if not kept.segments and writer is None:
                standing = replace(standing, unseen=unseen_before(page.evidence.facts))
            require_joined(kept, judge_page(log, standing, page))
            with plainly(log.server.name):
                shapes.require_fields(page.entries)
            for entry in page.entries:
                writer = writer or kept.begin(standing.unseen)
                writer.add(entry)
                if writer.full:
                    kept.segments.append(writer.closed())
                    writer = None
            standing = _behind(standing, page)
            progressed(standing.ordinal - begun)
        if writer is not None:
            kept.segments.append(writer.closed())
            writer = None
    finally:
        if writer is not None:
            writer.discard()
    return kept.count - begun


def _behind(standing: Standing, page: Page) -> Standing:
    last = page.last_entry
    if last is None:
        return standing
    return replace(standing, last_id=last[0], ordinal=standing.ordinal + page.count, anchor=anchor_of(last))


def require_there(log: Stream, kept: Archive, facts: StreamFacts) -> None:
    """Raises BrokenArchiveError where a stream that was archived is not there."""
    if kept.segments and not facts.exists:
        raise BrokenArchiveError(
            f"The stream that is archived in {kept.folder} is not on {log.server.name}. Is it the right server? If the "
            "stream is lost, `esdash export --all --archive DIR --output FILE` and `esdash publish batch FILE "
            "--keep-ids` bring it back."
        )


def require_joined(kept: Archive, found: Continuity) -> None:
    """Raises BrokenArchiveError unless the stream goes on where the archive ends."""
    end = f"The archive {kept.folder} ends at {kept.last_id.decode()}"
    advice = "If that cannot be mended, begin another archive in another folder, and leave this one out."
    if found.verdict is Verdict.GAP:
        raise BrokenArchiveError(f"{end}, and what followed is not all there: {found.explanation} {advice}")
    if found.verdict is Verdict.DIVERGED:
        raise BrokenArchiveError(f"{end}, and this is not the log that it was made from: {found.explanation} {advice}")
