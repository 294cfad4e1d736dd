"""Ending the dashboard, whatever it is doing: signals, a terminal that is gone, a screen or a consumer that hangs."""

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from esdash.cli.failures import ExitCode
from esdash.cli.output import warn

if TYPE_CHECKING:
    from esdash.ui.terminal import EndingApp

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the dashboard as `quit` does, without a last question. SIGHUP does so under nohup as well: a
dashboard that nobody can see is of no use."""

LOOK_SECONDS: Final = 1.0
"""Between two looks whether the terminal is still there, and whether the dashboard that was to end has ended."""

LOOKS_TO_END: Final = 8
"""After so many looks a dashboard that was to end is ended by force: some more than a server takes not to answer."""

LAST_SECONDS: Final = 5.0
"""How long an end by force waits for the embedded server to be left."""


class Ending(threading.Thread):
    """Watches, from a thread of its own, over the end of an app that runs in the main thread."""

    def __init__(
        self,
        app: "EndingApp",
        loop: asyncio.AbstractEventLoop,
        let_go: Callable[[], object],
        descriptors: Sequence[int],
    ) -> None:
        """`let_go` leaves the server; called only when the main thread does not get there in time. `descriptors` are
        the terminal's, or those of what stands for it: when one is closed at its other end, the app is to end."""
        super().__init__(name="ending", daemon=True)
        self._over = threading.Event()
        self.told = False
        """Whether the app was told to end, by a signal or by the loss of its terminal."""
        self._app = app
        self._loop = loop
        self._let_go = let_go
        self._descriptors = descriptors

    def listen(self) -> None:
        """Let the signals end the app. Plain handlers, which are called also while the loop is held up."""
        for number in ENDINGS:
            signal.signal(number, lambda *_: self._end())

    def _end(self) -> None:
        self.told = True
        self._app.end_soon(self._loop)

    def over(self) -> None:
        """Watch no more: the app has ended, and the program goes on."""
        self._over.set()

    def run(self) -> None:
        """Look until the process ends. A process that its terminal does not control gets no signal from it."""
        terminal = select.poll()
        for descriptor in self._descriptors:
            terminal.register(descriptor, 0)
        looks = 0
        while looks < LOOKS_TO_END:
            if self._over.wait(LOOK_SECONDS):
                return
            if self._app.ending:
                looks += 1
            elif terminal.poll(0):
                self._end()
        self._end_by_force()

    def _end_by_force(self) -> None:
        for last in (self._app.abandon_terminal, self._tell, self._let_go):
            # Each may hang: on a terminal that takes nothing in, on a server that does not answer.
            thread = threading.Thread(target=last, daemon=True)
            thread.start()
            thread.join(LAST_SECONDS)
        os._exit(ExitCode.FAILED)

    def _tell(self) -> None:
        with suppress(OSError):
            warn("The consumer did not end in time and was left; its farewell snapshot may be missing.")


def ignore_endings() -> None:
    """From now on. A terminal that is closed may say so twice, and the embedded server is still to be left."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
