"""Publishes messages by FastStream's own broker and keeps the entries: `python -m tests.samples.make_faststream URL`.

Needs a server and `faststream[redis]`.
"""

import asyncio
import sys
from importlib.metadata import version
from typing import Any

from faststream.redis import RedisBroker
from redis import Redis

from tests.samples import write

STREAM = "samples:faststream"
READING = {"sensor": "hall", "celsius": "21.5", "ok": True}

MESSAGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "JSON": (READING, {"correlation_id": "c-1"}),
    "headers": (READING, {"correlation_id": "c-2", "headers": {"type": "Reading", "message_id": "m-1"}}),
    "a reply is wanted": (READING, {"correlation_id": "c-3", "reply_to": "answers"}),
    "beyond ASCII": ({"sensor": "кот", "celsius": "-3"}, {"correlation_id": "c-4"}),
    "a header beyond ASCII": (
        READING,
        {"correlation_id": "c-5", "headers": {"type": "Reading", "by": "кот", "z": "1"}},
    ),
    "text": ("plain", {"correlation_id": "c-6"}),
    "bytes": (b"\x00\xff", {"correlation_id": "c-7"}),
    "nothing": (None, {"correlation_id": "c-8"}),
}
"""What each is, and how it is published."""


async def _publish(url: str) -> None:
    async with RedisBroker(url) as broker:
        for body, arguments in MESSAGES.values():
            await broker.publish(body, stream=STREAM, **arguments)


def made(url: str) -> list[tuple[str, dict[bytes, bytes]]]:
    """The entries that the broker appends."""
    asyncio.run(_publish(url))
    with Redis.from_url(url) as client:
        entries: Any = client.xrange(STREAM)
        client.delete(STREAM)
    return [(what, fields) for what, (_, fields) in zip(MESSAGES, entries, strict=True)]


if __name__ == "__main__":
    write("faststream", f"faststream {version('faststream')}", made(sys.argv[1]))
