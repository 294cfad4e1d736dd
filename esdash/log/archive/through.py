"""A stream that is read through its archive: as if nothing that was archived had ever left it."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from esdash.log.archive.folder import Archive
from esdash.log.archive.writing import require_joined, require_there
from esdash.log.continuity import check
from esdash.log.facts import START, Entry, Evidence, StreamFacts, anchor_of, id_parts
from esdash.log.pages import Page
from esdash.log.paging import BYTES, PAGE
from esdash.log.servers.server import Server
from esdash.log.stream import Stream


class ArchivedStream(Stream):
    """A stream of a server with its archive before it. Raises what `Stream` raises, and ArchiveError.

    What was archived is told by the archive, even where it is in the stream still, and what came after it by the
    stream. The facts are those of a stream that was never trimmed: the archive's first id, and its entries in the
    length.
    """

    def __init__(self, server: Server, name: str, root: Path) -> None:
        """Reads what the archive in the folder `root` has of the stream; does not connect. Raises ArchiveError."""
        super().__init__(server, name)
        self.archive_root = str(root)
        self._archive = Archive(root, name)
        self._plain = Stream(server, name)
        self._joined: bytes | None = None
        """The oldest id in the stream when it was seen to go on where the archive ends."""
        self._counted = (b"", b"", 0)
        """What was counted by reading: entries behind the archive up to an id, while an id was the newest deleted."""

    @property
    def archived(self) -> int:
        return self._archive.count

    @property
    def archived_to(self) -> bytes:
        return self._archive.last_id

    def stands(self) -> bool:
        """Whether the stream itself is there."""
        return self._plain.facts().exists

    def facts(self) -> StreamFacts:
        """Facts about archive and stream."""
        return self._widened(super().facts())

    def evidence(self, position: bytes) -> Evidence:
        if not self._holds(position):
            found = super().evidence(position)
            return replace(found, facts=self._widened(found.facts))
        entry = self._archive.entry(position)
        facts = self.facts()
        return Evidence(facts, None if entry is None else anchor_of(entry), self._after(position, entry, facts))

    def page(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        found: list[Entry] = []
        for block in self._archive.blocks(after, _stop(until)):
            found += block[: count - len(found)]
            if len(found) == count:
                return found
        if self._ends_within(until):
            return found
        return found + super().page(max(after, self.archived_to, key=id_parts), until, count - len(found))

    def newest(self, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        found: list[Entry] = []
        if not self._ends_within(until):
            last = id_parts(self.archived_to)
            found = [each for each in super().newest(until, count) if id_parts(each[0]) > last]
            until = self.archived_to
        size = _bytes_of(found)
        for block in self._archive.backwards(until):
            if len(found) >= count or size >= BYTES:
                break
            some = block[-(count - len(found)) :]
            size += _bytes_of(some)
            found = some + found
        return found

    def entry(self, entry_id: bytes) -> Entry | None:
        return self._archive.entry(entry_id) if self._holds(entry_id) else super().entry(entry_id)

    def entries(self, ids: Sequence[bytes]) -> Iterator[Entry | None]:
        archived = [self._holds(entry_id) for entry_id in ids]
        rest = super().entries([entry_id for entry_id, held in zip(ids, archived, strict=True) if not held])
        for entry_id, held in zip(ids, archived, strict=True):
            yield self._archive.entry(entry_id) if held else next(rest)

    def pages(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> Generator[Page, None, None]:
        anchor: str | None = None
        if self._holds(after):
            evidence = self.evidence(after)
            for block in self._archive.blocks(after, _stop(until)):
                for begin in range(0, len(block), count):
                    some = block[begin : begin + count]
                    yield Page(some, evidence, True)
                    evidence = passed(evidence, some[-1], len(some))
            if self._ends_within(until):
                yield Page([], evidence, False)
                return
            after, anchor = self.archived_to, evidence.anchor
        for page in super().pages(after, until, count):
            found = replace(page.evidence, facts=self._widened(page.evidence.facts))
            # The entry at the seam may have left the stream.
            yield replace(page, evidence=replace(found, anchor=found.anchor or anchor))
            anchor = None

    def _holds(self, entry_id: bytes) -> bool:
        """Whether an id is one of those that the archive tells about."""
        return id_parts(entry_id) <= id_parts(self.archived_to) and self.archived_to != START

    def _ends_within(self, until: bytes) -> bool:
        return until != b"+" and self._holds(until)

    def _after(self, position: bytes, entry: Entry | None, facts: StreamFacts) -> int:
        """How many entries come after a position that the archive holds."""
        behind = self._archive.count_from(position) - (entry is not None)
        return facts.length - self._archive.count + behind

    def _widened(self, facts: StreamFacts) -> StreamFacts:
        """Facts about the stream with what the archive holds."""
        if self.archived_to == START:
            return facts
        require_there(self._plain, self._archive, facts)
        if facts.first_id is None or facts.first_id != self._joined:
            # Trimmed since: what is gone may have been archived since.
            self._archive.refresh()
            require_joined(self._archive, check(self._plain, self._archive.standing))
            self._joined = facts.first_id
        last = id_parts(self.archived_to)
        deleted = facts.max_deleted_id if id_parts(facts.max_deleted_id) > last else START
        length = self._archive.count + self._behind_archive(facts)
        return replace(facts, length=length, first_id=self._archive.first_id, max_deleted_id=deleted)

    def _behind_archive(self, facts: StreamFacts) -> int:
        """How many entries of the stream came after the archive's last."""
        first, last = facts.first_id, self.archived_to
        if first is None:
            return 0
        if id_parts(first) > id_parts(last):
            return facts.length
        # A server that does not count entries does not tell what was deleted either.
        if facts.entries_added is not None and id_parts(facts.max_deleted_id) < id_parts(first):
            return facts.length - self._archive.count_from(first)
        # Some that were archived may have been deleted, or some that were not: they are counted, each once.
        deleted, upto, count = self._counted
        if deleted != facts.max_deleted_id or id_parts(upto) > id_parts(facts.last_id):
            upto, count = last, 0
        count += sum(page.count for page in self._plain.pages(max(upto, last, key=id_parts), facts.last_id))
        self._counted = (facts.max_deleted_id, facts.last_id, count)
        return count


class ArchiveAlone(ArchivedStream):
    """What an archive has of a stream that is not there any more."""

    def facts(self) -> StreamFacts:
        """Those of the stream when it was archived last."""
        kept = self._archive
        return StreamFacts(kept.count, kept.unseen + kept.count, kept.first_id, kept.last_id, START, True)

    def _ends_within(self, until: bytes) -> bool:  # noqa: ARG002 - there is nothing else
        return True


def even_if_gone(log: Stream) -> Stream:
    """The same; its archive alone, where there is one and the stream is not there any more. Raises LogError."""
    if isinstance(log, ArchivedStream) and log.archived and not log.stands():
        return ArchiveAlone(log.server, log.name, Path(log.archive_root))
    return log


def passed(evidence: Evidence, last: Entry, count: int) -> Evidence:
    """The evidence about a position, `count` entries further, after the entry `last`."""
    after = None if evidence.after is None else evidence.after - count
    return Evidence(evidence.facts, anchor_of(last), after)


def _stop(until: bytes) -> bytes | None:
    return None if until == b"+" else until


def _bytes_of(entries: Sequence[Entry]) -> int:
    return sum(len(value) for _, fields in entries for value in fields)
