"""One session: a dashboard in a process of its own, for as long as its page is open."""

import asyncio
import json
import os
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from esdash.packets import HEAD, Kind, PacketError, packet, read_head

END_SECONDS: Final = 30.0
"""How long a dashboard may take to end: some more than it takes to end by force where its server does not answer."""

LAST_SECONDS: Final = 1.0
"""How long the last that it said is waited for."""

LAST_LINES: Final = 20
"""Lines that are kept of what it says on stderr."""

LONGEST_LINE: Final = 1000
"""Bytes of each."""

SIZE: Final = "ESDASH_WEB_SIZE"
"""The environment variable with columns and lines of the page."""


class Session:
    """A dashboard that was started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.errors: deque[str] = deque(maxlen=LAST_LINES)
        """What it said last on stderr."""
        self._hearing = asyncio.create_task(self._hear())

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]) -> "Session":
        """Start it for a page of so many columns and lines. Raises OSError."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, SIZE: json.dumps(size)},
            start_new_session=True,  # what a terminal's keys end is the server, which ends it in order
        )
        return cls(process)

    async def send(self, kind: Kind, payload: bytes) -> None:
        """Send a packet; nothing to one that has ended. Waits where it is slow."""
        assert self._process.stdin is not None
        with suppress(ConnectionError):
            self._process.stdin.write(packet(kind, payload))
            await self._process.stdin.drain()

    async def packets(self) -> AsyncIterator[tuple[Kind, bytes]]:
        """What it sends, until it ends."""
        assert self._process.stdout is not None
        with suppress(asyncio.IncompleteReadError, PacketError):
            while True:
                kind, size = read_head(await self._process.stdout.readexactly(HEAD))
                yield kind, await self._process.stdout.readexactly(size)

    async def end(self) -> int:
        """Let it end in order, or by force after a while; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        draining = asyncio.create_task(self._drain())
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        await asyncio.wait((draining, self._hearing), timeout=LAST_SECONDS)
        for task in (draining, self._hearing):
            task.cancel()  # a process that it has left behind may hold its pipes open
        await asyncio.gather(draining, self._hearing, return_exceptions=True)
        return self._process.returncode or 0

    def kill(self) -> None:
        """End it, and what it started, by force."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _drain(self) -> None:
        """Take in what nobody reads any more, so that it need not wait for that."""
        assert self._process.stdout is not None
        while await self._process.stdout.read(64 * 1024):
            pass

    async def _hear(self) -> None:
        assert self._process.stderr is not None
        rest = b""
        while some := await self._process.stderr.read(4096):
            *lines, rest = (rest + some).split(b"\n")
            self.errors.extend(line[:LONGEST_LINE].decode("utf-8", "replace") for line in lines if line.strip())
            rest = rest[:LONGEST_LINE]
        if rest.strip():
            self.errors.append(rest.decode("utf-8", "replace"))
