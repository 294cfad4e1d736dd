"""A proxy that lets a real server answer until it is told to lie: what it sends then is no reply, or an endless one."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Final

from tests.servers import RunningServer

_GREETINGS: Final = (b"HELLO", b"AUTH", b"SELECT", b"CLIENT")

LARGE: Final = b"x" * 65_536


def endless_line() -> Iterator[bytes]:
    """An error that never ends."""
    yield b"-ERR "
    while True:
        yield LARGE


def endless_text() -> Iterator[bytes]:
    """A text of two gigabytes, all of which is sent."""
    yield b"$2147483647\r\n"
    while True:
        yield LARGE


def endless_list() -> Iterator[bytes]:
    """A list that goes on and on."""
    yield b"*9999999\r\n"
    while True:
        yield b"$64\r\n" + b"x" * 64 + b"\r\n"


def endless_lists() -> Iterator[bytes]:
    """A list of empty lists, which take much more room here than on the way."""
    yield b"*9999999\r\n"
    while True:
        yield b"*0\r\n" * 8192


NONSENSE: Final = (
    b":5\r\n",
    b":-5\r\n",
    b"$-1\r\n",
    b"$-5\r\n",
    b"*-1\r\n",
    b"*-7\r\n",
    b"*0\r\n",
    b"$0\r\n\r\n",
    b"+OK\r\n",
    b"+" + b"\xff" * 300 + b"\r\n",
    b"$5\r\nhello\r\n",
    b"$2\r\n\xff\xfe\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",nan\r\n",
    b"(3492890328409238509324850943850943825024385\r\n",
    b"=15\r\ntxt:Some string\r\n",
    b"%1\r\n*0\r\n:1\r\n",
    b"~2\r\n:1\r\n:2\r\n",
    b">2\r\n:1\r\n:2\r\n" * 2000,
    b"|1\r\n+a\r\n:1\r\n:2\r\n",
    b":99999999999999999999999999\r\n",
    b":\r\n",
    b"-\r\n",
    b"-MOVED\r\n",
    b"-ASK 1 nowhere\r\n",
    b"-WRONGTYPE\r\n",
    b"-ERR \x1b[31m\xff\xfe\r\n",
    b"-NOPERM " + b"x" * 10_000 + b"\r\n",
    b"*2147483647\r\n",
    b"*4294967296\r\n",
    b"*1\r\n*2147483647\r\n",
    b"$2147483648\r\n",
    b"*1\r\n" * 30 + b":1\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02",
    b"\x00\x00\x00\x00",
    b"*1\r\n*2\r\n:1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*1\r\n*2\r\n$3\r\n1-1\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n",
    b"*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n:7\r\n",
    b"*1\r\n*2\r\n$3\r\n1-1\r\n$-1\r\n",
    b"*1\r\n*2\r\n$3\r\n1-1\r\n:5\r\n",
    b"*1\r\n*3\r\n$3\r\n1-1\r\n*0\r\n*0\r\n",
    b"*1\r\n:7\r\n",
    b"*1\r\n*2\r\n$5002\r\n" + b"9" * 5000 + b"-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*1\r\n*2\r\n$2\r\n1-\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*1\r\n*2\r\n$22\r\n18446744073709551616-1\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*2\r\n*0\r\n*0\r\n",
    b"*2\r\n$-1\r\n$-1\r\n",
    b"*2\r\n:1\r\n:2\r\n",
    b"*2\r\n-ERR no\r\n-ERR no\r\n",
    b"*2\r\n$6\r\nlength\r\n:-4\r\n",
    b"*3\r\n$6\r\nlength\r\n:4\r\n$1\r\nx\r\n",
    b"*2\r\n*0\r\n*2\r\n$6\r\nlength\r\n$1\r\n7\r\n",
    b"*2\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n:7\r\n*2\r\n$6\r\nlength\r\n:7\r\n",
)
"""Replies of which each is wrong for every command, or for nearly every one."""


class Liar:
    """Listens on a loopback port. Greetings and the first `truths` commands are answered by the server, nothing else.

    Use it as a context manager.
    """

    def __init__(self, server: RunningServer, lie: bytes | Callable[[], Iterator[bytes]], truths: int) -> None:
        self._server = server
        self._lie = lie
        self._truths = truths
        self._lock = threading.Lock()
        self.lies = 0
        """How often it lied."""
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Liar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where clients connect; they wait for two seconds."""
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}?socket_timeout=2"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._ends.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, self._server.connect() as server:
            self._ends.append(server)
            requests, replies = client.makefile("rb"), server.makefile("rb")
            while request := read_one(requests):
                truly = request.split(b"\r\n")[2].upper() in _GREETINGS
                with self._lock:
                    if not truly:
                        self._truths -= 1
                        truly = self._truths >= 0
                        self.lies += not truly
                if truly:
                    server.sendall(request)
                    client.sendall(read_one(replies))
                elif isinstance(self._lie, bytes):
                    client.sendall(self._lie)
                else:
                    for part in self._lie():
                        client.sendall(part)


def read_one(file: IO[bytes]) -> bytes:
    """One request or reply of the protocol's second version, as it is; empty at the end."""
    line = file.readline()
    if line[:1] == b"$" and int(line[1:]) >= 0:
        return line + file.read(int(line[1:]) + 2)
    if line[:1] == b"*" and int(line[1:]) >= 0:
        return line + b"".join(read_one(file) for _ in range(int(line[1:])))
    return line
