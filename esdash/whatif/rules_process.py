"""Rules that are being written, as a dashboard follows them: the process that folds the log by them, from outside."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from esdash.fold.folding import Fold
from esdash.log.child import Companion
from esdash.log.errors import LogError
from esdash.log.stream import Stream
from esdash.whatif.rules_child import Task
from esdash.whatif.telling import Told

AGAIN_SECONDS: Final = 0.2
"""Between two tries to find out where the server is."""


class RulesProcess:
    """Has a domain's file watched, and the log folded by what is saved there."""

    def __init__(self, log: Stream, file: Path) -> None:
        self._log = log
        self.file = file
        self.told = Told(folding=True)
        """What was said last; for any thread."""
        self.count = 0
        """How often something was."""
        self._callback: Callable[[], object] = bool
        self._companion: Companion | None = None
        self._closed = threading.Event()
        self._changing = threading.Lock()

    def begin(self, fold: Fold) -> None:
        """From now on, these are the old rules. May take half a second, and longer while there is no server."""
        with self._changing:
            self._end()
            self.told = Told(folding=True)
            while not self._closed.is_set():
                try:
                    url = self._log.server.url
                except LogError:
                    self._closed.wait(AGAIN_SECONDS)  # the consumer says what is wrong with it
                else:
                    task = Task(url, self._log.name, fold.choice, fold.fingerprint, self._log.archive_root)
                    self._companion = Companion("esdash.whatif.rules_child:main", self._heard, self._ended, "rules")
                    self._companion.start(msgspec.json.encode(task))
                    return

    def on_told(self, callback: Callable[[], object]) -> None:
        """Have `callback`, which must be quick, called in another thread after each time that something was told."""
        self._callback = callback

    def close(self) -> None:
        self._closed.set()
        with self._changing:
            self._end()

    def _end(self) -> None:
        if self._companion is not None:
            self._companion.close()
            self._companion = None

    def _heard(self, line: bytes) -> None:
        self.told = msgspec.json.decode(line, type=Told)
        self.count += 1
        self._callback()

    def _ended(self, how: str) -> None:
        self.told = Told(self.told.saved_ms, error=f"The process that folds by the new rules {how}.", stuck=True)
        self.count += 1
        self._callback()
