"""Appending events so that each counts once, whatever the network does."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from esdash.engine.console import EngineError, Published
from esdash.log.errors import LogError, RefusedError, UnreachableError
from esdash.log.stream import PAGE, Log

ATTEMPTS: Final = 4
"""How often an append is tried when no answer comes."""

PAUSE_SECONDS: Final = 0.2
"""Before the second attempt; it doubles."""


def new_keys(count: int) -> list[str]:
    """Keys that no other event has: 128 bits by lot each, all drawn at once, which takes a tenth of the time."""
    digits = os.urandom(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


class Publisher:
    """Appends events with idempotency keys.

    When no answer comes, the same events are sent again with the same keys: if the first ones did arrive, the fold
    counts the second ones as duplicates.
    """

    def __init__(self, log: Log, *, readonly: bool = False, objection: Callable[[], str] = str) -> None:
        """`objection` says in a sentence why nothing may be published just now; empty when something may."""
        self._log = log
        self._readonly = readonly
        self._objection = objection
        self._closing = threading.Event()

    def close(self) -> None:
        """Give up waiting between attempts."""
        self._closing.set()

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event. Raises EngineError."""
        key = key or new_keys(1)[0]
        (entry_id,) = self._append([_fields(event_type, data, key)], f"Publishing again with the key {key} is safe.")
        return Published(entry_id.decode(), event_type, key)

    def publish_many(self, events: Iterable[tuple[str, bytes, str | None]]) -> Iterator[Published]:
        """Append events (type, data, key), a page in each round trip. Raises EngineError."""
        remaining = iter(events)
        while wanted := list(islice(remaining, PAGE)):
            fresh = new_keys(len(wanted))
            keys = [key or new_key for (_, _, key), new_key in zip(wanted, fresh, strict=True)]
            entries = [_fields(kind, data, key) for (kind, data, _), key in zip(wanted, keys, strict=True)]
            keyed = all(key for _, _, key in wanted)
            consolation = (
                "Publishing them again with the same keys is safe."
                if keyed
                else "Look into the log before publishing them again: without keys of their own they would count twice."
            )
            ids = self._append(entries, consolation)
            for entry_id, (kind, _, _), key in zip(ids, wanted, keys, strict=True):
                yield Published(entry_id.decode(), kind, key)

    def _append(self, entries: list[list[bytes]], consolation: str) -> list[bytes]:
        if self._readonly:
            raise EngineError("Nothing was published: this console is read-only.")
        if objection := self._objection():
            raise EngineError(f"Nothing was published. {objection}")
        what = "The event" if len(entries) == 1 else "Any of the events"
        doubt = f"{what} may or may not be in the log. {consolation}"
        pause = PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._log.append_many(entries)
            except UnreachableError as error:
                if attempt == ATTEMPTS or self._closing.wait(pause):
                    raise EngineError(f"{error} {doubt}") from error
                pause *= 2
            except LogError as error:
                # What an attempt before this one sent may have arrived.
                certain = attempt == 1 and isinstance(error, RefusedError)
                raise EngineError(f"{error} {'Nothing was published.' if certain else doubt}") from error
        raise AssertionError("unreachable")


def _fields(event_type: str, data: bytes, key: str) -> list[bytes]:
    # What was no UTF-8 may have been read with `surrogateescape`.
    event_type_bytes, key_bytes = event_type.encode("utf-8", "surrogateescape"), key.encode("utf-8", "surrogateescape")
    return [b"type", event_type_bytes, b"data", data, b"key", key_bytes]
