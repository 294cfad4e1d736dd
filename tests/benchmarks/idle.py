"""A connected dashboard: its CPU when nothing happens, its memory while 1,000 events a second come in."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.appender import start_appender
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.workload import fill

SHARE: Final = 0.01
"""Of a core."""
GROWTH: Final = 2e6
"""Bytes from the second to the last quarter that are not called growth."""
RATE: Final = 1_000


def run(options: Options) -> Report:
    """Both."""
    report = Report("A dashboard that is left alone")
    with new_setting() as setting:
        report.machine = describe(setting.log)
        fill(setting.log, 20_000, v0=False)
        seconds = 5.0 if options.quick else 20.0
        measured = [_idle(setting, seconds) for _ in range(options.pairs)]
        shares, server = [own for own, _ in measured], [other for _, other in measured]
        report.add(
            "CPU of a dashboard, connected, nothing happening",
            f"{median(shares):.2%} of a core ({min(shares):.2%}–{max(shares):.2%})".replace("%", " %"),
            f"the server {median(server):.2%}".replace("%", " %"),
            "",
            "≤ 1 %",
            median(shares) <= SHARE,
        )
        minutes = options.minutes or (0.5 if options.quick else 3.0)
        samples = _memory(setting, minutes * 60)
    quarter = len(samples) // 4
    early, late = statistics.mean(samples[quarter : 2 * quarter]), statistics.mean(samples[-quarter:])
    report.add(
        f"its memory (RSS) over {minutes:g} minutes of {RATE:,} events/s",
        f"{late / 1e6:.1f} MB in the last quarter",
        f"{early / 1e6:.1f} MB in the second",
        f"{(late - early) / 1e6:+.1f} MB",
        "no growth",
        late - early <= GROWTH,
    )
    report.notes.append(
        f"CPU: median of {len(shares)} runs of {seconds:.0f} s. Less than {GROWTH / 1e6:.0f} MB is no growth; "
        "`--minutes 20` watches longer."
    )
    return report


def _idle(setting: Setting, seconds: float) -> tuple[float, float]:
    """CPU of the dashboard and of the server, as shares of a core."""
    with Terminal("esdash", "--url", setting.server.url, "--readonly") as screen:
        screen.until_text("LIVE")
        screen.watch_for(3)
        used, server, begun = screen.cpu(), setting.server_cpu(), time.monotonic()
        screen.watch_for(seconds)
        passed = time.monotonic() - begun
        shares = (screen.cpu() - used) / passed, (setting.server_cpu() - server) / passed
        screen.leave()
    return shares


def _memory(setting: Setting, seconds: float) -> list[int]:
    """The dashboard's memory, each second."""
    samples = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Terminal("esdash", "--url", setting.server.url, "--readonly") as screen,
    ):
        screen.until_text("LIVE")
        appender = start_appender(setting.socket, setting.log.name, RATE, seconds, 1, Path(folder) / "sent")
        while appender.poll() is None:
            screen.watch_for(1)
            samples.append(int(screen.process.memory_info().rss))
        screen.leave()
    return samples


if __name__ == "__main__":
    main(run)
