"""Where the panels have room on a terminal of some size. No textual."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

LEAST_WIDTH: Final = 60
LEAST_HEIGHT: Final = 16

ROOM_FOR_MESSAGES: Final = 30
"""Lines from which messages have a line of their own; on lower terminals they stand in the place of the keys."""

LAYOUTS: Final = ("tiny", "tabs", "tall", "stacked", "split", "columns")
"""The classes in `main.tcss`."""

_WIDTH: Final = 38
"""Cells under which a table beside others is not worth drawing."""
_HEIGHT: Final = 8
"""Lines under which a table under others is not: its frame, its titles, and five of its rows."""
_FRAME: Final = 3
"""Lines of a table that are none of its rows: its frame and its titles."""
_STEP: Final = 4
"""Rows."""
_AROUND: Final = 5
"""Lines that are no panel's: status, banner, tabs, keys."""


def layout_for(width: int, height: int) -> str:
    """The arrangement of the panels on a terminal of this size."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return "tiny"
    if width < 80:
        return "tall" if height >= 34 else "tabs"
    if height < 21:
        return "columns" if width >= 150 else "tabs"
    if width >= 240:
        return "columns"
    return "split" if width >= 110 else "stacked"


def tables_for(layout: str, width: int, height: int) -> int:
    """How many tables have room at once, beside the log."""
    body = height - _AROUND - (height >= ROOM_FOR_MESSAGES)
    if layout == "columns":
        return max(2, width // 2 // _WIDTH)
    if layout == "stacked":
        return max(2, width // _WIDTH)
    if layout == "split":
        return max(2, body // _HEIGHT)
    return max(2, body * 2 // 3 // _HEIGHT) if layout == "tall" else 1


def heights_for(rows: Sequence[int], room: int) -> list[int | None]:
    """Lines of tables that lie over each other, by how many rows each has: one that is short takes no more than it
    needs where another is too long for its share. None: an equal share of what the others leave."""
    # In steps, so that a table that grows does not move the others with each of its rows.
    needs = [max(_HEIGHT, -(-each // _STEP) * _STEP + _FRAME) for each in rows]
    heights: list[int | None] = [None] * len(rows)
    left, waiting = room, len(rows)
    for place in sorted(range(len(rows)), key=needs.__getitem__)[:-1]:
        if sum(needs) <= room or needs[place] * waiting >= left:
            break
        heights[place] = needs[place]
        left, waiting = left - needs[place], waiting - 1
    return heights


def preview_for(layout: str, width: int) -> int:
    """Cells for the preview beside the panels; 0 where there is no room for it."""
    least = {"split": 140, "columns": 200}.get(layout)
    return 0 if least is None or width < least else min(64, max(38, width * 24 // 100))


class Placed(Struct, frozen=True):
    """What has a place on a terminal of some size."""

    shown: frozenset[str]
    """The panels."""
    beside: int
    """Cells of the preview beside them; 0 without one."""
    classes: dict[str, bool]
    """Those of the screen that say so, and those that it has not."""


class Places:
    """Which panels have a place where there is none for all: of the tables those that a person looked at last."""

    def __init__(self, tables: Sequence[str], log: str) -> None:
        """Their names, in the order of the declaration, and that of the log."""
        self._names = tuple(tables)
        self._recent = list(tables)
        self._log = log

    def look_at(self, name: str) -> None:
        """A person has gone to a table; other panels do not count."""
        if name in self._names:
            self._recent.remove(name)
            self._recent.insert(0, name)

    def placed(self, layout: str, size: tuple[int, int], current: str, *, zoomed: bool, preview: bool) -> Placed:
        """What has a place in a layout; `current` is the panel that the keys are about, `preview` whether one is
        wanted."""
        width, height = size
        beside = 0
        if single := zoomed or layout == "tabs":
            shown = {current}
        else:
            beside = preview_for(layout, width) if preview else 0
            shown = {self._log, *self._recent[: tables_for(layout, width - beside, height)]}
        crowded = len(shown) <= len(self._names) and not zoomed
        return Placed(frozenset(shown), beside, {"-previewed": beside > 0, "-single": single, "-crowded": crowded})
