"""A small HTTP server for probes and scrapes: GET of a few known paths, within bounds, one request a connection."""

import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, NamedTuple

LONGEST_PATH: Final = 256
"""Characters of a path, with what follows a `?`."""

MOST_CONNECTIONS: Final = 16
"""At once; one more is closed at once."""

REQUEST_SECONDS: Final = 10.0
"""A connection is cut after so long, however its client dallies."""

LOOK_SECONDS: Final = 0.25
"""Between two looks for connections that are overdue, and for the end."""

LOOPBACK: Final = "127.0.0.1"

PLAIN: Final = "text/plain; charset=utf-8"


class Answer(NamedTuple):
    """What is sent back."""

    status: HTTPStatus
    body: bytes
    kind: str = PLAIN
    """The content type."""


Page = Callable[[str], Answer]
"""Makes an answer for a client that accepts such content types."""


class AddressError(ValueError):
    """An address to listen on that is none. The message is a sentence."""


def address_of(text: str) -> tuple[str, int]:
    """(host, port) of `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, which is on loopback alone. Raises AddressError."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise AddressError(f"{text!r} is no address: write HOST:PORT, or :PORT for this machine alone.")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise AddressError(f"{text!r} is no address: write an IPv6 host in brackets, [::1]:{port}.")
    return host or LOOPBACK, int(port)


class _Handler(BaseHTTPRequestHandler):
    """One connection, which is one request: HTTP/1.0 keeps none open."""

    server: "ProbeServer"
    timeout = REQUEST_SECONDS
    server_version = "esdash"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if len(self.path) > LONGEST_PATH:
            answer = Answer(HTTPStatus.REQUEST_URI_TOO_LONG, b"This path is too long.\n")
        elif (page := self.server.pages.get(path)) is None:
            known = ", ".join(self.server.pages)
            answer = Answer(HTTPStatus.NOT_FOUND, f"There are {known}.\n".encode())
        else:
            answer = page(self.headers.get("Accept", ""))
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Refuse what is no GET, or no HTTP, in one line that repeats nothing of it."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        body = f"{status.phrase}.\n".encode()
        self.send_response(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.send_header("Content-Type", PLAIN)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Probes come every few seconds; nothing is said about them."""


class ProbeServer(socketserver.ThreadingTCPServer):
    """Answers from threads of its own between `begin` and `end`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        pages: Mapping[str, Page],
        failed: Callable[[BaseException], object],
        *,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        """Listen on (host, port); port 0 takes a free one. `pages` answer by their path.

        `failed` hears of what goes wrong while answering, beside clients that leave. A connection is cut after
        `seconds`. Raises OSError.
        """
        host, port = address
        family, *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        self.pages = pages
        self._failed = failed
        self._seconds = seconds
        self._open: dict[Any, float] = {}
        """When each connection is cut."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(LOOK_SECONDS,), name="http", daemon=True)
        super().__init__(found, _Handler)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:9464`."""
        host, port = self.server_address[:2]
        name = str(host)
        return f"http://{f'[{name}]' if ':' in name else name}:{port}"

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[Any, Any]:
        """A connection. Where too many files are open there is none yet, nor the next time at once: that would be tried
        over and over, and leave the consumer no time."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(LOOK_SECONDS)
            raise

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Whether there is room for one more connection."""
        with self._lock:
            if len(self._open) >= MOST_CONNECTIONS:
                return False
            self._open[request] = time.monotonic() + self._seconds
            return True

    def shutdown_request(self, request: Any) -> None:
        """The connection ends."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Cut what is overdue: a client may send a letter now and then for ever."""
        now = time.monotonic()
        with self._lock:
            overdue = [request for request, until in self._open.items() if until < now]
            for request in overdue:
                self._open.pop(request)
        for request in overdue:
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has just ended by itself

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """A client that left is no news; anything else is told."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self._failed(error)
