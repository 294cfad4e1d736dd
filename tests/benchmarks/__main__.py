"""Runs every benchmark and prints the README's section about speed: `python -m tests.benchmarks [--quick | --full]`."""

import importlib
import sys
from typing import Final

from tests.benchmarks.report import Report, options

PROGRAMS: Final = (
    "replay",
    "screen_replay",
    "start",
    "snapshots",
    "latency",
    "painted",
    "intake",
    "idle",
    "panel",
    "publish",
    "verifying",
    "growth",
)


def _run_all() -> None:
    chosen = options()
    reports: list[Report] = []
    for program in PROGRAMS:
        print(f"{program} …", file=sys.stderr, flush=True)
        reports.append(importlib.import_module(f"tests.benchmarks.{program}").run(chosen))
    print("## How fast it is\n")
    print(f"{reports[0].machine}. Medians of at least {chosen.pairs} runs; what stands beside a number was")
    print("measured in turn with it, and ratios are medians of the ratios pair by pair, with their range.\n")
    for report in reports:
        report.machine = ""
        print(report.markdown())


if __name__ == "__main__":
    _run_all()
