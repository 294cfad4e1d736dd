"""The server of the page: lets in whoever knows the token, and carries what is drawn and typed."""

import asyncio
import html
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from importlib import resources
from typing import Any, Final, NamedTuple, Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from esdash.packets import Kind
from esdash.visible import visible
from esdash.web.answers import HEADERS, sentence
from esdash.web.connections import Connections
from esdash.web.downloads import Downloads
from esdash.web.gate import Gate, is_own
from esdash.web.session import Session
from esdash.web.sessions import FullError, Sessions

LONGEST_MESSAGE: Final = 256 * 1024
"""Bytes of what a page sends at once, a paste above all."""

HEARTBEAT_SECONDS: Final = 15.0
"""Between two questions whether a page is still there; half of that later it is taken to be gone."""

LARGEST_FORM: Final = 4096
"""Bytes of a form."""

FAREWELL_SECONDS: Final = 2.0
"""How long a page may take to take leave."""

FULL: Final = "All sessions are in use. This page tries again by itself."

_DIGITS: Final = re.compile(r"[0-9]{1,9}")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Ended(NamedTuple):
    """How a session was."""

    number: int
    who: str
    seconds: float
    code: int
    errors: list[str]
    """What it said on stderr, at last."""


class Told(Protocol):
    """Hears of what happens."""

    def began(self, number: int, who: str, used: int) -> None:
        """A session has begun, from an address; now so many are in use."""

    def ended(self, ended: Ended) -> None:
        """One has ended."""

    def failed(self, what: str) -> None:
        """Something happened that should not, a sentence."""


class PageError(Exception):
    """There is no page to serve. The message is a sentence."""


