"""One server, and what is truly in it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import redis

from tests.chaos.nemesis.truth import Entry, TrueLog, parts
from tests.engine.running import STREAM
from tests.servers import RunningServer
from tests.waiting import eventually

KEY: Final = STREAM.encode()
STASH: Final = b"{orders}stash"


@dataclass
class World:
    """What is in a server's databases 0 and 1: streams by key."""

    databases: tuple[dict[bytes, TrueLog], dict[bytes, TrueLog]]

    @classmethod
    def empty(cls) -> World:
        """Nothing."""
        return cls(({}, {}))

    def copy(self) -> World:
        """Another one, equal to this."""
        first, second = ({key: log.copy() for key, log in database.items()} for database in self.databases)
        return World((first, second))

    @property
    def log(self) -> TrueLog:
        """The stream that esdash follows."""
        return self.databases[0].get(KEY) or TrueLog()

    def swap(self) -> None:
        """SWAPDB 0 1."""
        self.databases = (self.databases[1], self.databases[0])


class HarnessError(Exception):
    """The nemesis itself is wrong: what it thinks is in a server is not."""


class Site:
    """One server and what is truly in it."""

    def __init__(self, server: RunningServer, name: str) -> None:
        self.server = server
        self.name = name
        self.client = server.client()
        self.world = World.empty()
        self.past: list[World] = []
        self.begun_at = 0
        """Bytes in the append-only file that no schedule may lose."""
        self.follows: Site | None = None
        """Its primary."""
        self.raw = server.client()
        self.raw.response_callbacks.clear()
        self.raw.flushall()
        self.raw.execute_command("XADD", KEY, "*", "a", "b")
        self.counts = b"entries-added" in self.info()
        """Whether the server counts entries."""

    def info(self) -> dict[bytes, Any]:
        """XINFO STREAM."""
        try:
            reply = self.raw.execute_command("XINFO", "STREAM", KEY)
        except redis.ResponseError:
            return {}
        return dict(zip(reply[::2], reply[1::2], strict=True))

    @property
    def append_only_file(self) -> Path:
        """Where what is written is written again."""
        found = sorted(self.server.dir.glob("**/*.incr.aof")) or sorted(self.server.dir.glob("*.aof"))
        return found[-1]

    def forget_connections(self) -> None:
        """The server was started anew."""
        for client in (self.client, self.raw):
            client.connection_pool.disconnect()

    def empty(self) -> None:
        """Forget everything."""
        self.client.config_set("maxmemory", "0")
        self.client.flushall()
        self.world = World.empty()
        self.past.clear()
        if self.server.config["appendonly"] == "yes":
            self.begun_at = self.append_only_file.stat().st_size

    def stored(self) -> list[Entry]:
        """The entries that are in the stream."""
        return [(entry_id, tuple(fields)) for entry_id, fields in self.raw.execute_command("XRANGE", KEY, "-", "+")]

    def compare(self) -> None:
        """Raises HarnessError when the server's stream is not what is thought to be in it."""
        log, info = self.world.log, self.info()
        there = self.stored()
        believed = [log.history[index] for index in log.present]
        if there != believed:
            first = next(index for index, (a, b) in enumerate(zip_longest(there, believed)) if a != b)
            found = f"holds {len(there)} and believed {len(believed)}; from {first} on"
            raise HarnessError(f"{self.name} {found}: {there[first : first + 2]}, {believed[first : first + 2]}")
        if not info:
            if log.last_id != (0, 0):
                raise HarnessError(f"{self.name} has no stream")
            return
        if self.counts:
            facts = info[b"entries-added"], parts(info[b"last-generated-id"]), parts(info[b"max-deleted-entry-id"])
            if facts != (len(log.history), log.last_id, log.max_deleted):
                raise HarnessError(
                    f"{self.name} says {facts}, believed {len(log.history), log.last_id, log.max_deleted}"
                )


def _caught_up(primary: Site, replica: Site) -> bool:
    with suppress(redis.ConnectionError, redis.TimeoutError):
        there = replica.client.info("replication")
        return bool(
            there["master_link_status"] == "up"
            and not there["master_sync_in_progress"]
            and there["slave_repl_offset"] >= primary.client.info("replication")["master_repl_offset"]
        )
    return False


def wait_for_replica(primary: Site, replica: Site) -> None:
    """Until a replica has everything that its primary has."""
    eventually(partial(_caught_up, primary, replica), timeout=30, interval=0.002)


def servers_for(stage: str, binary: Path) -> list[RunningServer]:
    """Start what a stage needs."""
    appendonly, port = ("yes" if stage == "durable" else "no"), stage == "pair"
    # A server looks at those that wait for entries, and at its replicas, so many times a second.
    return [
        RunningServer(
            binary,
            port=port,
            appendonly=appendonly,
            appendfsync="always",
            hz=250,
            dynamic_hz="no",
            auto_aof_rewrite_percentage=0,
        )
        for _ in range(2 if stage == "pair" else 1)
    ]
