"""What rules do beside folding, as Python itself reports it: files that they open, programs that they run."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from esdash.fold.folding import Fold

_SAID: Final = {
    "os.remove": "removes a file",
    "os.rename": "renames a file",
    "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder",
    "os.listdir": "looks into a folder",
    "os.scandir": "looks into a folder",
    "os.truncate": "writes a file",
    "os.putenv": "changes the environment",
    "os.unsetenv": "changes the environment",
    "os.chdir": "changes the current folder",
    "os.system": "runs a program",
    "os.posix_spawn": "runs a program",
    "os.fork": "runs a program",
    "subprocess.Popen": "runs a program",
    "socket.connect": "talks to another program",
    "socket.bind": "talks to another program",
    "socket.sendto": "talks to another program",
    "socket.getaddrinfo": "talks to another program",
    "sqlite3.connect": "opens a database",
}
"""Events of `sys.audit`; `open` is told apart by how a file is opened."""

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_FINE: Final = ("<frozen importlib", f"{os.sep}zoneinfo{os.sep}", f"{os.sep}linecache.py")
"""Where Python reads files by itself: to import a module, a zone's rules, a line of source for a warning."""


class Doings:
    """What the rules of a domain do in a block, beside what they do to a state."""

    def __init__(self, fold: Fold) -> None:
        functions = [each.apply or each.upcast for each in fold.domain.events]
        codes = [code for each in functions if (code := getattr(each, "__code__", None)) is not None]
        self._folders = {str(Path(code.co_filename).parent) for code in codes}
        self._found: dict[str, str] = {}

    def __enter__(self) -> None:
        _listen(self)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        _listen(None)

    def heard(self) -> list[tuple[str, str]]:
        """Where something was done and what, since it was asked before."""
        found = list(self._found.items())
        self._found.clear()
        return found

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One event of `sys.audit`."""
        what = _SAID.get(event)
        if event == "open":
            writes = len(arguments) > 2 and isinstance(arguments[2], int) and arguments[2] & _WRITING
            what = "writes a file" if writes else "reads a file"
        if what is None:
            return
        for code, line in _frames(sys._getframe(2)):
            file = code.co_filename
            if any(part in file for part in _FINE):
                return
            if str(Path(file).parent) in self._folders:
                self._found.setdefault(f"{Path(file).name}:{line}", what)
                return


def _frames(frame: FrameType | None) -> Iterator[tuple[CodeType, int]]:
    while frame is not None:
        yield frame.f_code, frame.f_lineno
        frame = frame.f_back


_listening: list[Doings] = []
_hooked: list[bool] = []


def _listen(doings: Doings | None) -> None:
    """Have this one hear what is done, or nobody. A hook cannot be taken away again, so there is one for all."""
    _listening[:] = [] if doings is None else [doings]
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening:
        _listening[0].hear(event, arguments)
