"""Whether what esdash says is true: every state that is said to be CONTINUOUS is what the plain model makes of the log.

`settle` lets everybody come to rest, looks at every consumer, every stored snapshot and every way to ask for the
state, and raises WrongError for what is not as promised.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, Final

from esdash.engine.console import EngineError
from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.guard import HaltError
from esdash.engine.moments.history import History
from esdash.engine.projection import Projection
from esdash.engine.shown.view import Continuity, Phase, Verdict
from esdash.engine.snapshots.snapshot import load
from esdash.log.errors import LogError
from esdash.log.snapshots import DamagedError, SnapshotStore, Unreadable
from tests.chaos.actors import ConsumerProcess
from tests.chaos.nemesis import writes
from tests.chaos.nemesis.actor import SHOP, Actor, GatedLog, Kind
from tests.chaos.nemesis.evidence import Evidence
from tests.chaos.nemesis.site import Site
from tests.chaos.nemesis.stage import Stage
from tests.chaos.nemesis.truth import Entry, TrueLog
from tests.engine.running import document
from tests.model import Model
from tests.waiting import eventually

SETTLE_SECONDS: Final = 20.0
"""How long everybody may take to come to rest."""


class WrongError(Exception):
    """A promise was broken."""


class FalseAlarmError(WrongError):
    """Something is said to be lost, and nothing is."""


@lru_cache(64)
def folded(entries: tuple[Entry, ...]) -> tuple[dict[str, Any], str]:
    """What the model makes of entries, and what digest such a state has."""
    model = Model()
    for entry_id, fields in entries:
        assert fields is not None
        model.apply(entry_id.decode(), list(zip(fields[::2], fields[1::2], strict=True)))
    again = SHOP.empty()
    if entries:
        SHOP.fold(again, [(entry_id, fields or ()) for entry_id, fields in entries])
    return model.document(), SHOP.digest(again)


def require_true(stage: Stage, who: str, projection: Projection, log: TrueLog, *, at: int | None = None) -> None:
    """A state that is said to be CONTINUOUS. Raises WrongError.

    `at` is how many entries of the log it should have come to; None: wherever it stands.
    """
    position, unseen = projection.position, projection.unseen
    where = f"{who}, at {position.last_event_id} with {position.ordinal} applied and {unseen} unseen"
    complaint = "its position is no place of this log"
    for absent in stage.absences.get(unseen, ()):
        index = log.seen(absent, position.ordinal, position.last_event_id)
        if index is None:
            continue
        if at is not None and any(one not in absent for one in range(index, at)):
            complaint = f"it stands at #{index} instead of #{at}"
            continue
        entries = [log.history[one] for one in range(index) if one not in absent]
        if any(fields is None for _, fields in entries):
            complaint = "it is said to contain an entry that was counted and never seen"
            continue
        if not (complaint := differences(projection, entries)):
            return
    raise WrongError(f"{where}, of {len(log.history)}: {complaint}")


def differences(projection: Projection, entries: Sequence[Entry]) -> str:
    """What is wrong with a state that should be what the model makes of entries; empty when nothing is."""
    (expected, digest), found = folded(tuple(entries)), document(projection)
    if found != expected:
        names = [name for name in expected if found.get(name) != expected[name]]
        return "; ".join(f"{name} {found.get(name)} instead of {expected[name]}" for name in names)[:600]
    return "" if SHOP.digest(projection.state) == digest else "its digest is wrong"


def settle(stage: Stage) -> None:
    """Come to rest, and look at everything. Raises WrongError."""
    stage.flush()
    if stage.full:
        for site in stage.sites:
            site.client.config_set("maxmemory", "0")
        stage.full = False
    for actor in stage.actors:
        actor.gate.open()
    _bury(stage)
    for number in range(len(stage.sites)):
        stage.side = number
        if stage.site is stage.sites[number]:
            _add_a_last_entry(stage)
    stage.side = stage.front
    deadline = time.monotonic() + SETTLE_SECONDS
    _have_everybody_read(stage, deadline)
    try:
        for actor in stage.actors:
            _look_at(stage, actor, deadline)
        _look_at_processes(stage)
        for site in stage.sites:
            site.compare()
            _look_at_what_is_stored(stage, site)
            _look_at_the_past(stage, site)
        _look_at_once(stage, stage.site)
    finally:
        for actor in stage.actors:
            actor.gate.open()
    if stage.notes:
        raise WrongError("; ".join(stage.notes))


def _bury(stage: Stage) -> None:
    for actor in stage.dying:
        actor.bury()
        if complaint := actor.complaint():
            raise WrongError(complaint)
    stage.dying.clear()


def _add_a_last_entry(stage: Stage) -> None:
    """So that everybody has something to read, and notices what happened before it."""
    for seed in range(4):
        vetoed = stage.vetoed
        writes.append(stage, 1, 7000 + len(stage.site.world.log.history) + seed)
        if stage.vetoed == vetoed:
            return
    stage.start_over()


def _have_everybody_read(stage: Stage, deadline: float) -> None:
    """Once more, whatever they have read: ids and counts of another log may be the same."""
    for _ in range(2):
        for answer in [actor.consumer.checkpoint() for actor in stage.actors if actor.thread.is_alive()]:
            with suppress(EngineError, TimeoutError):
                answer.result(max(0.0, deadline - time.monotonic()))


def _look_at(stage: Stage, actor: Actor, deadline: float) -> None:
    """When it is where it should be, it stays held."""
    log = stage.site_of(actor).world.log
    last = log.history[-1][0] if log.history else b"0-0"
    while True:
        if complaint := actor.complaint():
            raise WrongError(complaint)
        if actor.phase is Phase.HALTED or (actor.phase is Phase.LIVE and actor.last_id == last):
            break
        if not actor.thread.is_alive():
            raise WrongError(f"{actor.name} ended by itself")
        if time.monotonic() > deadline:
            view = actor.consumer.view
            raise WrongError(
                f"{actor.name} does not settle: {view.phase} {view.phase_note} at {actor.last_id.decode()}, "
                f"the log ends at {last.decode()}"
            )
        time.sleep(0.0005)
    if not actor.hold(deadline):
        raise WrongError(f"{actor.name} cannot be stopped: {actor.phase}")
    _judge(stage, actor, log)


def _judge(stage: Stage, actor: Actor, log: TrueLog) -> None:
    projection = actor.consumer.projection
    continuity = actor.consumer.view.continuity
    verdict = continuity.verdict if continuity else None
    if actor.phase is Phase.HALTED:
        if not (stage.lost or stage.changed):
            raise FalseAlarmError(f"{actor.name} is halted and nothing was lost: {continuity}")
        if projection is not None and projection.ordinal:
            _require_a_true_past(stage, actor.name, projection)
        return
    if projection is None:
        raise WrongError(f"{actor.name} is live without a state")
    if verdict is not Verdict.UNKNOWN or not stage.lost:
        require_true(stage, f"{actor.name} ({verdict})", projection, log, at=len(log.history))
    if not (stage.lost or stage.changed):
        for notice in actor.consumer.view.notices:
            if "Going back" in notice.text:
                raise FalseAlarmError(f"{actor.name} says: {notice.text}")


def _require_a_true_past(stage: Stage, who: str, projection: Projection) -> None:
    """A state that nothing is applied to any more: that of some history there was."""
    complaint = ""
    for history in stage.histories:
        try:
            require_true(stage, f"{who}, halted", projection, TrueLog(history))
        except WrongError as error:
            complaint = str(error)
        else:
            return
    raise WrongError(f"a state of no history there was: {complaint}")


def _has_come_to_rest(process: ConsumerProcess) -> bool:
    return not process.running or any(report["phase"] in ("live", "halted") for report in process.reports)


def _look_at_processes(stage: Stage) -> None:
    """A real process ends when it is asked to, with a code that says how it went, and never loses its composure."""
    while stage.processes:
        process, folder = stage.processes.pop()
        try:
            eventually(partial(_has_come_to_rest, process), timeout=30)
            # One that is halted is on its way out.
            halted = any(report["phase"] == "halted" for report in process.reports)
            code = process.wait() if halted or not process.running else process.terminate()
            # One that finds no server when it starts says so and ends.
            assert code in (0, 4) or (code == 5 and not process.reports), f"exit code {code}"
            process.close()
        except AssertionError as error:
            raise WrongError(f"a process: {error} {process.complaints}") from error
        finally:
            if process.running:
                process.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _look_at_what_is_stored(stage: Stage, site: Site) -> None:
    """Every snapshot of the present history that can be read is the state at its place."""
    log = GatedLog(site.server.url)
    try:
        store = SnapshotStore(log)
        for header in store.headers():
            if isinstance(header, Unreadable):
                if header.snapshot_id not in stage.broken:
                    raise WrongError(f"snapshot {header.snapshot_id} was stored unreadable: {header.reason}")
                continue
            if Evidence.place(stage, header, site.world.log) is None:
                continue
            try:
                domain = Kind(7 if header.version == "other" else 0).domain
                projection, _ = load(header, store, domain)
            except DamagedError as error:
                if header.snapshot_id not in stage.broken:
                    raise WrongError(f"snapshot {header.snapshot_id} was stored broken: {error}") from error
                continue
            require_true(stage, f"snapshot {header.snapshot_id}", projection, site.world.log)
    finally:
        log.server.close()


def _look_at_the_past(stage: Stage, site: Site) -> None:
    """`state`, now and at some place before, by either version of the rules."""
    true = site.world.log
    log = GatedLog(site.server.url)
    try:
        for kind, ignore in ((Kind(0), False), (Kind(7), False), (Kind(0), True)):
            if kind.other_rules <= stage.other_rules:
                evidence = Evidence.read(stage, SnapshotStore(log), true, kind.domain)
                projection, continuity = History(log, kind.domain).at(ignore_snapshots=ignore)
                who = f"state{' from the start' if ignore else ''}{' by other rules' if kind.other_rules else ''}"
                _require_a_right_answer(stage, who, projection, continuity, true, None if ignore else evidence)
        chance = random.Random(len(true.history))
        if true.present:
            index = chance.choice(true.present)
            projection, continuity = History(log, SHOP).at(true.history[index][0])
            if continuity.verdict is Verdict.CONTINUOUS:
                at = index + 1 if projection.ordinal else None
                require_true(stage, f"state at {true.history[index][0].decode()}", projection, true, at=at)
    except LogError as error:
        raise WrongError(f"state cannot be told: {error}") from error
    finally:
        log.server.close()


def _require_a_right_answer(
    stage: Stage, who: str, projection: Projection, continuity: Continuity, log: TrueLog, evidence: Evidence | None
) -> None:
    # A server that does not count entries tells no gap, but another log.
    if continuity.verdict is Verdict.CONTINUOUS or (continuity.verdict is Verdict.UNKNOWN and not stage.lost):
        require_true(stage, f"{who} ({continuity})", projection, log, at=len(log.history))
        if evidence is not None and (complaint := evidence.forgets(projection.unseen)):
            raise WrongError(f"{who}: {complaint}")
    elif continuity.verdict is not Verdict.UNKNOWN and (evidence is None or evidence.must_be_continuous):
        raise FalseAlarmError(f"{who}: {continuity}: {continuity.explanation} {evidence}")


def _look_at_once(stage: Stage, site: Site) -> None:
    """`consume --once`."""
    log = GatedLog(site.server.url)
    evidence = Evidence.read(stage, SnapshotStore(log), site.world.log, SHOP)
    consumer = Consumer(log, SHOP, ConsumerSettings(snapshot_seconds=30, once=True, watched=False))
    try:
        consumer.run()
    except HaltError as error:
        if evidence.must_be_continuous:
            raise FalseAlarmError(f"consume --once: {error}") from error
        return
    except LogError as error:
        raise WrongError(f"consume --once: {error}") from error
    finally:
        log.server.close()
    projection, continuity = consumer.projection, consumer.view.continuity
    if projection is None or continuity is None:
        raise WrongError("consume --once ended without a state")
    _require_a_right_answer(stage, "consume --once", projection, continuity, site.world.log, evidence)
