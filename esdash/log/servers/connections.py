"""redis-py's connections to an address, as this program needs them."""

import inspect
from contextlib import suppress
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry

from esdash.log.servers.address import Address
from esdash.log.servers.parser import BoundedParser


def _greet(connection: AbstractConnection) -> None:
    """What redis-py does once it is connected; and a server that lets nobody in, and says why, is heard."""
    connection.on_connect()
    if isinstance(connection, SSLConnection):
        # Its handshake leaves something to be read, which redis-py would take for a reply that nobody read. Everybody
        # may say HELLO, whatever else they may not; where it is renamed or not known, that is no matter.
        connection.send_command("HELLO")
        with suppress(redis.exceptions.ResponseError):
            connection.read_response()
    elif connection.can_read():
        connection.read_response()


_ALWAYS: Final = {
    # What is read raw depends on the first two, and what may be sent twice is for the caller to say.
    "protocol": 2,
    "decode_responses": False,
    "retry": Retry(NoBackoff(), 0),
    "socket_read_size": 256 * 1024,
    "redis_connect_func": _greet,
    "parser_class": BoundedParser,
    # No CLIENT SETINFO: redis-py would swallow its refusal, and with it why the server lets nobody in.
    **(
        {"driver_info": None}
        if "driver_info" in inspect.signature(AbstractConnection.__init__).parameters
        else {"lib_name": None, "lib_version": None}
    ),
}

_KINDS: Final = {"redis": Connection, "rediss": SSLConnection, "unix": UnixDomainSocketConnection}


def pool(address: Address, timeout: float) -> redis.ConnectionPool:
    """A pool of connections, none of them open; `timeout` seconds count where the URL says nothing of them."""
    timeouts = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    return redis.ConnectionPool(_KINDS[address.kind], **{**timeouts, **address.options, **_ALWAYS})
