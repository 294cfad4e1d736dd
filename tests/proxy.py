"""A TCP proxy between a client and a real server, to break connections at chosen moments."""

import contextlib
import socket
import ssl
import threading
from types import TracebackType

from tests.servers import RunningServer

_RECEIVE = 64 * 1024


class _Link:
    """One client's connection and what it is connected to."""

    def __init__(self, proxy: "Proxy", client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.left: int | None = None
        """Bytes of replies that may still pass before the connection is cut; None: all."""
        self._proxy = proxy

    def start(self) -> None:
        """Pass on what comes; from here on the client may have had an answer."""
        for pump in (self._requests, self._replies):
            threading.Thread(target=pump, daemon=True).start()

    def cut(self) -> None:
        """Both sides see the connection end."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _requests(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.client.recv(_RECEIVE):
                self._proxy._before_request(self, data)
                self.server.sendall(data)
        self.cut()

    def _replies(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.server.recv(_RECEIVE):
                # Looked at before the client has an answer, to which its next request may be the one that is cut.
                left = self.left
                if left is not None:
                    data = data[:left]
                    self.left = left = left - len(data)
                if data:
                    self.client.sendall(data)
                if left == 0:
                    break
        self.cut()
        for end in (self.client, self.server):
            end.close()


class Proxy:
    """Listens on a loopback port and passes everything on to a server, until told otherwise.

    With `tls` it speaks TLS to its clients. Use it as a context manager.
    """

    def __init__(self, target: RunningServer, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._links: list[_Link] = []
        self._lock = threading.Lock()
        self._doomed: tuple[bytes, int] | None = None
        self.refusing = False
        """Whether new connections are closed as soon as they were made."""
        self.cuts = 0
        """How often a reply was cut."""
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.refusing = True
        self._listener.close()
        self.cut()

    @property
    def url(self) -> str:
        """Where clients connect; without a password."""
        scheme = "redis" if self._tls is None else "rediss"
        return f"{scheme}://127.0.0.1:{self.port}/0"

    @property
    def port(self) -> int:
        """On which clients connect."""
        port: int = self._listener.getsockname()[1]
        return port

    def point_at(self, target: RunningServer) -> None:
        """Cut every connection; new ones go to another server, as after a failover."""
        self._target = target
        self.cut()

    def point_at_next(self, target: RunningServer) -> None:
        """New connections go to another server; those there are stay where they are."""
        self._target = target

    def cut(self) -> None:
        """Cut every connection there is."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.cut()

    def cut_reply_to(self, command: bytes, after: int = 0) -> None:
        """Let the next request that contains `command` reach the server, but only `after` bytes of what it replies."""
        self._doomed = (command, after)

    def _before_request(self, link: _Link, data: bytes) -> None:
        with self._lock:
            if self._doomed is not None and self._doomed[0] in data:
                link.left = self._doomed[1]
                self._doomed = None
                self.cuts += 1

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refusing:
                    client.close()
                    continue
                try:
                    if self._tls is not None:
                        client = self._tls.wrap_socket(client, server_side=True)
                    target = self._target
                    server = target.connect()
                except OSError:
                    client.close()
                    continue
                link = _Link(self, client, server)
                with self._lock:
                    # Looked at before the client can have an answer: after one it is pointed elsewhere on purpose.
                    stale = target is not self._target
                    if not stale:
                        self._links.append(link)
                if stale:
                    for end in (client, server):
                        end.close()
                else:
                    link.start()
