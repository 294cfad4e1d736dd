"""An archive: written, and replayed through in turn with the same stream from its server."""

import tempfile
from pathlib import Path
from typing import Final

from tests.benchmarks.consuming import consume
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, percent, ratios
from tests.benchmarks.setting import Ended, new_setting, run_module
from tests.benchmarks.workload import fill

REACH: Final = 2_000_000
"""Events a second, on two cores."""


def run(options: Options) -> Report:
    """A million entries in the program's own wire format."""
    report = Report("An archive")
    count = options.scaled(1_000_000)
    with new_setting() as setting, tempfile.TemporaryDirectory() as folder:
        report.machine = describe(setting.log)
        log = setting.log
        digest = fill(log, count, v0=False)
        written = run_module("esdash", "archive", folder, "--url", setting.server.url, "--stream", log.name, "--json")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.segment"))
        report.add(
            f"`archive` of {count:,} entries",
            per_second(count / written.seconds),
            f"CPU {written.cpu:.2f} s, {size / count:.1f} bytes an entry",
        )
        ended: dict[str, list[Ended]] = {"": [], folder: []}

        def replay(archive: str) -> float:
            options = ("--from-start", *(("--archive", archive) if archive else ()))
            ended[archive].append(consume(setting, log.name, count, digest, *options))
            return float(ended[archive][-1].json["events_per_second"])

        archived, streamed = in_turn(options.pairs, lambda: replay(folder), lambda: replay(""))
        report.add(
            f"replay of {count:,} entries through it",
            per_second(median(archived)),
            f"from the stream {per_second(median(streamed))}",
            percent(ratios(archived, streamed)),
            f"≥ {REACH / 1e6:.0f} M/s",
            median(archived) >= REACH,
        )
        report.add(
            "— the whole program",
            f"CPU {median([each.cpu for each in ended[folder]]):.2f} s",
            f"from the stream {median([each.cpu for each in ended['']]):.2f} s",
        )
    report.notes.append("The archive is on the disk that temporary files are on; what was read of it may be in memory.")
    return report


if __name__ == "__main__":
    main(run)
