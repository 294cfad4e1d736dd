"""A second Python process that runs a function of esdash."""

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

LOOK_SECONDS: Final = 0.1
"""Between two looks whether to go on waiting."""

LEAVE_SECONDS: Final = 0.5
"""How long a process may take to end by itself: what it does not store then, it stores the next time."""


class SilentError(Exception):
    """The process has written nothing for so long that it must be stopped, or stuck."""


class InterruptedWaitError(Exception):
    """Whoever waits has something else to do."""


class Pipe:
    """What a process writes, read with a deadline: one that is stopped must not stop its parent."""

    def __init__(self, file: IO[bytes] | None, silence: float, interrupted: Callable[[], bool] = bool) -> None:
        """`silence` is how many seconds it may write nothing; while it is waited for, `interrupted` is asked."""
        assert file is not None, "the process was started with a pipe"
        self._descriptor = file.fileno()
        self._silence = silence
        self._interrupted = interrupted
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def read(self, size: int) -> bytes:
        """So many bytes; fewer only where the process has closed its end. Raises SilentError, InterruptedWaitError."""
        parts: list[bytes] = []
        while size and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def lines(self) -> Iterator[bytes]:
        """Whole lines, until the process closes its end. Raises SilentError, InterruptedWaitError."""
        rest = b""
        while part := self._some(64 * 1024):
            *lines, rest = (rest + part).split(b"\n")
            yield from lines

    def _some(self, most: int) -> bytes:
        deadline = time.monotonic() + self._silence
        while not self._poll.poll(LOOK_SECONDS * 1000):
            if self._interrupted():
                raise InterruptedWaitError
            if time.monotonic() >= deadline:
                raise SilentError
        return os.read(self._descriptor, most)


def start(function: str, *arguments: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Run `function` (module:name) with arguments in `sys.argv`; `options` are those of Popen. Raises OSError.

    It says nothing on the terminal that this one may be drawing on.
    """
    return subprocess.Popen(
        command(function, *arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(), **options
    )


def command(function: str, *arguments: str) -> list[str]:
    """The command line of a process that runs `function` (module:name)."""
    module, _, name = function.partition(":")
    return [sys.executable, "-P", "-c", f"from {module} import {name}; {name}()", *arguments]


def environment() -> dict[str, str]:
    """The environment in which it finds esdash where this process does, whatever the working directory holds."""
    package_root = str(Path(__file__).parents[2])
    search = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([package_root, search] if search else [package_root])}


class Companion:
    """A process that is given one line, and writes lines until it is closed: beside this one, for as long as it is
    wanted."""

    def __init__(
        self, function: str, heard: Callable[[bytes], object], ended: Callable[[str], object], name: str
    ) -> None:
        """`function` (module:name) ends when its standard input does. `heard` is given each line, and `ended` how it
        ended without being closed, as in "cannot be started"; both in a thread called `name`."""
        self._function = function
        self._heard = heard
        self._ended = ended
        self._closing = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._task = b""

    def start(self, task: bytes) -> None:
        """Begin; returns at once."""
        self._task = task
        self._thread.start()

    def close(self) -> None:
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
            process = self._process = start(self._function, stdin=subprocess.PIPE)
        except OSError as error:
            self._ended(f"cannot be started: {error.strerror}")
            return
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(OSError, ValueError):  # it has ended, or is being closed
                process.stdin.write(self._task + b"\n")
                process.stdin.flush()
            if self._closing:
                with suppress(OSError):
                    process.stdin.close()
            for line in process.stdout:
                self._heard(line)
        if not self._closing:
            self._ended("ended unexpectedly")
