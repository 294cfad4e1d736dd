"""Puts entries with their ids into a stream that never had any, as a whole or not at all.

They are gathered under a key of their own beside the stream, which expires unless it is gone on with; one script then
makes it the stream, if that is still empty. So nobody reads a part of them, and nobody can come in between.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from esdash.log import scripts, shapes
from esdash.log.appending import append
from esdash.log.errors import ForbiddenError, LogError, RefusedError
from esdash.log.facts import START, Entry, StreamFacts
from esdash.log.keys import key_prefix
from esdash.log.plainly import plainly
from esdash.log.stream import Stream
from esdash.visible import visible

UNFINISHED_MS: Final = 10 * 60 * 1000
"""What was gathered by somebody who died is gone after ten minutes."""

ENTRIES: Final = 1000
BYTES: Final = 4 * 1024 * 1024
"""Entries, and about how many bytes, that are sent at a time."""


class NotEmptyError(RefusedError):
    """The stream has entries, or had some."""


class Refilling:
    """Fills one stream. Every method raises LogError."""

    def __init__(self, log: Stream) -> None:
        self._log = log
        self._prefix = key_prefix(log.name)
        self._key = f"{self._prefix}filling:{secrets.token_hex(8)}"
        self.sent = 0
        """Entries that were gathered so far."""

    def require_empty(self) -> None:
        """Raises NotEmptyError when the stream has entries, or had some."""
        facts = self._log.facts()
        if facts.length or facts.last_id != START:
            raise self._not_empty()

    def add(self, entries: Iterable[Entry]) -> None:
        """Gather entries, in the order of their ids; `sent` grows meanwhile."""
        for some in _pages(entries):
            with self._own_key():
                with self._log.connection() as connection:
                    replies = append(connection, self._key.encode(), some, with_ids=True)
                with plainly(self._log.server.name, self._key):
                    for reply in replies:
                        if isinstance(reply, Exception):
                            raise reply
                self.sent += len(some)
                self._log.command("PEXPIRE", self._key, UNFINISHED_MS)

    def finish(self, facts: StreamFacts) -> bool:
        """Make what was gathered the stream, with its last id and its counts as in `facts`.

        Whether it counts as before: a server before 7.0 does not. Raises NotEmptyError, then nothing was done.
        """
        if not self.sent and facts.last_id == START:
            self.require_empty()
            return True
        added = "" if facts.entries_added is None else facts.entries_added
        arguments = (self._log.name, self._key, self.sent, facts.last_id, added, facts.max_deleted_id)
        answer = self._log.command("EVAL", scripts.FILL, 2, *arguments, shape=shapes.text)
        if answer == b"used":
            raise self._not_empty()
        if answer not in (b"ok", b"uncounted"):
            raise RefusedError("What was sent is not all there any more: it waited too long, or somebody removed it.")
        return answer == b"ok"

    def give_up(self) -> None:
        """Forget what was gathered; where that cannot be done, it expires."""
        with suppress(LogError):
            self._log.command("UNLINK", self._key)

    @contextmanager
    def _own_key(self) -> Iterator[None]:
        """What is missing to a right to one of esdash's own keys is missing to all of them."""
        try:
            yield
        except ForbiddenError as error:
            if error.right.startswith("~"):
                raise ForbiddenError.of(self._log.server.name, f"~{self._prefix}*") from error
            raise

    def _not_empty(self) -> NotEmptyError:
        return NotEmptyError(
            f"The stream {visible(self._log.name, 64)!r} on {self._log.server.name} has entries, or had some: ids are "
            "kept only in a stream that never had any. --stream chooses another one."
        )


def _pages(entries: Iterable[Entry]) -> Iterator[Sequence[Sequence[bytes]]]:
    """Ids and fields of entries that are sent together."""
    page: list[Sequence[bytes]] = []
    size = 0
    for entry_id, fields in entries:
        page.append((entry_id, *fields))
        size += sum(map(len, fields))
        if len(page) >= ENTRIES or size >= BYTES:
            yield page
            page, size = [], 0
    if page:
        yield page
