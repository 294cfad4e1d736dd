"""How many entries are asked for at a time: fewer where they are large, or where so many cannot be had."""

from typing import TYPE_CHECKING, Final

from esdash.log.errors import ClosedError, TooMuchError, UnreachableError, UnreadableReplyError

if TYPE_CHECKING:
    from redis.connection import Connection

PAGE: Final = 1000
"""Entries a page at most. 100 costs twice as much an entry, 100,000 leaves the caches."""

FIRST: Final = 100
"""Entries of the first page of all, when nobody knows yet how large they are."""

BYTES: Final = 16 * 1024 * 1024
"""About what a page may have; a quarter of the largest reply that is read, for the next entries may be larger."""

PATIENCE: Final = (16, 1024)
"""Pages that can be had before more entries are asked for, and at most where so many could not be had before."""


class PageSize:
    """What one log has learned about its pages. For any thread: a lost update does no harm."""

    def __init__(self) -> None:
        self._fitting = FIRST
        """Entries of the size seen last that fill a page."""
        self._forget()

    def _forget(self) -> None:
        self._possible = PAGE
        """Entries that could be had at a time."""
        self._failed = 2 * PAGE
        """The fewest that could not be had since more could."""
        self._patience = PATIENCE[0]
        self._had = 0
        self._closed = False
        """Whether the connection ended instead of the last page."""

    @property
    def count(self) -> int:
        """How many entries to ask for, from 1 to PAGE."""
        return max(1, min(self._fitting, self._possible))

    def had(self, entries: int, size: int) -> None:
        """A page came: so many entries in so many bytes; 0 where that is not known."""
        self._closed = False
        if entries:
            self._fitting = min(PAGE, BYTES * entries // max(1, size))
        if entries >= self._failed:
            self._failed, self._patience = 2 * PAGE, PATIENCE[0]
        if self._possible == PAGE:
            return
        self._had += 1
        more = min(PAGE, 2 * self._possible)
        if self._had >= (PATIENCE[0] if more < self._failed else self._patience):
            self._had, self._possible = 0, more

    def shrink(self, error: TooMuchError | ClosedError) -> None:
        """A page could not be had: ask for half as many, or much less where it was far too large to be read.

        A connection that ends may do so for other reasons: the same is asked for once more before that counts.
        Raises what the error means, with a hint, when it was one entry.
        """
        closed = isinstance(error, ClosedError)
        if closed and not self._closed:
            self._closed = True
            return
        self._closed = False
        if self.count == 1:
            if closed:
                # Nothing at all could be had, so it is unlikely to have been the size.
                self._forget()
                raise UnreachableError(
                    f"{error} It had been asked for one entry: if the server's client-output-buffer-limit for normal "
                    "clients is less than a few entries, raise it."
                ) from error
            raise UnreadableReplyError(f"{error} It had been asked for one entry, which is too large.") from error
        self._failed = self.count
        self._possible = max(1, self.count // (2 if closed else 8))
        self._had = 0
        self._patience = min(2 * self._patience, PATIENCE[1])


def received(connection: "Connection") -> int:
    """Bytes of replies that have come on a connection (`log.servers.parser`)."""
    bytes_received: int = getattr(connection._parser, "received", 0)
    return bytes_received
