"""The program of the process that folds a log by rules that are being written, beside those that a dashboard has.

It keeps what the old rules made of the log. Each time a file is saved it forks: the other process loads the new rules,
folds the log by them, and compares. Whatever they do, to loop without an end among it, ends with that process.
"""

import gc
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec
from msgspec import Struct

from esdash.engine.console import EngineError
from esdash.engine.invariants.asked import require_readable
from esdash.engine.projection import Projection
from esdash.fold.apart import Apart
from esdash.fold.failing import DomainError
from esdash.fold.loading import DomainFileError
from esdash.log.errors import LogError
from esdash.log.finding import server_of, stream_on
from esdash.log.stream import Stream
from esdash.whatif.rules import Kept, MovedError, compare
from esdash.whatif.telling import Told, result_of
from esdash.whatif.watch import FileWatch

LOOK_SECONDS: Final = 0.1
"""Between two looks at the files."""

IDLE_SECONDS: Final = 5.0
"""After which the old rules go on with the log while nothing is saved, so that there is little left to do then."""

AGAIN_SECONDS: Final = 2.0
"""Between two tries, while there is no server."""

TELL_SECONDS: Final = 0.2
"""Between two times that it is told how far it is."""

SILENT_SECONDS: Final = 10.0
"""After which rules that do not come back from a page are told of."""

NICE: Final = 5
"""The screen and the consumer go before it."""

_TOLD, _LOST = 10, 11
"""Exit codes of a fork: it has told what there is to tell; it could not read the log, and that is tried again."""


class Task(Struct, frozen=True):
    """What is to be folded."""

    url: str
    stream: str
    domain: str
    """What the domain is called: its file and its name in it."""
    fingerprint: str
    """Of the rules that the dashboard has."""
    archive: str = ""
    """The folder of the archive through which the stream is read; empty without one."""


def main() -> None:
    """Read a task from standard input, and watch until that is closed; writes `Told` as JSON lines."""
    # What a domain prints or reads must not get between: both streams are moved out of its way.
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A file that is saved twice within a second may look to Python like its own bytecode.
    sys.dont_write_bytecode = True
    with suppress(OSError):
        os.nice(NICE)
    gc.disable()
    line = b""
    while not line.endswith(b"\n"):
        if not (part := os.read(orders, 65536)):
            return
        line += part
    with suppress(_EndedError):
        _Watcher(msgspec.json.decode(line, type=Task), orders, answers).run()


class _EndedError(Exception):
    """Nobody wants to know any more."""


