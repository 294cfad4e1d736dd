"""Reading what comes."""

from typing import TYPE_CHECKING

from esdash.log import pages, transactions
from esdash.log.pages import Page
from esdash.log.paging import received
from esdash.log.plainly import plainly
from esdash.log.stream import NOT_HAD, PAGE, Stream

if TYPE_CHECKING:
    from redis.connection import Connection


class Follower:
    """Reads a stream's new entries as they come, on a connection of its own."""

    def __init__(self, log: Stream, connection: "Connection") -> None:
        """Use it inside `with log.connection() as connection`."""
        self._log = log
        self._connection = connection

    def next(self, after: bytes, wait: float, count: int = PAGE) -> Page:
        """The entries after an id, as soon as there are any; none after `wait` seconds, or half the server's timeout.

        The server is asked to wait until there is something after the id, and only then to read it, with its evidence.
        """
        connection, log = self._connection, self._log
        # A healthy server that has nothing to say must answer before it counts as unreachable.
        block = max(1, round(min(wait, log.server.timeout / 2) * 1000))
        waiting = ("XREAD", "COUNT", 1, "BLOCK", block, "STREAMS", log.key, after)
        count = min(count, log.paging.count)
        commands = pages.commands(log.key, after, b"+", count)
        before = received(connection)
        try:
            with plainly(log.server.name, log.name):
                connection.send_packed_command(
                    [*connection.pack_command(*waiting), *transactions.packed(connection, commands)]
                )
                connection.read_response(disable_decoding=True)
                replies = transactions.read(connection, len(commands))
                page = transactions.page_of(replies, after, b"+", count)
        except NOT_HAD as error:
            # The connection is lost; on the next one the size may be another.
            log.paging.shrink(error)
            raise
        log.paging.had(page.count, received(connection) - before)
        return page
