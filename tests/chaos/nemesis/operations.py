"""Every operation of a schedule, by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.chaos.nemesis import disasters, people, writes
from tests.chaos.nemesis.oracle import settle
from tests.chaos.nemesis.stage import Stage

_TOGETHER: Final[dict[str, Callable[..., None]]] = {
    "append": writes.append,
    "hostile": writes.hostile,
    "trim": writes.trim,
    "delete": writes.delete,
    "set_id": writes.set_id,
    "away": writes.away,
    "back": writes.back,
    "restore": writes.restore,
    "swapdb": writes.swap_databases,
    "remove": writes.remove,
}
"""What may be part of a transaction."""

OPERATIONS: Final[dict[str, Callable[..., None]]] = _TOGETHER | {
    "atomic": writes.atomic,
    "publish": writes.publish,
    "dump": writes.dump,
    "consume": people.consume,
    "kill": people.kill,
    "stop": people.stop,
    "pause": people.pause,
    "resume": people.resume,
    "crash": people.crash,
    "rebuild": people.rebuild,
    "snapshot": people.snapshot,
    "once": people.once,
    "from_start": people.from_start,
    "process": people.process,
    "damage": disasters.damage,
    "memory": disasters.memory,
    "cut": disasters.cut,
    "cut_reply": disasters.cut_reply,
    "freeze": disasters.freeze,
    "die": disasters.die,
    "lose": disasters.lose,
    "detach": disasters.detach,
    "attach": disasters.attach,
    "point": disasters.point,
    "side": disasters.side,
    "settle": settle,
}


def perform(stage: Stage, name: str, numbers: tuple[int, ...]) -> None:
    """Do it; what was collected for a transaction goes first. Raises KeyError for what is no operation."""
    operation = OPERATIONS[name]
    if stage.collecting and name not in _TOGETHER:
        stage.flush()
    operation(stage, *numbers)
