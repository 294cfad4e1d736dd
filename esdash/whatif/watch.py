"""When a domain's file, or what it imports from its own folder, has become another one."""

from contextlib import suppress
from pathlib import Path

from esdash.fold.source import files_of

_Stamp = dict[str, tuple[int, int, int] | None]
"""By path: when it was changed, how long it is, which file it is; None for what is not there."""


class FileWatch:
    """Looks at the files, again and again: editors replace them, write them in two steps, leave half of one."""

    def __init__(self, file: Path) -> None:
        """`file` by its real path."""
        self._file = file
        self._known = files_of(file)
        self._seen = self._told = self._stamp()

    def look(self) -> bool:
        """Whether there was a change that has come to rest: what is there now was there at the last look as well."""
        now = self._stamp()
        rests = now == self._seen
        self._seen = now
        if not rests or now == self._told:
            return False
        # While the file cannot be parsed, what it imported before still counts.
        self._known |= files_of(self._file)
        self._seen = self._told = self._stamp()
        return True

    def _stamp(self) -> _Stamp:
        found = {str(path): _stamp_of(path) for path in self._known}
        with suppress(OSError):
            # A module that could not be imported may be written now.
            found |= {path.name: None for path in self._file.parent.iterdir() if _is_source(path.name)}
        return found


def _is_source(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(".")


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
