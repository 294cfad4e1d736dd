"""The files of an embedded server, and the locks by which processes agree about it.

Nothing here trusts a process id or a file that a crash may have left behind. What counts is who holds a lock
(flock), which the kernel releases when its holder dies, however it dies.
"""

import errno
import fcntl
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from msgspec import Struct

SOCKET_NAME = "server.sock"
# sockaddr_un.sun_path has room for 103 bytes and a NUL on macOS, 107 on Linux.
MAX_SOCKET_PATH_BYTES = 103

# Seconds to wait for another process that is starting or stopping the server.
TURN_TIMEOUT = 60.0
POLL_INTERVAL = 0.02

# For every file that is opened here: no link is followed, and nothing waits for the other end of a pipe.
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK
_LINK = (
    "{} is a symbolic link, and esdash follows none in its data directory. Remove it, or choose another data "
    "directory with --data-dir."
)


class EmbeddedServerError(Exception):
    """What went wrong with the embedded server and what to do about it, in one or two plain sentences."""


class DataDirectory(Struct, frozen=True):
    """The layout of a data directory; `root` is absolute and free of symbolic links."""

    root: Path

    @classmethod
    def prepare(cls, path: Path) -> Self:
        """Create the directory with mode 0700 if need be; prove that only this user can change it.

        Raises EmbeddedServerError when it belongs to someone else, is open to others, cannot be written or holds
        links in the place of files.
        """
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        root = cls.at(path).root
        found = root.stat()
        if found.st_uid != os.geteuid():
            raise EmbeddedServerError(
                f"The data directory {root} belongs to another user. Choose one of your own with --data-dir."
            )
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise EmbeddedServerError(
                f"Other users may write in the data directory {root}. Run `chmod 700` on it, or choose another "
                "one with --data-dir."
            )
        if not os.access(root, os.W_OK | os.X_OK):
            raise EmbeddedServerError(
                f"The data directory {root} cannot be written. Change its permissions, or choose another one "
                "with --data-dir."
            )
        directory = cls(root)
        directory.require_plain()
        return directory

    @classmethod
    def at(cls, path: Path) -> Self:
        """The directory as it is, if it is there: nothing is made and nothing proved."""
        return cls(Path(os.path.realpath(path)))  # unlike Path.resolve() without an exception of its own for loops

    @property
    def data(self) -> Path:
        """The server's working directory, with the append-only file."""
        return self.root / "data"

    @property
    def version_file(self) -> Path:
        """Which server wrote the data; lies among them, so that it goes where they go."""
        return self.data / "server.version"

    @property
    def config_file(self) -> Path:
        """The server's settings, written anew at every start."""
        return self.root / "server.conf"

    @property
    def log_file(self) -> Path:
        """What the server says, and what is said while it starts."""
        return self.root / "server.log"

    @property
    def pid_file(self) -> Path:
        """Written by the server for people to read; esdash signals no process."""
        return self.root / "server.pid"

    @property
    def server_lock(self) -> Path:
        """Locked by the server as long as it lives; contains the path of its socket, relative to `root`."""
        return self.root / "server.lock"

    @property
    def join_lock(self) -> Path:
        """Locked while somebody joins, leaves, starts or stops the server."""
        return self.root / "join.lock"

    @property
    def members(self) -> Path:
        """A folder with one file for every handle in use, named after its process and locked by it."""
        return self.root / "members"

    def require_plain(self) -> None:
        """Raises EmbeddedServerError when a file here is a symbolic link, or of another kind than esdash makes.

        Who follows a link overwrites, locks or removes something elsewhere.
        """
        for path in (self.config_file, self.log_file, self.pid_file, self.server_lock, self.join_lock):
            _require_kind(path, stat.S_IFREG)
        for path in (self.data, self.members):
            _require_kind(path, stat.S_IFDIR)
        _require_kind(self.root / SOCKET_NAME, stat.S_IFSOCK, stat.S_IFREG)
        for folder in (self.data, self.members):
            for path in folder.rglob("*"):
                _require_kind(path, stat.S_IFREG, stat.S_IFDIR)

    def member_files(self) -> list[Path]:
        """The files in `members`, left behind by a crash or not."""
        return list(self.members.glob("[0-9]*-*"))

    def member_pids(self) -> list[int]:
        """The processes that use the server, this one included, in ascending order."""
        return sorted({int(file.name.partition("-")[0]) for file in self.member_files() if is_locked(file)})

    def socket_path(self) -> Path | None:
        """Where the server listens. Means something only while `server_lock` is locked."""
        recorded = read_bytes(self.server_lock)
        return self.root / os.fsdecode(recorded) if recorded else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold `join_lock`. Raises EmbeddedServerError when another process keeps it for 60 s."""
        deadline = time.monotonic() + TURN_TIMEOUT
        descriptor = os.open(self.join_lock, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600)
        try:
            while not _lock(descriptor, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(
                        f"Another esdash process has been starting or stopping the server of {self.root} for "
                        f"more than {TURN_TIMEOUT:g} seconds. End that process and try again."
                    )
                time.sleep(POLL_INTERVAL)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)


def _require_kind(path: Path, *kinds: int) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise EmbeddedServerError(_LINK.format(path))
    if stat.S_IFMT(mode) not in kinds:
        raise EmbeddedServerError(
            f"{path} is not what esdash keeps under that name. Move it away, or choose another data directory with "
            "--data-dir."
        )


def private(path: str, flags: int) -> int:
    """An opener for open(): files are made for this user alone, and no link is followed."""
    return os.open(path, flags | _PLAIN, 0o600)


def read_bytes(path: Path, limit: int = 4096) -> bytes:
    """The beginning of a file; empty when there is none. Follows no link."""
    try:
        with open(path, "rb", opener=private) as file:
            return file.read(limit)
    except FileNotFoundError:
        return b""


def open_locked(path: Path) -> int | None:
    """Open the file, created if need be, and lock it; None when somebody else holds the lock.

    The lock belongs to the open file: whoever inherits the descriptor holds it too.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600)
    if _lock(descriptor, fcntl.LOCK_EX):
        return descriptor
    os.close(descriptor)
    return None


