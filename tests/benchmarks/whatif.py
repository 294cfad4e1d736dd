"""What would have been: a log folded twice beside each other, beside folding it once, in the same process.

About a third of the entries is refused. What is tried stands at the beginning, so that all that follows is folded anew.
"""

from time import process_time

from esdash.engine.moments.history import History
from esdash.log.stream import START
from esdash.whatif.edits import Edit, Insert, Skip
from esdash.whatif.sandbox import Sandbox
from tests.benchmarks.machine import describe
from tests.benchmarks.mixes import refused
from tests.benchmarks.report import Options, Report, in_turn, main, median, milliseconds, ratios, times
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.workload import append
from tests.domains.shop import shop


def run(options: Options) -> Report:
    """A million entries."""
    report = Report("What would have been")
    count = options.scaled(1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        append(setting.log, refused(count))
        first = setting.log.page(START, count=10)[-1]
        inserted = Insert(first[0], tuple(tuple(fields) for fields in refused(count, seed=4)))
        _tell(report, options, setting, count, f"one of {count:,} entries left out", Skip(first), 2.5)
        _tell(report, options, setting, count, f"{count:,} entries inserted before {count:,} others", inserted, 4.0)
    report.notes.append("The log as it is and the log as it would have been are folded in turn, page by page.")
    return report


def _tell(report: Report, options: Options, setting: Setting, count: int, what: str, edit: Edit, factor: float) -> None:
    once, tried = in_turn(options.pairs, lambda: _fold(setting, count), lambda: _try(setting, edit))
    found = ratios(tried, once)
    report.add(
        f"{what}, CPU",
        milliseconds(median(tried)),
        f"folding once {milliseconds(median(once))}",
        times(found),
        f"≤ {factor} ×",
        median(found) <= factor,
    )


def _fold(setting: Setting, count: int) -> float:
    begun = process_time()
    projection, _ = History(setting.log, shop()).at()
    assert projection.ordinal == count, "all of it"
    return process_time() - begun


def _try(setting: Setting, edit: Edit) -> float:
    begun = process_time()
    sandbox = Sandbox(setting.log, shop())
    assert sandbox.consequences([edit], sandbox.end()).differ, "something is otherwise"
    return process_time() - begun


if __name__ == "__main__":
    main(run)
