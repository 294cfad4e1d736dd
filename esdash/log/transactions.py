"""A few commands as one transaction on one connection, and what a page's transaction replies."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from esdash.log import pages, shapes
from esdash.log.facts import StreamFacts
from esdash.log.pages import Page

if TYPE_CHECKING:
    from redis.connection import Connection


def packed(connection: "Connection", commands: Sequence[Sequence[Any]]) -> list[bytes]:
    """The transaction as it is sent."""
    packed: list[bytes] = connection.pack_commands([("MULTI",), *commands, ("EXEC",)])
    return packed


def read(connection: "Connection", count: int) -> list[Any]:
    """The replies of a transaction of so many commands; one refused while it ran leaves its exception in the list."""
    from redis.exceptions import ResponseError

    refused: ResponseError | None = None
    reply: Any = None
    for _ in range(count + 2):
        try:
            reply = connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except ResponseError as error:
            # EXECABORT says only that one of the commands was refused; that one's own words say why.
            refused = refused or error
    if refused is not None:
        raise refused
    return shapes.replies(reply, count)


def page_of(replies: Sequence[Any], after: bytes, until: bytes, count: int) -> Page:
    """The page that the replies to `pages.commands` make."""
    entries, facts = replies
    if isinstance(entries, Exception):
        raise entries
    return pages.page_of(entries, read_facts(facts), after, until, count)


def read_facts(reply: Any) -> StreamFacts:
    """The reply of `XINFO STREAM`. Raises redis.exceptions.ResponseError when it is a refusal, UnreadableError."""
    from redis.exceptions import ResponseError

    if isinstance(reply, ResponseError):
        if "no such key" in str(reply).lower():
            return StreamFacts()
        raise reply
    return StreamFacts.parse(reply)
