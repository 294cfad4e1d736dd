"""`python -m tests.chaos.nemesis`: draw schedules, run them, and show what fails as short as it can be."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from tests.chaos.nemesis.running import Failure, Nemesis
from tests.chaos.nemesis.schedule import Schedule, draw
from tests.chaos.nemesis.shrink import shrink
from tests.generations import generations, usual

_ATTEMPTS = 4
"""How often a shorter schedule may be tried until it fails: threads do not run twice in the same way."""

_SHRINK_SECONDS = 60.0
"""After so many no shorter one is tried."""


def _find_server(name: str) -> Path:
    """The binary of a generation, or the one at a path. Raises SystemExit where there is none."""
    if not name:
        return usual().program
    if found := next((each.binary for each in generations() if each.name == name), None):
        return found
    if not Path(name).is_file():
        raise SystemExit(
            f"There is no server {name!r}: give a path, or one of {[each.name for each in generations()]}."
        )
    return Path(name)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a schedule failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.nemesis", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long to go on")
    parser.add_argument("--seed", type=int, default=1, help="of the first schedule; the next one's is one more")
    parser.add_argument("--schedules", type=int, default=10**9, help="how many at most")
    parser.add_argument("--server", default="", help="a server's binary, or a generation: 6.2, 8.1, 9.1")
    parser.add_argument("--replay", default="", help="run this schedule alone, as it was printed")
    parser.add_argument("--times", type=int, default=1, help="how often to replay")
    parser.add_argument("--show", action="store_true", help="print every schedule before it is run")
    parser.add_argument("--no-shrink", action="store_true", help="print what fails as it was drawn")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first failure")
    options = parser.parse_args(arguments)
    with Nemesis(_find_server(options.server)) as nemesis:
        if options.replay:
            return _replay(nemesis, Schedule.parse(options.replay), options.times)
        return _go_on(nemesis, options)


def _replay(nemesis: Nemesis, schedule: Schedule, times: int) -> int:
    failures = [failure for _ in range(times) if (failure := nemesis.run(schedule))]
    for failure in failures:
        print(f"{failure.kind}: {failure.what}")
    print(f"{len(failures)} of {times} failed")
    return 1 if failures else 0


def _go_on(nemesis: Nemesis, options: argparse.Namespace) -> int:
    begun, seed = time.monotonic(), options.seed
    kinds: Counter[str] = Counter()
    while time.monotonic() < begun + options.minutes * 60 and seed < options.seed + options.schedules:
        schedule = draw(seed)
        if options.show:
            print(seed, schedule, flush=True)
        failure = nemesis.run(schedule)
        seed += 1
        if failure is not None:
            kinds[failure.kind] += 1
            print(f"seed {seed - 1}: {failure.kind}: {failure.what}", flush=True)
            shortest = failure if options.no_shrink else _shortest(nemesis, failure)
            print(f"  {shortest.kind}: {shortest.what}\n  {shortest.command}", flush=True)
            if not options.keep_going:
                break
    seconds = time.monotonic() - begun
    done = seed - options.seed
    failed = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items()) or "none failed"
    print(f"{done:,} schedules, {nemesis.operations:,} operations, {seconds:,.0f} s: {failed}")
    return 1 if kinds else 0


def _shortest(nemesis: Nemesis, failure: Failure) -> Failure:
    found = [failure]
    deadline = time.monotonic() + _SHRINK_SECONDS

    def fails(schedule: Schedule) -> bool:
        for _ in range(_ATTEMPTS if time.monotonic() < deadline else 0):
            again = nemesis.run(schedule)
            if again is not None and again.kind == failure.kind:
                found.append(again)
                return True
        return False

    shrink(failure.schedule, fails)
    return found[-1]


if __name__ == "__main__":
    sys.exit(main())
