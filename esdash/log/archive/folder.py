"""The archive of one stream: a folder of segments, one after the other, without a hole."""

import fcntl
import hashlib
import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from esdash.log.archive.segment import NO_DIGEST, ArchiveError, DamagedArchiveError, Segment, SegmentWriter, damaged
from esdash.log.continuity import Standing
from esdash.log.facts import START, Entry, anchor_of, id_parts

SUFFIX: Final = ".segment"

_LONGEST: Final = 200
"""Bytes of a folder's name; file systems allow 255."""


def folder_name(stream: str) -> str:
    """The name of a stream's folder within an archive, the same for no other stream."""
    name = quote(stream, safe="")
    if len(name) > _LONGEST:
        name = f"{name[:_LONGEST]}~{hashlib.blake2b(stream.encode(), digest_size=8).hexdigest()}"
    return f"%2E{name[1:]}" if name.startswith(".") else name


class Archive:
    """What was archived of one stream. For any thread; the segments that another process adds are seen by `refresh`."""

    def __init__(self, root: Path, stream: str) -> None:
        """Reads the trailers. Without a folder there it is empty. Raises ArchiveError."""
        self.root = root
        self.stream = stream
        self.folder = root / folder_name(stream)
        self.segments: list[Segment] = []
        self._cached: tuple[Segment, int, list[Entry]] | None = None
        self.refresh()

    @property
    def last_id(self) -> bytes:
        """The id of the newest entry; START when it is empty."""
        return self.segments[-1].last_id if self.segments else START

    @property
    def first_id(self) -> bytes | None:
        """The id of the oldest entry; None when it is empty."""
        return self.segments[0].first_id if self.segments else None

    @property
    def unseen(self) -> int:
        """Entries that had left the stream before the archive began."""
        return self.segments[0].trailer.unseen if self.segments else 0

    @property
    def count(self) -> int:
        return self.segments[-1].trailer.before + self.segments[-1].trailer.count if self.segments else 0

    @property
    def digest(self) -> str:
        """Stands for all that it holds: hexadecimal, empty when that is nothing."""
        return self.segments[-1].digest.hex() if self.segments else ""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(segment.size for segment in self.segments)

    @property
    def standing(self) -> Standing:
        """Where it ends in the log."""
        anchor = self.segments[-1].trailer.anchor if self.segments else None
        return Standing(self.last_id, self.count, self.unseen, anchor)

    def refresh(self) -> None:
        """Look for segments that were added. Raises ArchiveError."""
        try:
            names = sorted(path.name for path in self.folder.iterdir() if path.suffix == SUFFIX)
        except FileNotFoundError:
            names = []
        except OSError as error:
            raise ArchiveError(f"The archive {self.folder} cannot be read: {error.strerror}.") from error
        found = list(self.segments)
        for name in names[len(found) :]:
            segment = Segment.opened(self.folder / name)
            self._require_next(segment, found[-1] if found else None)
            found.append(segment)
        if len(names) < len(found):
            raise DamagedArchiveError(f"Files are gone from the archive {self.folder}. Put them back, or leave it out.")
        self.segments = found

    def _require_next(self, segment: Segment, last: Segment | None) -> None:
        trailer = segment.trailer
        if trailer.stream != self.stream:
            raise ArchiveError(f"The archive's file {segment.path} is of another stream. Move it away.")
        number, before, previous = 1, 0, NO_DIGEST
        if last is not None:
            number, previous = last.trailer.number + 1, last.digest
            before = last.trailer.before + last.trailer.count
        if (trailer.number, trailer.before, trailer.previous) != (number, before, previous):
            raise damaged(segment.path, f"it does not follow the file before it; number {number:,} is missing or other")
        if segment.path != self.path_of(number):
            # The next one would be written in its place.
            raise ArchiveError(
                f"The archive's file {segment.path} has another name than it was given: rename it to "
                f"{self.path_of(number).name}."
            )

    def path_of(self, number: int) -> Path:
        """The file of a segment."""
        return self.folder / f"{number:012}{SUFFIX}"

    def begin(self, unseen: int) -> SegmentWriter:
        """Write the next segment; of the first one `unseen` entries had left the stream before. Raises OSError."""
        number = len(self.segments) + 1
        previous = self.segments[-1].digest if self.segments else NO_DIGEST
        known = self.unseen if self.segments else unseen
        return SegmentWriter(self.path_of(number), self.stream, number, known, self.count, previous)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block in which nobody else writes it. Makes the folder. Raises ArchiveError, OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ArchiveError(
                    f"Another esdash writes to the archive {self.folder}. Wait until it is done."
                ) from None
            self.refresh()
            yield
        finally:
            os.close(descriptor)

    def blocks(self, after: bytes, until: bytes | None = None) -> Iterator[list[Entry]]:
        """The entries after an id up to another (inclusive; None: all), oldest first, some at a time."""
        low, high = id_parts(after), None if until is None else id_parts(until)
        for segment in self.segments[self._index(after) :]:
            for number in range(segment.index(after), len(segment.trailer.blocks)):
                block = segment.trailer.blocks[number]
                if high is not None and id_parts(block.first_id) > high:
                    return
                found = self._entries(segment, number)
                if id_parts(block.first_id) <= low or (high is not None and id_parts(block.last_id) > high):
                    found = [each for each in found if _is_between(each[0], low, high)]
                if found:
                    yield found

    def backwards(self, until: bytes) -> Iterator[list[Entry]]:
        """The entries up to an id, newest first: blocks of which each is oldest first."""
        high = id_parts(until)
        for place in range(min(self._index(until), len(self.segments) - 1), -1, -1):
            segment = self.segments[place]
            for number in range(min(segment.index(until), len(segment.trailer.blocks) - 1), -1, -1):
                if id_parts(segment.trailer.blocks[number].first_id) <= high:
                    yield [each for each in self._entries(segment, number) if id_parts(each[0]) <= high]

    def entry(self, entry_id: bytes) -> Entry | None:
        """One entry; None when it was not archived."""
        place = self._index(entry_id)
        if place == len(self.segments):
            return None
        segment = self.segments[place]
        found = self._entries(segment, segment.index(entry_id))
        at = bisect_left(found, id_parts(entry_id), key=lambda each: id_parts(each[0]))
        return found[at] if at < len(found) and found[at][0] == entry_id else None

    def count_from(self, entry_id: bytes) -> int:
        """How many entries have this id or a greater one."""
        place = self._index(entry_id)
        if place == len(self.segments):
            return 0
        segment = self.segments[place]
        number = segment.index(entry_id)
        found = self._entries(segment, number)
        at = bisect_left(found, id_parts(entry_id), key=lambda each: id_parts(each[0]))
        return self.count - segment.trailer.before - segment.trailer.blocks[number].place - at

    def number_of(self, entry_id: bytes) -> int | None:
        """Which entry it is that has this id, or the first after it: its #n; None for one behind the archive."""
        after = self.count_from(entry_id)
        return self.unseen + self.count - after + 1 if after else None

    def check(self) -> Iterator[int]:
        """Read all of it; how many entries each segment has, after it was read. Raises DamagedArchiveError."""
        for segment in self.segments:
            last: Entry | None = None
            for number, block in enumerate(segment.trailer.blocks):
                entries = segment.entries(number)
                if (len(entries), entries[0][0], entries[-1][0]) != (block.count, block.first_id, block.last_id):
                    raise damaged(segment.path, "a block holds other entries than its trailer says")
                last = entries[-1]
            if last is None or anchor_of(last) != segment.trailer.anchor:
                raise damaged(segment.path, "its last entry is another one")
            yield segment.trailer.count

    def _index(self, entry_id: bytes) -> int:
        """The place of the first segment whose last entry has this id or a greater one; how many there are for none."""
        return bisect_left(self.segments, id_parts(entry_id), key=lambda segment: id_parts(segment.last_id))

    def _entries(self, segment: Segment, number: int) -> list[Entry]:
        """The entries of a block; not to be changed."""
        cached = self._cached
        if cached is not None and cached[0] is segment and cached[1] == number:
            return cached[2]
        found = segment.entries(number)
        self._cached = (segment, number, found)
        return found


def _is_between(entry_id: bytes, low: tuple[int, int], high: tuple[int, int] | None) -> bool:
    at = id_parts(entry_id)
    return low < at and (high is None or at <= high)
