"""The process that builds a track beside a dashboard: the program of it, and what its parent knows of it."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.moments.history import BrokenError
from esdash.fold import loading
from esdash.fold.failing import DomainError
from esdash.fold.loading import DomainFileError
from esdash.log.child import Companion
from esdash.log.errors import LogError
from esdash.log.finding import server_of, stream_on
from esdash.past.building.builder import Builder
from esdash.past.track.folder import TrackFolder, lock
from esdash.past.track.packing import DamagedTrackError, DeletedTrackError, TrackError

AGAIN_SECONDS: Final = 2.0
"""Between two tries: to reach the server again, or to find out that nobody else builds the track any more."""

LONGEST_SECONDS: Final = 60.0
"""Between two tries to write a file that cannot be written, at most: a full disk has room again some day."""

NICE: Final = 10
"""The consumer goes before it."""


class Task(Struct, frozen=True):
    """What a process is to build."""

    url: str
    stream: str
    domain: str
    path: str
    """The track's file."""
    megabytes: int
    archive: str = ""
    """The folder of the archive through which the stream is read; empty without one."""


class Built(Struct, frozen=True):
    """How far a track is."""

    ordinal: int = 0
    """Of the last entry in it."""
    waiting: int = 0
    """About how many are to come."""
    error: str = ""
    """Why it is not kept up; empty while it is."""


def main() -> None:
    """Read a task from standard input, build until that is closed; writes `Built` as JSON lines."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    stopped = threading.Event()

    def wait_for_the_end() -> None:
        # Not by the buffer: Python ends with an abort where a thread waits in one.
        while os.read(sys.stdin.fileno(), 4096):
            pass
        stopped.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(NICE)
    gc.disable()

    def say(built: Built) -> None:
        with suppress(BrokenPipeError):
            sys.stdout.buffer.write(msgspec.json.encode(built) + b"\n")
            sys.stdout.buffer.flush()

    keep_up(task, stopped, say)


def keep_up(task: Task, stopped: threading.Event, say: Callable[[Built], object]) -> None:
    """Build until it is `stopped`, or until only another start could mend what is wrong."""
    pause = AGAIN_SECONDS
    while not stopped.is_set():
        before, pause = pause, AGAIN_SECONDS
        try:
            _build(task, stopped, lambda ordinal, waiting: say(Built(ordinal, waiting)))
            last = Built()
        except (LogError, BrokenError, DamagedTrackError, DeletedTrackError) as error:
            # The server comes back; what is not of this log any more is cut back or made anew.
            last = Built(error=str(error))
        except TrackError as error:
            last, pause = Built(error=str(error)), min(2 * before, LONGEST_SECONDS)
        except (EngineError, DomainError, DomainFileError) as error:
            say(Built(error=str(error)))
            return
        gc.collect()  # the next try loads the domain again, and nobody else frees this one's
        say(last)
        stopped.wait(pause)


def _build(task: Task, stopped: threading.Event, progressed: Callable[[int, int], object]) -> None:
    path = Path(task.path)
    folder = TrackFolder(path.parent, task.megabytes)
    folder.make()
    with lock(path) as alone:
        if not alone:
            return
        fold, server = loading.load(task.domain), server_of(task.url, task.stream)
        try:
            log = stream_on(server, task.stream, task.archive)
            Builder(log, fold, folder, path, progressed=progressed).run(stopped)
        finally:
            server.close()


class TrackProcess:
    """Keeps a track up with a stream, in a process of its own, for as long as it is not closed."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.built = Built()
        """What it said last; for any thread."""
        self._companion = Companion("esdash.past.building.process:main", self._heard, self._ended, "track")

    def start(self) -> None:
        """Begin; returns at once."""
        self._companion.start(msgspec.json.encode(self._task))

    def close(self) -> None:
        """End it."""
        self._companion.close()

    def _heard(self, line: bytes) -> None:
        self.built = msgspec.json.decode(line, type=Built)

    def _ended(self, how: str) -> None:
        last = self.built
        if not last.error:
            self.built = Built(last.ordinal, last.waiting, f"The process that keeps the past {how}.")
