"""The page's server in the loop of a test, with sessions that are as small as can be, and a client for it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

import aiohttp
import psutil  # type: ignore[import-untyped,unused-ignore]

from esdash.web.gate import Gate
from esdash.web.server import Ended, PageServer
from esdash.web.session import Session
from esdash.web.sessions import Sessions

TOKEN = "correct-horse-battery"
ROOT = str(Path(__file__).parents[2])


class Heard:
    """What the server told."""

    def __init__(self) -> None:
        self.began_: list[int] = []
        self.ended_: list[Ended] = []
        self.failed_: list[str] = []

    def began(self, number: int, who: str, used: int) -> None:  # noqa: ARG002
        self.began_.append(number)

    def ended(self, ended: Ended) -> None:
        self.ended_.append(ended)

    def failed(self, what: str) -> None:
        self.failed_.append(what)


class Serving:
    """A server, and a client that the gate knows."""

    def __init__(
        self,
        port: int,
        sessions: Sessions,
        told: Heard,
        client: aiohttp.ClientSession,
        pass_: str,
        end: Callable[[], None],
    ) -> None:
        self.port = port
        self.base = f"http://127.0.0.1:{port}"
        self.sessions = sessions
        self.told = told
        self.client = client
        self.end = end
        self.pages: list[Page] = []
        self.known = {"Cookie": f"esdash-{port}={pass_}"}

    def connected(self) -> int:
        """How many connections the server has."""
        sockets = psutil.Process().net_connections("tcp")
        return sum(bool(each.raddr) and each.laddr.port == self.port for each in sockets)

    async def get(
        self, path: str, *, known: bool = True, method: str = "GET", **headers: str
    ) -> aiohttp.ClientResponse:
        """Ask for a path without following redirects; the answer with its body."""
        sent = {**(self.known if known else {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with self.client.request(method, self.base + path, headers=sent, allow_redirects=False) as answer:
            await answer.read()
            return answer

    async def page(self, query: str = "width=80&height=24", **headers: str) -> "Page":
        """The websocket of a page. Raises WSServerHandshakeError."""
        sent = {"Origin": self.base, **self.known, **headers}
        self.pages.append(Page(await self.client.ws_connect(f"{self.base}/ws?{query}", headers=sent, max_msg_size=0)))
        return self.pages[-1]

    async def until(self, condition: Any, seconds: float = 15) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)


class Page:
    """What a page does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.drawn = b""
        self.texts: list[Any] = []

    async def type(self, text: str) -> None:
        """Type something."""
        await self.socket.send_str(json.dumps(["stdin", text]))

    async def until(self, text: str = "") -> None:
        """Wait until something is drawn; without it, until the server closes."""
        async with asyncio.timeout(15):
            while not text or text.encode() not in self.drawn:
                message = await self.socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.drawn += message.data
                elif message.type is aiohttp.WSMsgType.TEXT:
                    self.texts.append(json.loads(message.data))
                    if text and text in message.data:
                        return
                else:
                    assert not text, f"closed without {text!r}: {self.drawn[-200:]!r} {self.texts}"
                    return


@asynccontextmanager
async def serving(most: int = 2, *, names: tuple[str, ...] = ()) -> AsyncIterator[Serving]:
    """A server for the length of the block; afterwards it has ended, and all of its sessions."""
    command = [sys.executable, "-c", "from tests.web.small_session import main; main()"]
    listening = socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    sessions = Sessions(most, partial(Session.start, command, {**os.environ, "PYTHONPATH": ROOT}))
    gate, told, until = Gate(TOKEN, names, port), Heard(), asyncio.Event()
    running = asyncio.create_task(PageServer(gate, sessions, "<orders> & more", told).serve(listening, until))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
        site = Serving(port, sessions, told, client, gate.pass_, until.set)
        try:
            yield site
        finally:
            until.set()
            with suppress(asyncio.CancelledError):
                await asyncio.wait_for(running, 30)
            for page in site.pages:
                await page.socket.close()
    assert not sessions.open
    assert len(told.ended_) == len(told.began_)
