"""Runs every benchmark and prints the table of RESULTS.md: `python -m tests.benchmarks [--quick | --full]`."""

import importlib
import sys
from typing import Final

from tests.benchmarks.report import Report, options, table

PROGRAMS: Final = (
    "replay",
    "mixes",
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
    "archive",
    "growth",
    "scale",
    "past",
    "questions",
    "whatif",
    "other_rules",
)


def _run_all() -> None:
    chosen = options()
    reports: list[Report] = []
    for program in PROGRAMS:
        print(f"{program} …", file=sys.stderr, flush=True)
        reports.append(importlib.import_module(f"tests.benchmarks.{program}").run(chosen))
    print(f"{reports[0].machine}.\n")
    print(table(row for report in reports for row in report.rows))
    for report in reports:
        print(f"\n{report.title}:\n")
        print("\n".join(f"- {note}" for note in report.notes))


if __name__ == "__main__":
    _run_all()
