"""Live intake while the screen is open: another process appends 50,000 events a second, a person presses keys."""

import tempfile
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.appender import moments, start_appender
from tests.benchmarks.consuming import consume
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median, milliseconds, percentile
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.watched import inside

RATE: Final = 50_000
BURST: Final = 250
LAG: Final = 1.0
KEY: Final = 0.050
BETWEEN_KEYS: Final = 0.13
"""Seconds; no multiple of a frame."""


def run(options: Options) -> Report:
    """Lag, answers to keys, CPU."""
    report = Report(f"Live intake of {RATE:,} events/s while the screen is open")
    seconds = 5.0 if options.quick else 15.0
    worst, tails, answers, halves, loads = [], [], [], [], []
    with new_setting() as setting:
        report.machine = describe(setting.log)
        for number in range(options.pairs):
            delays, keys, load = _measure(setting, f"intake-{number}", seconds)
            worst.append(max(delays))
            tails.append(percentile(delays, 0.99))
            answers.append(percentile(keys, 0.99))
            halves.append(percentile(keys, 0.5))
            loads.append(load)
            setting.log.command("FLUSHALL")
    report.add(
        f"how far behind at {RATE:,} events/s, on a terminal",
        f"longest {milliseconds(median(worst))} ({milliseconds(min(worst))}–{milliseconds(max(worst))})",
        f"p99 {milliseconds(median(tails))}",
        "",
        f"never > {LAG:.0f} s",
        max(worst) <= LAG,
    )
    report.add(
        "— a key → its effect on the screen meanwhile",
        f"p99 {milliseconds(median(answers))} ({milliseconds(min(answers))}–{milliseconds(max(answers))})",
        f"p50 {milliseconds(median(halves))}",
        "",
        f"p99 ≤ {milliseconds(KEY)}",
        median(answers) <= KEY,
    )
    report.add("— CPU of the dashboard meanwhile", f"{median(loads):.0%} of a core".replace("%", " %"))
    report.notes.append(
        f"{options.pairs} runs of {seconds:.0f} s, bursts of {BURST}; the log follows, and every "
        f"{BETWEEN_KEYS * 1000:.0f} ms a key moves the cursor in the balances."
    )
    return report


def _measure(setting: Setting, stream: str, seconds: float) -> tuple[list[float], list[float], float]:
    total = round(RATE * seconds / BURST) * BURST
    where = ("--url", setting.server.url, "--stream", stream, "--readonly")
    with tempfile.TemporaryDirectory() as folder:
        file, sent = Path(folder) / "inside", Path(folder) / "sent"
        with Terminal("tests.benchmarks.watched", file, *where) as screen:
            screen.until_text("LIVE")
            appender = start_appender(setting.socket, stream, RATE, seconds, BURST, sent)
            screen.until(lambda shown: " 0 events " not in shown.text)
            screen.press("1")
            screen.watch_for(1)
            keys: list[float] = []
            used, begun = screen.cpu(), time.monotonic()
            while appender.poll() is None:
                keys.append(answer(screen, "jk"[len(keys) // 5 % 2]))
                screen.watch_for(BETWEEN_KEYS)
            load = (screen.cpu() - used) / (time.monotonic() - begun)
            screen.until_text(f" {total:,} events ")
            screen.leave()
        found = inside(file)
        consume(setting, stream, total, found.digest, "--from-start")
        return found.shop().delays(moments(sent), BURST), keys, load


def answer(screen: Terminal, key: str) -> float:
    """Seconds from a key to the cursor's being elsewhere in the balances."""
    before = cursor(screen)
    pressed = screen.press(key)
    return screen.until(lambda shown: cursor(shown) not in (before, -1)) - pressed


def cursor(screen: Terminal) -> int:
    """The line of the screen that the cursor of the balances is on."""
    return next((row for row, line in enumerate(screen.lines) if line[1:2] == "▌"), -1)


if __name__ == "__main__":
    main(run)
