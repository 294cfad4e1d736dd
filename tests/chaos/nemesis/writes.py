"""What is written to a stream, and done to it. Where there is nothing to do it to, nothing is done."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final

from esdash.engine.console import EngineError
from esdash.engine.publishing.publisher import Publisher
from tests.chaos.nemesis.actor import GatedLog
from tests.chaos.nemesis.hostile import hostile_entry
from tests.chaos.nemesis.site import KEY, STASH, World
from tests.chaos.nemesis.stage import Command, Stage
from tests.chaos.nemesis.truth import TrueLog, parts, text
from tests.strategies import RawEntry, seeded_entries

FIRST_ID: Final = 1_700_000_000_000
"""Milliseconds in the id of a stream's first entry; ids are given, not drawn from the clock, so that those of two
histories meet."""


def _first_id(log: TrueLog, seed: int) -> tuple[int, int]:
    """The id of the next entry."""
    milliseconds, sequence = log.last_id
    if not milliseconds:
        return FIRST_ID + seed % 3, 0
    return (milliseconds, sequence + 1) if seed % 4 == 0 else (milliseconds + (3 if seed % 7 == 1 else 1), 0)


def _add(stage: Stage, entries: list[RawEntry], seed: int) -> bool:
    world = stage.plan()
    log = world.databases[0].setdefault(KEY, TrueLog())
    commands: list[Command] = []
    for number, pairs in enumerate(entries):
        fields = [part for pair in pairs for part in pair]
        entry_id = text(_first_id(log, seed + number))
        log.append(entry_id, fields)
        commands.append(("XADD", KEY, entry_id, *fields))
    return stage.write(commands, world)


def append(stage: Stage, number: int = 1, seed: int = 0) -> None:
    """So many entries of a busy day."""
    _add(stage, seeded_entries(seed, number), seed)


def hostile(stage: Stage, number: int = 1, seed: int = 0) -> None:
    """Entries that nobody wants."""
    chance = random.Random(seed)
    _add(stage, [hostile_entry(chance) for _ in range(number)], seed)


def publish(stage: Stage, publishers: int = 1, number: int = 1, seed: int = 0) -> None:
    """Several publishers at once, each with a batch of its own. Whatever is acknowledged must be there."""
    site, believed = stage.site, stage.plan()
    believed.databases[0].setdefault(KEY, TrueLog()).append(b"9999999999999-0", ())
    if stage.veto(site, believed):
        return
    acknowledged: list[str] = []

    def run(user: int) -> None:
        log = GatedLog(site.server.url)
        batch = [("TopUp", b'{"user_id":%d,"amount":%d}' % (user, 100 + each), None) for each in range(number)]
        try:
            acknowledged.extend(each.entry_id for each in Publisher(log).publish_many(batch))
        except EngineError as error:
            if "Traceback" in str(error):
                stage.notes.append(f"a publisher was told {error}")
        finally:
            log.server.close()

    threads = [threading.Thread(target=run, args=(seed % 5 + each,)) for each in range(publishers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world = site.world.copy()
    log = world.databases[0].setdefault(KEY, TrueLog())
    for entry_id, fields in site.stored():
        if parts(entry_id) > log.last_id:
            assert fields is not None
            log.append(entry_id, fields)
    if not log.history:
        del world.databases[0][KEY]
    stage.commit(site, world)
    if missing := set(acknowledged) - {entry_id.decode() for entry_id, _ in site.world.log.history}:
        stage.notes.append(f"acknowledged and not in the log: {sorted(missing)}")


def _changed(stage: Stage, change: Callable[[World, TrueLog], list[Command]]) -> None:
    """Change the stream that esdash follows, if there is one."""
    world = stage.plan()
    log = world.databases[0].get(KEY)
    if log is not None and (commands := change(world, log)):
        stage.write(commands, world)
    elif stage.collecting:
        stage.write([], world)


def trim(stage: Stage, left: int = 0) -> None:
    """XTRIM to so many entries, by their number or by their ids."""

    def change(_: World, log: TrueLog) -> list[Command]:
        there = log.present
        log.trim(left)
        # Redis 6.2.5 takes more than it should with MINID.
        if left % 2 or left >= len(there) or not stage.site.counts:
            return [("XTRIM", KEY, "MAXLEN", left)]
        oldest = log.history[there[-left]][0] if left else text((log.last_id[0], log.last_id[1] + 1))
        return [("XTRIM", KEY, "MINID", oldest)]

    _changed(stage, change)


def delete(stage: Stage, *numbers: int) -> None:
    """XDEL of entries, counted from the newest."""

    def change(_: World, log: TrueLog) -> list[Command]:
        there = log.present
        chosen = sorted({there[-1 - number % len(there)] for number in numbers}) if there else []
        log.delete(chosen)
        return [("XDEL", KEY, *(log.history[index][0] for index in chosen))] if chosen else []

    _changed(stage, change)


def set_id(stage: Stage, further: int = 1, vanished: int = 0) -> None:
    """XSETID: a later last id, and perhaps more entries counted than there ever were."""

    def change(_: World, log: TrueLog) -> list[Command]:
        last_id = (log.last_id[0] + further, 0)
        if not log.present:
            return []
        log.set_id(last_id, vanished if stage.site.counts else 0)
        if not stage.site.counts:
            return [("XSETID", KEY, text(last_id))]
        counted = ("ENTRIESADDED", len(log.history), "MAXDELETEDID", text(log.max_deleted))
        return [("XSETID", KEY, text(last_id), *counted)]

    _changed(stage, change)


def away(stage: Stage) -> None:
    """RENAME the stream."""

    def change(world: World, log: TrueLog) -> list[Command]:
        world.databases[0][STASH] = log
        del world.databases[0][KEY]
        return [("RENAME", KEY, STASH)]

    _changed(stage, change)


def back(stage: Stage) -> None:
    """RENAME it back, over whatever stands there now."""
    world = stage.plan()
    stashed = world.databases[0].pop(STASH, None)
    if stashed is not None:
        world.databases[0][KEY] = stashed
    stage.write([("RENAME", STASH, KEY)] if stashed else [], world)


def dump(stage: Stage) -> None:
    """Keep a copy of the stream as it is."""
    log = stage.site.world.databases[0].get(KEY)
    if log is not None:
        stage.dumped = (stage.site.raw.execute_command("DUMP", KEY), log.copy())


def restore(stage: Stage) -> None:
    """RESTORE the copy, over whatever stands there now."""
    world = stage.plan()
    if stage.dumped is None:
        stage.write([], world)
        return
    payload, log = stage.dumped
    world.databases[0][KEY] = log.copy()
    stage.write([("RESTORE", KEY, 0, payload, "REPLACE")], world)


def swap_databases(stage: Stage) -> None:
    """SWAPDB: stream and snapshots are others."""
    world = stage.plan()
    world.swap()
    stage.write([("SWAPDB", 0, 1)], world)


def remove(stage: Stage, also: int = 0) -> None:
    """DEL of the stream, sometimes of everything that esdash keeps."""

    def change(world: World, _: TrueLog) -> list[Command]:
        del world.databases[0][KEY]
        return [("DEL", KEY), *([("DEL", stage.snapshots_index())] if also == 3 else [])]

    _changed(stage, change)


def atomic(stage: Stage, operations: int = 2) -> None:
    """Let the next operations happen at once."""
    stage.flush()
    stage.collecting = operations
