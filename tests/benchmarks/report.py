"""Tables of what was measured, in Markdown, and the programs' common options."""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

PAIRS: Final = 5
QUICK_PAIRS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What every program takes."""

    quick: bool = False
    """A tenth of the work, fewer pairs."""
    full: bool = False
    """The work that takes minutes, too."""
    minutes: float = 0.0
    """How long memory is watched; 0: as long as usual."""

    @property
    def pairs(self) -> int:
        """How often two things take turns."""
        return QUICK_PAIRS if self.quick else PAIRS

    def scaled(self, count: int) -> int:
        """So many, or a tenth."""
        return count // 10 if self.quick else count


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    what: str
    measured: str
    beside: str = ""
    """What the limit, or whatever it is compared with, got in the same run."""
    ratio: str = ""
    reach: str = ""
    """What was to be reached."""
    reached: bool | None = None
    """None where there is nothing to reach."""


@dataclass(slots=True)
class Report:
    """What a program found."""

    title: str
    machine: str = ""
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        what: str,
        measured: str,
        beside: str = "",
        ratio: str = "",
        reach: str = "",
        reached: bool | None = None,
    ) -> None:
        """Add a row, and show it at once on stderr."""
        row = Row(what, measured, beside, ratio, reach, reached)
        self.rows.append(row)
        print(f"· {_line(row)}", file=sys.stderr, flush=True)

    def markdown(self) -> str:
        """The table with its notes."""
        head = ["| what | measured | beside it | ratio | aim | reached |", "|---|---|---|---|---|---|"]
        typed = " ".join(["python -m", f"tests.benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
        lines = [
            f"## {self.title}",
            "",
            *head,
            *map(_line, self.rows),
            "",
            *(f"- {note}" for note in self.notes),
            f"- `{typed}` on {date.today().isoformat()}: {self.machine}.",
        ]
        return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    reached = "" if row.reached is None else "yes" if row.reached else "**no**"
    return f"| {row.what} | {row.measured} | {row.beside} | {row.ratio} | {row.reach} | {reached} |"


def in_turn(pairs: int, *measures: Callable[[], float]) -> list[list[float]]:
    """What some measurements gave, each taken `pairs` times, in turn."""
    taken: list[list[float]] = [[] for _ in measures]
    for number in range(pairs):
        for values, measure in zip(taken, measures, strict=True):
            values.append(measure())
        shown = ", ".join(f"{values[-1]:.4g}" for values in taken)
        print(f"  {number + 1}/{pairs}: {shown}", file=sys.stderr, flush=True)
    return taken


def ratios(ones: Sequence[float], others: Sequence[float]) -> list[float]:
    """One by the other, pair by pair."""
    return [one / other for one, other in zip(ones, others, strict=True)]


def median(values: Sequence[float]) -> float:
    """The one in the middle."""
    return statistics.median(values)


def percent(values: Sequence[float]) -> str:
    """`62 % (58–66)`: median and range of shares."""
    low, high = min(values) * 100, max(values) * 100
    return f"{median(values) * 100:.0f} % ({low:.0f}–{high:.0f})"


def times(values: Sequence[float]) -> str:
    """`1.72 × (1.60–1.80)`: median and range of factors."""
    return f"{median(values):.2f} × ({min(values):.2f}–{max(values):.2f})"


def per_second(rate: float) -> str:
    """`912,000/s`, with three digits that mean something."""
    digits = max(0, len(str(int(rate))) - 3)
    return f"{round(rate, -digits):,.0f}/s"


def milliseconds(seconds: float) -> str:
    """`0.19 ms`, `12.3 ms`, `412 ms`."""
    value = seconds * 1000
    return f"{value:.2f} ms" if value < 10 else f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main(run: Callable[[Options], Report]) -> None:
    """Run one program and print its table."""
    print(run(options()).markdown())


def options() -> Options:
    """What was typed."""
    parser = argparse.ArgumentParser(description="Measures esdash; prints Markdown on stdout, progress on stderr.")
    add_options(parser)
    typed = parser.parse_args()
    return Options(typed.quick, typed.full, typed.minutes)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Those that every program takes."""
    parser.add_argument("--quick", action="store_true", help="a tenth of the work and fewer pairs")
    parser.add_argument("--full", action="store_true", help="also what takes many minutes")
    parser.add_argument("--minutes", type=float, default=0.0, help="how long memory is watched")
