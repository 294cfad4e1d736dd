"""A schedule is data: what shall happen, in which order. Drawn from a seed, written as one line, read again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that happens. Its numbers mean something whatever happened before, so that any of them may be left
    out when a schedule is shrunk."""

    name: str
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        return self.name + (":" + ",".join(map(str, self.numbers)) if self.numbers else "")

    @classmethod
    def parse(cls, text: str) -> Operation:
        """`append:3,7`. Raises ValueError."""
        name, _, numbers = text.strip().partition(":")
        return cls(name, tuple(int(number) for number in numbers.split(",")) if numbers else ())


STAGES: Final = ("plain", "durable", "pair")
"""One server that is shared by many schedules; one with an append-only file that is killed; two that replicate."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What happens to which servers."""

    stage: str
    page: int
    """Entries a page; small ones make a replay of many pages."""
    far: int
    """Entries from which a second process reads ahead."""
    large: int
    """Rows from which a snapshot is made in another thread."""
    operations: tuple[Operation, ...]

    def __str__(self) -> str:
        return f"{self.stage},{self.page},{self.far},{self.large} " + ";".join(map(str, self.operations))

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """The inverse of str. Raises ValueError."""
        head, _, tail = text.strip().partition(" ")
        stage, *numbers = head.split(",")
        if stage not in STAGES:
            raise ValueError(f"there is no stage {stage!r}")
        page, far, large = map(int, numbers)
        return cls(stage, page, far, large, tuple(map(Operation.parse, filter(None, tail.split(";")))))

    def of(self, operations: tuple[Operation, ...]) -> Schedule:
        """The same with other operations."""
        return replace(self, operations=operations)


Drawn = list[Operation]


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = random.Random(seed)
    stage = chance.choices(STAGES, (84, 8, 8))[0]
    page = chance.choice((1, 3, 10, 1000))
    far = 60 if chance.random() < 0.02 else 50_000
    large = chance.choice((3, 20_000, 20_000))
    operations: Drawn = [_append(chance) for _ in range(chance.randrange(3))]
    operations += [_consume(chance) for _ in range(chance.choice((1, 1, 1, 2, 3)))]
    if far < 1000:
        operations.insert(0, Operation("append", (chance.randrange(80, 200), chance.randrange(1000))))
    for _ in range(chance.randrange(3, 14)):
        operations += _step(chance, stage)
        if chance.random() < 0.15:
            operations.append(Operation("settle"))
    if chance.random() < 0.01:
        operations.insert(chance.randrange(len(operations) + 1), Operation("process", (chance.randrange(8),)))
    operations.append(Operation("settle"))
    return Schedule(stage, page, far, large, tuple(operations))


def _number(chance: random.Random, most: int = 12) -> int:
    """Mostly small, sometimes larger."""
    return chance.choice((1, 1, 2, 2, 3, chance.randrange(1, most + 1)))


def _append(chance: random.Random) -> Operation:
    return Operation("append", (_number(chance), chance.randrange(1000)))


def _consume(chance: random.Random) -> Operation:
    return Operation("consume", (chance.randrange(64),))


def _step(chance: random.Random, stage: str) -> Drawn:
    """One thing that happens, or a few that belong together."""
    if stage == "durable" and chance.random() < 0.25:
        return [Operation("die")] if chance.random() < 0.5 else [Operation("lose", (chance.randrange(1, 4000),))]
    if stage == "pair" and chance.random() < 0.3:
        return _failover(chance)
    (kind,) = chance.choices(tuple(_KINDS), tuple(weight for weight, _ in _KINDS.values()))
    return _KINDS[kind][1](chance)


def _failover(chance: random.Random) -> Drawn:
    other = chance.randrange(2)
    writes = [_append(chance) for _ in range(chance.randrange(3))]
    elsewhere = [Operation("side", (chance.randrange(2),)), *(_append(chance) for _ in range(chance.randrange(3)))]
    return chance.choice(
        (
            [Operation("detach"), Operation("point", (other,)), Operation("side", (other,))],
            [Operation("detach"), *writes, *elsewhere, Operation("point", (other,))],
            [Operation("detach"), *writes, *elsewhere, Operation("attach", (other,)), *writes],
            [Operation("point", (other,))],
            [Operation("attach", (other,))],
        )
    )


