"""What happens to servers, connections and what is stored."""

from __future__ import annotations

import random
import time
from typing import Final

import redis

from tests.chaos.nemesis.hostile import damaged
from tests.chaos.nemesis.site import KEY, Site, World, wait_for_replica
from tests.chaos.nemesis.stage import Stage
from tests.chaos.nemesis.truth import TrueLog, parts

_CUTS: Final = (b"XREAD", b"XINFO", b"XRANGE", b"EVAL", b"EXEC", b"HSET", b"HGETALL", b"INFO", b"XREVRANGE")


def memory(stage: Stage) -> None:
    """No more of it, until the next settling."""
    stage.full = True
    stage.site.client.config_set("maxmemory", "1")


def cut(stage: Stage) -> None:
    """Every connection to the server is closed by it."""
    stage.site.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    stage.site.raw.connection_pool.disconnect()


def cut_reply(stage: Stage, command: int = 0, after: int = 0) -> None:
    """The next reply to a command is cut in its middle, for those that go through the proxy."""
    stage.proxy.cut_reply_to(_CUTS[command % len(_CUTS)], after)


def freeze(stage: Stage, milliseconds: int = 50) -> None:
    """SIGSTOP of the server for so long."""
    stage.site.server.pause()
    try:
        time.sleep(milliseconds / 1000)
    finally:
        stage.site.server.resume()


def damage(stage: Stage, how: int = 0, which: int = 0, where: int = 0) -> None:
    """Something that esdash keeps is not what it was."""
    client = stage.site.raw
    index = stage.snapshots_index()
    stored = client.execute_command("HGETALL", index)
    names = sorted(stored[::2])
    if not names or stage.site.follows is not None:
        return
    name = names[which % len(names)]
    header = dict(zip(stored[::2], stored[1::2], strict=True))[name]
    chunks = stage.chunks_key(name.decode("utf-8", "replace"))
    try:
        if (found := damaged(how, header, random.Random(where))) is not None:
            client.execute_command("HSET", index, name, found)
        elif how in (6, 7):
            number = where % 2
            chunk = client.execute_command("HGET", chunks, number) or b"?"
            client.execute_command("HSET", chunks, number, _flipped(chunk, where))
        elif how == 8:
            client.execute_command("HDEL", chunks, where % 2)
        else:
            client.execute_command("HDEL", index, name)
    except redis.ResponseError:
        if not stage.full:
            raise
    stage.broken.add(name.decode("utf-8", "replace"))


def _flipped(raw: bytes, where: int) -> bytes:
    bits = bytearray(raw)
    bits[where % len(bits)] ^= 1 << where % 8
    return bytes(bits)


# A server with an append-only file


def die(stage: Stage) -> None:
    """kill -9 of the server, and a new start. What it still has then is its own business."""
    lose(stage, 0)


def lose(stage: Stage, much: int = 100) -> None:
    """The same, and the end of the append-only file is lost, as by a power cut."""
    site = stage.site
    if stage.name != "durable":
        return
    site.server.kill()
    file = site.append_only_file
    content = file.read_bytes()
    if much:
        file.write_bytes(content[: max(site.begun_at, len(content) - much)])
    site.server.start()
    site.forget_connections()
    world = _what_is_left(site)
    if world is None or stage.veto(site, world):
        # Nobody could tell what a consumer has seen before: no consumer may have.
        stage.start_over()
        return
    stage.commit(site, world)


def _what_is_left(site: Site) -> World | None:
    """What of the true history is still in the server; None when it cannot be told."""
    there, info = site.stored(), site.info()
    if not info or not site.counts:
        return None
    added, last_id = info[b"entries-added"], parts(info[b"last-generated-id"])
    for world in (site.world, *reversed(site.past)):
        log = world.log
        history = log.history[:added]
        places = {entry: index for index, entry in enumerate(history)}
        if len(history) < added or not places.keys() >= set(there):
            continue
        if last_id != (parts(history[-1][0]) if history else (0, 0)) and last_id != log.last_id:
            continue
        gone = set(range(added)) - {places[entry] for entry in there}
        left = TrueLog(history, gone, last_id, parts(info[b"max-deleted-entry-id"]))
        # What else is in the server is of no interest, and must not be offered again.
        with site.raw.pipeline(transaction=True) as pipeline:
            for command in (("SELECT", 1), ("FLUSHDB",), ("SELECT", 0)):
                pipeline.execute_command(*command)
            pipeline.execute()
        return World(({KEY: left}, {}))
    return None


# Two servers


def detach(stage: Stage) -> None:
    """A replica is promoted, with everything its primary has; both take writes from now on."""
    for site in stage.sites:
        if site.follows is not None:
            wait_for_replica(site.follows, site)
            site.client.execute_command("REPLICAOF", "NO", "ONE")
            site.follows = None


def attach(stage: Stage, primary: int = 0) -> None:
    """The other one becomes a replica: what only it has is lost."""
    if len(stage.sites) < 2:
        return
    detach(stage)
    kept, follower = stage.sites[primary % 2], stage.sites[1 - primary % 2]
    if stage.veto(follower, kept.world):
        return
    stage.replicate(follower, kept)


def point(stage: Stage, number: int = 0) -> None:
    """Consumers reach another server from now on."""
    if len(stage.sites) > 1:
        stage.changed = True
        stage.point(number)


def side(stage: Stage, number: int = 0) -> None:
    """Writers do."""
    stage.side = number
