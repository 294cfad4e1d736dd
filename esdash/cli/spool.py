"""Lines that are printed in another order than they are found in: kept in memory when few, else in a file."""

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final

MEMORY: Final = 8 * 1024 * 1024
"""Bytes of lines from which they are kept in a file, which nobody else can see and which goes when it is closed."""

DROPPED: Final = 64 * 1024 * 1024
"""Bytes of lines that are not wanted any more, from which the file is written anew."""


@contextmanager
def in_temporary_folder() -> Iterator[None]:
    """What cannot be written in this block names the folder of it, which TMPDIR chooses."""
    try:
        yield
    except OSError as error:
        error.filename = tempfile.gettempdir()
        raise


class Spool:
    """Takes lines, and gives them back from either end."""

    def __init__(self, most: int | None = None) -> None:
        """Of all lines the last `most` are kept."""
        self._most = most
        self._file = tempfile.SpooledTemporaryFile[bytes](MEMORY)
        self._starts = array("Q")
        self._first = 0
        """The line from which on they are wanted."""
        self._end = 0

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # nobody wants what is not written yet
            self._file.close()

    def __len__(self) -> int:
        return len(self._starts) - self._first

    @property
    def size(self) -> int:
        """Bytes that are kept, those of lines that are not wanted any more as well."""
        return self._end

    def clear(self) -> None:
        """Forget all lines."""
        self._file.seek(0)
        self._file.truncate()
        self._starts, self._first, self._end = array("Q"), 0, 0

    def add(self, line: str) -> None:
        """Keep a line. Raises OSError, which names the folder, when the disk is full."""
        written = line.encode("utf-8", "surrogatepass")
        with in_temporary_folder():
            self._file.seek(self._end)
            self._file.write(written)
        self._starts.append(self._end)
        self._end += len(written)
        if self._most is not None and len(self) > self._most:
            self._first += 1
            dropped = self._starts[self._first] if self._first < len(self._starts) else self._end
            if dropped > DROPPED and dropped > self._end // 2:
                self._shrink()

    def oldest_first(self) -> Iterator[str]:
        """The lines in their order."""
        for place in range(self._first, len(self._starts)):
            yield self._line(place)

    def newest_first(self) -> Iterator[str]:
        """The lines from the last on."""
        for place in range(len(self._starts) - 1, self._first - 1, -1):
            yield self._line(place)

    def _line(self, place: int) -> str:
        start = self._starts[place]
        end = self._starts[place + 1] if place + 1 < len(self._starts) else self._end
        with in_temporary_folder():
            self._file.seek(start)
            return self._file.read(end - start).decode("utf-8", "surrogatepass")

    def _shrink(self) -> None:
        """Write what is wanted to the beginning of a file of its own."""
        kept, before = Spool(), self._file
        for line in self.oldest_first():
            kept.add(line)
        before.close()
        self._file, self._starts, self._first, self._end = kept._file, kept._starts, 0, kept._end
