"""When the main screen looks again: at each new view and each second, ten times a second at most.

Under a dialog once a second at most, and for the clock alone every ten: what shows through it is painted anew as a
whole, which costs tenfold.
"""

import asyncio
import contextvars
import time
from asyncio import TimerHandle
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, Final

from textual.screen import Screen

from esdash.engine.console import Console
from esdash.ui.tidying import Tidying
from esdash.ui.timers import after

FRAME_SECONDS: Final = 0.1
"""Between two looks at what changes, but for one that may come early."""

UNDER_SECONDS: Final = 1.0
"""The same, while another screen lies over it."""

UNDER_CLOCK_SECONDS: Final = 10.0
"""Then, where nothing comes but seconds: how old things are is not read through a dialog."""

ATTENTIVE_SECONDS: Final = 3.0
"""For so long after a person did something it looks again and again, since that may change what no view tells."""


class Pace:
    """Calls `poll` when there is something to see."""

    tidying: ClassVar = Tidying()
    """That of all: where main screens follow one another, it is due between them all the same."""

    def __init__(
        self,
        owner: Screen[None],
        poll: Callable[[], object],
        moving: Callable[[], bool],
        wall_clock: Callable[[], float],
    ) -> None:
        """`moving` says whether something changes that no view tells of; `owner` is who has the timers."""
        self._owner = owner
        self._poll = poll
        self._moving = moving
        self._wall_clock = wall_clock
        self._paced = 0.0
        """When as many looks as there were would have been due at an even pace."""
        self._next: tuple[float, TimerHandle] | None = None
        self._view_is_new = False
        """The consumer has told of a view, and nobody has looked yet."""
        self._attentive_until = 0.0
        self._begun = False

    def begin(self, console: Console, *others: Callable[[Callable[[], object]], object]) -> None:
        """Look now, and from now on; `others` are told what to call, as `console.on_view` is, from any thread."""
        self._begun = True
        self._look()
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()

        def view_came() -> None:
            if not self._view_is_new:
                self._view_is_new = True
                with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                    loop.call_soon_threadsafe(self.look_soon, context=context)

        for tell in (console.on_view, *others):
            tell(view_came)

    def end(self) -> None:
        """Look no more."""
        self._begun = False
        if self._next is not None:
            self._next[1].cancel()

    def attend(self) -> None:
        """A person has done something."""
        now = time.monotonic()
        self._attentive_until = now + ATTENTIVE_SECONDS
        if self._owner.is_active:
            self._paced = min(self._paced, now + FRAME_SECONDS)
        self.look_soon()

    def look_soon(self) -> None:
        """Look as soon as there is a frame to spare: at once, though the clock's second may just have been shown."""
        self._look_at(self._paced - FRAME_SECONDS)

    def _look(self) -> None:
        self._next = None
        self._view_is_new = False
        if not self._begun:
            return
        self._poll()
        self.tidying.tidy()
        now = time.monotonic()
        active = self._owner.is_active
        apart = FRAME_SECONDS if active else UNDER_SECONDS
        self._paced = max(self._paced, now) + apart
        second = 1.002 - self._wall_clock() % 1  # a timer is up to a millisecond early
        quiet = second if active else UNDER_CLOCK_SECONDS
        self._look_at(now + (apart if self._moving() or now < self._attentive_until else quiet))

    def _look_at(self, moment: float) -> None:
        if not self._begun:
            return
        if self._next is not None:
            if self._next[0] <= moment:
                return
            self._next[1].cancel()
        timer = after(self._owner, moment - time.monotonic(), self._look)
        self._next = (moment, timer)
