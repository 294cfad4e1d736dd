"""Start: from the command to the first picture, and to live, with an empty state and with a huge one."""

from collections.abc import Callable
from typing import Final

from tests.benchmarks.consuming import consume
from tests.benchmarks.huge import ITEMS, make
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, milliseconds, percent, ratios
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal

PAINT: Final = 0.4
LIVE: Final = 1.5
TAIL: Final = 10_000


def run(options: Options) -> Report:
    """First paint and live, beside the empty state."""
    report = Report("Start")
    users = options.scaled(1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        huge = make(setting, users, TAIL)
        live: dict[str, list[float]] = {"nothing": [], huge.stream: []}
        loads: list[float] = []

        def start(stream: str) -> Callable[[], float]:
            def measure() -> float:
                painted, ready = _start(setting, stream)
                live[stream].append(ready)
                return painted

            return measure

        def once() -> float:
            ended = consume(setting, huge.stream, huge.ordinal, huge.digest)
            loads.append(ended.cpu)
            return ended.seconds

        empty, full, headless = in_turn(options.pairs, start("nothing"), start(huge.stream), once)
    shares = ratios(full, empty)
    report.add(
        f"first paint, {users:,} users",
        f"{milliseconds(median(full))} ({milliseconds(min(full))}–{milliseconds(max(full))})",
        f"empty state {milliseconds(median(empty))}",
        percent(shares),
        f"≤ {milliseconds(PAINT)}, the same for any state",
        median(full) <= PAINT and median(shares) <= 1.1,
    )
    ready = live[huge.stream]
    report.add(
        f"live on the screen, {users:,} users, {ITEMS:,} items, {TAIL:,} entries after the snapshot",
        f"{milliseconds(median(ready))} ({milliseconds(min(ready))}–{milliseconds(max(ready))})",
        f"empty state {milliseconds(median(live['nothing']))}",
        "",
        f"≤ {milliseconds(LIVE)}",
        median(ready) <= LIVE,
    )
    report.add(
        "— the same by `consume --once`, from start to end",
        milliseconds(median(headless)),
        f"CPU {median(loads):.2f} s",
    )
    report.notes.append("Times run from the start of the process, Python's own and all imports included.")
    return report


def _start(setting: Setting, stream: str) -> tuple[float, float]:
    with Terminal("esdash", "--url", setting.server.url, "--stream", stream, "--readonly") as screen:
        painted = screen.until_text("Balances") - screen.begun
        ready = screen.until_text("LIVE") - screen.begun
        screen.leave()
    return painted, ready


if __name__ == "__main__":
    main(run)
