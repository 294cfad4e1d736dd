"""The file of a track: a cache of what every entry of a log did, from which any moment can be shown.

SQLite holds it (https://sqlite.org/wal.html): one writes, others read meanwhile. Each blob has a checksum of its own,
and everything in the file can be made anew from the log, so whatever is wrong with it is mended by dropping it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from esdash.past.track.encoding import Part
from esdash.past.track.packing import DamagedTrackError, TrackError

_Kind = TypeVar("_Kind")

FORMAT: Final = 6

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS origin (id INTEGER PRIMARY KEY CHECK (id = 1), origin BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS segments (first INTEGER PRIMARY KEY, about BLOB NOT NULL, entries BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (first INTEGER PRIMARY KEY, keys BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS parts
    (name TEXT NOT NULL, first INTEGER NOT NULL, rows BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (name, first));
CREATE TABLE IF NOT EXISTS keyframes
    (name TEXT NOT NULL, ordinal INTEGER NOT NULL, cells BLOB NOT NULL, PRIMARY KEY (name, ordinal));
"""


class Origin(Struct, frozen=True):
    """What a track is of."""

    format: int
    stream: str
    domain: str
    version: str
    fingerprint: str
    ordinal: int
    """Of the last entry before it; its state is kept as keyframes."""
    unseen: int
    last_id: bytes
    """Of the last entry before it."""
    anchor: str
    """What stands for that entry; empty before the first."""
    counts: list[int]
    """Outcomes before it."""


class Segment(Struct, frozen=True):
    """Consecutive entries."""

    first: int
    """Ordinal of the first of them."""
    count: int
    first_ms: int
    last_ms: int
    """Unix milliseconds of the ids of the first and the last."""
    last_id: bytes
    anchor: str
    """What stands for the last of them in the log."""
    counts: list[int]
    """Outcomes up to the last of them, by code."""

    @property
    def last(self) -> int:
        """Ordinal of the last of them."""
        return self.first + self.count - 1


