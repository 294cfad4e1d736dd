"""What an operator should know of a server and of the keys that esdash keeps there."""

from collections.abc import Iterable

from msgspec import Struct

from esdash.log import shapes
from esdash.log.errors import ForbiddenError, RefusedError
from esdash.log.servers.server import Server


class Inspection(Struct, frozen=True):
    """`INFO`, `CONFIG GET` and `TIME`, as far as they matter (https://valkey.io/commands/info/)."""

    product: str
    """valkey or redis."""
    version: str
    role: str
    """master or slave, in the server's words."""
    replicas: int
    primary_link_up: bool
    """For a replica: whether it hears its primary."""
    cluster: bool
    append_only: bool
    append_fsync: str | None
    """always, everysec or no; None when the server does not tell."""
    append_only_sound: bool
    """The last write to the append-only file, and its last rewriting, succeeded."""
    saves: bool | None
    """Whether it saves the whole data now and then; None when the server does not tell."""
    save_sound: bool
    """The last of these succeeded."""
    unsaved_changes: int
    eviction_policy: str
    memory_used: int
    """Bytes."""
    memory_limit: int
    """Bytes; 0: none."""
    memory_of_machine: int
    """Bytes; 0 when the server does not tell."""
    clock_ms: int | None
    """Unix time by the server's clock; None when it does not tell."""

    @property
    def tells_synced(self) -> bool:
        """Whether it knows WAITAOF."""
        return self.product == "valkey" or _version(self.version) >= (7, 2)

    @property
    def major_version(self) -> int:
        """7 of `7.2.4`; 0 when it cannot be read."""
        return _version(self.version)[0]


def _version(text: str) -> tuple[int, int]:
    """(7, 2) of `7.2.4`; zeros for what cannot be read."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return int(major) if major.isdigit() else 0, int(minor) if minor.isdigit() else 0


def inspect_server(server: Server) -> Inspection:
    """Look at the server. Raises RefusedError when it does not let this user, LogError."""
    info = server.command("INFO", shape=shapes.info)
    product = "valkey" if "valkey_version" in info else "redis"
    saves = _setting(server, "save")
    return Inspection(
        product=product,
        version=info.get(f"{product}_version", "?"),
        role=info.get("role", "master"),
        replicas=_number(info, "connected_slaves"),
        primary_link_up=info.get("master_link_status", "up") == "up",
        cluster=info.get("cluster_enabled") == "1",
        append_only=info.get("aof_enabled") == "1",
        append_fsync=_setting(server, "appendfsync"),
        append_only_sound=info.get("aof_last_write_status", "ok")
        == info.get("aof_last_bgrewrite_status", "ok")
        == "ok",
        saves=None if saves is None else bool(saves),
        save_sound=info.get("rdb_last_bgsave_status", "ok") == "ok",
        unsaved_changes=_number(info, "rdb_changes_since_last_save"),
        eviction_policy=info.get("maxmemory_policy", "noeviction"),
        memory_used=_number(info, "used_memory"),
        memory_limit=_number(info, "maxmemory"),
        memory_of_machine=_number(info, "total_system_memory"),
        clock_ms=_clock(server),
    )


def key_sizes(server: Server, keys: Iterable[str]) -> dict[str, int]:
    """Bytes of memory that keys take, without those that do not exist. Raises RefusedError, LogError."""
    names = list(keys)
    sizes: dict[str, int] = {}
    for name, reply in zip(names, server.commands([("MEMORY", "USAGE", name) for name in names]), strict=True):
        if isinstance(reply, Exception):
            raise RefusedError(f"{server.name} does not tell how large its keys are.") from reply
        size = server.understood(reply, shapes.number_or_none)
        if size is not None:
            sizes[name] = size
    return sizes


def times_to_live(server: Server, keys: Iterable[str]) -> dict[str, int]:
    """Milliseconds after which keys expire, of those that do. Raises RefusedError, LogError."""
    names = list(keys)
    found: dict[str, int] = {}
    for name, reply in zip(names, server.commands([("PTTL", name) for name in names]), strict=True):
        if isinstance(reply, Exception):
            raise RefusedError(f"{server.name} does not tell when its keys expire.") from reply
        if (left := server.understood(reply, shapes.integer)) >= 0:
            found[name] = left
    return found


def _number(info: dict[str, str], name: str) -> int:
    value = info.get(name, "0")
    return int(value) if value.isdigit() else 0


def _clock(server: Server) -> int | None:
    try:
        return server.command("TIME", shape=shapes.moment)
    except ForbiddenError:
        return None


def _setting(server: Server, name: str) -> str | None:
    """A setting of the server; None when it is not told, as on many hosted servers."""
    try:
        reply = server.command("CONFIG", "GET", name, shape=shapes.pairs)
    except RefusedError:
        return None
    return reply[name.encode()].decode("utf-8", "replace") if name.encode() in reply else None
