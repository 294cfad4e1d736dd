"""Replay: `esdash consume --once` from the beginning of the stream, in turn with the limit client."""

from typing import Final

from tests.benchmarks.consuming import consume, limit
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, in_turn, main, median, per_second, percent, ratios
from tests.benchmarks.setting import Ended, Setting, new_setting, peak_memory
from tests.benchmarks.workload import fill

REACH: Final = 0.6
"""Of what the limit client gets of the reference wire format; JSON is to be no slower than that."""

MOST_MEMORY: Final = 150e6


def run(options: Options) -> Report:
    """Both wire formats: rate, CPU, memory."""
    report = Report("Replay from the beginning")
    count = options.scaled(1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        formats = [_Format(setting, name, count) for name in ("v0", "v1")]
        rates = in_turn(options.pairs, *(measure for each in formats for measure in (each.replay, each.limit)))
        for each, replays, limits in zip(formats, rates[::2], rates[1::2], strict=True):
            each.tell(report, replays, limits)
        report.add(
            "replay of v1 beside v0",
            per_second(median(rates[2])),
            per_second(median(rates[0])),
            percent(ratios(rates[2], rates[0])),
            "≥ 100 %",
            median(ratios(rates[2], rates[0])) >= 1,
        )
    report.notes.append(
        "The limit is a client that asks for page after page and throws the bytes away. Replay rates are those that "
        "the program prints, from the first request to the last entry folded; the whole program also starts, imports "
        "and takes the digest."
    )
    return report


class _Format:
    """A stream in one wire format."""

    def __init__(self, setting: Setting, name: str, count: int) -> None:
        self.setting = setting
        self.name = name
        self.count = count
        self.digest = fill(setting.other(name), count, v0=name == "v0")
        self.ended: list[Ended] = []
        self.server_cpu: list[float] = []

    def replay(self) -> float:
        before = self.setting.server_cpu()
        self.ended.append(consume(self.setting, self.name, self.count, self.digest, "--from-start"))
        self.server_cpu.append(self.setting.server_cpu() - before)
        return float(self.ended[-1].json["events_per_second"])

    def limit(self) -> float:
        return limit(self.setting, self.name, self.count)

    def tell(self, report: Report, replays: list[float], limits: list[float]) -> None:
        shares = ratios(replays, limits)
        report.add(
            f"replay of {self.count:,} entries, {self.name}",
            per_second(median(replays)),
            f"limit {per_second(median(limits))}",
            percent(shares),
            *((f"≥ {REACH:.0%}".replace("%", " %"), median(shares) >= REACH) if self.name == "v0" else ()),
        )
        report.add(
            f"— the whole program, {self.name}",
            f"{median([each.seconds for each in self.ended]):.2f} s, "
            f"CPU {median([each.cpu for each in self.ended]):.2f} s",
            f"server's CPU {median(self.server_cpu):.2f} s",
        )
        where = ("--url", self.setting.server.url, "--stream", self.name)
        memory = peak_memory("esdash", *where, "consume", "--once", "--no-snapshot", "--from-start")
        report.add(
            f"— peak memory of all its processes, {self.name}",
            f"{memory / 1e6:.0f} MB",
            "",
            "",
            f"≤ {MOST_MEMORY / 1e6:.0f} MB",
            memory <= MOST_MEMORY,
        )


if __name__ == "__main__":
    main(run)
