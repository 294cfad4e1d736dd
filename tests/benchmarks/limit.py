"""The limit: a client that asks for page after page and throws the bytes away.

Of each reply it looks at the last id only, so what it takes is what the server takes.
Run as a program: `python -m tests.benchmarks.limit SOCKET STREAM` prints `bytes seconds`.
"""

import socket
import sys
import time
from typing import Final

PAGE: Final = 1000
_END: Final = b"+PONG\r\n"


def read_everything(path: str, stream: str) -> tuple[int, float]:
    """Bytes received and seconds taken for a whole stream over a unix socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    key = stream.encode()

    def ask(start: bytes) -> None:
        arguments = [b"XRANGE", key, start, b"+", b"COUNT", str(PAGE).encode()]
        request = b"*6\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in arguments)
        connection.sendall(request + b"PING\r\n")

    received, begun = 0, time.perf_counter()
    ask(b"-")
    buffer = bytearray(1 << 22)
    window = memoryview(buffer)
    while True:
        size = 0
        while buffer[size - len(_END) : size] != _END:
            size += connection.recv_into(window[size:])
        received += size
        if buffer.startswith(b"*0\r\n"):
            return received, time.perf_counter() - begun
        at = buffer.rfind(b"*2\r\n$", 0, size)
        entry_id = bytes(buffer[at : at + 64]).split(b"\r\n")[2]
        ask(b"(" + entry_id)


if __name__ == "__main__":
    print(*read_everything(*sys.argv[1:3]))
