"""The real dashboard on a pseudo terminal of 120×40: what it shows, and when it showed it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

import psutil  # type: ignore[import-untyped,unused-ignore]

from tests.benchmarks.setting import environment

COLUMNS: Final = 120
ROWS: Final = 40

_TOKEN: Final = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b.|([\r\n\x08])|([^\x1b\r\n\x08]+)", re.S
)


class Terminal:
    """Runs a program and keeps the screen that it draws."""

    def __init__(self, *command: object) -> None:
        """`python -m command…` in a terminal of its own."""
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.begun = time.monotonic()
        """When the program was started."""
        self.process = psutil.Popen(
            [sys.executable, "-m", *map(str, command)],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=environment(),
            start_new_session=True,
        )
        os.close(terminal)
        self.frames: list[float] = []
        """When anything was painted."""
        self._controller = controller
        self._lines = [[" "] * COLUMNS for _ in range(ROWS)]
        self._row = self._column = 0
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._controller)

    @property
    def lines(self) -> Sequence[str]:
        """The screen."""
        return ["".join(line) for line in self._lines]

    @property
    def text(self) -> str:
        """The screen."""
        return "\n".join(self.lines)

    @staticmethod
    def now() -> float:
        """On the clock of everything here."""
        return time.monotonic()

    def cpu(self) -> float:
        """CPU seconds that the program has used so far."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def press(self, keys: str) -> float:
        """Type; when that was."""
        now = time.monotonic()
        os.write(self._controller, keys.encode())
        return now

    def until(self, shown: Callable[["Terminal"], object], timeout: float = 60.0) -> float:
        """Wait until the screen shows something; when the bytes that made it so had come."""
        deadline = time.monotonic() + timeout
        while not shown(self):
            if time.monotonic() > deadline:
                raise SystemExit(f"The dashboard does not show what was waited for:\n{self.text}")
            self.watch(0.5)
        return self.frames[-1] if self.frames else time.monotonic()

    def until_text(self, text: str, timeout: float = 60.0) -> float:
        """Wait until the screen shows this text; when it did."""
        return self.until(lambda screen: text in screen.text, timeout)

    def watch(self, seconds: float) -> bool:
        """Read for so long at most; whether anything was painted."""
        if not select.select([self._controller], [], [], max(0.0, seconds))[0]:
            return False
        now = time.monotonic()
        try:
            data = os.read(self._controller, 1 << 20)
        except OSError as error:
            raise SystemExit("The dashboard ended unexpectedly.") from error
        # A program that asks what the terminal can do gets no answer, as from a plain one.
        self._paint(self._rest + data)
        self.frames.append(now)
        return True

    def watch_for(self, seconds: float) -> None:
        """Read for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.watch(left)

    def leave(self) -> None:
        """Quit as a person does, and wait."""
        self.press("q")
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                self.watch(0.1)
            except SystemExit:
                break
        self.process.wait(timeout=30)

    def _paint(self, data: bytes) -> None:
        # A sequence or a character may be cut in two by the end of what was read.
        cut = data.rfind(b"\x1b")
        end = len(data) if cut < 0 or re.search(rb"[@-~]", data[cut + 2 :]) else cut
        while end > 0 and end == len(data) and data[end - 1] >= 0x80 and not _whole(data[:end]):
            end = _start_of_last(data)
        self._rest = data[end:]
        for found in _TOKEN.finditer(data[:end].decode("utf-8", "replace")):
            parameters, final, control, text = found.groups()
            if text:
                self._write(text)
            elif final in ("H", "f"):
                numbers = [int(number or 1) for number in parameters.split(";")] if parameters else [1, 1]
                self._row, self._column = numbers[0] - 1, (numbers[1] if len(numbers) > 1 else 1) - 1
            elif final == "J":
                self._lines = [[" "] * COLUMNS for _ in range(ROWS)]
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._row += 1

    def _write(self, text: str) -> None:
        if 0 <= self._row < ROWS:
            line = self._lines[self._row]
            line[self._column : self._column + len(text)] = text
            del line[COLUMNS:]
        self._column += len(text)


def _whole(data: bytes) -> bool:
    try:
        data[_start_of_last(data) :].decode()
    except UnicodeDecodeError:
        return False
    return True


def _start_of_last(data: bytes) -> int:
    """Where the last character begins, whole or not."""
    start = len(data) - 1
    while start > 0 and data[start] & 0xC0 == 0x80:
        start -= 1
    return start
