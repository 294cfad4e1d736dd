"""The folder that tracks are kept in: a cache of this user's, bounded, private, and good to be deleted at any time."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from esdash.fold.folding import Fold
from esdash.log.servers.address import redact
from esdash.past.track.packing import TrackError

FOLDER: Final = "past"
"""What it is called, in the place for caches."""

ENDING: Final = ".track"


class TrackFolder:
    """Where tracks are kept."""

    def __init__(self, path: Path, megabytes: int) -> None:
        """`megabytes` bounds all tracks together."""
        self.path = path
        self.bound = megabytes * 1024 * 1024

    def make(self) -> None:
        """Make it, for this user alone. Raises TrackError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise TrackError(f"The folder for the past, {self.path}, cannot be made: {error.strerror}.") from error

    def file_of(self, url: str, stream: str, fold: Fold) -> Path:
        """The track of a stream by the rules of a domain; of the server's URL counts what is no secret."""
        what = "\0".join((redact(url), stream, fold.name, fold.version, fold.fingerprint))
        return self.path / (hashlib.blake2b(what.encode(), digest_size=16).hexdigest() + ENDING)

    def used(self) -> int:
        """Bytes of all tracks together."""
        return sum(size for _, size, _ in self._files())

    def make_room(self, kept: Path) -> bool:
        """Delete the tracks that were written longest ago, but for one and those that are being built.

        Whether all together are within the bound. Raises TrackError.
        """
        for path, _, _ in sorted(self._files(), key=lambda file: file[2]):
            if self.used() <= self.bound:
                break
            if path != kept:
                with lock(path) as alone:
                    if alone:
                        remove(path)
        return self.used() <= self.bound

    def _files(self) -> list[tuple[Path, int, float]]:
        found = []
        with suppress(OSError):
            for path in self.path.glob(f"*{ENDING}"):
                with suppress(OSError):
                    about = path.stat()
                    waiting = path.with_name(f"{path.name}-wal")
                    more = waiting.stat().st_size if waiting.exists() else 0
                    found.append((path, about.st_size + more, about.st_mtime))
        return found


def remove(path: Path) -> None:
    """Delete a track."""
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


@contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Whether this process alone may write a track, for as long as it is within. Raises TrackError."""
    try:
        descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TrackError(f"The folder for the past, {path.parent}, cannot be used: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
