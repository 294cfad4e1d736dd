"""A snapshot of a huge state while entries stream in: what the fold and the screen notice of it."""

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.benchmarks.appender import start_appender
from tests.benchmarks.consuming import consume
from tests.benchmarks.huge import ITEMS, make
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median, milliseconds
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal
from tests.benchmarks.watched import inside

RATE: Final = 5_000
BURST: Final = 5
WINDOW: Final = 5.0
"""Seconds looked at, with a snapshot and without."""

PAUSE: Final = 0.020
FRAME: Final = 0.1
"""The screen looks ten times a second."""


def run(options: Options) -> Report:
    """Longest gaps between applied pages and between pictures, with a snapshot and in as long a time without."""
    report = Report("A snapshot of a huge state while entries stream in")
    users = options.scaled(1_000_000)
    gaps: list[tuple[float, float, float, float]] = []
    with new_setting() as setting:
        report.machine = describe(setting.log)
        for number in range(options.pairs):
            setting.log.command("FLUSHALL")
            gaps.append(_measure(setting, users, f"huge-{number}"))
    quiet, during, quiet_frames, frames = zip(*gaps, strict=True)
    report.add(
        f"longest pause of the fold, {users:,} users, {ITEMS:,} items, {RATE:,} events/s",
        f"{milliseconds(median(during))} ({milliseconds(min(during))}–{milliseconds(max(during))})",
        f"without a snapshot {milliseconds(median(quiet))}",
        "",
        f"≤ {milliseconds(PAUSE)}",
        median(during) <= PAUSE,
    )
    report.add(
        "longest time between two pictures",
        f"{milliseconds(median(frames))} ({milliseconds(min(frames))}–{milliseconds(max(frames))})",
        f"without a snapshot {milliseconds(median(quiet_frames))}",
        "",
        f"< {milliseconds(3 * FRAME)}: never two frames missed in a row",
        max(frames) < 3 * FRAME,
    )
    report.notes.append(
        f"In each run {WINDOW:.0f} s without a snapshot, then {WINDOW:.0f} s from the press of the key on. Bursts of "
        f"{BURST} entries come every {BURST / RATE * 1000:.0f} ms, which is part of each pause."
    )
    return report


def _measure(setting: Setting, users: int, stream: str) -> tuple[float, float, float, float]:
    make(setting, users, 10_000, stream=stream)
    where = ("--url", setting.server.url, "--stream", stream)
    with tempfile.TemporaryDirectory() as folder:
        file, sent = Path(folder) / "inside", Path(folder) / "sent"
        with Terminal("tests.benchmarks.watched", file, *where) as screen:
            screen.until_text("LIVE")
            screen.watch_for(2)
            appender = start_appender(setting.socket, stream, RATE, 3 * WINDOW, BURST, sent)
            screen.watch_for(WINDOW / 2)
            begun = time.monotonic()
            screen.watch_for(WINDOW)
            pressed = screen.press("s")
            screen.until_text(" taken in ")
            screen.watch_for(pressed + WINDOW - time.monotonic())
            ended = time.monotonic()
            while appender.poll() is None:
                screen.watch(0.1)
            screen.watch_for(0.5)
            screen.leave()
            frames = screen.frames
        found = inside(file)
    consume(setting, stream, found.ordinal, found.digest, "--from-start")
    shop = found.shop()
    return (
        shop.longest_pause(begun, pressed),
        shop.longest_pause(pressed, ended),
        longest_gap(frames, begun, pressed),
        longest_gap(frames, pressed, ended),
    )


def longest_gap(moments: list[float], since: float, until: float) -> float:
    """The longest time between two of them that lie between two moments."""
    some = [moment for moment in moments if since <= moment <= until]
    return max((later - earlier for earlier, later in pairwise(some)), default=until - since)


if __name__ == "__main__":
    main(run)
