"""One file of an archive: entries in a row, as they stood in the stream, compressed, each block with its checksum.

    blocks     zstandard frames (https://www.rfc-editor.org/rfc/rfc8878), each of a MessagePack list of
               [id, [name, value, name, value, …]]
    trailer    MessagePack, a `Trailer`
    ending     length of the trailer in bytes (4, big-endian), its BLAKE2b digest (32), MAGIC (8)

A trailer holds the checksums of the blocks and the digest of the segment before, so the digest of the newest one stands
for all that an archive holds. A file is written under another name and gets its own when it is whole and on the disk:
one that has its name and no ending was damaged later. It is never written again.
"""

import errno
import hashlib
import os
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
import zstandard
from msgspec import Struct

from esdash.log import shapes
from esdash.log.errors import BrokenLogError, LogError
from esdash.log.facts import Entry, anchor_of, id_parts

MAGIC: Final = b"esdarch1"

ENDING: Final = 4 + 32 + len(MAGIC)
"""Bytes behind the trailer."""

SEGMENT_ENTRIES: Final = 100_000
"""Entries of a segment at most."""

SEGMENT_BYTES: Final = 64 * 1024 * 1024
"""Bytes of entries, before they are compressed, from which a segment is closed."""

BLOCK_ENTRIES: Final = 1_000
"""Entries of a block at most: what is read for a single one."""

BLOCK_BYTES: Final = 1024 * 1024
"""Bytes of entries from which a block is closed; an entry that is larger is a block of its own."""

LARGEST_BLOCK: Final = 256 * 1024 * 1024
"""Bytes that a block may say it has. An entry has less: it came from the server in one reply."""

LEVEL: Final = 3
"""Of zstandard: 9 takes a fifth less room and five times as long."""

