"""What can go wrong with a server, each said in sentences that a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis.exceptions as errors


class LogError(Exception):
    """The server said no, or the log is not what it should be. The message is one or two plain sentences."""


class UnreachableError(LogError):
    """No answer: nothing is known about what was sent last. Trying again later may help."""


class RefusedError(LogError):
    """The server answered with a refusal: what was sent last was not done."""


class WrongTypeError(RefusedError):
    """A key holds something else than what it is read as: the stream's, unless it is said of another."""


class ForbiddenError(RefusedError):
    """The server does not let this user do that."""


@contextmanager
def plainly(server: str) -> Iterator[None]:
    """Turn what redis-py raises into LogErrors. `server` is shown to people and holds no password."""
    try:
        yield
    except errors.AuthenticationError as error:
        raise RefusedError(
            f"{server} refused the user name or password ({_first_line(error)}). Put them into the URL: "
            "redis://user:password@host."
        ) from error
    except errors.BusyLoadingError as error:
        raise UnreachableError(f"{server} is still loading its data.") from error
    except errors.ReadOnlyError as error:
        raise RefusedError(f"{server} is a replica and takes no writes. Give the URL of the primary.") from error
    except errors.OutOfMemoryError as error:
        raise RefusedError(
            f"{server} has reached its memory limit and takes no writes. Free or raise maxmemory."
        ) from error
    except errors.NoPermissionError as error:
        raise ForbiddenError(f"{server} does not let this user do that: {_first_line(error)}.") from error
    except errors.MaxConnectionsError as error:
        raise UnreachableError(f"{server} has too many connections.") from error
    except errors.TimeoutError as error:
        raise UnreachableError(f"{server} does not answer in time.") from error
    except errors.ConnectionError as error:
        raise UnreachableError(f"No connection to {server}: {_reason(error)}.") from error
    except errors.ResponseError as error:
        message = _first_line(error)
        kind = WrongTypeError if message.startswith("WRONGTYPE") else RefusedError
        raise kind(_refusal(server, message)) from error
    except errors.RedisError as error:
        raise LogError(f"{server}: {_first_line(error)}.") from error
    except OSError as error:
        raise UnreachableError(f"No connection to {server}: {error.strerror or error}.") from error


def _refusal(server: str, message: str) -> str:
    if message.startswith("WRONGTYPE"):
        return f"The stream's key on {server} holds something that is not a stream. Choose another with --stream."
    if message.startswith("MISCONF"):
        return f"{server} cannot write to its disk and takes no writes. Look into its log and free some space."
    if message.startswith(("MOVED", "CLUSTERDOWN", "ASK")):
        return f"{server} is a cluster node that does not serve this stream. Give the URL of the node that does."
    if message.startswith("NOAUTH") or "Authentication required" in message:
        return f"{server} wants a user name or password. Put them into the URL: redis://user:password@host."
    if message.startswith("MASTERDOWN"):
        return f"{server} is a replica that has lost its primary."
    return f"{server} refused: {message.rstrip('.')}."


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no reason given"])[0][:200].rstrip(".")


def _reason(error: Exception) -> str:
    """The operating system's words, without redis-py's address and error number."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return _first_line(error)
