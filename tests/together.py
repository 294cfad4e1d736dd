"""Servers that stand in for each other: a primary that Sentinels watch, and a cluster."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.crc import key_slot

from tests.servers import RunningServer
from tests.waiting import eventually

SERVICE = "shop"

DOWN_MS = 500
"""Without an answer for so long, a server counts as lost."""


class Watched:
    """A primary, its replica, and three Sentinels that watch them."""

    def __init__(self, stack: ExitStack, binary: Path) -> None:
        def start(**more: Any) -> RunningServer:
            return stack.enter_context(closing(RunningServer(binary, port=True, **more)))

        users = {"user follower": "on >pw ~* &* +@all", "user watcher": "on >pw ~* &* +@all"}
        config = users | {"masteruser": "follower", "masterauth": "pw"}
        self.primary = start(**config)
        self.replica = start(replica_of=self.primary, **config)
        watch = {
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.primary.port}": 2,
            f"sentinel auth-user {SERVICE}": "watcher",
            f"sentinel auth-pass {SERVICE}": "pw",
            f"sentinel down-after-milliseconds {SERVICE}": DOWN_MS,
            f"sentinel failover-timeout {SERVICE}": 3000,
        }
        self.sentinels = [start(arguments=["--sentinel"], **watch) for _ in range(3)]
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                # Or they talk to each other every two seconds, and look at the servers every ten.
                client.execute_command(
                    *("SENTINEL", "DEBUG", "info-period", 200, "publish-period", 100, "ask-period", 100),
                    *("default-down-after", DOWN_MS, "tilt-trigger", 20_000),
                )
        for sentinel in self.sentinels:
            eventually(lambda sentinel=sentinel: self._known_to(sentinel))  # type: ignore[misc]

    @property
    def url(self) -> str:
        """Where to connect."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{SERVICE}/0"

    def state(self, sentinel: RunningServer | None = None) -> dict[str, Any]:
        """What a Sentinel knows of the primary."""
        with (sentinel or self.sentinels[0]).client() as client:
            found: dict[str, Any] = client.sentinel_master(SERVICE)
            return found

    def cut_off(self) -> None:
        """Split the first primary from its replica and from the Sentinels, and not from those who use it."""
        with self.primary.client() as client:
            for user in ("follower", "watcher"):
                client.execute_command("ACL", "SETUSER", user, "off")
                client.execute_command("CLIENT", "KILL", "USER", user)

    def heal(self) -> None:
        """Let them in again."""
        with self.primary.client() as client:
            for user in ("follower", "watcher"):
                client.execute_command("ACL", "SETUSER", user, "on")

    def _known_to(self, sentinel: RunningServer) -> bool:
        state = self.state(sentinel)
        return bool(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1 and not state["is_sdown"])


class Clustered:
    """Three primaries, each with a third of the slots and a replica."""

    def __init__(self, stack: ExitStack, binary: Path) -> None:
        self.nodes = [
            stack.enter_context(
                closing(
                    RunningServer(
                        binary, port=True, cluster_enabled="yes", cluster_node_timeout=DOWN_MS, appendonly="no"
                    )
                )
            )
            for _ in range(6)
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

    def _whole(self, client: redis.Redis) -> bool:
        info = client.execute_command("CLUSTER", "INFO")
        slots = client.execute_command("CLUSTER", "SLOTS")
        return b"cluster_state:ok" in info and sum(len(nodes) for _, _, *nodes in slots) == 6


@contextmanager
def closing(server: RunningServer) -> Iterator[RunningServer]:
    """Close it at the end."""
    try:
        yield server
    finally:
        server.close()
