"""The terminal that the dashboard is drawn on: its size, its characters, being stopped and continued.

Textual's own driver draws on stderr, believes COLUMNS and LINES before the terminal, and comes back from a stop with a
blank screen; each of these is mended here.
"""

import asyncio
import codecs
import os
import queue
import selectors
import shutil
import signal
import sys
import termios
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from rich.cells import get_character_cell_size
from rich.console import RenderableType
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from esdash.ui.keyboard import Keyboard

if TYPE_CHECKING:
    from textual.drivers._writer_thread import WriterThread
    from textual.message import Message

WRITE_SECONDS: Final = 2.0
"""Once the dashboard is to end, how long it waits for a terminal that takes nothing in."""

INPUT_SECONDS: Final = 0.1
"""Between two looks whether input is still wanted; also how long a lone escape may be the beginning of more."""

UNSTOPPED_SECONDS: Final = 0.2
"""How long after a stop the signal that continues may be on its way."""

_COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to."""

_ASCII: Final = {
    "·": ".", "…": ".", "—": "-", "–": "-", "−": "-", "×": "x", "→": ">", "←": "<", "↑": "^", "↓": "v",
    "✓": "v", "✗": "x", "●": "*", "○": "o", "◌": "o", "◐": "%", "◔": "%", "■": "#", "□": "o", "▲": "^",
    "◆": "^", "═": "=", "╱": "/", "╵": "'",
    "▶": ">", "▸": ">", "↺": "@", "⚠": "!", "❚": "|", "⟨": "<", "⟩": ">", "≥": ">", "Σ": "S", "╸": "-",
    "‹": "<", "›": ">", "▁": "_", "▂": ".", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "#", "█": "#",
}  # fmt: skip
"""What stands for the characters of the pictures where a terminal has ASCII alone."""


DriverOf = Callable[..., Driver]
"""Makes a driver of Textual's for an app: called with it, `debug`, `mouse` and `size`."""


class EndingApp(App[None]):
    """An app that can be told from any thread, also in a signal's handler, to end without a last question."""

    ending = False
    """It was told to, or has decided to."""

    def __init__(self, driver: "DriverOf | None" = None) -> None:
        """`driver` makes what it is drawn on: a terminal, unless told otherwise."""
        super().__init__(driver_class=cast("type[Driver]", driver or Terminal))

    def end_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """End, whatever the screen shows. `loop` is the one that it runs in."""
        self.ending = True
        with suppress(RuntimeError):  # the loop is closed: it has ended
            loop.call_soon_threadsafe(self.exit)

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        self.ending = True
        super().exit(result, return_code, message)

    def _handle_exception(self, error: Exception) -> None:
        """What goes wrong in a screen that is taken down while it is still being made is nobody's concern."""
        if not self.ending:
            super()._handle_exception(error)

    def abandon_terminal(self) -> None:
        """Give the terminal back from another thread, when the app does not end. May block."""
        if isinstance(self._driver, Terminal):
            self._driver.abandon()


