"""Bounds on who is connected: so many at once, and no connection for long but those of whoever was let in."""

import asyncio
from typing import Final

from aiohttp import web

MOST: Final = 128
"""Connections at once; one more is closed at once."""

SECONDS: Final = 20.0
"""A connection is cut after so long, whatever is under way, unless it is kept."""

LOOK_SECONDS: Final = 0.5
"""Between two looks for connections that are overdue."""


class _Refused(asyncio.Protocol):
    """Closes a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class Connections:
    """Makes a protocol for each connection."""

    def __init__(self, server: web.Server) -> None:
        self._server = server
        self._since: dict[web.RequestHandler, float] = {}
        """When those began that are not kept."""

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) >= MOST:
            return _Refused()
        handler: web.RequestHandler = self._server()
        self._since[handler] = asyncio.get_running_loop().time()
        return handler

    def keep(self, request: web.Request) -> None:
        """Leave the connection of a request alone: it may take as long as it likes."""
        self._since.pop(request.protocol, None)

    def let_go(self, request: web.Request) -> None:
        """From now on its connection has as long as any other: who reads no more would hold it for ever."""
        self.keep(request)  # the eldest stand first
        self._since[request.protocol] = asyncio.get_running_loop().time()

    async def watch(self) -> None:
        """Cut what is overdue, until cancelled: a client may send a letter now and then for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            before = asyncio.get_running_loop().time() - SECONDS
            there = set(self._server.connections)
            for handler, since in list(self._since.items()):
                if since > before:
                    break  # the others are younger
                del self._since[handler]
                if handler in there and handler.transport is not None:
                    handler.transport.abort()
