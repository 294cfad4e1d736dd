"""Appending events so that each counts once, whatever the network does."""

import threading
import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from esdash.engine.console import EngineError, Published
from esdash.log.errors import LogError, UnreachableError
from esdash.log.stream import PAGE, Log

ATTEMPTS: Final = 4
"""How often an append is tried when no answer comes."""

PAUSE_SECONDS: Final = 0.2
"""Before the second attempt; it doubles."""


def new_key() -> str:
    """A key that no other event has."""
    return uuid.uuid4().hex


class Publisher:
    """Appends events with idempotency keys.

    When no answer comes, the same events are sent again with the same keys: if the first ones did arrive, the fold
    counts the second ones as duplicates.
    """

    def __init__(self, log: Log, *, readonly: bool = False) -> None:
        self._log = log
        self._readonly = readonly
        self._closing = threading.Event()

    def close(self) -> None:
        """Give up waiting between attempts."""
        self._closing.set()

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event. Raises EngineError."""
        key = key or new_key()
        (entry_id,) = self._append([_fields(event_type, data, key)], f"Publishing again with the key {key} is safe")
        return Published(entry_id.decode(), event_type, key)

    def publish_many(self, events: Iterable[tuple[str, bytes, str | None]]) -> Iterator[Published]:
        """Append events (type, data, key), a page in each round trip. Raises EngineError."""
        remaining = iter(events)
        while page := [(kind, data, key or new_key()) for kind, data, key in islice(remaining, PAGE)]:
            ids = self._append([_fields(*event) for event in page], "Those already sent count once if sent again")
            for entry_id, (kind, _, key) in zip(ids, page, strict=True):
                yield Published(entry_id.decode(), kind, key)

    def _append(self, entries: list[list[bytes]], consolation: str) -> list[bytes]:
        if self._readonly:
            raise EngineError("Nothing was published: this console is read-only.")
        pause = PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._log.append_many(entries)
            except UnreachableError as error:
                if attempt == ATTEMPTS or self._closing.wait(pause):
                    what = "The event" if len(entries) == 1 else "The events"
                    raise EngineError(f"{error} {what} may or may not be in the log. {consolation}.") from error
                pause *= 2
            except LogError as error:
                raise EngineError(f"{error} Nothing was published.") from error
        raise AssertionError("unreachable")


def _fields(event_type: str, data: bytes, key: str) -> list[bytes]:
    return [b"type", _bytes(event_type), b"data", data, b"key", _bytes(key)]


def _bytes(text: str) -> bytes:
    """Also of what was no UTF-8 when it was read with `surrogateescape`."""
    return text.encode("utf-8", "surrogateescape")
