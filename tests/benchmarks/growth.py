"""How costs grow: replay by events, memory and pictures by users; with a plot.

`python -m tests.benchmarks.growth memory USERS` prints the bytes that a user takes in a state of that many.
"""

import random
import sys
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped,unused-ignore]

from esdash.shop.events import TopUp
from tests.benchmarks.consuming import consume, limit
from tests.benchmarks.machine import describe
from tests.benchmarks.panel import LINE, measure
from tests.benchmarks.plot import Curve, svg, text
from tests.benchmarks.report import Options, Report, in_turn, main, median
from tests.benchmarks.setting import Setting, new_setting, run_module
from tests.benchmarks.workload import fill
from tests.domains.shop import shop

PLOT: Final = Path(".benchmarks/growth.svg")

FLAT: Final = 1.5
"""The last point may be this many times the first."""


def run(options: Options) -> Report:
    """Three costs, the last of each beside the first."""
    report = Report("How costs grow")
    events = [100_000, *([] if options.quick else [1_000_000]), *([10_000_000] if options.full else [])]
    users = [10_000, 100_000, *([] if options.quick else [1_000_000])]
    with new_setting() as setting:
        report.machine = describe(setting.log)
        replays = [(10_000, _replay(setting, 10_000, options.pairs))]
        replays += [(count, _replay(setting, count, options.pairs)) for count in events]
        pictures = [(count, median(measure(setting, count, 1)[LINE]) * 1000) for count in [1_000, *users]]
    memory = [(count, float(run_module("tests.benchmarks.growth", "memory", count).output)) for count in users]
    curves = [
        Curve("replay of an event", "µs", "events", replays),
        Curve("memory of a user", "bytes", "users", memory),
        Curve("key → picture", "ms", "users", pictures),
    ]
    for curve in curves:
        (few, small), (many, large) = curve.points[0], curve.points[-1]
        report.add(
            f"{curve.name}, {many:,} {curve.sizes}",
            f"{large:.3g} {curve.unit}",
            f"{few:,} {curve.sizes}: {small:.3g} {curve.unit}",
            f"{large / small:.2f} ×",
            "flat",
            large <= FLAT * small,
        )
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(svg(curves))
    report.notes.append(f"The plot is in {PLOT}; as text:\n\n```\n{text(curves)}\n```\n")
    return report


def _replay(setting: Setting, count: int, pairs: int) -> float:
    """Microseconds an event, start and end of the processes left out."""
    setting.log.command("FLUSHALL")
    digest = fill(setting.log, count, v0=True)
    stream = setting.log.name

    def replay() -> float:
        ended = consume(setting, stream, count, digest, "--from-start")
        return float(ended.json["seconds"]) / count * 1e6

    replays, _ = in_turn(pairs, replay, lambda: 1e6 / limit(setting, stream, count))
    return median(replays)


def _bytes_a_user(users: int) -> float:
    process, fold, chance = psutil.Process(), shop(), random.Random(1)
    state = fold.empty()
    before = process.memory_info().rss
    for start in range(0, users, 1000):
        events = [TopUp(user_id, chance.randrange(1, 10**9)) for user_id in range(start, min(start + 1000, users))]
        fold.fold(state, [(b"1-0", fold.fields(*fold.encode(event), b"")[:4]) for event in events])
    return float(process.memory_info().rss - before) / users


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print(_bytes_a_user(int(sys.argv[2])))
    else:
        main(run)
