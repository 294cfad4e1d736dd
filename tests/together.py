"""Servers that stand in for each other: a primary that Sentinels watch, and a cluster."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from tests.servers import RunningSentinel, RunningServer
from tests.waiting import eventually

SERVICE = "shop"
PASSWORD = "secret"

DOWN_MS = 500
"""Without an answer for so long, a server counts as lost."""


class Watched:
    """A primary, its replica, and three Sentinels that watch them."""

    def __init__(self, stack: ExitStack, binary: Path) -> None:
        def start(kind: type[RunningServer], **more: Any) -> RunningServer:
            return stack.enter_context(closing(kind(binary, port=True, **more)))

        users = {"user follower": "on >pw ~* &* +@all", "user watcher": "on >pw ~* &* +@all"}
        config = users | {"requirepass": PASSWORD, "masteruser": "follower", "masterauth": "pw"}
        first = start(RunningServer, **config)
        self.servers = [first, start(RunningServer, replica_of=first, **config)]
        watch = {
            f"sentinel monitor {SERVICE} 127.0.0.1 {first.port}": 2,
            f"sentinel auth-user {SERVICE}": "watcher",
            f"sentinel auth-pass {SERVICE}": "pw",
            f"sentinel down-after-milliseconds {SERVICE}": DOWN_MS,
            f"sentinel failover-timeout {SERVICE}": 1000,
        }
        self.sentinels = [start(RunningSentinel, **watch) for _ in range(3)]
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                # Or they talk to each other every two seconds, and look at the servers every ten.
                client.execute_command(
                    "SENTINEL", "DEBUG", "info-period", 200, "publish-period", 100, "ask-period", 100
                )

    @property
    def url(self) -> str:
        """Where to connect."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{places}/{SERVICE}/0"

    def pair(self) -> tuple[RunningServer, RunningServer]:
        """The primary and its replica, once all Sentinels agree on them and the replica is in sync."""

        def agreed() -> RunningServer | None:
            states = list(map(_state_by, self.sentinels))
            (primary,) = (server for server in self.servers if server.port == states[0]["port"])
            whole = all(
                (state["port"], state["num-other-sentinels"], state["num-slaves"], state["is_sdown"])
                == (primary.port, 2, 1, False)
                for state in states
            )
            return primary if whole else None

        primary = eventually(agreed)
        assert primary is not None
        (replica,) = (server for server in self.servers if server is not primary)
        with replica.client() as client:
            # A Sentinel that makes it follow the primary cuts its clients.
            eventually(
                lambda: client.info("replication").get("master_link_status") == "up", ignore=redis.ConnectionError
            )
        return primary, replica

    def named_by_all(self, server: RunningServer) -> bool:
        """Whether every Sentinel has it as the primary."""
        return all(_state_by(sentinel)["port"] == server.port for sentinel in self.sentinels)


def cut_off(server: RunningServer) -> None:
    """Split a primary from its replica and from the Sentinels, and not from those who use it."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "watcher", "-@all")
        client.execute_command("ACL", "SETUSER", "follower", "off")
        client.execute_command("CLIENT", "KILL", "USER", "follower")


def heal(server: RunningServer) -> None:
    """Let them in again."""
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "watcher", "+@all")
        client.execute_command("ACL", "SETUSER", "follower", "on")


def _state_by(sentinel: RunningServer) -> dict[str, Any]:
    """What a Sentinel knows of the primary."""
    with sentinel.client() as client:
        found: dict[str, Any] = client.sentinel_master(SERVICE)
        return found


class Clustered:
    """Three primaries, each with a third of the slots and, unless told otherwise, a replica."""

    def __init__(self, stack: ExitStack, binary: Path, *, replicas: bool = True) -> None:
        self.nodes = [
            stack.enter_context(
                closing(
                    RunningServer(
                        binary, port=True, cluster_enabled="yes", cluster_node_timeout=DOWN_MS, appendonly="no"
                    )
                )
            )
            for _ in range(6 if replicas else 3)
        ]
        self.clients = [node.client() for node in self.nodes]
        self.ids = [client.execute_command("CLUSTER", "MYID").decode() for client in self.clients]
        for place, client in enumerate(self.clients[:3]):
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", place * 5462, min(16383, place * 5462 + 5461))
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", place + 1)
        for node in self.nodes[1:]:
            self.clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", node.port, node.config["cluster-port"])
        for primary, replica in enumerate(self.clients[3:]):
            eventually(
                lambda primary=primary, replica=replica: replica.execute_command(  # type: ignore[misc]
                    "CLUSTER", "REPLICATE", self.ids[primary]
                ),
                ignore=redis.ResponseError,
            )
        for client in self.clients:
            eventually(lambda client=client: self._whole(client))  # type: ignore[misc]

    @property
    def url(self) -> str:
        """Where to connect: by two of the nodes."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def owner(self, stream: str) -> int:
        """The place of the primary that has a stream's slot, by what the first node that runs says."""
        slot = key_slot(stream.encode())
        client = next(client for client, node in zip(self.clients, self.nodes, strict=True) if node.running)
        for first, last, primary, *_ in client.execute_command("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return [node.port for node in self.nodes].index(primary[1])
        raise AssertionError("nobody has it")

    def move(self, stream: str, source: int, target: int) -> None:
        """Move a stream's slot from one primary to another, with all its keys."""
        slot = key_slot(stream.encode())
        self.clients[target].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", self.ids[source])
        self.clients[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", self.ids[target])
        while keys := self.clients[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            self.clients[source].execute_command(
                *("MIGRATE", "127.0.0.1", self.nodes[target].port, "", 0, 5000, "KEYS", *keys)
            )
        for place in (target, source):
            self.clients[place].execute_command("CLUSTER", "SETSLOT", slot, "NODE", self.ids[target])

    def move_at_once(self, stream: str, source: int, target: int) -> None:
        """The same in one step, as Valkey 9 does it; begun when this returns."""
        slot = key_slot(stream.encode())
        self.clients[source].execute_command(
            "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", self.ids[target]
        )

    def named(self, primary: int) -> str:
        """The name of a stream that belongs to one of the three primaries as they are now."""
        return next(name for name in map("stream{}".format, range(1000)) if self.owner(name) == primary)

    def _whole(self, client: redis.Redis) -> bool:
        info = client.execute_command("CLUSTER", "INFO")
        slots = client.execute_command("CLUSTER", "SLOTS")
        return b"cluster_state:ok" in info and sum(len(nodes) for _, _, *nodes in slots) == len(self.nodes)
