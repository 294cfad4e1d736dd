"""The balances panel by number of users: scroll, jump, sort, filter; what a picture costs and what a load costs."""

import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import dropwhile, islice, takewhile
from pathlib import Path
from typing import Final

from tests.benchmarks.appender import start_appender
from tests.benchmarks.huge import make
from tests.benchmarks.machine import describe
from tests.benchmarks.report import Options, Report, main, median, milliseconds
from tests.benchmarks.setting import Setting, new_setting
from tests.benchmarks.terminal import Terminal

REACH: Final = 0.1
LINE: Final = "a line down or up"
PRESSES: Final = 20
LOAD: Final = 1_000
ITEMS: Final = 1_000

Times = dict[str, list[float]]


def run(options: Options) -> Report:
    """Times by action and number of users."""
    report = Report("The balances panel")
    sizes = (1_000, 10_000, 100_000) if options.quick else (1_000, 10_000, 100_000, 1_000_000)
    with new_setting() as setting:
        report.machine = describe(setting.log)
        found = {}
        for users in sizes:
            found[users] = measure(setting, users, options.pairs)
            setting.log.command("FLUSHALL")
    most = sizes[-1]
    for action, taken in found[most].items():
        if action.startswith("CPU"):
            report.add(action, f"{most:,} users: {_cost(action, taken)}", _others(found, sizes, action, _cost))
            continue
        report.add(
            action,
            f"{most:,} users: {milliseconds(median(taken))} ({milliseconds(min(taken))}–{milliseconds(max(taken))})",
            _others(found, sizes, action, lambda _, values: milliseconds(median(values))),
            "",
            f"≤ {milliseconds(REACH)}",
            median(taken) <= REACH,
        )
    report.notes.append("From the press of a key on a pseudo terminal of 120×40 to the picture that shows its effect.")
    return report


def _cost(action: str, taken: list[float]) -> str:
    return milliseconds(median(taken)) if "press" in action else f"{median(taken):.0%}".replace("%", " %")


def _others(
    found: dict[int, Times], sizes: tuple[int, ...], action: str, shown: Callable[[str, list[float]], str]
) -> str:
    return ", ".join(f"{users:,}: {shown(action, found[users][action])}" for users in sizes[:-1])


def measure(setting: Setting, users: int, repetitions: int) -> Times:
    """How long each action took, each time."""
    huge = make(setting, users, 1_000, stream=f"users-{users}", items=ITEMS)
    times: Times = {}
    where = ("--url", setting.server.url, "--stream", huge.stream, "--readonly")
    with tempfile.TemporaryDirectory() as folder, Terminal("esdash", *where) as screen:
        screen.until_text("LIVE")
        screen.until_text(f"Balances · {users:,}")
        screen.press("1")
        screen.watch_for(2)
        for _ in range(repetitions):
            for action, seconds in _actions(screen, users):
                times.setdefault(action, []).append(seconds)
                screen.watch_for(0.37)
        used = screen.cpu()
        for press in range(PRESSES):
            times.setdefault(LINE, []).append(_changed(screen, "jk"[press // 5 % 2]))
        times["CPU for a press of a key and its picture"] = [(screen.cpu() - used) / PRESSES]
        seconds = 3.0 * repetitions
        appender = start_appender(setting.socket, huge.stream, LOAD, seconds, 1, Path(folder) / "sent")
        screen.watch_for(1)
        used, begun = screen.cpu(), time.monotonic()
        while appender.poll() is None:
            screen.watch(0.1)
        times[f"CPU at {LOAD:,} events/s, share of a core"] = [(screen.cpu() - used) / (time.monotonic() - begun)]
        screen.leave()
    return times


def _actions(screen: Terminal, users: int) -> Iterator[tuple[str, float]]:
    last, digits = str(users - 1), str(users // 10 + 7)[:3]
    yield "a page down", _changed(screen, "\x1b[6~")
    yield "jump to the last line", _until(screen, "G", lambda: any(row.startswith(last) for row in _rows(screen)))
    yield "jump to the first line", _until(screen, "g", lambda: _rows(screen)[0].startswith("0 "))
    yield "sort by balance", _until(screen, ">", lambda: not _rows(screen)[0].startswith("0 "))
    yield "sort by user", _until(screen, "<", lambda: _rows(screen)[0].startswith("0 "))
    screen.press("/")
    screen.watch_for(0.5)
    screen.press(digits[:-1])
    screen.watch_for(1)
    yield "filter by one more digit", _until(screen, digits[-1], lambda: _rows(screen)[0].startswith(digits))
    screen.press("\x1b")
    screen.until(lambda _: _rows(screen)[0].startswith("0 "))
    screen.watch_for(0.5)


def _until(screen: Terminal, key: str, shown: Callable[[], bool]) -> float:
    pressed = screen.press(key)
    return screen.until(lambda _: shown()) - pressed


def _changed(screen: Terminal, key: str) -> float:
    before = _panel(screen)
    pressed = screen.press(key)
    seconds = screen.until(lambda _: _panel(screen) != before) - pressed
    screen.watch_for(0.05)
    return seconds


def _rows(screen: Terminal) -> list[str]:
    """The lines of the panel from the user's number on."""
    return [row[1:].lstrip() for row in _panel(screen)]


def _panel(screen: Terminal) -> list[str]:
    """The lines of the panel: the cursor's mark, the user's number, the balance."""
    below = dropwhile(lambda line: "Balances" not in line, screen.lines)
    # Between the panel's title with the heads of its columns, and its lower edge.
    return [line[1:22] for line in takewhile(lambda line: not line.startswith("╰"), islice(below, 2, None))]


if __name__ == "__main__":
    main(run)