class _Fork:
    """The process that folds by the new rules."""

    def __init__(self, pid: int, pipe: int, alive: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self._alive = alive
        self._rest = b""
        self.heard = time.monotonic()
        """When it said something last."""

    def lines(self) -> list[bytes] | None:
        """What it has said; None when it has ended."""
        part = os.read(self.pipe, 1 << 20)
        if not part:
            return None
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + part).split(b"\n")
        return lines

    def end(self) -> int:
        """Kill it where it is still there; how it ended, as `os.waitstatus_to_exitcode` says."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pipe)
        os.close(self._alive)
        return os.waitstatus_to_exitcode(status)


class _Watcher:
    """Watches the files, and has them compared."""

    def __init__(self, task: Task, orders: int, answers: int) -> None:
        self._task = task
        self._orders, self._answers = orders, answers
        self._server = server_of(task.url, task.stream)
        self._log = stream_on(self._server, task.stream, task.archive)
        self._fork: _Fork | None = None
        self._saved_ms = 0
        self._due: float | None = None
        """When it is to be compared again without a change."""
        self._kept: Kept | None = None
        """What the old rules made of the log; None where entries leave it before they are folded."""
        self._advanced = 0.0
        """When that went on last."""

    def run(self) -> None:
        """Until nobody wants to know. Raises _EndedError."""
        watch = FileWatch(Path(self._task.domain.rpartition(":")[0]))
        try:
            self._old = Apart(self._task.domain, require_readable)
        except DomainFileError as error:
            changed, why = True, str(error)
        else:
            changed, why = self._old.fold.fingerprint != self._task.fingerprint, ""
        if changed:
            self._say(Told(error=f"The file was changed while it was being opened. {why}".strip(), stuck=True))
            while True:
                self._wait()
        self._due = look_at = time.monotonic()
        while True:
            now = time.monotonic()
            changed = now >= look_at and watch.look()
            if now >= look_at:
                # A fork that says much must not make two looks follow each other at once.
                look_at = now + LOOK_SECONDS * 0.9
            if changed:
                self._saved_ms = time.time_ns() // 1_000_000
                self._compare()
            elif self._due is not None and now >= self._due:
                self._compare()
            elif self._fork is None and now - self._advanced > IDLE_SECONDS:
                self._advance(quietly=True)
            self._wait()

    def _wait(self, seconds: float = LOOK_SECONDS) -> None:
        """Hear what the fork says. Raises _EndedError."""
        fork = self._fork
        there, _, __ = select.select([self._orders, *([fork.pipe] if fork else [])], [], [], seconds)
        if self._orders in there and not os.read(self._orders, 4096):
            if fork is not None:
                fork.end()
            raise _EndedError
        if fork is None:
            return
        if fork.pipe in there:
            lines = fork.lines()
            for line in lines or ():
                self._write(line)
            if lines is None:
                self._ended(fork)
        elif time.monotonic() - fork.heard > SILENT_SECONDS:
            fork.heard = float("inf")
            self._say(
                Told(
                    self._saved_ms,
                    error=f"The new rules have not come back for {SILENT_SECONDS:.0f} seconds: it looks as if they "
                    "loop without an end.",
                )
            )

    def _ended(self, fork: _Fork) -> None:
        self._fork = None
        code = fork.end()
        if code == _LOST:
            self._due = time.monotonic() + AGAIN_SECONDS
        elif code != _TOLD:
            self._say(Told(self._saved_ms, error="The process that folds by the new rules ended unexpectedly."))

    def _compare(self) -> None:
        """Begin to fold by the rules as they are now."""
        self._due = None
        if self._fork is not None:
            self._fork.end()
            self._fork = None
        self._say(Told(self._saved_ms, folding=True))
        if not self._advance():
            self._due = time.monotonic() + AGAIN_SECONDS
        elif self._saved_ms:
            self._fork = self._start()
        else:
            self._say(Told())

    def _advance(self, *, quietly: bool = False) -> bool:
        """Fold what was appended by the old rules; False where the log cannot be read."""
        progress = _Progress(self._log, id if quietly else self._say, self._saved_ms)

        def on_page(projection: Projection) -> None:
            self._wait(0)
            progress(projection)

        try:
            for kept in (self._kept, None):
                # Another log, or one that loses entries, is folded from its beginning.
                self._kept = kept or Kept(self._old.fold)
                try:
                    with self._old:
                        self._kept.advance(self._log, on_page)
                    return True
                except MovedError:
                    self._kept = None
        except (LogError, EngineError) as error:
            if not quietly:
                self._say(Told(self._saved_ms, error=str(error)))
            return False
        finally:
            self._advanced = time.monotonic()
        return True

    def _start(self) -> _Fork:
        reading, writing = os.pipe()
        watched, alive = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(reading)
            os.close(alive)
            self._fold_new(watched, writing)
        os.close(writing)
        os.close(watched)
        return _Fork(pid, reading, alive)

    def _fold_new(self, watched: int, writing: int) -> NoReturn:
        """In the fork."""

        def end_with_its_parent() -> None:
            os.read(watched, 1)
            os._exit(0)

        code = 1
        try:
            threading.Thread(target=end_with_its_parent, daemon=True).start()
            code = self._told_of_new(lambda told: _write(writing, msgspec.json.encode(told)))
        finally:
            os._exit(code)

    def _told_of_new(self, say: Callable[[Told], object]) -> int:
        server = server_of(self._task.url, self._task.stream)  # the connections of the other one are its own
        log = stream_on(server, self._task.stream, self._task.archive)
        old, kept = self._old, self._kept
        progress = _Progress(log, say, self._saved_ms)
        try:
            new = Apart(self._task.domain, require_readable)
            found, ends = None, ""
            if kept is not None:
                with new, suppress(MovedError):
                    found, ends = kept.beside(log, new.fold, progress), kept.failure
            if found is None:
                # Entries leave the stream as others come: read by both at once, it begins where it begins.
                found = compare(log, old, new, log.facts().last_id, progress)
            say(Told(self._saved_ms, result=result_of(old.fold, new.fold, found, ends)))
        except LogError as error:
            say(Told(self._saved_ms, error=str(error)))
            return _LOST
        except (EngineError, DomainError, DomainFileError) as error:
            say(Told(self._saved_ms, error=str(error)))
        return _TOLD

    def _say(self, told: Told) -> None:
        self._write(msgspec.json.encode(told))

    def _write(self, line: bytes) -> None:
        try:
            _write(self._answers, line)
        except BrokenPipeError:
            raise _EndedError from None


class _Progress:
    """Tells now and then how far a projection is."""

    def __init__(self, log: Stream, say: Callable[[Told], object], saved_ms: int) -> None:
        self._log = log
        self._say = say
        self._saved_ms = saved_ms
        self._due = time.monotonic() + TELL_SECONDS
        self._total: int | None = None

    def __call__(self, projection: Projection) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + TELL_SECONDS
        if self._total is None:
            self._total = self._log.facts().length
        self._say(Told(self._saved_ms, folding=True, done=projection.ordinal, total=self._total))


def _write(descriptor: int, line: bytes) -> None:
    line += b"\n"
    while line:
        line = line[os.write(descriptor, line) :]
