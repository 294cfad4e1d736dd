"""`esdash verify` with one process and with two."""

from typing import Final

from esdash.engine.projection import Projection
from esdash.engine.snapshots import snapshot
from esdash.engine.snapshots.taking import Taking
from esdash.log.snapshots import KEEP, SnapshotStore
from tests.benchmarks.consuming import prove
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, ratios, times
from tests.benchmarks.setting import Setting, new_setting, run_module
from tests.benchmarks.workload import fill
from tests.domains.shop import Shop

REACH: Final = 1.6


def run(options: Options) -> Report:
    """The same work with one process and with two, in turn."""
    report = Report("Verification")
    count = options.scaled(1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        digest = fill(setting.log, count, v0=False)
        _take_snapshots(setting, count)

        def verify(processes: int) -> float:
            command = ("--url", setting.server.url, "verify", "--processes", processes, "--json")
            ended = run_module("esdash", *command)
            found = ended.json
            if not found["holds"]:
                raise SystemExit("The verification found a difference.")
            prove(found["entries"], found["segments"][-1]["replayed_digest"], count, digest)
            return count / float(found["seconds"])

        two, one = in_turn(options.pairs, lambda: verify(2), lambda: verify(1))
    factors = ratios(two, one)
    report.add(
        f"verify {count:,} entries against {KEEP} snapshots, 2 processes",
        per_second(median(two)),
        f"1 process {per_second(median(one))}",
        times(factors),
        f"≥ {REACH} ×",
        median(factors) >= REACH,
    )
    report.notes.append("Rates are those that the program prints. On 2 cores the server takes a share of one of them.")
    return report


def _take_snapshots(setting: Setting, count: int) -> None:
    """As many as are kept, at equal distances; the first and the last segments have the same length as the others."""
    projection, store = Projection(Shop()), SnapshotStore(setting.log)
    step = count // (KEEP + 1)
    for page in setting.log.pages(projection.last_id):
        if not page.entries:
            break
        before = projection.ordinal // step
        projection.apply(page.entries)
        if projection.ordinal // step > before and projection.ordinal <= step * KEEP + page.count:
            journal = snapshot.Journal()
            taken = Taking(projection, projection.state, journal, clock=lambda: 0.0, wall_clock=lambda: 0.0)
            taken.store(store)


if __name__ == "__main__":
    main(run)
