"""A session as small as can be, to test what is between it and a page: it does as it is told by what is typed."""

import json
import os
import signal
import sys

from esdash.packets import KEY, Kind, Packets, packet
from esdash.web.session import SIZE


def send(kind: Kind, payload: bytes = b"") -> None:
    """Send a packet."""
    left = memoryview(packet(kind, payload))
    while left:
        left = left[os.write(1, left) :]


def main() -> None:
    """Draw what is typed, or do as it says."""
    packets = Packets()
    file = b""
    send(Kind.DRAWN, f"size {json.loads(os.environ[SIZE])}".encode())
    while data := os.read(0, 65536):
        for kind, payload in packets.feed(data):
            match kind, payload.decode():
                case Kind.RESIZED, size:
                    send(Kind.DRAWN, f"size {size}".encode())
                case Kind.WANTED, key:
                    part, file = file[:1000], file[1000:]
                    send(Kind.PART, key.encode() + part)
                case _, "leave":
                    send(Kind.ENDED, b"You left.")
                    return
                case _, "fail":
                    print("What was wrong: \x1b[2J a key", file=sys.stderr)
                    sys.exit(3)
                case _, "no packet":
                    os.write(1, b"Hello, world!\n")
                case _, "stay":
                    signal.pause()  # for ever
                case _, "flood":
                    while True:
                        send(Kind.DRAWN, b"x" * 60_000)
                case _, offer if offer.startswith("offer "):
                    file = bytes(range(256)) * 10
                    send(Kind.OFFERED, json.dumps([os.urandom(KEY // 2).hex(), offer[6:], "image/svg+xml"]).encode())
                case _, text:
                    send(Kind.DRAWN, text.encode())


if __name__ == "__main__":
    main()