def _swap(chance: random.Random) -> Drawn:
    """A log in the place of another, often with as many entries, often at once."""
    lost, more = _number(chance, 6), chance.randrange(3)
    again = lost if chance.random() < 0.6 else _number(chance, 6)
    seeds = [chance.randrange(1000) for _ in range(3)]
    swap = [
        Operation("restore"),
        Operation("append", (again, seeds[1])),
        *([Operation("append", (more, seeds[2]))] if more else []),
    ]
    if chance.random() < 0.2:
        swap.insert(1, Operation("trim", (_number(chance),)))
    settle = [Operation("settle")] if chance.random() < 0.4 else []
    together = [Operation("atomic", (len(swap),))] if chance.random() < 0.7 else []
    hold = [Operation("pause", (chance.randrange(3),))] if chance.random() < 0.3 else []
    return [Operation("dump"), Operation("append", (lost, seeds[0])), *settle, *hold, *together, *swap]


def _exchange(chance: random.Random) -> Drawn:
    """Two streams that take each other's place."""
    there = [_append(chance) for _ in range(chance.randrange(1, 3))]
    way = chance.choice(("rename", "swapdb", "remove"))
    if way == "rename":
        first, second = Operation("away"), Operation("back")
    elif way == "swapdb":
        first = second = Operation("swapdb")
    else:
        first, second = Operation("remove", (chance.randrange(4),)), _append(chance)
    together = [Operation("atomic", (1 + len(there),))] if chance.random() < 0.6 else []
    return [*together, first, *there, *([second] if chance.random() < 0.6 else [])]


def _one(name: str, *bounds: int) -> Operation:
    return Operation(name, bounds)


_KINDS: Final[dict[str, tuple[float, Callable[[random.Random], Drawn]]]] = {
    "append": (16, lambda chance: [_append(chance)]),
    "publish": (4, lambda chance: [_one("publish", chance.randrange(1, 4), _number(chance), chance.randrange(1000))]),
    "hostile": (4, lambda chance: [_one("hostile", _number(chance, 5), chance.randrange(1000))]),
    "trim": (8, lambda chance: [_one("trim", chance.choice((0, 1, 2, _number(chance, 20))))]),
    "trimmed_append": (
        4,
        lambda chance: [_one("atomic", 2), _append(chance), _one("trim", chance.randrange(6))],
    ),
    "delete": (6, lambda chance: [_one("delete", *(chance.randrange(40) for _ in range(_number(chance, 4))))]),
    "delete_newest": (
        3,
        lambda chance: [_one("atomic", 2), _append(chance), _one("delete", *range(chance.choice((1, 2))))],
    ),
    "set_id": (2, lambda chance: [_one("set_id", chance.randrange(1, 50), chance.choice((0, 0, 1, 3)))]),
    "swap": (10, _swap),
    "exchange": (5, _exchange),
    "away": (1, lambda _: [_one("away")]),
    "back": (2, lambda _: [_one("back")]),
    "dump": (2, lambda _: [_one("dump")]),
    "restore": (2, lambda _: [_one("restore")]),
    "swapdb": (1, lambda _: [_one("swapdb")]),
    "remove": (1, lambda chance: [_one("remove", chance.randrange(4))]),
    "consume": (4, lambda chance: [_consume(chance)]),
    "kill": (5, lambda chance: [_one("kill", chance.randrange(3), chance.randrange(30)), _consume(chance)]),
    "stop": (3, lambda chance: [_one("stop", chance.randrange(3)), _consume(chance)]),
    "pause": (4, lambda chance: [_one("pause", chance.randrange(3))]),
    "resume": (4, lambda chance: [_one("resume", chance.randrange(3))]),
    "crash": (4, lambda chance: [_one("crash", chance.randrange(3))]),
    "rebuild": (3, lambda chance: [_one("rebuild", chance.randrange(3))]),
    "snapshot": (8, lambda chance: [_one("snapshot", chance.randrange(3))]),
    "once": (4, lambda chance: [_one("once", chance.randrange(8))]),
    "from_start": (2, lambda chance: [_one("from_start", chance.randrange(8))]),
    "damage": (5, lambda chance: [_one("damage", *(chance.randrange(bound) for bound in (10, 5, 4000)))]),
    "memory": (2, lambda chance: [_one("memory"), _append(chance)]),
    "cut": (3, lambda _: [_one("cut")]),
    "cut_reply": (3, lambda chance: [_one("cut_reply", chance.randrange(9), chance.choice((0, 1, 3, 17, 200)))]),
    "freeze": (0.5, lambda chance: [_one("freeze", chance.choice((20, 100, 400)))]),
    "settle": (5, lambda _: [_one("settle")]),
}
"""How often, and what, by the kind of step."""
