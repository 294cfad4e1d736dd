"""The same replay under the dashboard while it paints, in turn with `esdash consume --once`."""

import tempfile
from pathlib import Path
from typing import Final

from tests.benchmarks.consuming import consume, prove
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, percent, ratios
from tests.benchmarks.setting import new_setting
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.watched import inside
from tests.benchmarks.workload import fill

REACH: Final = 0.85


def run(options: Options) -> Report:
    """Rates of both."""
    report = Report("Replay under the dashboard")
    count = options.scaled(1_000_000)
    with new_setting() as setting, tempfile.TemporaryDirectory() as folder:
        report.machine = describe(setting.log)
        digest = fill(setting.log, count, v0=True)
        painted: list[int] = []

        def headless() -> float:
            ended = consume(setting, setting.log.name, count, digest, "--from-start")
            return float(ended.json["events_per_second"])

        def dashboard() -> float:
            file = Path(folder) / "inside"
            with Terminal("tests.benchmarks.watched", file, "--url", setting.server.url, "--readonly") as screen:
                screen.until_text("REPLAYING")
                before = len(screen.frames)
                screen.until_text("LIVE")
                painted.append(len(screen.frames) - before)
                screen.leave()
            found = inside(file)
            prove(found.ordinal, found.digest, count, digest)
            return found.replayed / found.replay_seconds

        ones, others = in_turn(options.pairs, dashboard, headless)
    shares = ratios(ones, others)
    report.add(
        f"replay of {count:,} entries, v0, while painting",
        per_second(median(ones)),
        f"headless {per_second(median(others))}",
        percent(shares),
        "≥ 85 %",
        median(shares) >= REACH,
    )
    report.notes.append(
        f"The dashboard runs on a pseudo terminal of 120×40 and painted {median(painted):.0f} times meanwhile."
    )
    return report


if __name__ == "__main__":
    main(run)
