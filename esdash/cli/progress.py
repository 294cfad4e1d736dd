"""How far long work has come, on a terminal."""

import sys
import time
from types import TracebackType
from typing import Final

import click

from esdash.engine.projection import Projection
from esdash.log.stream import Stream

SECONDS: Final = 0.2
"""Between two times that it is shown."""


class Progress:
    """One line on stderr, written over again and again; nothing where that is no terminal. At the end it goes."""

    def __init__(self, log: Stream) -> None:
        """The entries of a log are counted when it is first shown."""
        self._log = log
        self._total: int | None = None
        self._next = time.monotonic() + SECONDS
        self._shown = False

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def __call__(self, projection: Projection) -> None:
        """A projection has come so far: `History` tells it for each page."""
        self.tell(projection.ordinal + projection.unseen)

    def tell(self, done: int, total: int | None = None) -> None:
        """So many entries are done, of all that the log ever had, or of a total."""
        now = time.monotonic()
        if now < self._next or not sys.stderr.isatty():
            return
        self._next = now + SECONDS
        if self._total is None:
            self._total = (self._log.facts().entries_added or 0) if total is None else total
        of = f" of {self._total:,}" if self._total >= done else ""
        click.echo(f"\r{done:,}{of} entries\x1b[K", err=True, nl=False)
        self._shown = True

    def clear(self) -> None:
        """Take it away, before something else is written."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
            self._shown = False