def in_front(descriptor: int) -> bool:
    """Whether this process may use the terminal now; True where no shell decides that."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def wait_until_in_front(descriptor: int) -> bool:
    """Stop, as any program in the background that reads, until a shell puts this one in front; False if none does."""
    continued: list[int] = []
    before = signal.signal(signal.SIGCONT, lambda number, _: continued.append(number))
    try:
        while not in_front(descriptor):
            continued.clear()
            os.kill(os.getpid(), signal.SIGTTIN)
            if not continued:
                return False
        return True
    finally:
        signal.signal(signal.SIGCONT, before)


def size_of(descriptor: int) -> tuple[int, int]:
    """Columns and lines of a terminal; of one that does not know them what the environment says, or 80×24."""
    try:
        size = os.get_terminal_size(descriptor)
    except OSError:
        size = os.terminal_size((0, 0))
    return size if size.columns and size.lines else shutil.get_terminal_size()


def in_ascii(char: str) -> str:
    """A character, or what is most like it, in as many cells."""
    if char in _ASCII:
        return _ASCII[char]
    name = unicodedata.name(char, "")
    if name.startswith("BOX DRAWINGS"):
        kind = name.rsplit(" ", 1)[-1]
        lone = " AND " not in name
        return "-" if lone and kind == "HORIZONTAL" else "|" if lone and kind == "VERTICAL" else "+"
    if name.endswith("BLOCK") or " BLOCK" in name:
        return "#"
    plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
    cells = get_character_cell_size(char)
    return plain if len(plain) == cells else "?" * cells


def _replaced(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(map(in_ascii, error.object[error.start : error.end])), error.end


codecs.register_error("esdash.in-ascii", _replaced)


def takes_unicode(encoding: str, environment: Mapping[str, str]) -> bool:
    """Whether a terminal shows more than ASCII: not where the locale has something else, nor on Linux's own console."""
    if codecs.lookup(encoding).name != "utf-8" or environment.get("TERM") == "linux":
        return False
    # Python writes UTF-8 in the locale C as well, and sets LC_CTYPE where LANG says it (PEP 538, PEP 540). But where
    # nothing is said at all, as in many containers, the terminal is as good as elsewhere.
    names = [environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG")]
    if names[1] in _COERCED:
        names[1] = ""
    return next(filter(None, names), "") not in ("C", "POSIX")


class Screen:
    """The file that a terminal is drawn on: in UTF-8, or in ASCII where it takes nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._descriptor = stream.fileno()
        unicode = takes_unicode(stream.encoding, os.environ)
        self._encoding, self._errors = ("utf-8", "replace") if unicode else ("ascii", "esdash.in-ascii")

    def write(self, text: str) -> None:
        """Draw. On a terminal that is gone nothing is drawn."""
        left = memoryview(text.encode(self._encoding, self._errors))
        with suppress(OSError):
            while left:
                left = left[os.write(self._descriptor, left) :]

    def flush(self) -> None:
        """Nothing waits."""

    def fileno(self) -> int:
        return self._descriptor


class Patient(Driver):
    """A driver that waits for whoever reads slowly, but not when the dashboard is to end."""

    _ending_app: EndingApp
    _writer_thread: "WriterThread | None" = None
    _drawing = False
    """What is drawn on is in the dashboard's hands."""
    _patience_ends: float | None = None

    def write(self, data: str) -> None:
        """Draw, unless it is not to be drawn on now."""
        if not self._drawing or self._writer_thread is None:
            return
        while True:
            # Who has waited long enough once waits no more: there may be hundreds of pictures before the end.
            wait = 0.0 if self._overdue() else 0.1
            try:
                self._writer_thread._queue.put(data, timeout=wait)
            except queue.Full:
                if self._impatient():
                    return
            else:
                return

    def close(self) -> None:
        """Wait until all is drawn."""
        self._drawing = False
        writer, self._writer_thread = self._writer_thread, None
        if writer is None:
            return
        while writer.is_alive():
            try:
                writer._queue.put(None, timeout=0.1)
                break
            except queue.Full:
                if self._impatient():
                    return
        while writer.is_alive() and not self._impatient():
            writer.join(0.1)

    def _impatient(self) -> bool:
        if self._ending_app.ending and self._patience_ends is None:
            self._patience_ends = time.monotonic() + WRITE_SECONDS
        return self._overdue()

    def _overdue(self) -> bool:
        return self._patience_ends is not None and time.monotonic() > self._patience_ends


class Terminal(Patient, LinuxDriver):
    """Textual's driver for a terminal that is resized, stopped, continued, and closed."""

    def __init__(
        self, app: EndingApp, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._ending_app = app
        self._screen = Screen(cast("TextIO", sys.__stdout__))
        self._file = cast("Any", self._screen)
        self._size = size or self._get_terminal_size()
        # In the loop, not in the handlers as Textual does: those may come while a lock is held that drawing needs.
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._loop.add_signal_handler(signal.SIGCONT, self._continue)

    def _get_terminal_size(self) -> tuple[int, int]:
        return size_of(self._screen.fileno())

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self._drawing = True
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def stop_application_mode(self) -> None:
        if self._drawing:
            with _undisturbed():
                super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more keys."""
        with _undisturbed():
            super().disable_input()

    def abandon(self) -> None:
        """Give the terminal back from another thread, when the loop does not any more. May block."""
        if self._drawing and self.attrs_before is not None:
            with _undisturbed(), suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            self._screen.write(
                "\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
            )

    def run_input_thread(self) -> None:
        """Read keys until no more are wanted, or the terminal is gone."""
        with selectors.SelectSelector() as selector, closing(Keyboard(debug=self._debug)) as keyboard:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                events: list[Message] = []
                if selector.select(INPUT_SECONDS):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        self._ending_app.end_soon(self._loop)
                        return
                    events += keyboard.feed(data)
                for event in (*events, *keyboard.tick()):
                    self.process_message(event)

    def _stop(self) -> None:
        """Give the terminal to the shell, and stop as any program does."""
        if self._ending_app.ending:
            return
        self.suspend_application_mode()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGTSTP)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        # Where no shell could continue it, it was not stopped, and no SIGCONT comes.
        self._loop.call_later(UNSTOPPED_SECONDS, self._continue_unless_drawing)

    def _continue(self) -> None:
        """After any stop, also one that could not be seen coming: take the terminal, and draw everything anew."""
        if self._ending_app.ending:
            return
        if not in_front(self.fileno):
            os.kill(os.getpid(), signal.SIGTTIN)  # stops; to be continued in front
            return
        if self._drawing:
            self.suspend_application_mode()
        self.start_application_mode()
        self._ending_app.refresh(layout=True)

    def _continue_unless_drawing(self) -> None:
        if not self._drawing:
            self._continue()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Change the terminal from the background without being stopped by that, in whatever thread."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
