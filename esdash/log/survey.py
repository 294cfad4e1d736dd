"""Which streams a server holds, and who reads them beside esdash: consumer groups.

https://valkey.io/commands/scan/, https://valkey.io/commands/xinfo-groups/, https://valkey.io/commands/xinfo-consumers/

What newer servers tell besides is read where their reply has it (https://redis.io/docs/latest/commands/xinfo-stream/);
what else they tell is left alone.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from esdash.log import shapes
from esdash.log.servers.server import Server
from esdash.log.shapes import UnreadableError
from esdash.log.stream import Stream

AT_A_TIME: Final = 1_000
"""Keys that the server looks at in one step."""

MOST_PENDING: Final = 1_000
"""Entries that wait for an answer and are looked for in the stream, of each group."""


class Found(Struct, frozen=True):
    """What a search for streams found."""

    names: list[str]
    """Sorted."""
    unnamed: int
    """Streams whose names are no UTF-8: esdash cannot open them."""
    whole: bool
    """Whether all keys of the server were looked at."""


class GroupConsumer(Struct, frozen=True):
    """One consumer of a group."""

    name: str
    pending: int
    """Entries that it got and has not acknowledged."""
    idle_ms: int
    """Since it asked last."""
    inactive_ms: int | None
    """Since it got something last; None where the server does not tell, or it never did."""


class Group(Struct, frozen=True):
    """One consumer group of a stream."""

    name: str
    last_delivered_id: str
    pending: int
    entries_read: int | None
    """Entries up to the one that was delivered last; None where the server cannot tell."""
    lag: int | None
    """Entries that were not delivered yet; None where the server cannot tell."""
    nacked: int | None
    """Of the pending ones those that a consumer gave back (XNACK, Redis 8.8); None where the server knows no such."""
    gone: int
    """Of the first MOST_PENDING pending entries those that have left the stream: nobody can work them off."""
    consumers: list[GroupConsumer]


class Idempotence(Struct, frozen=True):
    """What a server remembers so that an entry is added once (XADD IDMP, Redis 8.6)."""

    seconds: int | None
    """How long."""
    most: int | None
    """Of each producer, how many."""
    producers: int | None
    tracked: int | None
    """Entries that are remembered now."""
    added: int
    """Entries that were ever added so."""
    duplicates: int | None
    """What was ever sent again, and not added again."""


class Readers(Struct, frozen=True):
    """Who reads a stream beside esdash, and who adds to it."""

    groups: Sequence[Group] = ()
    idempotence: Idempotence | None = None
    """None where the server knows no such."""


def find_streams(server: Server, pattern: str = "*", most: int = 1_000_000) -> Found:
    """The streams whose names match a glob pattern, among so many keys at most. Raises LogError."""
    found: set[bytes] = set()
    cursor, looked_at = b"0", 0
    while True:
        arguments = ("SCAN", cursor, "MATCH", pattern, "COUNT", AT_A_TIME, "TYPE", "stream")
        cursor, some = server.command(*arguments, shape=shapes.scanned)
        found.update(some)
        looked_at += AT_A_TIME
        if cursor == b"0" or looked_at >= most:
            names = [name for name in found if _is_text(name)]
            return Found(sorted(map(bytes.decode, names)), len(found) - len(names), cursor == b"0")


def readers_of(log: Stream) -> Readers:
    """The consumer groups of a stream that is there. Raises LogError."""
    facts = log.command("XINFO", "STREAM", log.key, "FULL", "COUNT", 1, shape=shapes.members)
    nacked = {each[b"name"]: each.get(b"nacked-count") for each in _lists_of_members(facts.get(b"groups", []))}
    groups = log.command("XINFO", "GROUPS", log.key, shape=_lists_of_members)
    return Readers([_group(log, members, nacked.get(members[b"name"])) for members in groups], _idempotence(facts))


def _idempotence(facts: dict[bytes, Any]) -> Idempotence | None:
    def told(name: bytes) -> int | None:
        return shapes.number_or_none(facts.get(name))

    added = told(b"iids-added")
    if added is None:
        return None
    kept = told(b"idmp-duration"), told(b"idmp-maxsize")
    return Idempotence(*kept, told(b"pids-tracked"), told(b"iids-tracked"), added, told(b"iids-duplicates"))


def _group(log: Stream, members: dict[bytes, Any], nacked: Any) -> Group:
    name = members[b"name"]
    consumers = log.command("XINFO", "CONSUMERS", log.key, name, shape=_lists_of_members)
    pending = shapes.number(members.get(b"pending"))
    return Group(
        _text(name),
        _text(shapes.entry_id(members.get(b"last-delivered-id"))),
        pending,
        shapes.number_or_none(members.get(b"entries-read")),
        shapes.number_or_none(members.get(b"lag")),
        shapes.number_or_none(nacked),
        _gone(log, name) if pending else 0,
        [_consumer(each) for each in consumers],
    )


def _consumer(members: dict[bytes, Any]) -> GroupConsumer:
    inactive = members.get(b"inactive")
    return GroupConsumer(
        _text(members[b"name"]),
        shapes.number(members.get(b"pending")),
        shapes.number(members.get(b"idle")),
        None if inactive is None or shapes.integer(inactive) < 0 else int(inactive),
    )


def _gone(log: Stream, group: bytes) -> int:
    ids = log.command("XPENDING", log.key, group, "-", "+", MOST_PENDING, shape=_pending_ids)
    return sum(entry is None for entry in log.entries(ids))


def first_pending(log: Stream, group: str, first: bytes) -> bytes | None:
    """The id of the first entry from an id on that a group got and has not acknowledged. Raises LogError."""
    ids = log.command("XPENDING", log.key, group, first, "+", 1, shape=_pending_ids)
    return ids[0] if ids else None


def _lists_of_members(reply: Any) -> list[dict[bytes, Any]]:
    if type(reply) is not list:
        raise UnreadableError("something else than a list of groups")
    found = list(map(shapes.members, reply))
    if any(type(each.get(b"name")) is not bytes for each in found):
        raise UnreadableError("one without a name")
    return found


def _pending_ids(reply: Any) -> Sequence[bytes]:
    if type(reply) is not list or any(type(each) is not list or not each for each in reply):
        raise UnreadableError("something else than entries that wait")
    return [shapes.entry_id(each[0]) for each in reply]


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
