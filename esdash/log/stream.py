"""One stream on one server: raw entries, their ids, and facts about the stream. Knows no event type."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from esdash.log import pages, shapes, transactions
from esdash.log.address import Address, parse
from esdash.log.appending import append
from esdash.log.errors import (
    ClosedError,
    ElsewhereError,
    ForbiddenError,
    LogError,
    RefusedError,
    TooMuchError,
    UnreachableError,
    plainly,
)
from esdash.log.facts import START, Entry, Evidence, ServerFacts, StreamFacts, anchor_of, id_parts
from esdash.log.pages import Page
from esdash.log.paging import BYTES, PAGE, PageSize, received
from esdash.log.transactions import read_facts

if TYPE_CHECKING:
    from redis import ConnectionPool
    from redis.connection import Connection

TIMEOUT: Final = 5.0
"""Seconds without an answer after which a server counts as unreachable."""

_GREATEST: Final = b"%d-%d" % (2**64 - 1, 2**64 - 1)


def _between(after: bytes, until: bytes) -> tuple[bytes, bytes]:
    """The arguments of XRANGE for the ids above one, up to another. Above the greatest id of all there is none."""
    return (b"+", b"-") if after == _GREATEST else (b"(" + after, until)


_Reply = TypeVar("_Reply")

NOT_HAD: Final = (TooMuchError, ClosedError)
"""What becomes of a page that is too large: for this program, or for the server, which closes the connection."""

TAIL: Final = 100
"""Entries after a position that a check counts by reading them."""


class Log:
    """A stream and the keys beside it.

    Every method raises UnreachableError when no answer comes, RefusedError when the server says no (ElsewhereError when
    it is not where the stream is now), and LogError for what fits neither. redis-py's own retries are off: only the
    caller knows what may be sent twice.
    """

    def __init__(
        self,
        url: str | Callable[[], str],
        stream: str = "orders",
        *,
        name: str | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """`name` is what people see instead of the URL. Does not connect. Raises LogError for a URL it cannot read.

        `url` may be a function that makes sure that there is a server and says where: it is asked on first use and
        by every `locate`, may take its time, raises LogErrors and is called by one thread at a time.
        """
        self.stream = stream
        self.key = stream.encode()
        self.timeout = timeout
        """Seconds without an answer after which the server counts as unreachable; the URL may say other ones."""
        self._find = url if callable(url) else None
        self._finding = threading.Lock()
        self._url = ""
        self._address: Address | None = None
        self.server_name = name or ""
        self._pool: ConnectionPool | None = None
        if not callable(url):
            self._turn_to(url)
        self.paging = PageSize()
        self._facts_command = ("XINFO", "STREAM", self.key)

    @property
    def url(self) -> str:
        """Where the server is; may hold a password, so never to be shown. Raises LogError."""
        if not self._url:
            self.locate()
        return self._url

    def locate(self) -> None:
        """Find the server again after it was lost. Raises LogError.

        Where the URL is fixed its name may lead to another server by now: connections that are not in use are closed.
        """
        if self._find is None:
            if self._pool is not None:
                self._pool.disconnect(inuse_connections=False)
            return
        with self._finding:
            url = self._find()
            if url != self._url:
                self._turn_to(url)

    def _turn_to(self, url: str) -> None:
        address = parse(url)
        self.timeout = address.options.get("socket_timeout", self.timeout)
        self.server_name = self.server_name or address.shown
        self._address, self._url, self._pool = address, url, None

    def _connections(self) -> "ConnectionPool":
        """The pool, made when it is first needed: redis-py takes as long to load as the first picture to be painted."""
        if self._pool is not None:
            return self._pool
        from esdash.log.connections import pool

        if not self._url:
            self.locate()
        with self._finding:
            if self._pool is None:
                assert self._address is not None, "it was located"
                self._pool = pool(self._address, self.timeout)
            return self._pool

    def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.disconnect()

    @contextmanager
    def connection(self) -> "Iterator[Connection]":
        """A connection of one's own, for raw commands; disconnected when the block fails, since a reply may be due."""
        pool = self._connections()
        with plainly(self.server_name, sent=False):
            connection = pool.get_connection()
        with plainly(self.server_name, self.stream):
            try:
                yield connection
            except BaseException:
                connection.disconnect()
                raise
            finally:
                pool.release(connection)

    def connect(self) -> None:
        """Make sure that a connection can be had, which takes no right of the user's. Raises LogError."""
        with self.connection():
            pass

    def command(self, *arguments: Any, shape: Callable[[Any], _Reply] = shapes.anything) -> _Reply:
        """One command, its reply as bytes, when it has the shape that one of `shapes` tells."""
        with self.connection() as connection:
            connection.send_command(*arguments)
            return shape(connection.read_response(disable_decoding=True))

    def commands(self, commands: Sequence[Sequence[Any]], *, atomic: bool = False) -> list[Any]:
        """Many commands in one round trip, or as one transaction; a refused one leaves its exception in the list.

        Of the replies nothing is known: see `understood`.
        """
        from redis.exceptions import ResponseError

        with self.connection() as connection:
            if atomic:
                connection.send_packed_command(transactions.packed(connection, commands))
                return transactions.read(connection, len(commands))
            connection.send_packed_command(connection.pack_commands(commands))
            replies: list[Any] = []
            for _ in commands:
                try:
                    replies.append(connection.read_response(disable_decoding=True, disconnect_on_error=False))
                except ResponseError as error:
                    replies.append(error)
            return replies

    def understood(self, reply: Any, shape: Callable[[Any], _Reply]) -> _Reply:
        """One of the replies of `commands`, when it has a shape."""
        with plainly(self.server_name, self.stream):
            if isinstance(reply, Exception):
                raise reply
            return shape(reply)

    def server(self) -> ServerFacts:
        """Which server this is, as far as this user may know. Raises RefusedError for a Sentinel, LogError."""
        try:
            info = self.command("INFO", shape=shapes.info)
        except ForbiddenError:
            return ServerFacts("a server", "of unknown version", "", "")
        if info.get("redis_mode") == "sentinel" or info.get("server_mode") == "sentinel":
            raise RefusedError(f"{self.server_name} is a Sentinel. Give the URL of the server that it watches.")
        product = "valkey" if "valkey_version" in info else "redis"
        return ServerFacts(
            product,
            info.get("valkey_version") or info.get("redis_version", "?"),
            info.get("run_id", ""),
            info.get("role", "master"),
        )

    def facts(self) -> StreamFacts:
        """Facts about the stream now; a stream that does not exist is an empty one."""
        (reply,) = self.commands([self._facts_command])
        with plainly(self.server_name, self.stream):
            return read_facts(reply)

    def evidence(self, position: bytes) -> Evidence:
        """What is known around a position."""

        def read(count: int) -> Evidence:
            replies = self.commands(pages.commands(self.key, position, b"+", count), atomic=True)
            with plainly(self.server_name, self.stream):
                return transactions.page_of(replies, position, b"+", count).evidence

        return self._had(TAIL, read)[1]

    def _had(self, most: int, read: Callable[[int], _Reply]) -> tuple[int, _Reply]:
        """How many entries could be asked for at a time, `most` at most, and what `read` made of them."""
        while True:
            count = min(most, self.paging.count)
            try:
                reply = read(count)
            except NOT_HAD as error:
                self.paging.shrink(error)
            else:
                if count == self.paging.count:  # that fewer can be had tells nothing
                    self.paging.had(0, 0)
                return count, reply

    def page(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        """The first `count` entries after an id (exclusive) up to another (inclusive), oldest first."""
        found: list[Entry] = []

        def read(most: int) -> list[Entry]:
            span = _between(found[-1][0] if found else after, until)
            return self.command("XRANGE", self.key, *span, "COUNT", most, shape=shapes.entries)

        while len(found) < count:
            asked, some = self._had(count - len(found), read)
            found += some
            if len(some) < asked:
                break
        return found

    def newest(self, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        """The last entries up to an id (inclusive), oldest first; at most `count`, and fewer where they are large."""
        found: list[Entry] = []
        size = 0

        def read(most: int) -> list[Entry]:
            below = b"(" + found[-1][0] if found else until
            return self.command("XREVRANGE", self.key, below, b"-", "COUNT", most, shape=shapes.entries_backwards)

        while len(found) < count and size < BYTES:
            asked, some = self._had(count - len(found), read)
            found += some
            size += sum(len(value) for _, fields in some for value in fields)
            if len(some) < asked:
                break
        return found[::-1]

    def entry(self, entry_id: bytes) -> Entry | None:
        """One entry, or None when it is not in the stream."""
        return self.command("XRANGE", self.key, entry_id, entry_id, shape=shapes.found_entry)

    def entries(self, ids: Sequence[bytes]) -> Iterator[Entry | None]:
        """Entries by their ids, in their order, each None when it is not in the stream; one at a time is held."""
        place = 0
        while place < len(ids):
            some = ids[place : place + min(PAGE // 2, self.paging.count)]
            try:
                with self.connection() as connection:
                    commands = [("XRANGE", self.key, entry_id, entry_id) for entry_id in some]
                    connection.send_packed_command(connection.pack_commands(commands))
                    for _ in some:
                        entry = shapes.found_entry(connection.read_response(disable_decoding=True))
                        place += 1
                        yield entry
            except NOT_HAD as error:
                self.paging.shrink(error)

    def pages(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> Generator[Page, None, None]:
        """Every entry after an id, page by page, each with its evidence; `count` entries a page at most.

        The next page is asked for before this one is handed over, so that the server works while the caller does.
        Ends with the first page that is not full, which may be empty. A page that cannot be had is asked for again,
        then with fewer entries.
        """
        while True:
            try:
                with self.connection() as connection:
                    for page in self._pages(connection, after, until, count):
                        if page.last_entry is not None:
                            after = page.last_entry[0]
                        yield page
                return
            except NOT_HAD as error:
                self.paging.shrink(error)

    def _pages(self, connection: "Connection", after: bytes, until: bytes, most: int) -> Iterator[Page]:
        def ask() -> int:
            count = min(most, self.paging.count)
            commands = pages.commands(self.key, after, until, count)
            connection.send_packed_command(transactions.packed(connection, commands))
            return count

        count, before = ask(), received(connection)
        while True:
            page = transactions.page_of(transactions.read(connection, 2), after, until, count)
            self.paging.had(page.count, received(connection) - before)
            if page.full:
                after = page.entries[-1][0]
                count, before = ask(), received(connection)
            yield page
            if not page.full:
                return

    def append(self, fields: Sequence[bytes]) -> bytes:
        """Append one entry; its id. After UnreachableError it may or may not be in the log."""
        return self.command("XADD", self.key, "*", *fields, shape=shapes.entry_id)

    def append_many(self, entries: Iterable[Sequence[bytes]]) -> list[bytes]:
        """Append entries in one round trip; their ids.

        After UnconnectedError or RefusedError none of them is in the log, after another LogError any of them may be.
        """
        with self.connection() as connection:
            replies = append(connection, self.key, entries)
        ids = [reply for reply in replies if not isinstance(reply, Exception)]
        if len(ids) < len(replies):
            try:
                with plainly(self.server_name, self.stream):
                    raise next(reply for reply in replies if isinstance(reply, Exception))
            except RefusedError as error:
                if not ids:
                    raise
                kind = UnreachableError if isinstance(error, ElsewhereError) else LogError
                raise kind(f"{error} {len(ids):,} of {len(replies):,} entries were appended.") from error
        return ids


__all__ = ["PAGE", "START", "Entry", "Evidence", "Log", "Page", "StreamFacts", "anchor_of", "id_parts"]
