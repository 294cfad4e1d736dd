"""Whatever goes wrong while a server is spoken to, as errors that a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from esdash.log.errors import (
    ClosedError,
    TooMuchError,
    UnconnectedError,
    UnreachableError,
    UnreadableReplyError,
    first_line,
)
from esdash.log.shapes import TooLargeError, UnreadableError


@contextmanager
def plainly(server: str, key: str = "", *, sent: bool = True) -> Iterator[None]:
    """Turn what redis-py raises into LogErrors.

    `server` is shown to people and holds no password. `key` is the one to which a right is missing where the server
    says only that one is. Not `sent`: the block sends nothing that counts, it connects.
    """
    try:
        yield
    except TooLargeError as error:
        raise TooMuchError(f"{server} sent {error}, which is more than esdash reads.") from error
    except UnreadableError as error:
        unreadable = UnreadableReplyError if sent else UnconnectedError
        raise unreadable(
            f"What {server} answers is not what Redis or Valkey would ({first_line(error)}): another program is there."
        ) from error
    except OSError as error:
        kind = ClosedError if sent else UnconnectedError
        raise kind(f"No connection to {server}: {error.strerror or error}.") from error
    except Exception as error:
        # What redis-py raises: it is loaded by now, and takes as long for that as the first picture does to be painted.
        from esdash.log.refusals import said_of

        said = said_of(error, server, key)
        if said is None:
            raise
        if not sent and isinstance(said, UnreachableError):
            said = UnconnectedError(str(said))
        raise said from error
