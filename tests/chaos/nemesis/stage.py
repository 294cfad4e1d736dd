"""The servers of a schedule, what is truly in them, and who consumes them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis

from esdash.log.keys import key_prefix
from tests.chaos.actors import ConsumerProcess
from tests.chaos.nemesis.actor import Actor, Kind
from tests.chaos.nemesis.site import KEY, HarnessError, Site, World, wait_for_replica
from tests.chaos.nemesis.truth import Entry, TrueLog, looks_like, parts
from tests.engine.running import STREAM
from tests.proxy import Proxy

Command = tuple[Any, ...]


class Stage:
    """Servers, consumers, and every history that anybody may have seen."""

    def __init__(self, name: str, sites: Sequence[Site]) -> None:
        self.name = name
        self.sites = sites
        self.proxy = Proxy(sites[0].server)
        self.begin()

    def begin(self) -> None:
        """Everything empty, nobody there."""
        self.actors: list[Actor] = []
        self.dying: list[Actor] = []
        self.processes: list[tuple[ConsumerProcess, Path]] = []
        self.histories: list[list[Entry]] = []
        """Every history that was ever to be read, each in full."""
        self.absences: dict[int, set[frozenset[int]]] = {0: {frozenset()}}
        """Which entries were ever gone together, by their number: what somebody who first looked then never saw."""
        self.dumped: tuple[bytes, TrueLog] | None = None
        self.collecting = 0
        self.collected: list[Command] = []
        self.planned: World | None = None
        self.side = 0
        self.front = 0
        self.changed = False
        """Whether the log was ever another one than before, or lost its end."""
        self.lost = False
        """Whether anything was ever taken out of it."""
        self.other_rules = False
        """Whether anybody had another version of the rules."""
        self.confirmed = False
        """Whether a person said that what is gone may be forgotten."""
        self.broken: set[str] = set()
        """Snapshots that were damaged."""
        self.full = False
        """Whether a server has no memory left."""
        self.vetoed = 0
        self.notes: list[str] = []
        """What went wrong on the way, in words."""
        for site in self.sites:
            if site.follows is not None:
                site.client.execute_command("REPLICAOF", "NO", "ONE")
                site.follows = None
        for site in self.sites:
            site.empty()
        if len(self.sites) > 1:
            self.replicate(self.sites[1], self.sites[0])
            self.changed = self.lost = False
        self.point(0)

    def close(self) -> None:
        """End the proxy; the servers belong to somebody else."""
        self.proxy.__exit__(None, None, None)

    def point(self, number: int) -> None:
        """Whoever goes through the proxy reaches this server from now on."""
        self.front = number % len(self.sites)
        self.proxy.point_at(self.sites[self.front].server)

    def replicate(self, follower: Site, primary: Site) -> None:
        """REPLICAOF, and everything is there."""
        host, port = "127.0.0.1", primary.server.port
        follower.client.execute_command("REPLICAOF", host, port)
        follower.follows = primary
        wait_for_replica(primary, follower)
        follower.follows = None
        self.commit(follower, primary.world.copy())
        follower.follows = primary

    @property
    def site(self) -> Site:
        """Where things are written: a replica's primary in its place."""
        site = self.sites[self.side % len(self.sites)]
        return site.follows or site

    def site_of(self, actor: Actor) -> Site:
        """The server that a consumer reads."""
        return self.sites[self.front] if actor.kind.proxied or len(self.sites) > 1 else self.sites[0]

    def consume(self, kind: Kind) -> None:
        """One more consumer, at most three."""
        self.actors = [actor for actor in self.actors if actor.thread.is_alive() or actor.error]
        if len(self.actors) >= 3:
            return
        proxied = kind.proxied or len(self.sites) > 1
        self.other_rules |= kind.other_rules
        url = self.proxy.url if proxied else self.sites[0].server.url
        self.actors.append(Actor(url, kind, f"consumer {len(self.actors)}"))

    # Writing

    def plan(self) -> World:
        """What will be in the server when what is collected has been sent; to be changed by the caller."""
        return (self.planned or self.site.world).copy()

    def write(self, commands: Sequence[Command], world: World, *, together: bool = False) -> bool:
        """Send commands that turn what is in the server into `world`; whether that was done, or is collected.

        Not done when afterwards nobody could tell the log from one that a consumer may have read.
        """
        if self.collecting:
            self.collecting -= 1
            self.collected += commands
            self.planned = world
            return True if self.collecting else self.flush()
        if self.veto(self.site, world):
            return False
        try:
            with self.site.raw.pipeline(transaction=together) as pipeline:
                for command in commands:
                    pipeline.execute_command(*command)
                pipeline.execute()
        except redis.ResponseError as error:
            if not self.full:
                raise HarnessError(f"{commands}: {error}") from error
            self.resynchronize(self.site, world)
            return False
        self.commit(self.site, world)
        return True

    def flush(self) -> bool:
        """Send what was collected, as one transaction."""
        commands, world = self.collected, self.planned
        self.collecting, self.collected, self.planned = 0, [], None
        return bool(commands) and world is not None and self.write(commands, world, together=True)

    def veto(self, site: Site, world: World) -> bool:
        """Whether a state of one of the known histories could pass for one of a log."""
        grown = [*self.histories, *(one.world.log.history for one in self.sites), world.log.history]
        for one in self.sites:
            log = world.log if one is site else one.world.log
            absent = {*(each for sets in self.absences.values() for each in sets), frozenset(log.gone)}
            if any(looks_like(log, foreign, absent, counted=site.counts) is not None for foreign in grown):
                self.vetoed += 1
                return True
        return False

    def commit(self, site: Site, world: World) -> None:
        """The server holds this now."""
        before, after = site.world.log, world.log
        if after.history[: len(before.history)] != before.history:
            self.changed = True
        if not after.gone <= before.gone:
            self.lost = True
        self.absences.setdefault(len(after.gone), set()).add(frozenset(after.gone))
        site.past.append(site.world)
        site.world = world
        site.compare()
        self.remember(after.history)
        for other in self.sites:
            if other.follows is site:
                wait_for_replica(site, other)
                other.world = world.copy()

    def remember(self, history: list[Entry]) -> None:
        """A history that may have been read."""
        if any(known[: len(history)] == history for known in self.histories):
            return
        self.histories = [known for known in self.histories if history[: len(known)] != known]
        self.histories.append(list(history))

    def resynchronize(self, site: Site, wanted: World) -> None:
        """Some commands were refused: take over those entries of `wanted` that did arrive."""
        world = site.world.copy()
        log, ahead = world.databases[0].setdefault(KEY, TrueLog()), wanted.log
        arrived = {entry_id for entry_id, _ in site.stored()}
        for entry_id, fields in ahead.history[len(log.history) :]:
            if fields is not None and entry_id in arrived and parts(entry_id) > log.last_id:
                log.append(entry_id, fields)
        if log.last_id == (0, 0):
            del world.databases[0][KEY]
        self.commit(site, world)

    def snapshots_index(self) -> bytes:
        """The key of the hash with all headers."""
        return f"{key_prefix(STREAM)}snapshots".encode()

    def chunks_key(self, snapshot_id: str) -> bytes:
        """The key of a snapshot's chunks."""
        return f"{key_prefix(STREAM)}snapshot:{snapshot_id}".encode()

    def hear(self, said: str) -> None:
        """Something was said to a person."""
        if "Traceback" in said:
            self.notes.append(said)

    def start_over(self) -> None:
        """End everybody and empty everything, but go on."""
        self.end()
        notes, vetoed = self.notes, self.vetoed
        self.begin()
        self.notes, self.vetoed = notes, vetoed

    def end(self) -> None:
        """End every consumer."""
        for process, folder in self.processes:
            process.close()
            shutil.rmtree(folder)
        self.processes.clear()
        for actor in (*self.actors, *self.dying):
            actor.bury()
            if complaint := actor.complaint():
                self.notes.append(complaint)
        self.actors.clear()
        self.dying.clear()