class PageServer:
    """Serves the page."""

    def __init__(self, gate: Gate, sessions: Sessions, title: str, told: Told) -> None:
        """`title` is that of the page, any text. Raises PageError."""
        self._gate = gate
        self._sessions = sessions
        self._told = told
        self._downloads = Downloads()
        self._files = _files(title)
        self._open: set[web.WebSocketResponse] = set()
        self._begun = 0
        application = web.Application(middlewares=[self._guarded], client_max_size=LARGEST_FORM)
        application.on_response_prepare.append(_with_headers)
        application.add_routes(
            [
                web.get("/", self._page),
                web.post("/", self._let_in),
                web.get("/ws", self._socket, allow_head=False),
                web.get("/download/{key}", self._download, allow_head=False),
                web.get("/static/{name}", self._static),
            ]
        )
        logger = logging.getLogger("esdash.web")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False  # of requests that are none; what matters is told
        self._runner = web.AppRunner(
            application, access_log=None, logger=logger, keepalive_timeout=10, handle_signals=False, shutdown_timeout=1
        )

    async def serve(self, sock: Any, until: asyncio.Event) -> None:
        """Answer on a bound socket until told to end; then end all sessions."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._connections = Connections(self._runner.server)
        server = await asyncio.get_running_loop().create_server(self._connections, sock=sock, backlog=128)
        watching = asyncio.create_task(self._connections.watch())
        try:
            await until.wait()
        finally:
            server.close()
            self._sessions.closing = True
            await asyncio.gather(*(self._close(socket, WSCloseCode.GOING_AWAY) for socket in list(self._open)))
            await self._sessions.ended()
            watching.cancel()
            await self._runner.cleanup()

    # Who may

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Answer nobody but those who may see it; and what goes wrong is told here, not there."""
        host = request.headers.get("Host", "")
        if not self._gate.is_called(host):
            name = visible(host, 100)
            return sentence(
                request, HTTPStatus.FORBIDDEN, f"This page is not called {name!r}; --host would allow that."
            )
        try:
            if not (request.path == "/" and ("token" in request.query or request.method == "POST")) and not (
                self._gate.knows(request.cookies.get(self._gate.cookie), request.headers.get("Authorization"))
            ):
                return self._refused(request, "This page needs the token that `esdash web` was started with.")
            return await handler(request)
        except web.HTTPException as error:
            return sentence(request, HTTPStatus(error.status), f"{error.reason}.")
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - told, and the others are still served
            self._told.failed(f"A request could not be answered: {error!r}.")
            return sentence(request, HTTPStatus.INTERNAL_SERVER_ERROR, "This request could not be answered.")

    def _refused(self, request: web.Request, why: str) -> web.Response:
        answer = sentence(request, HTTPStatus.UNAUTHORIZED, why, form=request.path == "/")
        answer.headers["WWW-Authenticate"] = 'Bearer realm="esdash"'
        return answer

    async def _let_in(self, request: web.Request) -> web.Response:
        """The form with the token."""
        token = (await request.post()).get("token", "")
        return self._with_pass(request, token if isinstance(token, str) else "")

    def _with_pass(self, request: web.Request, token: str) -> web.Response:
        if not self._gate.accepts(token.strip()):
            return self._refused(request, "This is not the token that `esdash web` was started with.")
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            # Somebody followed a link: what a redirect leads to would not be sent the cookie, what a page leads to is.
            answer = sentence(request, HTTPStatus.OK, "Opening …", again="/")
        else:
            answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/", "Cache-Control": "no-store"})
        by_tls = request.secure or request.headers.get("X-Forwarded-Proto", "").strip().lower() == "https"
        answer.set_cookie(self._gate.cookie, self._gate.pass_, httponly=True, samesite="Strict", secure=by_tls)
        return answer

    # What they see

    async def _page(self, request: web.Request) -> web.Response:
        if "token" in request.query:
            return self._with_pass(request, request.query["token"])
        if not await self._sessions.free():
            answer = sentence(request, HTTPStatus.SERVICE_UNAVAILABLE, FULL, again="/")
            answer.headers["Retry-After"] = "5"
            return answer
        body, kind = self._files["index.html"]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-store"})

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name == "index.html" or name not in self._files:
            raise web.HTTPNotFound
        body, kind = self._files[name]
        return web.Response(body=body, content_type=kind, headers={"Cache-Control": "private, max-age=600"})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        download = self._downloads.take(request.match_info["key"])
        if download is None:
            return sentence(request, HTTPStatus.NOT_FOUND, "There is no such file, or not any more: export it again.")
        self._connections.keep(request)
        answer = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{download.name}"'})
        answer.content_type = download.content_type
        answer.headers["Cache-Control"] = "no-store"
        try:
            part = await download.next_part()  # before it is said that all is well
            await answer.prepare(request)
            while part:
                await answer.write(part)
                part = await download.next_part()
        except TimeoutError:
            if request.transport is not None:
                request.transport.close()  # what has come is not to be taken for all of it
        finally:
            self._connections.let_go(request)
            self._downloads.let_go(download)
        return answer

    # Sessions

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not is_own(request.headers.get("Origin"), request.headers.get("Host", "")):
            return sentence(request, HTTPStatus.FORBIDDEN, "Only the page itself begins a session.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=LONGEST_MESSAGE)
        if not socket.can_prepare(request):
            return sentence(request, HTTPStatus.UPGRADE_REQUIRED, "A session needs a websocket.")
        self._connections.keep(request)
        size = _size(request.query.get("width"), request.query.get("height"))
        try:
            session = await self._sessions.begin(size or (80, 24))
        except FullError:
            return sentence(request, HTTPStatus.SERVICE_UNAVAILABLE, FULL)
        except OSError as error:
            self._told.failed(f"A session cannot begin: {error.strerror or error}.")
            return sentence(request, HTTPStatus.SERVICE_UNAVAILABLE, "A session cannot begin.")
        self._begun += 1
        number, since, who = self._begun, time.monotonic(), visible(request.remote or "", 60)
        self._told.began(number, who, self._sessions.open)
        try:
            await socket.prepare(request)
            self._open.add(socket)
            await self._carry(session, socket)
        finally:
            self._connections.let_go(request)
            self._open.discard(socket)
            self._downloads.forget(session)
            code = await self._sessions.end(session)
            self._told.ended(Ended(number, who, time.monotonic() - since, code, list(session.errors)))
        return socket

    async def _carry(self, session: Session, socket: web.WebSocketResponse) -> None:
        """Carry everything both ways, until either ends."""
        there = asyncio.create_task(self._from_page(session, socket))
        back = asyncio.create_task(self._from_session(session, socket))
        try:
            await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            back.cancel()
            found = await asyncio.gather(there, back, return_exceptions=True)
            await self._close(socket, WSCloseCode.OK)
        for error in found:
            if isinstance(error, Exception) and not isinstance(error, ConnectionError):
                raise error

    async def _from_page(self, session: Session, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                kind, *rest = json.loads(message.data)
                if kind == "stdin":
                    await session.send(Kind.TYPED, str(rest[0]).encode("utf-8", "replace"))
                elif kind == "resize":
                    if size := _size(rest[0]["width"], rest[0]["height"]):
                        await session.send(Kind.RESIZED, json.dumps(size).encode())
                elif kind == "ping":
                    await socket.send_str(json.dumps(["pong", str(rest[0])[:40]]))
            except (LookupError, TypeError, ValueError, RecursionError):
                await self._close(socket, WSCloseCode.UNSUPPORTED_DATA)
                return

    async def _from_session(self, session: Session, socket: web.WebSocketResponse) -> None:
        why = "The session has ended unexpectedly."
        async for kind, payload in session.packets():
            if kind is Kind.DRAWN:
                await socket.send_bytes(payload)
            elif kind is Kind.OFFERED:
                await socket.send_str(json.dumps(["deliver_file_start", self._downloads.offer(session, payload)]))
            elif kind is Kind.PART:
                self._downloads.arrived(payload)
            elif kind is Kind.ENDED:
                why = payload.decode("utf-8", "replace")
        await socket.send_str(json.dumps(["ended", why]))

    async def _close(self, socket: web.WebSocketResponse, code: WSCloseCode) -> None:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await socket.close(code=code)


async def _with_headers(_: web.Request, answer: web.StreamResponse) -> None:
    answer.headers.update(HEADERS)
    answer.headers["Server"] = "esdash"


def _size(columns: object, lines: object) -> tuple[int, int] | None:
    """Columns and lines, where they are numbers."""
    if not all(_DIGITS.fullmatch(str(each)) for each in (columns, lines)):
        return None
    return int(str(columns)), int(str(lines))


def _files(title: str) -> dict[str, tuple[bytes, str]]:
    """What is served, by name: its bytes and its content type. Raises PageError."""
    own, theirs = resources.files("esdash.web") / "page", resources.files("textual_serve") / "static"
    try:
        page = (own / "index.html").read_text("utf-8").replace("{{title}}", html.escape(title))
        return {
            "index.html": (page.encode("utf-8", "replace"), "text/html"),
            "page.js": ((own / "page.js").read_bytes(), "text/javascript"),
            "page.css": ((own / "page.css").read_bytes(), "text/css"),
            "textual.js": ((theirs / "js" / "textual.js").read_bytes(), "text/javascript"),
            "xterm.css": ((theirs / "css" / "xterm.css").read_bytes(), "text/css"),
            "roboto-mono.ttf": ((theirs / "fonts" / "RobotoMono-VariableFont_wght.ttf").read_bytes(), "font/ttf"),
            "roboto-mono-italic.ttf": (
                (theirs / "fonts" / "RobotoMono-Italic-VariableFont_wght.ttf").read_bytes(),
                "font/ttf",
            ),
        }
    except OSError as error:
        raise PageError(f"textual-serve lacks what the page needs: {error.filename}.") from error
