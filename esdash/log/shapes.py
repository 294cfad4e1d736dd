"""What replies must look like. A server, or whatever answers in its place, may send anything.

Each function takes a reply as the parser made it and returns it when it is what the command replies. It raises
UnreadableError otherwise. Imports no client, so that a reader starts quickly.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

Entry = tuple[bytes, Sequence[bytes]]
"""id; name, value, name, value, …"""

_ID: Final = re.compile(rb"([0-9]{1,20})-([0-9]{1,20})")
_DIGITS: Final = b"0123456789"


class UnreadableError(ValueError):
    """A reply that no such server sends. The message says in a few words what it was."""


class TooLargeError(UnreadableError):
    """A reply that is larger than esdash reads."""


def entry_id(reply: Any) -> bytes:
    """`1575032026828-1`: both numbers below 2^64."""
    found = _ID.fullmatch(reply) if isinstance(reply, bytes) else None
    if found is None or max(int(found[1]), int(found[2])) >= 2**64:
        raise UnreadableError("an id that is none")
    return bytes(reply)


FEW: Final = 200
"""Entries of which each is looked at; of more the ids, and all of the first and the last: the rest takes as long as
parsing does, and what is wrong there is found by whoever uses it (`require_fields`)."""


def entries(reply: Any) -> list[Entry]:
    """The reply of XRANGE: ids with their fields."""
    if type(reply) is not list:
        raise UnreadableError("no list of entries")
    try:
        ids = [entry_id for entry_id, _ in reply]
        lines = b"\n".join(ids)
    except (TypeError, ValueError) as error:
        raise UnreadableError("an entry that is none") from error
    if (
        lines.translate(None, _DIGITS) != (b"-\n" * len(ids))[:-1]
        or lines.startswith(b"-")
        or lines.endswith(b"-")
        or b"\n-" in lines
        or b"-\n" in lines
        or max(map(len, ids), default=0) > 41
    ):
        raise UnreadableError("an id that is none")
    for end in ids[:1] + ids[-1:]:
        entry_id(end)
    require_fields(reply if len(reply) <= FEW else [reply[0], reply[-1]])
    return reply


def ids(reply: Any) -> list[bytes]:
    return list(map(entry_id, texts(reply)))


def require_fields(page: Sequence[Any]) -> None:
    """Raises UnreadableError unless the fields of each entry are names with values."""
    for _, fields in page:
        if type(fields) is not list or len(fields) % 2 or any(type(value) is not bytes for value in fields):
            raise UnreadableError("an entry that is none")


def entries_backwards(reply: Any) -> list[Entry]:
    return entries(reply[::-1] if type(reply) is list else reply)[::-1]


def found_entry(reply: Any) -> Entry | None:
    """The reply of XRANGE for one id: its entry, if it is there."""
    found = entries(reply)
    if len(found) > 1:
        raise UnreadableError("several entries with one id")
    return found[0] if found else None


def replies(reply: Any, count: int) -> list[Any]:
    """The reply of EXEC: that of each command."""
    if type(reply) is not list or len(reply) != count:
        raise UnreadableError("something else than the replies of a transaction")
    return reply


def text(reply: Any) -> bytes:
    if not isinstance(reply, bytes):
        raise UnreadableError("something else than text")
    return reply


def texts(reply: Any) -> list[bytes]:
    """Several bytes, as SMEMBERS replies."""
    if type(reply) is not list:
        raise UnreadableError("something else than a list")
    return list(map(text, reply))


def text_or_none(reply: Any) -> bytes | None:
    return None if reply is None else text(reply)


def integer(reply: Any) -> int:
    """A whole number."""
    if type(reply) is not int:
        raise UnreadableError("something else than a number")
    return reply


def number(reply: Any) -> int:
    """A whole number that is not negative."""
    if integer(reply) < 0:
        raise UnreadableError("a number below zero")
    return int(reply)


def numbers(reply: Any, count: int) -> list[int]:
    """So many numbers that are not negative."""
    if type(reply) is not list or len(reply) != count:
        raise UnreadableError("something else than numbers")
    return list(map(number, reply))


def number_or_none(reply: Any) -> int | None:
    """An integer that is not negative, or nothing."""
    return None if reply is None else number(reply)


def pairs(reply: Any) -> dict[bytes, bytes]:
    """Names and values in turn, as HGETALL and CONFIG GET reply."""
    return {name: text(value) for name, value in members(reply).items()}


def members(reply: Any) -> dict[bytes, Any]:
    """Names and values of any kind in turn, as XINFO replies."""
    if type(reply) is not list or len(reply) % 2:
        raise UnreadableError("something else than names and values")
    return dict(zip(map(text, reply[::2]), reply[1::2], strict=True))


def info(reply: Any) -> dict[str, str]:
    """The reply of INFO: `name:value` lines."""
    lines = text(reply).decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def moment(reply: Any) -> int:
    """The reply of TIME as Unix time in milliseconds."""
    if type(reply) is not list or len(reply) != 2:
        raise UnreadableError("something else than a time")
    seconds, microseconds = (_digits(part) for part in reply)
    return seconds * 1000 + microseconds // 1000


def scanned(reply: Any) -> tuple[bytes, list[bytes]]:
    """The reply of SCAN: where to go on, and the keys that were found."""
    if type(reply) is not list or len(reply) != 2:
        raise UnreadableError("something else than a cursor and keys")
    return text(reply[0]), texts(reply[1])


def role(reply: Any) -> str:
    """The reply of ROLE: its first word, `master` for a primary."""
    if type(reply) is not list or not reply:
        raise UnreadableError("something else than a role")
    return text(reply[0]).decode("utf-8", "replace")


def slots(reply: Any) -> list[tuple[int, int, list[tuple[str, int]]]]:
    """The reply of CLUSTER SLOTS: first and last slot of a range, and its nodes as (host, port), the primary first.

    An empty host is that of whoever was asked.
    """
    if type(reply) is not list or any(type(each) is not list or len(each) < 3 for each in reply):
        raise UnreadableError("something else than the slots of a cluster")
    return [(number(first), number(last), list(map(_node, nodes))) for first, last, *nodes in reply]


def _node(reply: Any) -> tuple[str, int]:
    if type(reply) is not list or len(reply) < 2:
        raise UnreadableError("a node that is none")
    return (text_or_none(reply[0]) or b"").decode("utf-8", "replace"), number(reply[1])


def anything(reply: Any) -> Any:
    """A reply that nobody looks at."""
    return reply


def _digits(reply: Any) -> int:
    digits = text(reply)
    if not re.fullmatch(rb"[0-9]{1,19}", digits):
        raise UnreadableError("something else than a number")
    return int(digits)