NO_DIGEST: Final = bytes(32)
"""What stands for the segment before the first one."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class ArchiveError(LogError):
    """The archive cannot be read or written, or is not of this stream."""


class DamagedArchiveError(ArchiveError):
    """A file of the archive is not what was written."""


class BrokenArchiveError(ArchiveError, BrokenLogError):
    """Between the archive and the stream entries are missing, or they are of different histories."""


class Block(Struct, array_like=True, frozen=True):
    """Some entries of a segment."""

    first_id: bytes
    last_id: bytes
    count: int
    place: int
    """Of its first entry within the segment, from 0."""
    offset: int
    """In the file."""
    size: int
    """Bytes in the file."""
    digest: bytes
    """BLAKE2b of these, 16 bytes."""


class Trailer(Struct, array_like=True, frozen=True):
    """What a segment is."""

    stream: str
    number: int
    """From 1."""
    unseen: int
    """Entries that had left the stream before the archive began."""
    before: int
    """Entries in the segments before this one."""
    count: int
    anchor: str
    """`anchor_of` the last entry."""
    previous: bytes
    """The digest of the segment before."""
    blocks: list[Block]


_decode_trailer = msgspec.msgpack.Decoder(Trailer).decode


class Segment:
    """A file that is whole. Its blocks are read when they are asked for."""

    def __init__(self, path: Path, trailer: Trailer, digest: bytes, size: int) -> None:
        """`Segment.opened` makes it."""
        self.path = path
        self.trailer = trailer
        self.digest = digest
        self.size = size
        """Bytes of the file."""
        self.first_id = trailer.blocks[0].first_id
        self.last_id = trailer.blocks[-1].last_id

    @classmethod
    def opened(cls, path: Path) -> "Segment":
        """Read the trailer. Raises DamagedArchiveError, ArchiveError where the file cannot be read."""
        with reading(path), path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - ENDING))
            ending = file.read(ENDING)
            length = int.from_bytes(ending[:4], "big")
            if len(ending) < ENDING or ending[36:] != MAGIC or length > size - ENDING:
                raise damaged(path, "its end is not there")
            file.seek(size - ENDING - length)
            raw = file.read(length)
        if digest_of(raw) != ending[4:36]:
            raise damaged(path, "its trailer is not what was written")
        try:
            trailer = _decode_trailer(raw)
        except msgspec.MsgspecError as error:
            raise damaged(path, "its trailer cannot be read") from error
        if not trailer.blocks or sum(block.count for block in trailer.blocks) != trailer.count:
            raise damaged(path, "its trailer counts wrongly")
        return cls(path, trailer, ending[4:36], size)

    def index(self, entry_id: bytes) -> int:
        """The number of the first block that ends at this id or a greater one; how many blocks there are for none."""
        return bisect_left(self.trailer.blocks, id_parts(entry_id), key=lambda block: id_parts(block.last_id))

    def entries(self, number: int) -> list[Entry]:
        """The entries of a block. Raises DamagedArchiveError, ArchiveError where the file cannot be read."""
        block = self.trailer.blocks[number]
        with reading(self.path), self.path.open("rb") as file:
            file.seek(block.offset)
            raw = file.read(block.size)
        try:
            found = unpacked(raw, block)
        except ValueError as error:
            raise damaged(self.path, str(error)) from error
        return found


def unpacked(raw: bytes, block: Block) -> list[Entry]:
    """The entries of a block that was read. Raises ValueError, saying why it is not what was written."""
    if hashlib.blake2b(raw, digest_size=16).digest() != block.digest:
        raise ValueError(f"block {block.first_id.decode('ascii', 'replace')} is not what was written")
    try:
        if zstandard.get_frame_parameters(raw).content_size > LARGEST_BLOCK:
            raise ValueError("a block is larger than any that is written")
        return shapes.entries(_decode(zstandard.ZstdDecompressor().decompress(raw)))
    except (zstandard.ZstdError, msgspec.MsgspecError) as error:
        raise ValueError("a block cannot be read") from error


class SegmentWriter:
    """Writes one segment. It is there when it is `closed`, and not at all where that does not come to pass."""

    def __init__(self, path: Path, stream: str, number: int, unseen: int, before: int, previous: bytes) -> None:
        """Raises OSError."""
        self._path = path
        self._unfinished = path.with_suffix(".part")
        self._about = (stream, number, unseen, before)
        self._previous = previous
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._blocks: list[Block] = []
        self._waiting: list[Entry] = []
        self._waiting_bytes = 0
        self._last: Entry | None = None
        self._file = self._unfinished.open("wb")
        self._offset = 0
        self.count = 0
        self.bytes = 0
        """Of entries, before they are compressed."""

    @property
    def full(self) -> bool:
        """Whether the next entry belongs to another segment."""
        return self.count >= SEGMENT_ENTRIES or self.bytes >= SEGMENT_BYTES

    def add(self, entry: Entry) -> None:
        """The next entry. Raises OSError."""
        size = len(entry[0]) + sum(map(len, entry[1]))
        if self._waiting and self._waiting_bytes + size > BLOCK_BYTES:
            self._write_block()
        self._waiting.append(entry)
        self._waiting_bytes += size
        self._last = entry
        self.count += 1
        self.bytes += size
        if len(self._waiting) >= BLOCK_ENTRIES:
            self._write_block()

    def closed(self) -> Segment:
        """Finish a segment that is not empty, and give it its name. Raises OSError."""
        assert self._last is not None, "it is not empty"
        if self._waiting:
            self._write_block()
        stream, number, unseen, before = self._about
        trailer = Trailer(
            stream, number, unseen, before, self.count, anchor_of(self._last), self._previous, self._blocks
        )
        raw = _encode(trailer)
        digest = digest_of(raw)
        self._file.write(raw + len(raw).to_bytes(4, "big") + digest + MAGIC)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._path.exists():
            raise FileExistsError(errno.EEXIST, "a file that is no part of it is in the way", str(self._path))
        self._unfinished.rename(self._path)
        synced(self._path.parent)
        return Segment(self._path, trailer, digest, self._offset + len(raw) + ENDING)

    def discard(self) -> None:
        """Leave nothing of what was not finished."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._unfinished.unlink()

    def _write_block(self) -> None:
        waiting = self._waiting
        raw = self._compressor.compress(_encode(waiting))
        self._file.write(raw)
        checksum = hashlib.blake2b(raw, digest_size=16).digest()
        place = self.count - len(waiting)
        block = Block(waiting[0][0], waiting[-1][0], len(waiting), place, self._offset, len(raw), checksum)
        self._blocks.append(block)
        self._offset += len(raw)
        self._waiting, self._waiting_bytes = [], 0


def digest_of(trailer: bytes) -> bytes:
    """The digest of a segment: that of its trailer."""
    return hashlib.blake2b(trailer, digest_size=32).digest()


def synced(folder: Path) -> None:
    """Have what a folder holds on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damaged(path: Path, why: str) -> DamagedArchiveError:
    """What to say of a file that is not what was written."""
    return DamagedArchiveError(
        f"The archive's file {path} is damaged: {why}. Put back a copy of it, or leave the archive out."
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """A block that reads a file: what goes wrong there is an ArchiveError."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"The archive's file {path} cannot be read: {error.strerror}.") from error
