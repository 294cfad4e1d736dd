"""What can go wrong with a server, each said in sentences that a person can act on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import redis.exceptions as errors
from redis._parsers.base import BaseParser

from esdash.log.shapes import TooLargeError, UnreadableError
from esdash.visible import visible


class LogError(Exception):
    """The server said no, or the log is not what it should be. The message is one or two plain sentences."""


class UnreachableError(LogError):
    """No answer: nothing is known about what was sent last. Trying again later may help."""


class UnconnectedError(UnreachableError):
    """No connection could be had, so nothing was sent."""


class ClosedError(UnreachableError):
    """The connection broke."""


class UnreadableReplyError(UnreachableError):
    """What the server sent is no reply that can be read."""


class TooMuchError(UnreadableReplyError):
    """The server's reply is larger than esdash reads."""


class RefusedError(LogError):
    """The server answered with a refusal: what was sent last was not done."""


class WrongTypeError(RefusedError):
    """A key holds something else than what it is read as: the stream's, unless it is said of another."""


class ElsewhereError(RefusedError):
    """This node is not where the stream is now, or not yet: it may be elsewhere, or here again, in a moment."""


class ForbiddenError(RefusedError):
    """The server does not let this user do that, or nobody."""

    def __init__(self, message: str, right: str = "") -> None:
        """`right` is what is missing as an ACL says it, `+xadd` or `~orders`; empty when that is not known."""
        super().__init__(message)
        self.right = right

    @classmethod
    def of(cls, server: str, right: str) -> "ForbiddenError":
        """The right to a command (`+xadd`) or to a key (`~orders`) is missing."""
        what = f"the right to the key {visible(right[1:])}" if right.startswith("~") else "the right"
        return cls(f"{server} does not let this user do that: {what} is missing ({visible(right)}).", right)


_EXAMPLE: Final = "redis://user:password@host"

# The servers' words where redis-py has no class for them, without `ERR`, which it takes away.
_COMMAND: Final = re.compile(r"no permissions to run the '([\w|.-]{1,60})' command|can't run this command")
_KEY: Final = re.compile(r"[Nn]o permissions to access (?:a|one of the) key|can't access at least one of the keys")
_UNKNOWN: Final = re.compile(r"unknown command ['`]?([\w.-]{1,40})|Unknown (?:Redis )?command called from script")

# Before Redis 7 a script's error holds the reply that it met: `…: @user_script:1: @user_script: 1: -READONLY You …`.
_IN_SCRIPT: Final = re.compile(r"Error running script \(call to \w+\): (?:@user_script: ?\d+: )+-?(.+)", re.DOTALL)


@contextmanager
def plainly(server: str, key: str = "", *, sent: bool = True) -> Iterator[None]:
    """Turn what redis-py raises into LogErrors.

    `server` is shown to people and holds no password. `key` is the one to which a right is missing where the server
    says only that one is. Not `sent`: the block sends nothing that counts, it connects.
    """
    try:
        yield
    except errors.RedisError as error:
        said = _said(error, server, key)
        if not sent and isinstance(said, UnreachableError):
            said = UnconnectedError(str(said))
        raise said from error
    except TooLargeError as error:
        raise TooMuchError(f"{server} sent {error}, which is more than esdash reads.") from error
    except UnreadableError as error:
        unreadable = UnreadableReplyError if sent else UnconnectedError
        raise unreadable(
            f"What {server} answers is not what Redis or Valkey would ({_first_line(error)}): another program is there."
        ) from error
    except OSError as error:
        kind = ClosedError if sent else UnconnectedError
        raise kind(f"No connection to {server}: {error.strerror or error}.") from error


def refusal(words: str, server: str, key: str) -> LogError:
    """What to raise for an error reply that redis-py has not seen, its code still before its words."""
    return _said(BaseParser.parse_error(words), server, key)


def _said(error: errors.RedisError, server: str, key: str) -> LogError:
    """By its class: redis-py takes the code, such as MOVED, away from the words."""
    match error:
        case errors.AuthenticationError() if "uthenticat" in str(error):  # NOAUTH
            return RefusedError(f"{server} wants a user name or password. Put them into the URL: {_EXAMPLE}.")
        case errors.AuthenticationError():
            return RefusedError(
                f"{server} refused the user name or password ({_first_line(error)}). Put them into the URL: {_EXAMPLE}."
            )
        case errors.BusyLoadingError():
            return ElsewhereError(f"{server} is still loading its data.")
        case errors.ReadOnlyError():
            return ElsewhereError(f"{server} is a replica and takes no writes. Give the URL of the primary.")
        case errors.MasterDownError():
            return ElsewhereError(f"{server} is a replica that has lost its primary.")
        case errors.ClusterDownError() | errors.TryAgainError():
            return ElsewhereError(f"{server} is a node of a cluster that does not serve this stream just now.")
        case errors.AskError():
            return ElsewhereError(
                f"{server} is a node of a cluster and does not serve this stream. Give the URL of the node that does: "
                f"{visible(f'{error.host}:{error.port}', 100)}."
            )
        case errors.OutOfMemoryError():
            return RefusedError(f"{server} has reached its memory limit and takes no writes. Free or raise maxmemory.")
        case errors.NoPermissionError():
            return _forbidden(server, str(error), key) or ForbiddenError(
                f"{server} does not let this user do that: {_first_line(error)}."
            )
        case errors.TimeoutError():
            return UnreachableError(f"{server} does not answer in time.")
        case errors.ConnectionError():
            return ClosedError(f"No connection to {server}: {_reason(error)}.")
        case errors.ResponseError():
            return _refused(error, server, key)
    return LogError(f"{server}: {_first_line(error)}.")


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
    return RefusedError(f"{server} refused: {_first_line(error)}.")


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


def _first_line(error: Exception) -> str:
    return visible((str(error).splitlines() or ["no reason given"])[0]).rstrip(".")


def _reason(error: Exception) -> str:
    """The operating system's words, without redis-py's address and error number."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return _first_line(error)
