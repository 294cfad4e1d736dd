"""A real server that tells more than it does, as a newer one would: what comes of that when nobody has one yet."""

import contextlib
import socket
from collections.abc import Callable
from typing import Any

import hiredis

from tests.liar import Liar, read_one
from tests.servers import RunningServer

Words = list[bytes]


class Newer(Liar):
    """Passes everything on; a reply is what `edit` makes of the command's words and the server's reply."""

    def __init__(self, server: RunningServer, edit: Callable[[Words, Any], Any]) -> None:
        self._edit = edit
        super().__init__(server, b"", 0)

    def _serve(self, client: socket.socket) -> None:
        queued: list[Words] | None = None
        with contextlib.suppress(OSError), client, self._server.connect() as server:
            self._ends.append(server)
            requests, replies = client.makefile("rb"), server.makefile("rb")
            while request := read_one(requests):
                server.sendall(request)
                words, reply = _read(request), _read(read_one(replies))
                if words == [b"MULTI"]:
                    queued = []
                elif words == [b"EXEC"] and queued is not None and isinstance(reply, list):
                    reply = [self._edit(each, one) for each, one in zip(queued, reply, strict=True)]
                    queued = None
                elif queued is not None:
                    queued.append(words)
                else:
                    reply = self._edit(words, reply)
                client.sendall(_written(reply))


def _read(raw: bytes) -> Any:
    reader = hiredis.Reader()
    reader.feed(raw)
    return reader.gets()


def _written(reply: Any) -> bytes:
    match reply:
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case list():
            return b"*%d\r\n%b" % (len(reply), b"".join(map(_written, reply)))
    return b"-%b\r\n" % str(reply).encode()
