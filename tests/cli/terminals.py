"""The program in a pseudo terminal: pressing keys, reading what is drawn, closing the window."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable

PROGRAM = (sys.executable, "-m", "esdash")


class Terminal:
    """The program in a terminal of 100×30."""

    def __init__(
        self,
        *arguments: object,
        controlling: bool = True,
        command: tuple[str, ...] = PROGRAM,
        environment: dict[str, str | None] | None = None,
        stderr: int | None = None,
        ignored: tuple[signal.Signals, ...] = (),
    ) -> None:
        """Unless it is the `controlling` one, its end sends no signal.

        `environment` changes the test's own, None removes; `ignored` are signals that the program finds ignored.
        """
        self._terminal, slave = pty.openpty()
        self.resize(100, 30)

        def take_the_terminal() -> None:
            os.setsid()
            if controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)

        wanted = {**os.environ, "TERM": "xterm-256color", **(environment or {})}
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave if stderr is None else stderr,
            env={name: value for name, value in wanted.items() if value is not None},
            preexec_fn=take_the_terminal,
        )
        os.close(slave)
        self.drawn = bytearray()

    @property
    def shown(self) -> str:
        """All that was drawn so far, with the terminal's control sequences."""
        return self.drawn.decode("utf-8", "replace")

    def read(self, timeout: float = 0.1) -> bool:
        """Read what is there now; False when the other end is closed."""
        if not select.select([self._terminal], [], [], timeout)[0]:
            return True
        try:
            self.drawn += os.read(self._terminal, 65536)
        except OSError:
            return False
        return True

    def read_until(self, text: str = "", timeout: float = 30, since: int = 0) -> None:
        """Read what is drawn until a text appears after a place in it; without one, until the program ends."""
        deadline = time.monotonic() + timeout
        while not text or self.drawn.find(text.encode(), since) < 0:
            assert time.monotonic() < deadline, self.shown[-2000:]
            if not self.read():
                assert not text, self.shown[-2000:]
                return

    def type(self, keys: str) -> int:
        """Press keys; the place in what is drawn where they were."""
        os.write(self._terminal, keys.encode())
        return len(self.drawn)

    def resize(self, columns: int, lines: int) -> None:
        """Another size of the window."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def descriptor(self) -> int:
        """The window's end."""
        return self._terminal

    @property
    def attributes(self) -> list[object]:
        """How the terminal treats what is typed."""
        return list(termios.tcgetattr(self._terminal))

    def close(self) -> None:
        """Close the window."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def end(self, timeout: float = 30) -> int:
        """Wait for the program's end; its exit code."""
        if self._terminal >= 0:
            self.read_until(timeout=timeout)
        return self.process.wait(timeout)


OpenTerminal = Callable[..., Terminal]
