"""Appending events so that each counts once, whatever the network does."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Final

from esdash.engine.console import EngineError, LessDurableError, NotPublishedError, Published
from esdash.log import errors
from esdash.log.appending import SLICE
from esdash.log.durability import APPLIED, Durability
from esdash.log.errors import ElsewhereError, LogError, NobodyError, RefusedError, UnconnectedError, UnreachableError
from esdash.log.servers.server import Server
from esdash.log.stream import PAGE, Stream

ATTEMPTS: Final = 4
"""How often an append is tried when no answer comes, or one that may be another in a moment."""

PAUSE_SECONDS: Final = 0.2
"""Before the second attempt; it doubles, up to LONGEST_PAUSE_SECONDS."""

LONGEST_PAUSE_SECONDS: Final = 2.0

FAILOVER_SECONDS: Final = 20.0
"""For so long it is tried where Sentinels or a cluster may find another node meanwhile."""

Fields = Callable[[str, bytes, bytes], list[bytes]]
"""What makes an entry's fields: type, data, key."""


def plain_fields(event_type: str, data: bytes, key: bytes) -> list[bytes]:
    """An entry as esdash's own wire has it."""
    return [b"type", _encode(event_type), b"data", data, b"key", key]


def new_keys(count: int) -> list[str]:
    """Keys that no other event has: 128 bits by lot each, all drawn at once, which takes a tenth of the time."""
    digits = os.urandom(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


class Publisher:
    """Appends events with idempotency keys.

    When no answer comes, or that of a node that is not where the stream is now, the same events are sent again with the
    same keys: if the first ones did arrive, the fold counts the second ones as duplicates. It is the same whether a
    failover begins before or after.
    """

    def __init__(
        self,
        log: Stream,
        fields: Fields | None = None,
        *,
        objection: Callable[[], str] = str,
        durability: Durability = APPLIED,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fields` makes an entry of type, data and key. `objection` says in a sentence why nothing may be published
        just now; empty when something may. `durability` is waited for after each append. `clock` gives seconds.
        """
        self._durability = durability
        self._clock = clock
        self._fields = fields or plain_fields
        self._log = log
        self._objection = objection
        self._closing = threading.Event()

    def close(self) -> None:
        """Give up waiting between attempts."""
        self._closing.set()

    def publish(self, event_type: str, data: bytes, key: str | None = None) -> Published:
        """Append one event. Raises EngineError."""
        key = key or new_keys(1)[0]
        (published,) = self._append(_Batch([(event_type, data, key)], self._fields))
        return published

    def publish_many(self, events: Iterable[tuple[str, bytes, str | None]]) -> Iterator[Published]:
        """Append events (type, data, key), a page in each round trip. Raises EngineError."""
        remaining = iter(events)
        while wanted := list(islice(remaining, PAGE)):
            try:
                yield from self._append(_Batch(wanted, self._fields))
            except LessDurableError as error:
                yield from error.published
                raise

    def publish_after(self, last_id: bytes, entries: Sequence[Sequence[bytes]]) -> list[bytes]:
        """Append entries with keys of their own if nothing was appended since an id; their ids, none where it was.

        Raises EngineError.
        """
        self._require_no_objection()
        server = self._log.server
        attempts = _Attempts(server, self._closing, self._clock)
        while True:
            try:
                if attempts.count:
                    server.locate()
                server.connect()
                return self._log.append_after(last_id, entries, self._durability)
            except errors.LessDurableError as error:
                raise LessDurableError(f"It is in the log, but {error}", ()) from error
            except (UnconnectedError, RefusedError) as error:
                if not (server.moves and attempts.again_after(error)):
                    raise NotPublishedError(f"{error} Nothing was published.") from error
            except LogError as error:
                raise EngineError(
                    f"{error} It may or may not be in the log: look there before trying again."
                ) from error

    def _append(self, batch: "_Batch") -> Sequence[Published]:
        self._require_no_objection()
        what = "The event" if len(batch.events) == 1 else "Any of the events"
        doubt = f"{what} may or may not be in the log. {batch.consolation()}"
        attempts = _Attempts(self._log.server, self._closing, self._clock)
        certain = True
        while True:
            try:
                if attempts.count:
                    self._log.server.locate()
                ids = self._log.append_many(batch.entries(), self._durability)
                return batch.published(ids, "" if self._durability == APPLIED else str(self._durability))
            except errors.LessDurableError as error:
                which = f"The event is in the log as {error.ids[0].decode()}" if len(error.ids) == 1 else _ALL_THERE
                raise LessDurableError(f"{which}, but {error}", batch.published(error.ids, error.reached)) from error
            except LogError as error:
                # What an attempt before this one sent may have arrived, whatever becomes of this one.
                certain = certain and isinstance(error, UnconnectedError | RefusedError)
                if attempts.again_after(error):
                    continue
                if certain:
                    raise NotPublishedError(f"{error} Nothing was published.") from error
                raise EngineError(f"{error} {doubt}") from error

    def _require_no_objection(self) -> None:
        if objection := self._objection():
            raise NotPublishedError(f"Nothing was published. {objection}")


_ALL_THERE: Final = "The events are in the log"


class _Attempts:
    """How often and for how long it is tried to append something."""

    def __init__(self, server: Server, closing: threading.Event, clock: Callable[[], float]) -> None:
        """`closing` ends the waiting, `clock` gives seconds."""
        self._server = server
        self._closing = closing
        self._clock = clock
        self._until = clock() + FAILOVER_SECONDS if server.moves else 0.0
        self._pause = PAUSE_SECONDS
        self.count = 0
        """How many have failed."""

    def again_after(self, error: LogError) -> bool:
        """Whether another one may do better, after a while that has passed then."""
        self.count += 1
        if not isinstance(error, UnreachableError | ElsewhereError):
            return False
        # Where none of several nodes has ever answered they are not failing over: the URL is wrong, or the network.
        strangers = isinstance(error, NobodyError) and not self._server.found
        if self.count >= ATTEMPTS and (strangers or self._clock() >= self._until):
            return False
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        return not self._closing.wait(pause)


class _Batch:
    """Events that are sent together, perhaps more than once, and each with the same key then."""

    def __init__(self, events: Sequence[tuple[str, bytes, str | None]], fields: Fields) -> None:
        """type, data, key"""
        self.events = events
        self._fields = fields
        self.keys: list[str] = []
        """Those that were given, and new ones; complete when all entries were made."""

    def entries(self) -> Iterator[list[bytes]]:
        """Made while they are sent, when the server has something to do already."""
        for start in range(0, len(self.events), SLICE):
            some = self.events[start : start + SLICE]
            if start == len(self.keys):
                self.keys += [key or fresh for (_, _, key), fresh in zip(some, new_keys(len(some)), strict=True)]
            keys = self.keys[start : start + SLICE]
            for (kind, data, _), key in zip(some, keys, strict=True):
                yield self._fields(kind, data, _encode(key))

    def published(self, ids: Sequence[bytes], durability: str) -> Sequence[Published]:
        """What became of them. `durability` is empty where nobody asked for any."""
        kinds = [kind for kind, _, _ in self.events]
        return list(map(Published, map(bytes.decode, ids), kinds, self.keys, repeat(durability)))

    def consolation(self) -> str:
        """What to do when nobody knows whether they arrived."""
        if not all(key for _, _, key in self.events):
            return "Look into the log before publishing them again: without keys of their own they would count twice."
        if len(self.events) == 1:
            return f"Publishing again with the key {self.events[0][2]} is safe."
        return "Publishing them again with the same keys is safe."


def _encode(text: str) -> bytes:
    """What was no UTF-8 may have been read with `surrogateescape`."""
    return text.encode("utf-8", "surrogateescape")
