"""The sessions that there are, so many at most."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from esdash.web.session import Session

WAIT_SECONDS: Final = 15.0
"""How long a page waits for the end of a session that is ending, as its own does when it is loaded again."""

LEAVE_SECONDS: Final = 0.5
"""How long the news that a page is being closed may be on its way."""


class FullError(Exception):
    """One more is too many."""


class Sessions:
    """Begins and ends sessions."""

    def __init__(self, most: int, start: Callable[[tuple[int, int]], Awaitable[Session]]) -> None:
        """`start` starts a dashboard for a page of so many columns and lines; it may raise OSError."""
        self.most = most
        self._start = start
        self._open = 0
        """Those of pages that are open."""
        self._ending: dict[asyncio.Task[int], Session] = {}
        self._changed = asyncio.Event()
        self.closing = False
        """No more may begin."""

    @property
    def open(self) -> int:
        """How many pages have one."""
        return self._open

    @property
    def full(self) -> bool:
        """Whether one more page would be too many."""
        return self.closing or self._open >= self.most

    async def begin(self, size: tuple[int, int]) -> Session:
        """Begin one. Waits for one that is ending. Raises FullError, OSError."""
        await self._until(lambda: self.full or self._open + len(self._ending) < self.most, WAIT_SECONDS)
        if self.full or self._open + len(self._ending) >= self.most:
            raise FullError
        self._open += 1
        try:
            return await self._start(size)
        except BaseException:
            self._open -= 1
            raise

    async def end(self, session: Session) -> int:
        """End one; its exit code."""
        ending = asyncio.create_task(session.end())
        self._ending[ending] = session
        ending.add_done_callback(self._ended)
        self._open -= 1
        self._changed.set()
        return await asyncio.shield(ending)

    async def free(self) -> bool:
        """Whether there is room for one more page; waits a moment for one that is being closed, or loaded again."""
        await self._until(lambda: not self.full, LEAVE_SECONDS)
        return not self.full

    async def ended(self) -> None:
        """Wait until all have ended."""
        await self._until(lambda: not self._open and not self._ending, None)

    def kill(self) -> None:
        """End those that are ending by force."""
        for session in self._ending.values():
            session.kill()

    async def _until(self, condition: Callable[[], bool], seconds: float | None) -> None:
        """Wait until a condition holds, or so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()

    def _ended(self, ending: "asyncio.Task[int]") -> None:
        del self._ending[ending]
        self._changed.set()