class Track:
    """A track's file. For one thread at a time."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        """Open it; with `write` it is made where there is none. Raises TrackError."""
        self.path = path
        mode = "rwc" if write else "ro"
        with self._plainly():
            self._file = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
            )
            if write:
                path.chmod(0o600)
                # Half a page is empty behind each blob.
                self._file.execute("PRAGMA page_size = 2048")
                self._file.execute("PRAGMA auto_vacuum = INCREMENTAL")
                self._file.execute("PRAGMA journal_mode = WAL")
                self._file.execute("PRAGMA synchronous = NORMAL")
                self._file.executescript(_TABLES)
            self._inode = path.stat().st_ino

    def is_stale(self) -> bool:
        """Whether the file was deleted, or is another one now."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    def close(self) -> None:
        """Close the file."""
        with suppress(sqlite3.Error):
            self._file.close()

    @contextmanager
    def _plainly(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise TrackError(f"The track of the past at {self.path} cannot be used: {why}.") from error
        except (sqlite3.Error, UnicodeError) as error:
            raise DamagedTrackError(f"{self.path} is not what was written") from error

    def _decode(self, kind: type[_Kind], blob: bytes) -> _Kind:
        try:
            return msgspec.msgpack.decode(blob, type=kind)
        except (msgspec.MsgspecError, ValueError) as error:
            raise DamagedTrackError(f"{self.path} is not what was written") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that is written within is there as a whole, or not at all. Raises TrackError."""
        with self._plainly():
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    # What is there

    def hold(self) -> None:
        """From the next thing that is read on, what is there stays as it is for this reader, until `let_go`.

        Raises TrackError.
        """
        with self._plainly():
            self._file.execute("BEGIN")

    def let_go(self) -> None:
        """See what was written meanwhile. The file cannot be made smaller while it is held."""
        with suppress(sqlite3.Error):
            self._file.execute("ROLLBACK")

    def origin(self) -> Origin | None:
        """What it is of; None for a new one. Raises TrackError."""
        with self._plainly():
            found = self._file.execute("SELECT origin FROM origin").fetchone()
            return None if found is None else self._decode(Origin, self._bytes(found[0]))

    def segments(self, first: int = 0) -> list[Segment]:
        """Those that begin with this ordinal or later, in order. Raises TrackError."""
        with self._plainly():
            found = self._file.execute("SELECT about FROM segments WHERE first >= ? ORDER BY first", (first,))
            return [self._decode(Segment, self._bytes(about)) for (about,) in found]

    def entries(self, first: int) -> bytes:
        """The entries of the segment that begins with an ordinal."""
        return self._blob("SELECT entries FROM segments WHERE first = ?", (first,))

    def keys(self, last: int) -> Iterator[tuple[int, bytes]]:
        """(first ordinal, idempotency keys) of the segments that begin up to an ordinal, newest first.

        The last ones, at the ordinal 0, are those before the first segment.
        """
        with self._plainly():
            for first, keys in self._file.execute(
                "SELECT first, keys FROM keys WHERE first <= ? ORDER BY first DESC", (last,)
            ):
                yield first, self._bytes(keys)

    def parts(
        self, name: str, first: int, last: int, *, newest_first: bool = False
    ) -> Iterator[tuple[int, bytes, bytes]]:
        """(first ordinal, rows, data) of the segments that begin from one ordinal up to another."""
        for in_segment, rows, data in self._parts("first, rows, data", name, first, last, newest_first):
            yield in_segment, self._bytes(rows), self._bytes(data)

    def rows(self, name: str, first: int, last: int, *, newest_first: bool = False) -> Iterator[tuple[int, bytes]]:
        """The same without the data, which is most of it."""
        for in_segment, rows in self._parts("first, rows", name, first, last, newest_first):
            yield in_segment, self._bytes(rows)

    def data(self, name: str, first: int) -> bytes:
        """The data of one part."""
        return self._blob("SELECT data FROM parts WHERE name = ? AND first = ?", (name, first))

    def _parts(self, what: str, name: str, first: int, last: int, newest_first: bool) -> Iterator[tuple[Any, ...]]:
        order = "DESC" if newest_first else "ASC"
        with self._plainly():
            yield from self._file.execute(
                f"SELECT {what} FROM parts WHERE name = ? AND first BETWEEN ? AND ? ORDER BY first {order}",
                (name, first, last),
            )

    def keyframes(self, name: str) -> list[int]:
        """After which ordinals all cells of a column are kept, ascending."""
        with self._plainly():
            return [
                ordinal
                for (ordinal,) in self._file.execute(
                    "SELECT ordinal FROM keyframes WHERE name = ? ORDER BY ordinal", (name,)
                )
            ]

    def keyframe(self, name: str, ordinal: int) -> bytes:
        """All cells of a column after an ordinal."""
        return self._blob("SELECT cells FROM keyframes WHERE name = ? AND ordinal = ?", (name, ordinal))

    def _blob(self, query: str, values: tuple[object, ...]) -> bytes:
        with self._plainly():
            found = self._file.execute(query, values).fetchone()
        if found is None:
            raise DamagedTrackError(f"{self.path} lacks a part of it")
        return self._bytes(found[0])

    def _bytes(self, blob: object) -> bytes:
        if not isinstance(blob, bytes):
            raise DamagedTrackError(f"{self.path} is not what was written")
        return blob

    # What is written

    def begin(self, origin: Origin) -> None:
        """Forget everything, and be of this."""
        for table in ("origin", "segments", "keys", "parts", "keyframes"):
            self._file.execute(f"DELETE FROM {table}")
        self._put_origin(origin)

    def _put_origin(self, origin: Origin) -> None:
        self._file.execute("INSERT OR REPLACE INTO origin VALUES (1, ?)", (msgspec.msgpack.encode(origin),))

    def put(self, segment: Segment, entries: bytes, keys: bytes | None, parts: Iterable[Part]) -> None:
        """Add a segment, in the place of those that begin with its first ordinal or later."""
        self.cut(segment.first)
        self._file.execute(
            "INSERT INTO segments VALUES (?, ?, ?)", (segment.first, msgspec.msgpack.encode(segment), entries)
        )
        if keys is not None:
            self.put_keys(segment.first, keys)
        self._file.executemany(
            "INSERT INTO parts VALUES (?, ?, ?, ?)",
            ((part.name, segment.first, part.rows, part.data) for part in parts),
        )

    def put_keys(self, first: int, keys: bytes) -> None:
        """Add idempotency keys."""
        self._file.execute("INSERT OR REPLACE INTO keys VALUES (?, ?)", (first, keys))

    def put_keyframe(self, name: str, ordinal: int, cells: bytes) -> None:
        """Add all cells of a column."""
        self._file.execute("INSERT OR REPLACE INTO keyframes VALUES (?, ?, ?)", (name, ordinal, cells))

    def cut(self, first: int) -> None:
        """Drop the segments that begin with an ordinal or later."""
        for table in ("segments", "keys", "parts"):
            self._file.execute(f"DELETE FROM {table} WHERE first >= ?", (first,))
        self._file.execute("DELETE FROM keyframes WHERE ordinal >= ?", (first,))

    def thin(self, origin: Origin) -> None:
        """Drop the segments up to a new beginning, where one ends; their keys are those at 0 from now on."""
        until = origin.ordinal + 1
        self._put_origin(origin)
        for table in ("segments", "parts"):
            self._file.execute(f"DELETE FROM {table} WHERE first < ?", (until,))
        self._file.execute("DELETE FROM keys WHERE first BETWEEN 1 AND ?", (until - 1,))
        self._file.execute("DELETE FROM keyframes WHERE ordinal < ?", (until - 1,))

    def shrink(self) -> None:
        """Give back what is not used any more. Raises TrackError."""
        with self._plainly():
            self._file.execute("PRAGMA incremental_vacuum").fetchall()
            self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
