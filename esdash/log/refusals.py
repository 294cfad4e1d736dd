"""What redis-py raises and servers refuse, as LogErrors."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import redis.exceptions as errors
from redis._parsers.base import BaseParser

from esdash.log.errors import (
    ClosedError,
    ElsewhereError,
    ForbiddenError,
    FullError,
    LogError,
    RefusedError,
    UnreachableError,
    WrongTypeError,
    first_line,
)
from esdash.log.shapes import TooLargeError, UnreadableError
from esdash.visible import visible

FAILURES: Final[Mapping[str, Callable[[str], Exception]]] = {
    "unreadable": UnreadableError,
    "too_large": TooLargeError,
    "silent": errors.TimeoutError,
    "closed": errors.ConnectionError,
}
"""What to raise for what went wrong in the process that reads ahead."""

_EXAMPLE: Final = "redis://user:password@host"

# The servers' words where redis-py has no class for them, without `ERR`, which it takes away.
_COMMAND: Final = re.compile(r"no permissions to run the '([\w|.-]{1,60})' command|can't run this command")
_KEY: Final = re.compile(r"[Nn]o permissions to access (?:a|one of the) key|can't access at least one of the keys")
_UNKNOWN: Final = re.compile(r"unknown command ['`]?([\w.-]{1,40})|Unknown (?:Redis )?command called from script")

# Before Redis 7 a script's error holds the reply that it met: `…: @user_script:1: @user_script: 1: -READONLY You …`.
_IN_SCRIPT: Final = re.compile(r"Error running script \(call to \w+\): (?:@user_script: ?\d+: )+-?(.+)", re.DOTALL)


def refusal(words: str, server: str, key: str) -> LogError:
    """What to raise for an error reply that redis-py has not seen, its code still before its words."""
    return _said(BaseParser.parse_error(words), server, key)


def said_of(error: Exception, server: str, key: str) -> LogError | None:
    """What to raise for what redis-py raised; None for what is none of its exceptions."""
    return _said(error, server, key) if isinstance(error, errors.RedisError) else None


def _said(error: errors.RedisError, server: str, key: str) -> LogError:
    """By its class: redis-py takes the code, such as MOVED, away from the words."""
    match error:
        case errors.AuthenticationError() if "uthenticat" in str(error):  # NOAUTH
            return RefusedError(f"{server} wants a user name or password. Put them into the URL: {_EXAMPLE}.")
        case errors.AuthenticationError():
            return RefusedError(
                f"{server} refused the user name or password ({first_line(error)}). Put them into the URL: {_EXAMPLE}."
            )
        case errors.BusyLoadingError():
            return ElsewhereError(f"{server} is still loading its data.")
        case errors.ReadOnlyError():
            return ElsewhereError(
                f"{server} is a replica and takes no writes. Its primary does, which "
                "esdash finds by itself with redis+sentinel:// or redis+cluster://."
            )
        case errors.MasterDownError():
            return ElsewhereError(f"{server} is a replica that has lost its primary.")
        case errors.ClusterDownError() | errors.TryAgainError():
            return ElsewhereError(f"{server} is a node of a cluster that does not serve this stream just now.")
        case errors.AskError():
            return ElsewhereError(
                f"{server} is a node of a cluster and does not serve this stream; "
                f"{visible(f'{error.host}:{error.port}', 100)} does. With redis+cluster:// esdash finds it by itself."
            )
        case errors.OutOfMemoryError():
            return FullError(f"{server} has reached its memory limit and takes no writes. Free or raise maxmemory.")
        case errors.NoPermissionError():
            return _forbidden(server, str(error), key) or ForbiddenError(
                f"{server} does not let this user do that: {first_line(error)}."
            )
        case errors.TimeoutError():
            return UnreachableError(f"{server} does not answer in time.")
        case errors.ConnectionError():
            return ClosedError(f"No connection to {server}: {_reason(error)}.")
        case errors.ResponseError():
            return _refused(error, server, key)
    return LogError(f"{server}: {first_line(error)}.")


def _refused(error: errors.ResponseError, server: str, key: str) -> LogError:
    """A refusal for which redis-py has no class. Its words may quote what was sent, which is not to be shown."""
    words = str(error)
    if found := _IN_SCRIPT.match(words):
        return _said(BaseParser.parse_error(found[1]), server, key)
    code = words.partition(" ")[0]
    if code == "WRONGTYPE":
        return WrongTypeError(
            f"The stream's key on {server} holds something that is not a stream. Choose another with --stream."
        )
    if code == "UNBLOCKED":
        return ElsewhereError(f"{server} has become a replica.")
    said = {
        "MISCONF": "cannot write to its disk and takes no writes. Look into its log and free some space.",
        "NOREPLICAS": "takes no writes: too few replicas follow it (min-replicas-to-write). Bring one back.",
        "BUSY": "is busy with a script of somebody's. Wait, or end it with SCRIPT KILL.",
        "DENIED": "is in protected mode: it lets in its own machine alone. Set a password there.",
    }.get(code)
    if said:
        return RefusedError(f"{server} {said}")
    forbidden = _forbidden(server, words, key)
    if forbidden:
        return forbidden
    if "script" in words:
        return RefusedError(f"{server} refused to run a script of esdash's.")
    return RefusedError(f"{server} refused: {first_line(error)}.")


def _forbidden(server: str, words: str, key: str) -> ForbiddenError | None:
    if found := _UNKNOWN.search(words):
        name = found[1].upper() if found[1] else "in a script"
        return ForbiddenError(
            f"{server} refused: unknown command {name}. It may be a Sentinel, too old, or the command was renamed or "
            "taken away."
        )
    if found := _COMMAND.search(words):
        if not found[1]:
            return ForbiddenError(
                f"{server} does not let this user run a command in a script of esdash's. The README lists the rights "
                "that snapshots need."
            )
        return ForbiddenError.of(server, f"+{found[1]}")
    if _KEY.search(words):
        return ForbiddenError.of(server, f"~{key or 'one that it needs'}")
    return None


def _reason(error: Exception) -> str:
    """The operating system's words, without redis-py's address and error number."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return first_line(error)
