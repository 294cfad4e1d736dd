"""A file that is there as a whole or not at all, for this user alone."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


class FileThereError(Exception):
    """Something is there already. The message is a sentence."""


@contextmanager
def whole_file(path: Path, *, replace: bool = False) -> Iterator[BinaryIO]:
    """A file to write, beside the place that it takes when the block ends well. Mode 0600: it holds what a log says.

    A link is followed. Raises FileThereError, before the block and after it, when something is there that is not to
    be replaced, or is no file; OSError, which names a file.
    """
    path = Path(os.path.realpath(path))
    _require_room(path, replace)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        error.filename = str(path.parent)  # not a name that nobody chose
        raise
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb", 256 * 1024) as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        if replace:
            beside.replace(path)
        else:
            _take(beside, path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _take(beside: Path, path: Path) -> None:
    """Give the file its name, unless somebody else has taken that meanwhile."""
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        raise FileThereError(f"{path} is there already.") from None
    except OSError:  # there are no hard links here
        _require_room(path, replace=False)
        beside.replace(path)


def _require_room(path: Path, replace: bool) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise FileThereError(f"{path} is no file.")
    if not replace:
        raise FileThereError(f"{path} is there already.")
