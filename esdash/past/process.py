"""The process that builds a track beside a dashboard: the program of it, and what its parent knows of it."""

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.history import BrokenError
from esdash.fold import loading
from esdash.fold.failing import DomainError
from esdash.fold.loading import DomainFileError
from esdash.log import child
from esdash.log.errors import LogError
from esdash.log.finding import server_of
from esdash.log.stream import Stream
from esdash.past.building import Builder
from esdash.past.folder import TrackFolder, lock
from esdash.past.packing import DamagedTrackError, TrackError

AGAIN_SECONDS: Final = 2.0
"""Between two tries: to reach the server again, or to find out that nobody else builds the track any more."""

LEAVE_SECONDS: Final = 0.5
"""How long a process may take to end by itself: what it does not store then, it stores the next time."""

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

    while not stopped.is_set():
        try:
            _build(task, stopped, lambda ordinal, waiting: say(Built(ordinal, waiting)))
            last = Built()
        except (LogError, BrokenError, DamagedTrackError) as error:
            # The server comes back; what is not of this log any more is cut back or made anew.
            last = Built(error=str(error))
        except (EngineError, DomainError, DomainFileError, TrackError) as error:
            say(Built(error=str(error)))
            return
        say(last)
        stopped.wait(AGAIN_SECONDS)


def _build(task: Task, stopped: threading.Event, progressed: Callable[[int, int], object]) -> None:
    path = Path(task.path)
    folder = TrackFolder(path.parent, task.megabytes)
    folder.make()
    with lock(path) as alone:
        if not alone:
            return
        fold, server = loading.load(task.domain), server_of(task.url, task.stream)
        try:
            Builder(Stream(server, task.stream), fold, folder, path, progressed=progressed).run(stopped)
        finally:
            server.close()


class TrackProcess:
    """Keeps a track up with a stream, in a process of its own, for as long as it is not closed."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.built = Built()
        """What it said last; for any thread."""
        self._closing = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="track", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._closing = True
        process = self._process
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(LEAVE_SECONDS)
        process.kill()
        self._thread.join()

    def _run(self) -> None:
        try:
            process = self._process = child.start("esdash.past.process:main", stdin=subprocess.PIPE)
        except OSError as error:
            self.built = Built(error=f"The process that keeps the past cannot be started: {error.strerror}.")
            return
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(OSError, ValueError):  # it has ended, or is being closed
                process.stdin.write(msgspec.json.encode(self._task) + b"\n")
                process.stdin.flush()
            if self._closing:
                with suppress(OSError):
                    process.stdin.close()
            for line in process.stdout:
                self.built = msgspec.json.decode(line, type=Built)
        if not self._closing and not self.built.error:
            last = self.built
            self.built = Built(last.ordinal, last.waiting, "The process that keeps the past ended unexpectedly.")
