"""Other rules on a log that there is: `esdash domain compare`, and a save under `esdash dev` until it is told."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from esdash.fold.apart import Apart
from esdash.whatif.rules_process import RulesProcess
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median
from tests.benchmarks.setting import children_cpu, new_setting, run_module
from tests.benchmarks.workload import fill
from tests.waiting import eventually

RULES: Final = """
from dataclasses import replace

from esdash.shop import domain as shop


def checked(apply):
    return lambda state, event: "overflow" if {most} and event.user_id % 100 == 0 else apply(state, event)


RULES = replace(shop.SHOP, fast=False, events=tuple(
    replace(each, apply=checked(each.apply)) if each.wire_name == "Order" and each.apply else each
    for each in shop.SHOP.events
))
"""
"""The shop, each write of which is checked: as most domains are."""


def run(options: Options) -> Report:
    """A million entries."""
    sys.dont_write_bytecode = True  # a file is saved twice within a second
    report = Report("Other rules")
    count = options.scaled(1_000_000)
    with new_setting() as setting, tempfile.TemporaryDirectory() as folder:
        report.machine = describe(setting.log)
        fill(setting.log, count, v0=False)
        old, new = Path(folder, "old.py"), Path(folder, "new.py")
        old.write_text(RULES.format(most=False))
        new.write_text(RULES.format(most=True))
        found = [
            run_module("esdash", "domain", "compare", old, new, "--url", setting.server.url, "--json", codes=(3,))
            for _ in range(options.pairs)
        ]
        report.add(
            f"`domain compare` over {count:,} entries",
            f"{median([each.seconds for each in found]):.2f} s, CPU {median([each.cpu for each in found]):.2f} s",
            f"{found[0].json['decided_count']:,} decided otherwise",
        )
        before = children_cpu()
        process = RulesProcess(setting.log, old)
        process.begin(Apart(str(old)).fold)
        eventually(lambda: not process.told.folding, timeout=120)
        took = [_saved(process, most=place % 2 == 0) for place in range(2 * options.pairs)]
        process.close()
        cpu = (children_cpu() - before) / (len(took) + 1)
        report.add(
            f"`esdash dev`, from a save until it is told, {count:,} entries",
            f"{median(took):.2f} s ({min(took):.2f} s–{max(took):.2f} s)",
            f"CPU of all its processes {cpu:.2f} s",
            reach="≤ 3 s",
            reached=median(took) <= 3,
        )
    report.notes.append("One order in a hundred is refused; each write is checked, as in a domain that is not `fast`.")
    return report


def _saved(process: RulesProcess, *, most: bool) -> float:
    before, begun = process.told.saved_ms, time.perf_counter()
    process.file.write_text(RULES.format(most=most))
    eventually(lambda: process.told.saved_ms > before and not process.told.folding, timeout=120)
    assert process.told.result is not None, process.told.error
    assert process.told.result.differ == most
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(run)
