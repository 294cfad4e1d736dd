"""Where the primary of a service is, asked of its Sentinels."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from esdash.log import shapes
from esdash.log.errors import (
    ElsewhereError,
    ForbiddenError,
    LogError,
    NobodyError,
    RefusedError,
    UnconnectedError,
    UnreachableError,
)
from esdash.log.plainly import plainly
from esdash.log.servers.address import place_of
from esdash.log.servers.seeds import Seeds
from esdash.log.servers.server import TIMEOUT, Server
from esdash.log.shapes import UnreadableError
from esdash.visible import visible

if TYPE_CHECKING:
    from redis.sentinel import Sentinel


class SentinelFinder:
    """Finds the primary (https://valkey.io/topics/sentinel-clients/): the Sentinels are asked in turn, and whom they
    name must say itself that it is one. A replica is never used: continuity needs one history.
    """

    def __init__(self, seeds: Seeds, timeout: float = TIMEOUT) -> None:
        """`timeout` are the seconds that a Sentinel may take, where the URL says nothing of them."""
        self._seeds = seeds
        self._timeout = timeout
        self._sentinel: Sentinel | None = None

    def __call__(self) -> str:
        """The primary's URL. Raises LogError."""
        from redis.exceptions import ResponseError
        from redis.sentinel import MasterNotFoundError

        sentinel = self._asked()
        try:
            with plainly(f"Sentinel of {self._seeds.shown}", sent=False), _read_by_the_client():
                try:
                    host, port = sentinel.discover_master(self._seeds.service)
                except (MasterNotFoundError, ResponseError) as error:
                    raise self._reason(sentinel) from error
        finally:
            for each in sentinel.sentinels:
                each.close()
        url = self._seeds.url_of(host, port)
        self._require_primary(url, place_of(host, port))
        return url

    def _asked(self) -> "Sentinel":
        """redis-py's own, which asks the Sentinel that answered last first; upon connections as all of esdash's are."""
        if self._sentinel is None:
            from redis import Redis
            from redis.sentinel import Sentinel

            from esdash.log.servers.connections import pool

            self._sentinel = Sentinel([])
            self._sentinel.sentinels = [
                Redis(connection_pool=pool(address, self._timeout)) for address in self._seeds.sentinels()
            ]
        return self._sentinel

    def _reason(self, sentinel: "Sentinel") -> LogError:
        """Why no primary was found: the most telling of what the Sentinels say."""
        shown, service = self._seeds.shown, self._seeds.service
        known: set[str] = set()
        answered = False
        failure: LogError | None = None
        for each in sentinel.sentinels:
            options = each.connection_pool.connection_kwargs
            try:
                watched = _watched_by(each, place_of(options["host"], options["port"]))
            except LogError as error:
                failure = error if failure is None or isinstance(error, RefusedError) else failure
                continue
            if service in watched:
                return UnconnectedError(f"The Sentinels have no primary of {service} just now.")
            answered = True
            known |= watched
        if answered:
            there = f"They watch {visible(', '.join(sorted(known)), 200)}." if known else "They watch none."
            return RefusedError(f"The Sentinels of {shown} know no service {service}. {there}")
        if isinstance(failure, RefusedError):
            return failure
        return NobodyError(f"No Sentinel of {shown} answers. {failure}")

    def _require_primary(self, url: str, place: str) -> None:
        """Raises ElsewhereError where the server says that it is none, as one does to which a Sentinel leads that has
        not heard of a failover yet.
        """
        server = Server(url, name=f"{place} ({self._seeds.service})", timeout=self._timeout)
        try:
            role = server.command("ROLE", shape=shapes.role)
        except ForbiddenError:
            return
        except UnreachableError as error:
            raise UnconnectedError(str(error)) from error
        finally:
            server.close()
        if role != "master":
            raise ElsewhereError(f"{server.name} is not the primary yet, or not any more.")


@contextmanager
def _read_by_the_client() -> Iterator[None]:
    """Raises UnreadableError where redis-py fails on a reply that is none of a Sentinel's: it looks at no shape."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError("something else than services") from error


def _watched_by(client: Any, place: str) -> set[str]:
    """The services that a Sentinel watches. Raises LogError."""
    from redis.exceptions import AuthenticationError

    try:
        with plainly(f"Sentinel {place}", sent=False), _read_by_the_client():
            return set(client.sentinel_masters())
    except ForbiddenError as error:
        if "unknown command" not in str(error):
            raise
        raise RefusedError(
            f"{place} is no Sentinel. Give the Sentinels' addresses, or the server's with redis://."
        ) from error
    except RefusedError as error:
        if not isinstance(error.__cause__, AuthenticationError):
            raise
        raise RefusedError(
            f"Sentinel {place} wants another user name or password. Give them as the options sentinel_username "
            "and sentinel_password."
        ) from error
