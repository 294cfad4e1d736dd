"""One stream on one server: raw entries, their ids, and facts about the stream. Knows no event type."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.connection import Connection

from esdash.log import pages
from esdash.log.address import parse
from esdash.log.appending import append
from esdash.log.errors import (
    ElsewhereError,
    ForbiddenError,
    LogError,
    RefusedError,
    UnreachableError,
    plainly,
)
from esdash.log.facts import START, Entry, Evidence, StreamFacts, anchor_of, id_parts
from esdash.log.pages import Page

PAGE: Final = 1000
"""Entries a page. 100 costs twice as much an entry, 100,000 leaves the caches."""

TIMEOUT: Final = 5.0
"""Seconds without an answer after which a server counts as unreachable."""

_GREATEST: Final = b"%d-%d" % (2**64 - 1, 2**64 - 1)


def _between(after: bytes, until: bytes) -> tuple[bytes, bytes]:
    """The arguments of XRANGE for the ids above one, up to another. Above the greatest id of all there is none."""
    return (b"+", b"-") if after == _GREATEST else (b"(" + after, until)


TAIL: Final = 100
"""Entries after a position that a check counts by reading them."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """`INFO server` and `INFO replication`, as far as they matter to a consumer."""

    product: str
    """valkey or redis; `a server` when it does not tell."""
    version: str
    run_id: str
    role: str
    """master or slave, in the server's words."""


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
        self.server_name = name or ""
        self._pool: redis.ConnectionPool | None = None
        if not callable(url):
            self._turn_to(url)
        self._facts_command = ("XINFO", "STREAM", self.key)

    @property
    def url(self) -> str:
        """Where the server is; may hold a password, so never to be shown. Raises LogError."""
        if self._pool is None:
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
            if url != self._url or self._pool is None:
                self._turn_to(url)

    def _turn_to(self, url: str) -> None:
        address = parse(url)
        self.timeout = address.options.get("socket_timeout", self.timeout)
        self.server_name = self.server_name or address.shown
        self._pool, self._url = address.pool(self.timeout), url

    def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.disconnect()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of one's own, for raw commands; disconnected when the block fails, since a reply may be due."""
        if self._pool is None:
            self.locate()
        pool = self._pool
        assert pool is not None, "locate makes one"
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

    def command(self, *arguments: Any) -> Any:
        """One command, its reply as bytes."""
        with self.connection() as connection:
            connection.send_command(*arguments)
            return connection.read_response(disable_decoding=True)

    def commands(self, commands: Sequence[Sequence[Any]], *, atomic: bool = False) -> list[Any]:
        """Many commands in one round trip, or as one transaction; a refused one leaves its exception in the list."""
        with self.connection() as connection:
            if atomic:
                connection.send_packed_command(_transaction(connection, commands))
                return _read_transaction(connection, len(commands))
            connection.send_packed_command(connection.pack_commands(commands))
            replies: list[Any] = []
            for _ in commands:
                try:
                    replies.append(connection.read_response(disable_decoding=True, disconnect_on_error=False))
                except redis.exceptions.ResponseError as error:
                    replies.append(error)
            return replies

    def server(self) -> ServerFacts:
        """Which server this is, as far as this user may know. Raises RefusedError for a Sentinel, LogError."""
        try:
            text = self.command("INFO").decode("utf-8", "replace")
        except ForbiddenError:
            return ServerFacts("a server", "of unknown version", "", "")
        info = dict(line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
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
        commands = pages.commands(self.key, position, b"+", TAIL)
        replies = self.commands(commands, atomic=True)
        with plainly(self.server_name, self.stream):
            return _page_of(replies, position, b"+", TAIL).evidence

    def page(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        """The entries after an id (exclusive) up to another (inclusive), oldest first."""
        return list(self.command("XRANGE", self.key, *_between(after, until), "COUNT", count))

    def newest(self, until: bytes = b"+", count: int = PAGE) -> list[Entry]:
        """The last entries up to an id (inclusive), oldest first."""
        return list(self.command("XREVRANGE", self.key, until, b"-", "COUNT", count))[::-1]

    def entry(self, entry_id: bytes) -> Entry | None:
        """One entry, or None when it is not in the stream."""
        found = self.command("XRANGE", self.key, entry_id, entry_id)
        return found[0] if found else None

    def entries(self, ids: Sequence[bytes]) -> list[Entry | None]:
        """Entries by their ids, each None when it is not in the stream."""
        found: list[Entry | None] = []
        for start in range(0, len(ids), PAGE // 2):
            some = ids[start : start + PAGE // 2]
            replies = self.commands([("XRANGE", self.key, entry_id, entry_id) for entry_id in some])
            with plainly(self.server_name, self.stream):
                for reply in replies:
                    if isinstance(reply, Exception):
                        raise reply
                    found.append(reply[0] if reply else None)
        return found

    def pages(self, after: bytes, until: bytes = b"+", count: int = PAGE) -> Generator[Page, None, None]:
        """Every entry after an id, page by page, each with its evidence.

        The next page is asked for before this one is handed over, so that the server works while the caller does.
        Ends with the first page that is not full, which may be empty.
        """
        with self.connection() as connection:

            def ask(start: bytes) -> None:
                commands = pages.commands(self.key, start, until, count)
                connection.send_packed_command(_transaction(connection, commands))

            ask(after)
            while True:
                page = _page_of(_read_transaction(connection, 2), after, until, count)
                if page.full:
                    after = page.entries[-1][0]
                    ask(after)
                yield page
                if not page.full:
                    return

    def append(self, fields: Sequence[bytes]) -> bytes:
        """Append one entry; its id. After UnreachableError it may or may not be in the log."""
        reply = self.command("XADD", self.key, "*", *fields)
        return bytes(reply)

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


class Follower:
    """Reads a stream's new entries as they come, on a connection of its own."""

    def __init__(self, log: Log, connection: Connection) -> None:
        """Use it inside `with log.connection() as connection`."""
        self._log = log
        self._connection = connection

    def next(self, after: bytes, wait: float, count: int = PAGE) -> Page:
        """The entries after an id, as soon as there are any; none after `wait` seconds, or half of the log's timeout.

        The server is asked to wait until there is something after the id, and only then to read it, with its evidence.
        """
        connection = self._connection
        # A healthy server that has nothing to say must answer before it counts as unreachable.
        block = max(1, round(min(wait, self._log.timeout / 2) * 1000))
        waiting = ("XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", self._log.key, after)
        commands = pages.commands(self._log.key, after, b"+", count)
        connection.send_packed_command([*connection.pack_command(*waiting), *_transaction(connection, commands)])
        connection.read_response(disable_decoding=True)
        return _page_of(_read_transaction(connection, len(commands)), after, b"+", count)


def _transaction(connection: Connection, commands: Sequence[Sequence[Any]]) -> list[bytes]:
    """Commands as one transaction, packed to be sent."""
    packed: list[bytes] = connection.pack_commands([("MULTI",), *commands, ("EXEC",)])
    return packed


def _read_transaction(connection: Connection, count: int) -> list[Any]:
    """The replies of a transaction of so many commands; one refused while it ran leaves its exception in the list."""
    refused: redis.exceptions.ResponseError | None = None
    for _ in range(count + 2):
        try:
            reply = connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except redis.exceptions.ResponseError as error:
            # EXECABORT says only that one of the commands was refused; that one's own words say why.
            refused = refused or error
    if refused is not None:
        raise refused
    return list(reply)


def _page_of(replies: Sequence[Any], after: bytes, until: bytes, count: int) -> Page:
    entries, facts = replies
    if isinstance(entries, Exception):
        raise entries
    return pages.page_of(entries, read_facts(facts), after, until, count)


def read_facts(reply: Any) -> StreamFacts:
    """The reply of `XINFO STREAM`. Raises redis.exceptions.ResponseError when it is a refusal."""
    if isinstance(reply, redis.exceptions.ResponseError):
        if "no such key" in str(reply).lower():
            return StreamFacts()
        raise reply
    return StreamFacts.parse(reply)


__all__ = ["PAGE", "START", "Entry", "Evidence", "Follower", "Log", "Page", "StreamFacts", "anchor_of", "id_parts"]
