"""From settings to a log: a server that was named, or the embedded one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.output import warn
from esdash.config import Settings, place_of_data
from esdash.log.embedded_server.embedded import EmbeddedServer, EmbeddedServerError
from esdash.log.errors import LogError, UnreachableError
from esdash.log.finding import server_of, stream_on
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.signals import ending_in_order

if TYPE_CHECKING:
    from esdash.fold.folding import Fold

EMBEDDED: Final = "embedded"
"""What people see instead of the embedded server's URL."""


class _Membership:
    """Joins the embedded server when it is first needed, revives it when it was lost, leaves it in the end."""

    def __init__(self, settings: Settings, told: Callable[[str], object]) -> None:
        self._told = told
        self._data_dir = place_of_data(settings)
        self._server: EmbeddedServer | None = None
        self._lock = threading.Lock()
        self._left = False

    def find(self) -> str:
        """Make sure that the server runs; its URL. Raises UnreachableError."""
        with self._lock:
            if self._left:
                raise UnreachableError("esdash has left the embedded server.")
            try:
                if self._server is None:
                    self._server = EmbeddedServer.join(self._data_dir, told=self._told)
                else:
                    self._server.ensure_running()
            except EmbeddedServerError as error:
                raise UnreachableError(str(error)) from error
            return self._server.url

    def leave(self) -> None:
        """Leave, stopping the server when nobody else uses it. Says so on stderr when that fails."""
        with self._lock:
            self._left = True
            if self._server is None:
                return
            try:
                self._server.leave()
            except EmbeddedServerError as error:
                warn(str(error))


@contextmanager
def open_log(settings: Settings, told: Callable[[str], object] = warn) -> Iterator[Stream]:
    """A log for the length of the block. Connects when it is first used; the embedded server is started then.

    `told` hears what a person should know of that start.

    Raises BadInputError for a URL or an archive that is none, ConfigError where there is no place for the embedded
    server's data, ArchiveError for an archive that cannot be read.
    """
    archive = archive_of(settings)
    if settings.url:
        try:
            server = server_of(settings.url, settings.stream)
        except LogError as error:
            raise BadInputError(str(error)) from error
        log = stream_on(server, settings.stream, archive)
        try:
            with ending_in_order():
                yield log
        finally:
            log.server.close()
        return
    membership = _Membership(settings, told)
    log = stream_on(Server(membership.find, name=EMBEDDED), settings.stream, archive)
    with ending_in_order():
        try:
            yield log
        finally:
            log.server.close()
            membership.leave()


def require_server(log: Stream) -> None:
    """Raises LogError where there is no server, before anything else is done. One that Sentinels or a cluster find may
    be failing over just now: whoever publishes waits for it.
    """
    if not log.server.moves:
        log.server.connect()


def archive_of(settings: Settings) -> str:
    """The folder of the archive through which the stream is read; empty without one. Raises BadInputError."""
    if settings.archive is None:
        return ""
    if not settings.archive.is_dir():
        raise BadInputError(f"There is no archive {settings.archive}: `esdash archive DIR` makes one.")
    return str(settings.archive.absolute())


def require_writable(settings: Settings, what: str, fold: "Fold | None" = None) -> None:
    """Raises FailedError when nothing may be written. `what` was to be done, as a sentence's beginning."""
    if fold is not None and fold.readonly:
        raise FailedError(f"{what}: the domain {fold.name} is for looking only and writes nothing to the server.")
    if settings.readonly:
        raise FailedError(f"{what}: --readonly (or the settings) forbids writing to the server.")
