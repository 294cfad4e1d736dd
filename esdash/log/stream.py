"""One stream on one server: raw entries, their ids, and facts about the stream. Knows no event type."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from esdash.log import pages, scripts, shapes, transactions
from esdash.log.appending import append
from esdash.log.durability import APPLIED, WAIT_SECONDS, Durability, reached, require_told
from esdash.log.errors import (
    ClosedError,
    ElsewhereError,
    LessDurableError,
    LogError,
    RefusedError,
    TooMuchError,
    UnreachableError,
)
from esdash.log.facts import START, Entry, Evidence, StreamFacts, anchor_of, id_parts
from esdash.log.pages import Page
from esdash.log.paging import BYTES, PAGE, PageSize, received
from esdash.log.plainly import plainly
from esdash.log.servers.server import Server
from esdash.log.transactions import read_facts

if TYPE_CHECKING:
    from redis.connection import Connection

_GREATEST: Final = b"%d-%d" % (2**64 - 1, 2**64 - 1)


def _between(after: bytes, until: bytes) -> tuple[bytes, bytes]:
    """The arguments of XRANGE for the ids above one, up to another. Above the greatest id of all there is none."""
    return (b"+", b"-") if after == _GREATEST else (b"(" + after, until)


_Reply = TypeVar("_Reply")

NOT_HAD: Final = (TooMuchError, ClosedError)
"""What becomes of a page that is too large: for this program, or for the server, which closes the connection."""

TAIL: Final = 100
"""Entries after a position that a check counts by reading them."""


class Stream:
    """A stream of a server. Raises what `Server` raises."""

    archive_root = ""
    """The folder with the archive through which it is read; empty without one."""

    def __init__(self, server: Server, name: str) -> None:
        """Does not connect. `name` is the stream's key."""
        self.server = server
        self.name = name
        self.key = name.encode()
        self.paging = PageSize()
        self._facts_command = ("XINFO", "STREAM", self.key)

    @property
    def archived(self) -> int:
        """Entries that the archive tells."""
        return 0

    @property
    def archived_to(self) -> bytes:
        """The id up to which an archive tells what it holds; START without one."""
        return START

    def connection(self) -> "AbstractContextManager[Connection]":
        """A connection of one's own, for raw commands about the stream; see `Server.connection`."""
        return self.server.connection(self.name)

    def command(self, *arguments: Any, shape: Callable[[Any], _Reply] = shapes.anything) -> _Reply:
        """One command about the stream, or about keys beside it; see `Server.command`."""
        return self.server.command(*arguments, shape=shape, key=self.name)

    def commands(self, commands: Sequence[Sequence[Any]], *, atomic: bool = False) -> list[Any]:
        """Many of them; see `Server.commands`."""
        return self.server.commands(commands, atomic=atomic, key=self.name)

    def facts(self) -> StreamFacts:
        """Facts about the stream now; a stream that does not exist is an empty one."""
        (reply,) = self.commands([self._facts_command])
        with plainly(self.server.name, self.name):
            return read_facts(reply)

    def evidence(self, position: bytes) -> Evidence:
        """What is known around a position."""

        def read(count: int) -> Evidence:
            replies = self.commands(pages.commands(self.key, position, b"+", count), atomic=True)
            with plainly(self.server.name, self.name):
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

    def append_many(self, entries: Iterable[Sequence[bytes]], wanted: Durability = APPLIED) -> list[bytes]:
        """Append entries in one round trip, and wait until they are as safe as is wanted; their ids.

        After UnconnectedError or RefusedError none of them is in the log, after LessDurableError all of them are, after
        another LogError any of them may be.
        """
        found = APPLIED
        with self.connection() as connection:
            require_told(connection, wanted)
            replies = append(connection, self.key, entries)
            if any(isinstance(reply, bytes) for reply in replies):
                found = self._waited(connection, wanted)
        ids = [reply for reply in replies if not isinstance(reply, Exception)]
        if len(ids) < len(replies):
            try:
                with plainly(self.server.name, self.name):
                    raise next(reply for reply in replies if isinstance(reply, Exception))
            except RefusedError as error:
                if not ids:
                    raise
                kind = UnreachableError if isinstance(error, ElsewhereError) else LogError
                raise kind(f"{error} {len(ids):,} of {len(replies):,} entries were appended.") from error
        self._require(wanted, found, ids)
        return ids

    def append_after(
        self, last_id: bytes, entries: Sequence[Sequence[bytes]], wanted: Durability = APPLIED
    ) -> list[bytes]:
        """Append entries if an id is that of the newest one there is, in one step; their ids, none where it is not.

        After UnreachableError they may or may not be in the log, after LessDurableError they are.
        """
        words = [word for fields in entries for word in (len(fields), *fields)]
        with self.connection() as connection:
            require_told(connection, wanted)
            connection.send_command("EVAL", scripts.APPEND_AFTER, 1, self.key, last_id, *words)
            ids = shapes.ids(connection.read_response(disable_decoding=True))
            found = self._waited(connection, wanted) if ids else wanted
        self._require(wanted, found, ids)
        return ids

    def _seconds(self) -> float:
        """How long durability is waited for."""
        return min(WAIT_SECONDS, 0.8 * self.server.timeout)

    def _waited(self, connection: "Connection", wanted: Durability) -> Durability:
        """How safe is what was appended on a connection. Raises UnreachableError where that cannot be told."""
        try:
            with plainly(self.server.name):
                return reached(connection, wanted, self._seconds())
        except RefusedError as error:
            # Not of what was appended: that was done, and may be gone with the node that took it.
            raise UnreachableError(str(error)) from error

    def _require(self, wanted: Durability, found: Durability, ids: Sequence[bytes]) -> None:
        if found == wanted:
            return
        if wanted.synced:
            what = f"it was not on the disk of {self.server.name}"
        else:
            what = f"{found.replicas:,} of {wanted.replicas:,} replicas of {self.server.name} had it"
        raise LessDurableError(f"{self._seconds():g} s later {what}. `esdash doctor` tells why.", ids, str(found))


__all__ = ["PAGE", "START", "Entry", "Evidence", "Page", "Stream", "StreamFacts", "anchor_of", "id_parts"]
