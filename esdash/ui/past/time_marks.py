"""What is marked in the line of time, and where: pure functions of what was counted."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from esdash.engine.shown.row import Row
from esdash.engine.shown.view import View
from esdash.ui.paint.drawing import milliseconds_of
from esdash.ui.tables.log_cells import MARKS, Mark

if TYPE_CHECKING:
    from esdash.past.entries.timeline import Timeline

CURSOR: Final = Mark("◆", "tag")
BREAK: Final = Mark("╱", "warning-strong")
SNAPSHOT: Final = Mark("┊", "strong")
PARKED: Final = MARKS["parked"]
REFUSED: Final = MARKS["rejected"]

MUCH: Final = 0.2
"""The share of refused entries from which a part is marked."""

LEGEND: Final = (
    ("▂▅█", "how many entries came; red where more than a fifth was refused, yellow where one could not be understood"),
    ("█ 9", "under the line: how many entries came where the bar is highest"),
    (CURSOR.glyph, "the moment that the screen shows"),
    (SNAPSHOT.glyph, "a stored snapshot stands after the entries up to there"),
    (BREAK.glyph, "entries are missing: gone before they were read, or lost from the log after that"),
    (
        f"{REFUSED.glyph} {PARKED.glyph}",
        "refused, not understood: where colours do not tell it, or there are two lines",
    ),
)
"""For the help."""


class Loss(NamedTuple):
    """Entries that are missing between two times, Unix milliseconds."""

    after: int
    """Of the last entry before them; below 0: there is none."""
    before: int
    """Of the first entry after them."""


def losses_of(view: View, first: int) -> list[Loss]:
    """What is known to be missing; `first` is the time of the first entry that there is."""
    known, continuity = list[Loss](), view.continuity
    if continuity is not None and continuity.unseen_before_start > 0:
        known.append(Loss(-1, first))
    if continuity is not None and continuity.after and continuity.before:
        known.append(Loss(milliseconds_of(continuity.after), milliseconds_of(continuity.before)))
    return known + _lost(view.orphans)


def _lost(orphans: Sequence[Row]) -> list[Loss]:
    times = sorted({milliseconds_of(row.entry_id) for row in orphans})
    return [Loss(time, time) for time in times]


def breaks_of(found: "Timeline", losses: Iterable[Loss]) -> frozenset[int]:
    """The parts before which entries are missing; −1 and the number of parts are the edges."""
    return frozenset(_break(found, loss) for loss in losses if found.start <= loss.before and loss.after <= found.end)


class Marked(NamedTuple):
    """The marks of each part of the line, and of the edges before the first and after the last."""

    parts: list[Mark | None]
    before: Mark | None
    after: Mark | None


def marked(
    found: "Timeline",
    cursor: int | None,
    snapshots: Iterable[int],
    breaks: Iterable[int],
    *,
    outcomes: bool = False,
    over: bool = False,
) -> Marked:
    """Of several marks in a part the one that matters most. `cursor` is a part, `breaks` are as of `breaks_of`;
    `snapshots` are Unix milliseconds.

    `outcomes`: what was refused or parked is marked as well, for it is not told otherwise. `over`: the marks take the
    place of bars; that of a snapshot stands behind the last bar of its entries, where nothing else does.
    """
    count = len(found.entries)
    marks: list[Mark | None] = [None] * (count + 2)
    if outcomes:
        for place in range(count):
            marks[place + 1] = outcome_of(found, place)
    for time in snapshots:
        if found.start <= time <= found.end:
            place = place_of(found, time)
            behind = over and found.entries[place] and not any(found.entries[place + 1 : place + 2])
            marks[place + 1 + bool(behind)] = SNAPSHOT
    for place in breaks:
        marks[place + 1] = BREAK
    if cursor is not None:
        marks[cursor + 1] = CURSOR
    return Marked(marks[1:-1], marks[0], marks[-1])


def outcome_of(found: "Timeline", place: int, *, told_below: bool = False) -> Mark | None:
    """What a part is marked by, where much of it was refused or something was not understood; where both is so by the
    second, unless that is `told_below`."""
    refused = REFUSED if found.refused[place] > MUCH * found.entries[place] else None
    if found.parked[place] and not (told_below and refused):
        return PARKED
    return refused


def place_of(found: "Timeline", time: int) -> int:
    """The part in which a time of the stretch lies."""
    parts = len(found.entries)
    return max(0, min(parts - 1, (time - found.start) * parts // max(1, found.end - found.start)))


def _break(found: "Timeline", loss: Loss) -> int:
    """The part before the first entry that is there again."""
    at = place_of(found, loss.before) if loss.before <= found.end else len(found.entries)
    last = place_of(found, loss.after) if loss.after >= found.start else -2
    return at - 1 if at - 1 > last else at
