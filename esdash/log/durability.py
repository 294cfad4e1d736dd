"""How safe an appended entry is to be: taken by the server, on its disk, or with its replicas."""

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from esdash.log import shapes
from esdash.log.errors import RefusedError

if TYPE_CHECKING:
    from redis.connection import Connection

MOST_REPLICAS: Final = 100
"""That can be asked for."""

WAIT_SECONDS: Final = 4.0
"""How long is waited for it at most: less than a server may take to answer."""

_WRITTEN: Final = re.compile(r"applied|synced|replicas:(?P<replicas>[1-9][0-9]{0,2})")


class Durability(Struct, frozen=True):
    """What has to be so beside that the server took the entry."""

    synced: bool = False
    """It is in the server's append-only file, and that is on its disk (WAITAOF)."""
    replicas: int = 0
    """So many replicas have taken it as well (WAIT)."""

    def __str__(self) -> str:
        """As people write it."""
        return "synced" if self.synced else f"replicas:{self.replicas}" if self.replicas else "applied"


APPLIED: Final = Durability()
"""The server took it: nothing is waited for."""


def read_durability(text: str) -> Durability:
    """What people write: `applied`, `synced`, `replicas:2`. Raises ValueError saying what there is."""
    found = _WRITTEN.fullmatch(text)
    if found is None or int(found["replicas"] or 0) > MOST_REPLICAS:
        raise ValueError(f"it is applied, synced, or replicas:N with N from 1 to {MOST_REPLICAS}")
    return Durability(text == "synced", int(found["replicas"] or 0))


def require_told(connection: "Connection", wanted: Durability) -> None:
    """Raises RefusedError, or what the client has for it, where the server could never tell: before it is too late."""
    from redis.exceptions import ResponseError

    if wanted == APPLIED:
        return
    try:
        _ask(connection, Durability(wanted.synced), 1)
    except ResponseError as error:
        if "appendonly is disabled" in str(error):
            raise RefusedError(
                "The server has no append-only file, so that nothing is synced to its disk. Set appendonly to yes "
                "there, or ask for less durability."
            ) from error
        if "unknown command" in str(error):
            raise RefusedError(
                "The server cannot tell what is synced to its disk: that takes Redis 7.2, Valkey, or later. Ask for "
                "less durability."
            ) from error
        raise


def reached(connection: "Connection", wanted: Durability, seconds: float) -> Durability:
    """What holds of everything that was appended on this connection, `seconds` later at the latest."""
    if wanted == APPLIED:
        return APPLIED
    synced, replicas = _ask(connection, wanted, max(1, int(seconds * 1000)))
    return Durability(wanted.synced and synced, min(replicas, wanted.replicas))


def _ask(connection: "Connection", wanted: Durability, milliseconds: int) -> tuple[bool, int]:
    """https://valkey.io/commands/waitaof/, https://valkey.io/commands/wait/"""
    if wanted.synced:
        connection.send_command("WAITAOF", 1, 0, milliseconds)
        own, replicas = shapes.numbers(connection.read_response(disable_decoding=True), 2)
        return own > 0, replicas
    connection.send_command("WAIT", wanted.replicas, milliseconds)
    return False, shapes.number(connection.read_response(disable_decoding=True))
