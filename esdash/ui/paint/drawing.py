"""Text, numbers and small charts in an exact number of cells. Pure functions of their arguments."""

import time
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

_SPARKS: Final = "▁▂▃▄▅▆▇█"


def cells_of(text: str) -> int:
    """Cells that a harmless text takes."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, width: int, right: bool = False) -> str:
    """The text in exactly `width` cells; a cut is marked with …. Wide characters are never halved."""
    length = cells_of(text)
    if length < width:
        return " " * (width - length) + text if right else text + " " * (width - length)
    if length == width:
        return text
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def fit_number(text: str, width: int) -> str:
    """The number at the right of `width` cells, or … when it has more digits: never a wrong number."""
    return fit(text, width, right=True) if cells_of(text) <= width else "…".rjust(width)


def bar(fraction: float, width: int) -> str:
    """A horizontal bar of `width` cells, in halves of a cell; anything above 0 shows."""
    halves = round(min(max(fraction, 0.0), 1.0) * width * 2)
    if fraction > 0 and width > 0:
        halves = max(halves, 1)
    full, rest = divmod(halves, 2)
    return ("━" * full + "╸" * rest).ljust(width)


def scroll_bar(y: int, page: int, top: int, count: int) -> str:
    """The piece on line `y` of a scroll bar beside `page` of `count` lines, the first in view being `top`."""
    if count <= page:
        return " "
    length = max(1, page * page // count)
    start = round(top / (count - page) * (page - length))
    return "┃" if start <= y < start + length else "│"


def sparkline(values: Sequence[float], width: int) -> str:
    """The last `width` values as blocks, the highest of them full; nothing happened is the lowest block."""
    shown = values[-width:] if width > 0 else ()
    top = max(shown, default=0.0)
    if top <= 0:
        return "▁" * len(shown)
    return "".join(spark(value, top) for value in shown)


def spark(value: float, top: float) -> str:
    """A value as a block; `top`, which is more than 0, is a full one."""
    return _SPARKS[min(7, int(value / top * 7.999))]


def age(seconds: float) -> str:
    """How long ago: `5 s`, `3 min`, `2 h`, `9 d`."""
    if seconds < 60:
        return f"{max(0, int(seconds))} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} h"
    return f"{int(seconds // 86400):,} d"


def duration(seconds: float) -> str:
    """How long something took or will take: `0.4 ms`, `12 ms`, `1.4 s`, `3 min 20 s`."""
    if seconds < 0.001:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600):,} h {int(seconds % 3600 // 60)} min"


def rate(events_per_second: float) -> str:
    """`912,345/s`, `1.5/s`."""
    if 0 < events_per_second < 9.95:
        return f"{events_per_second:.1f}/s"
    return f"{events_per_second:,.0f}/s"


def milliseconds_of(entry_id: str | bytes) -> int:
    """The time in a stream id, in milliseconds; 0 when it holds none."""
    text = entry_id if isinstance(entry_id, str) else entry_id.decode("ascii", "replace")
    head = text.partition("-")[0]
    return int(head) if head.isascii() and head.isdigit() else 0


def day(now: float) -> int:
    """Which day it is: the same entry's `clock_time` is another one tomorrow."""
    return time.localtime(now).tm_yday


def clock_time(milliseconds: int, now: float) -> str:
    """`12:34:56` of today, `06-03 12:34` of another day, local time; — for what no clock shows."""
    try:
        then = time.localtime(milliseconds / 1000)
    except (OverflowError, ValueError, OSError):
        return "—"
    if then.tm_year > 9999:
        return "—"
    today = time.localtime(now)
    if then[:3] != today[:3]:
        return time.strftime("%m-%d %H:%M" if then[0] == today[0] else "%Y-%m-%d", then)
    return time.strftime("%H:%M:%S", then)
