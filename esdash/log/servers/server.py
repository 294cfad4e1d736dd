"""One server: where it is, connections to it, commands. Several streams may share it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from esdash.log import shapes, transactions
from esdash.log.errors import ForbiddenError, RefusedError
from esdash.log.facts import ServerFacts
from esdash.log.plainly import plainly
from esdash.log.servers.address import Address, parse, place_of

if TYPE_CHECKING:
    from redis import ConnectionPool
    from redis.connection import Connection

TIMEOUT: Final = 5.0
"""Seconds without an answer after which a server counts as unreachable."""

Finder = Callable[[], str]
"""Makes sure that there is a server and says where. It is asked on first use and by every `locate`, may take its time,
raises LogErrors and is called by one thread at a time."""

_Reply = TypeVar("_Reply")


class Server:
    """A server, and the connections to it that nobody uses just now.

    Every method raises UnreachableError when no answer comes, RefusedError when the server says no (ElsewhereError when
    the stream is not there now), and LogError for what fits neither. redis-py's own retries are off: only the caller
    knows what may be sent twice.

    Where a method takes a `key`, it is the one of which is told that a right to it is missing, when the server says
    only that one is.
    """

    def __init__(
        self, url: str | Finder, *, name: str = "", timeout: float = TIMEOUT, given: str = "", one_of: str = ""
    ) -> None:
        """`name` is what people see instead of the URL. Does not connect. Raises LogError for a URL it cannot read.

        Of a server that a finder finds among several: `given` is the URL that names them, `one_of` in a word what they
        are, which people see beside the one that was found.
        """
        self.name = name
        """What people see of it; never a password."""
        self.timeout = timeout
        """Seconds without an answer after which it counts as unreachable; the URL may say other ones."""
        self.moves = bool(one_of)
        """Whether the stream may be on another node in a moment, which `locate` finds then."""
        self._given = given
        self._one_of = one_of
        self.finder = url if callable(url) else None
        """What finds it, where no fixed URL does."""
        self._finding = threading.Lock()
        self._url = ""
        self._address: Address | None = None
        self._pool: ConnectionPool | None = None
        if not callable(url):
            self._turn_to(url)

    @property
    def url(self) -> str:
        """By which another process finds it, too; may hold a password, so never to be shown. Raises LogError."""
        if self._given:
            return self._given
        if not self._url:
            self.locate()
        return self._url

    @property
    def found(self) -> bool:
        return bool(self._url)

    def locate(self) -> None:
        """Find it again after it was lost. Raises LogError.

        Where the URL is fixed its name may lead to another server by now: connections that are not in use are closed.
        """
        if self.finder is None:
            if self._pool is not None:
                self._pool.disconnect(inuse_connections=False)
            return
        with self._finding:
            url = self.finder()
            if url != self._url:
                self._turn_to(url)

    def _turn_to(self, url: str) -> None:
        address = parse(url)
        self.timeout = address.options.get("socket_timeout", self.timeout)
        if self._one_of:
            self.name = f"{place_of(address.options['host'], address.options['port'])} ({self._one_of})"
        self.name = self.name or address.shown
        if self._pool is not None:
            self._pool.disconnect(inuse_connections=False)
        self._address, self._url, self._pool = address, url, None

    def _connections(self) -> "ConnectionPool":
        """The pool, made when it is first needed: redis-py takes as long to load as the first picture to be painted."""
        if self._pool is not None:
            return self._pool
        from esdash.log.servers.connections import pool

        if not self._url:
            self.locate()
        with self._finding:
            if self._pool is None:
                assert self._address is not None, "it was located"
                self._pool = pool(self._address, self.timeout)
            return self._pool

    def close(self) -> None:
        if self._pool is not None:
            self._pool.disconnect()

    @contextmanager
    def connection(self, key: str = "") -> "Iterator[Connection]":
        """A connection of one's own, for raw commands; disconnected when the block fails, since a reply may be due."""
        pool = self._connections()
        with plainly(self.name, sent=False):
            connection = pool.get_connection()
        with plainly(self.name, key):
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

    def command(self, *arguments: Any, shape: Callable[[Any], _Reply] = shapes.anything, key: str = "") -> _Reply:
        """One command, its reply as bytes, when it has the shape that one of `shapes` tells."""
        with self.connection(key) as connection:
            connection.send_command(*arguments)
            return shape(connection.read_response(disable_decoding=True))

    def commands(self, commands: Sequence[Sequence[Any]], *, atomic: bool = False, key: str = "") -> list[Any]:
        """Many commands in one round trip, or as one transaction; a refused one leaves its exception in the list.

        Of the replies nothing is known: see `understood`.
        """
        from redis.exceptions import ResponseError

        with self.connection(key) as connection:
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

    def understood(self, reply: Any, shape: Callable[[Any], _Reply], key: str = "") -> _Reply:
        """One of the replies of `commands`, when it has a shape."""
        with plainly(self.name, key):
            if isinstance(reply, Exception):
                raise reply
            return shape(reply)

    def facts(self) -> ServerFacts:
        """Which server this is, as far as this user may know. Raises RefusedError for a Sentinel, LogError."""
        try:
            info = self.command("INFO", shape=shapes.info)
        except ForbiddenError:
            return ServerFacts("a server", "of unknown version", "", "")
        if info.get("redis_mode") == "sentinel" or info.get("server_mode") == "sentinel":
            raise RefusedError(
                f"{self.name} is a Sentinel. Give the URL of the server that it watches, or write "
                "redis+sentinel://host:port/service."
            )
        product = "valkey" if "valkey_version" in info else "redis"
        return ServerFacts(
            product,
            info.get("valkey_version") or info.get("redis_version", "?"),
            info.get("run_id", ""),
            info.get("role", "master"),
        )
