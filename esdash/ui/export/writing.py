"""Writes what is handed on, in a thread: to a file, or as the text of the clipboard."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgspec.structs import replace

from esdash.counted import counted
from esdash.export.file import whole_file
from esdash.export.formats import Format, written
from esdash.export.sheet import Sheet
from esdash.ui.export.handed import Handed
from esdash.ui.export.offered import LARGEST

CLIPBOARD: Final = 1_000_000
"""Bytes that the clipboard gets at most: many terminals take no more."""


class StoppedError(Exception):
    """Somebody has stopped it."""


class TooMuchError(Exception):
    """It is too much for the clipboard. The message is a sentence."""


class Writing:
    """One export under way; made on the screen's thread, run in another."""

    def __init__(self, handed: Handed, how: Format) -> None:
        self._handed = handed
        self._how = how
        self.lines = 0
        """So many were made so far."""
        self.stopped = False
        """Set to stop it."""

    def to_file(self, path: Path) -> None:
        """Write a file, as a whole or not at all. Raises FileThereError, OSError, EngineError, StoppedError."""
        with whole_file(path) as file:
            for text in self._text():
                file.write(text.encode())

    def as_text(self) -> str:
        """The text. Raises TooMuchError, EngineError, StoppedError."""
        parts: list[str] = []
        size = 0
        for text in self._text():
            parts.append(text)
            size += len(text.encode())
            if size > CLIPBOARD:
                raise too_much()
        return "".join(parts)

    def to_download(self) -> BinaryIO:
        """A file without a name, for whoever closes it. Raises TooMuchError, OSError, EngineError, StoppedError."""
        with ExitStack() as unfinished:
            file = unfinished.enter_context(tempfile.TemporaryFile())
            size = 0
            for text in self._text():
                size += file.write(text.encode())
                if size > LARGEST:
                    raise TooMuchError(
                        f"That is more than {LARGEST // 1024**2} MB, too much for a download: take `esdash export`."
                    )
            unfinished.pop_all()
        return file

    @property
    def told(self) -> str:
        """How many lines there are: `12 lines`."""
        return counted(self.lines, "line", "lines")

    def _text(self) -> Iterator[str]:
        return written([self._counting(sheet) for sheet in self._handed.sheets()], self._how)

    def _counting(self, sheet: Sheet[Any]) -> Sheet[Any]:
        return replace(sheet, lines=_each(sheet.lines, self._made))

    def _made(self) -> None:
        if self.stopped:
            raise StoppedError
        self.lines += 1


def too_much() -> TooMuchError:
    """Says what to do instead."""
    return TooMuchError(f"That is more than {CLIPBOARD // 1_000_000} MB, too much for the clipboard: take a file.")


def _each(lines: Iterable[Any], made: Callable[[], object]) -> Iterator[Any]:
    for line in lines:
        made()
        yield line
