"""Other work than the usual: much that is refused, long orders with keys, hostile entries; and a checked domain.

What counts here is CPU time an entry, over all processes but the server's, without their start.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import process_time
from typing import Final

from esdash.fold.folding import Fold
from esdash.fold.outcomes import OVERFLOW, PARKED
from esdash.fold.state import State
from esdash.shop.domain import SHOP
from tests.benchmarks.consuming import consume
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, percent, ratios, times
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.workload import append, entries
from tests.domains.shop import shop

Mix = Callable[[int], Iterator[list[bytes]]]
"""So many entries, as lists of fields."""

PAGE: Final = 1000

SHARE: Final = 4
"""A stream with this part of the entries tells what it costs to start."""


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _order(rnd: random.Random, user: int, lines: int) -> bytes:
    wanted = [
        {"item_id": f"a long name of item {rnd.randrange(1000)}", "quantity": rnd.randrange(1, 5)} for _ in range(lines)
    ]
    return _json({"user_id": user, "lines": wanted})


def refused(count: int, seed: int = 3) -> Iterator[list[bytes]]:
    """Large ids, long names, orders of one to five lines: of however many, a third is refused for want of money."""
    rnd = random.Random(seed)
    users = [rnd.randrange(2**53) for _ in range(5_000)]
    for _ in range(count):
        kind = rnd.random()
        if kind < 0.3:
            yield [
                b"type",
                b"TopUp",
                b"data",
                _json({"user_id": rnd.choice(users), "amount": rnd.randrange(1, 45_000)}),
            ]
        elif kind < 0.4:
            item = f"a long name of item {rnd.randrange(1000)}"
            added = {"item_id": item, "count": rnd.randrange(1, 300), "price": 100 + rnd.randrange(100) * 100}
            yield [b"type", b"AddItem", b"data", _json(added)]
        else:
            yield [b"type", b"Order", b"data", _order(rnd, rnd.choice(users), rnd.randrange(1, 6))]


def long_orders(count: int, seed: int = 4) -> Iterator[list[bytes]]:
    """Half of it orders of four to eight lines, and every entry with a key."""
    rnd = random.Random(seed)
    for number in range(count):
        kind = rnd.random()
        if kind < 0.3:
            name, data = b"TopUp", _json({"user_id": rnd.randrange(10_000), "amount": rnd.randrange(1, 10_000_000)})
        elif kind < 0.5:
            item = f"a long name of item {rnd.randrange(1000)}"
            name, data = b"AddItem", _json({"item_id": item, "count": rnd.randrange(100, 10_000), "price": 100})
        else:
            name, data = b"Order", _order(rnd, rnd.randrange(10_000), rnd.randrange(4, 9))
        yield [b"type", name, b"data", data, b"key", b"%032x" % number]


def hostile(count: int, seed: int = 5) -> Iterator[list[bytes]]:
    """Half of it plain; of the rest nothing can be understood, or only by looking twice."""
    rnd = random.Random(seed)
    for fields in entries(count, v0=False, seed=seed):
        yield fields if rnd.random() < 0.5 else _odd(rnd, fields)


def _odd(rnd: random.Random, fields: list[bytes]) -> list[bytes]:
    name, data = fields[1], fields[3]
    return rnd.choice(
        (
            [b"type", b"Unheard", b"data", data],
            [b"type", name, b"data", data[: len(data) // 2]],
            [b"type", name, b"data", b'{"user_id":"7"}'],
            [b"type", name],
            [b"type", name, b"data", data, b"v", b"9"],
            [b"type", name, b"data", data.replace(b"item", b"\\u0069tem")],
            [b"type", name, b"data", b"\xff" + data],
            [b"type", name, b"data", b"[" * 200],
            [b"data", data, b"key", b"%x" % rnd.getrandbits(60), b"type", name],
            [b"type", name, b"data", data.replace(b"}", b" }"), b"more", b"x" * 200],
        )
    )


MIXES: Final[tuple[tuple[str, Mix, float], ...]] = (
    ("the usual work, v1", partial(entries, v0=False), 1.3),
    ("the usual work, v0", partial(entries, v0=True), 1.3),
    ("a third refused", refused, 2.0),
    ("long orders, a key on each", long_orders, 3.0),
    ("hostile", hostile, 2.0),
)
"""Name, work, and the microseconds of CPU that an entry is to take at most."""


def run(options: Options) -> Report:
    """CPU an entry of each mix, of what is refused and parked, and of domains that are checked."""
    report = Report("Other work than the usual")
    count = options.scaled(1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        for index, (name, mix, most) in enumerate(MIXES):
            _tell_mix(report, setting, options, f"mix-{index}", name, mix, count, most)
    _tell_refused(report, options)
    _tell_parked(report, options)
    _tell_careful(report, options)
    report.notes.append(
        "CPU is that of all processes but the server's, and what they take to start is taken off: it is what more "
        "entries cost more than a quarter of them. What is refused, parked and checked is compared within one process, "
        "without reading."
    )
    return report


def _tell_mix(
    report: Report,
    setting: Setting,
    options: Options,
    stream: str,
    name: str,
    mix: Mix,
    count: int,
    most: float,
) -> None:
    state = append(setting.other(stream), mix(count))
    few = count // SHARE
    short = append(setting.other(f"{stream}-short"), mix(few))

    def spent_on(stream: str, count: int, state: State) -> float:
        return consume(setting, stream, count, shop().digest(state), "--from-start").cpu

    long, brief = in_turn(
        options.pairs, partial(spent_on, stream, count, state), partial(spent_on, f"{stream}-short", few, short)
    )
    spent = [(all_of_it - start) / (count - few) * 1e6 for all_of_it, start in zip(long, brief, strict=True)]
    rejected, parked = sum(state.counts[OVERFLOW:]), sum(state.counts[: len(PARKED)])
    report.add(
        f"CPU an entry of {count:,}: {name}",
        f"{median(spent):.2f} µs ({min(spent):.2f}–{max(spent):.2f})",
        f"{rejected / count:.0%} refused, {parked / count:.0%} parked".replace("%", " %"),
        "",
        f"≤ {most} µs",
        median(spent) <= most,
    )


def _spent(fold: Fold, work: Sequence[list[bytes]], prepared: Sequence[list[bytes]] = ()) -> float:
    """CPU seconds an entry of sorting and folding in this process."""
    state = fold.empty()
    fold.fold(state, [(b"1-0", fields) for fields in prepared])
    pages = [[(b"2-0", fields) for fields in work[start : start + PAGE]] for start in range(0, len(work), PAGE)]
    begun = process_time()
    for page in pages:
        fold.fold(state, page)
    return (process_time() - begun) / len(work)


def _tell_refused(report: Report, options: Options) -> None:
    rnd = random.Random(6)
    rich = [[b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":1000000000000}' % user] for user in range(10_000)]
    poor = [[b"type", b"TopUp", b"data", b'{"user_id":%d,"amount":1}' % user] for user in range(10_000)]
    stock = [
        [b"type", b"AddItem", b"data", _json({"item_id": f"a long name of item {n}", "count": 10**9, "price": 100})]
        for n in range(1000)
    ]
    work = [
        [b"type", b"Order", b"data", _order(rnd, rnd.randrange(10_000), rnd.randrange(1, 4))]
        for _ in range(options.scaled(200_000))
    ]
    refusals, applied = in_turn(
        options.pairs, partial(_spent, shop(), work, poor + stock), partial(_spent, shop(), work, rich + stock)
    )
    report.add(
        "an order that is refused",
        f"{median(refusals) * 1e6:.2f} µs",
        f"applied {median(applied) * 1e6:.2f} µs",
        times(ratios(refusals, applied)),
        "≤ 1.1 ×",
        median(ratios(refusals, applied)) <= 1.1,
    )


def _tell_parked(report: Report, options: Options) -> None:
    rnd = random.Random(7)
    work = [_odd(rnd, fields) for fields in entries(options.scaled(200_000), v0=False)]
    (parked,) = in_turn(options.pairs, partial(_spent, shop(), work))
    report.add(
        "an entry that is parked, or looked at twice",
        f"{median(parked) * 1e6:.2f} µs",
        reach="≤ 2.5 µs",
        reached=median(parked) * 1e6 <= 2.5,
    )


def _tell_careful(report: Report, options: Options) -> None:
    work = list(entries(options.scaled(200_000), v0=False))
    careful = Fold(replace(SHOP, fast=False))
    checked, plain = in_turn(options.pairs, partial(_spent, careful, work), partial(_spent, shop(), work))
    report.add(
        "the shop with every write checked",
        f"{median(checked) * 1e6:.2f} µs an entry",
        f"`fast=True` {median(plain) * 1e6:.2f} µs",
        percent(ratios(plain, checked)),
        "≥ 45 % of its rate",
        median(ratios(plain, checked)) >= 0.45,
    )


if __name__ == "__main__":
    main(run)