def unlock(descriptor: int) -> None:
    """Release the lock for everyone who has inherited the descriptor, and close it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether anybody, this process included, holds the lock on the file; False if there is none."""
    try:
        descriptor = os.open(path, os.O_RDWR | _PLAIN)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def choose_socket_path(directory: DataDirectory) -> Path:
    """The usual place in the data directory, or in a private temporary folder when that path is too long.

    The folder's name is derived from the directory's, so that a crashed server's folder is used again.
    Raises EmbeddedServerError when the folder exists and is not this user's own.
    """
    usual = directory.root / SOCKET_NAME
    if _fits(usual):
        return usual
    digest = hashlib.sha256(os.fsencode(directory.root)).hexdigest()[:16]
    name = f"esdash-{os.geteuid()}-{digest}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):
        folder = parent / name
        if _fits(folder / SOCKET_NAME):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
                raise EmbeddedServerError(
                    f"The folder {folder} for the server's socket is not private to you. Remove it, or choose a "
                    f"data directory with a path of fewer than {MAX_SOCKET_PATH_BYTES - 12} bytes."
                )
            return folder / SOCKET_NAME
    raise EmbeddedServerError(
        f"The paths of {directory.root} and of the temporary directory are too long for a unix socket. Choose "
        f"a data directory with a path of fewer than {MAX_SOCKET_PATH_BYTES - 12} bytes."
    )


def _fits(path: Path) -> bool:
    try:  # A URL carries UTF-8 only.
        return len(str(path).encode()) <= MAX_SOCKET_PATH_BYTES
    except UnicodeEncodeError:
        return False


@contextmanager
def plain_errors(data_dir: Path) -> Iterator[None]:
    """Turn an OSError into an EmbeddedServerError that names the directory and the file."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ELOOP and Path(error.filename).is_symlink():
            raise EmbeddedServerError(_LINK.format(error.filename)) from error
        where = f" ({error.filename})" if error.filename and str(error.filename) != str(data_dir) else ""
        raise EmbeddedServerError(
            f"The data directory {data_dir} cannot be used: {error.strerror}{where}. Mend that, or choose "
            "another one with --data-dir."
        ) from error
