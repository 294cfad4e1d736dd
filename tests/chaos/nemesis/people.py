"""Consumers, and what is done to them."""

from __future__ import annotations

import tempfile
from pathlib import Path

from esdash.engine.consumer.consumer import Consumer, ConsumerSettings
from esdash.engine.consumer.requests import Crash, Rebuild, TakeSnapshot
from esdash.engine.guard import HaltError
from esdash.log.errors import LogError
from tests.chaos.actors import ConsumerProcess
from tests.chaos.nemesis.actor import Actor, GatedLog, Kind
from tests.chaos.nemesis.stage import Stage


def consume(stage: Stage, number: int = 0) -> None:
    """One more, at most three."""
    stage.consume(Kind(number))


def _actor(stage: Stage, number: int) -> Actor | None:
    return stage.actors[number % len(stage.actors)] if stage.actors else None


def kill(stage: Stage, number: int = 0, steps: int = 0) -> None:
    """kill -9, after so many steps."""
    if actor := _actor(stage, number):
        stage.actors.remove(actor)
        stage.dying.append(actor)
        actor.kill(steps)


def stop(stage: Stage, number: int = 0) -> None:
    """SIGTERM."""
    if actor := _actor(stage, number):
        stage.actors.remove(actor)
        stage.dying.append(actor)
        actor.stop()


def pause(stage: Stage, number: int = 0) -> None:
    """SIGSTOP."""
    if actor := _actor(stage, number):
        actor.gate.close()


def resume(stage: Stage, number: int = 0) -> None:
    """SIGCONT."""
    if actor := _actor(stage, number):
        actor.gate.open()


def crash(stage: Stage, number: int = 0) -> None:
    """The key that drops all memory."""
    if actor := _actor(stage, number):
        actor.consumer.ask(Crash())


def rebuild(stage: Stage, number: int = 0) -> None:
    """The key that computes everything anew from what is left, confirmed."""
    if actor := _actor(stage, number):
        stage.confirmed = True
        actor.consumer.ask(Rebuild())


def snapshot(stage: Stage, number: int = 0) -> None:
    """The key that takes a snapshot."""
    if actor := _actor(stage, number):
        actor.consumer.ask(TakeSnapshot())


def _consume_once(stage: Stage, number: int, *, from_start: bool) -> None:
    log = GatedLog(stage.site.server.url)
    settings = ConsumerSettings(snapshot_seconds=0.01, once=True, watched=False, ignore_snapshots=from_start)
    try:
        Consumer(log, Kind(number).domain, settings).run()
    except (LogError, HaltError) as error:
        stage.hear(str(error))
    finally:
        log.server.close()


def once(stage: Stage, number: int = 0) -> None:
    """`consume --once`, in the middle of whatever goes on."""
    _consume_once(stage, number, from_start=False)


def from_start(stage: Stage, number: int = 0) -> None:
    """`consume --once --from-start --yes`."""
    stage.confirmed = True
    _consume_once(stage, number, from_start=True)


def process(stage: Stage, hundredths: int = 5) -> None:
    """A real `esdash consume` that takes a snapshot every so many hundredths of a second."""
    folder = Path(tempfile.mkdtemp(prefix="es"))
    stage.processes.append((ConsumerProcess(stage.proxy.url, folder, snapshot_seconds=hundredths / 100), folder))
