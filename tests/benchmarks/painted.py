"""Live: from the append of an entry to its line in the log on the screen."""

import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.benchmarks.appender import start_appender
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median, milliseconds, percentile
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.workload import fill

RATES: Final = (0, 100)
"""Other events a second; more would push the line out of sight before it is painted."""

FRAME: Final = 0.1


def run(options: Options) -> Report:
    """On a quiet stream, and among others."""
    report = Report("Live: append → painted")
    marks = 10 if options.quick else 40
    with new_setting() as setting:
        report.machine = describe(setting.log)
        fill(setting.log, 5_000, v0=False)
        for rate in RATES:
            delays = _measure(setting, rate, marks)
            tail = percentile(delays, 0.99)
            report.add(
                f"append → on the screen, {f'among {rate:,} events/s' if rate else 'alone'}",
                f"p50 {milliseconds(median(delays))}, p99 {milliseconds(tail)}",
                f"shortest {milliseconds(min(delays))}",
                "",
                f"≤ {milliseconds(FRAME)} (a frame) and its painting",
                tail <= 1.5 * FRAME,
            )
    report.notes.append(
        f"{marks} entries at moments drawn by lot; the screen looks for news {1 / FRAME:.0f} times a second."
    )
    return report


def _measure(setting: Setting, rate: int, marks: int) -> list[float]:
    chance, delays = random.Random(1), []
    with (
        tempfile.TemporaryDirectory() as folder,
        Terminal("esdash", "--url", setting.server.url, "--readonly") as screen,
        ExitStack() as started,
    ):
        screen.until_text("LIVE")
        if rate:
            file = Path(folder) / "sent"
            appender = start_appender(setting.socket, setting.log.name, rate, 3600, 1, file)
            started.callback(appender.wait)
            started.callback(appender.kill)
        screen.watch_for(2)
        for number in range(marks):
            screen.watch_for(chance.uniform(0.3, 0.6))
            amount = 7_000_000 + 100 * marks * rate + number
            setting.log.append([b"type", b"TopUp", b"data", b'{"user_id":1,"amount":%d}' % amount])
            sent = screen.now()
            delays.append(screen.until_text(f"+{amount // 100:,}.{amount % 100:02}") - sent)
        screen.leave()
    return delays


if __name__ == "__main__":
    main(run)
