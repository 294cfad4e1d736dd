"""The line of time: how much came when, what of it was refused or not understood, and where the screen stands."""

from asyncio import TimerHandle
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from textual import events

from esdash.engine.shown.view import View
from esdash.ui.asking import find_out
from esdash.ui.paint.drawing import clock_time, rate, spark
from esdash.ui.paint.painted import Line, PaintedLines, Span
from esdash.ui.past.time_marks import Marked, breaks_of, losses_of, marked, outcome_of, place_of
from esdash.ui.timers import after

if TYPE_CHECKING:
    from esdash.past.entries.timeline import Timeline
    from esdash.past.service import Past

LOOK_SECONDS: Final = 2.0
"""Between two looks at what came."""

SNAPSHOT_SECONDS: Final = 30.0
"""Between two looks at which snapshots are stored, while this consumer knows of no other one."""

DRAG_SECONDS: Final = 0.1
"""Between two moments that are shown while the cursor is dragged."""

WINDOWS: Final = ((60, "1 min"), (600, "10 min"), (3_600, "1 h"), (86_400, "1 d"))
"""Seconds that are shown beside the whole."""

TWO_LINES: Final = 45
"""Lines of a terminal from which marks stand under the bars; on lower ones they take the place of some."""


class _Counted(NamedTuple):
    """What a look has found."""

    timeline: "Timeline"
    breaks: frozenset[int]
    """Where entries are missing, by parts."""
    snapshots: list[int] | None
    """Where they stand, Unix milliseconds; None where nobody looked."""


class TimeLine(PaintedLines):
    """A click goes to a moment, dragging through moments; the wheel shows more or less of the time."""

    DEFAULT_CSS = """
    TimeLine { height: 1; padding: 0 1; }
    """

    def __init__(
        self,
        past: "Callable[[], Past | None] | None",
        go_to_time: Callable[[int], object],
        wall_clock: Callable[[], float],
        *,
        id: str | None = None,
    ) -> None:
        """`go_to_time` shows the moment of a time in Unix milliseconds."""
        super().__init__(id=id)
        self._past = past
        self._go_to_time = go_to_time
        self._wall_clock = wall_clock
        self._window = len(WINDOWS)
        """Which of the windows is shown; the one after the last is the whole."""
        self._timeline: Timeline | None = None
        self._at: int | None = None
        self._live: View | None = None
        self._breaks: frozenset[int] = frozenset()
        self._snapshots: list[int] = []
        self._snapshot_known: tuple[str, float] = ("", 0.0)
        """The newest snapshot when it was looked which there are, and when that was, in Unix seconds."""
        self._looking = False
        self._held: int | None = None
        """The part that a person holds the cursor at, until it is shown."""
        self._dragging = False
        self._due: TimerHandle | None = None

    def on_mount(self) -> None:
        self.set_interval(LOOK_SECONDS, self.look)

    def show(self, at: int | None, live: View) -> None:
        """Say where the screen stands, in Unix milliseconds, None for now; and what the consumer knows."""
        before, self._live = self._live, live
        if before is None or (before.continuity, before.orphans) != (live.continuity, live.orphans):
            self.look()
        if at != self._at:
            self._at = at
            if not self._dragging:
                self._held = None
            if self._timeline is None or (at is not None and not self._timeline.start <= at <= self._timeline.end):
                self.look()
            self.sync()

    def zoom(self, direction: int) -> None:
        """Show less of the time, or more where `direction` is negative."""
        self._window = min(max(self._window - direction, 0), len(WINDOWS))
        self.look()

    def look(self) -> None:
        """Count anew, in a thread."""
        past, width = self._past() if self._past is not None else None, self._room()
        live = self._live
        if past is None or live is None or self._looking or width < 10 or not self.display:
            return
        wants_snapshots = self._wants_snapshots(live)

        def count() -> _Counted:
            span = past.span()
            timeline = past.timeline(*self._stretch(span.first_ms, span.last_ms), width)
            breaks = breaks_of(timeline, losses_of(live, span.first_ms))
            snapshots = [each.entry_ms for each in past.snapshots()] if wants_snapshots else None
            return _Counted(timeline, breaks, snapshots)

        self._looking = True
        # Why it cannot be counted is said when somebody goes there.
        find_out(self, count, self._counted, lambda _: self._counted(None), "time line")

    def lines(self, width: int) -> Sequence[Line]:  # noqa: ARG002 - the parts were counted for a width
        found = self._timeline
        if found is None or not found.start:
            return ((Span("time ", "dim"), Span("…", "dim")),)
        under = self._has_two_lines
        plain = under or self.app.no_color
        marks = marked(found, self._cursor(), self._snapshots, self._breaks, outcomes=plain, over=not under)
        label = WINDOWS[self._window][1] if self._window < len(WINDOWS) else "all"
        wall, top = self._wall_clock(), max(1, *found.entries)
        begin, end = (clock_time(each, wall) for each in (found.start, found.end))
        bars = _bars(found, top, None if under else marks)
        first = (Span(begin.rjust(_LABEL - 1), "dim"), *bars, Span(end, "dim"), Span(f"  {label}", "strong"))
        if not under:
            return (first,)
        return (first, (Span(_most(found).rjust(_LABEL - 1), "dim"), *_under(found, marks, wall)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the moment under the pointer."""
        place = event.x - self.styles.padding.left - _LABEL
        if event.button == 1 and self._timeline is not None and 0 <= place < len(self._timeline.entries):
            self._dragging = True
            self.capture_mouse()
            self._hold(place)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging and self._timeline is not None:
            place = event.x - self.styles.padding.left - _LABEL
            self._hold(max(0, min(place, len(self._timeline.entries) - 1)))

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            if self._due is not None:
                self._go()

    def on_mouse_scroll_up(self) -> None:
        self.zoom(1)

    def on_mouse_scroll_down(self) -> None:
        self.zoom(-1)

    def on_resize(self) -> None:
        """Parts are as many as there is room for."""
        super().on_resize()
        self.look()

    def _counted(self, found: _Counted | None) -> None:
        self._looking = False
        if found is not None:
            self._timeline, self._breaks = found.timeline, found.breaks
            if found.snapshots is not None:
                self._snapshots = found.snapshots
        if not self._dragging:
            self._held = None
        self.sync()

    def _wants_snapshots(self, live: View) -> bool:
        """Whether it is to be looked which snapshots there are: after a new one, and now and then."""
        name, wall = "" if live.snapshot is None else live.snapshot.snapshot_id, self._wall_clock()
        known, when = self._snapshot_known
        if known == name and 0 <= wall - when < SNAPSHOT_SECONDS:
            return False
        self._snapshot_known = (name, wall)
        return True

    def _hold(self, place: int) -> None:
        if place == self._held:
            return
        self._held = place
        self.sync()
        if self._due is None:
            self._due = after(self, DRAG_SECONDS, self._go)

    def _go(self) -> None:
        """Show the moment that the cursor is held at."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        found = self._timeline
        if found is not None and self._held is not None:
            parts = len(found.entries)
            self._go_to_time(found.start + (found.end - found.start) * (self._held + 1) // parts)

    def _stretch(self, first: int, last: int) -> tuple[int, int]:
        """From when to when, in Unix milliseconds; there are entries from `first` to `last`."""
        if self._window == len(WINDOWS):
            return first, last
        length = WINDOWS[self._window][0] * 1000
        end = max(last, int(self._wall_clock() * 1000))
        if self._at is not None and self._at < end - length:
            end = self._at + length // 2
        return end - length, end

    def _cursor(self) -> int | None:
        found = self._timeline
        if self._held is not None or found is None:
            return self._held
        return None if self._at is None or not found.start <= self._at <= found.end else place_of(found, self._at)

    @property
    def _has_two_lines(self) -> bool:
        height = self.styles.height
        return height is not None and height.value > 1

    def _room(self) -> int:
        return self.size.width - _LABEL - _END


def _bars(found: "Timeline", top: int, marks: Marked | None) -> list[Span]:
    """A bar for each part, or a mark in its place."""
    before, after = (None, None) if marks is None else (marks.before, marks.after)
    spans = [Span(" ") if before is None else Span(*before)]
    for place, entries in enumerate(found.entries):
        mark = None if marks is None else marks.parts[place]
        outcome = outcome_of(found, place, told_below=marks is None)
        if mark is not None:
            spans.append(Span(*mark))
        else:
            style = "information" if outcome is None else outcome.style
            spans.append(Span(spark(entries, top) if entries else " ", style))
    return [*spans, Span(" ") if after is None else Span(*after)]


def _most(found: "Timeline") -> str:
    """How much came in the part with the highest bar: a second, or in all where a part is shorter."""
    top, seconds = max(found.entries), (found.end - found.start) / 1000 / len(found.entries)
    if not top:
        return ""
    return f"█ {rate(top / seconds)}" if seconds >= 1 else f"█ {top:,}"


def _under(found: "Timeline", marks: Marked, wall: float) -> list[Span]:
    """The marks, and some times where there is room between them."""
    parts = len(found.entries)
    edges = [marks.before, *marks.parts, marks.after]
    spans = [Span(" ") if mark is None else Span(*mark) for mark in edges]
    known = {clock_time(found.start, wall), clock_time(found.end, wall)}
    for quarter in (1, 2, 3):
        at = parts * quarter // 4
        told = clock_time(found.start + (found.end - found.start) * at // parts, wall)
        here = slice(at + 1, at + 2 + len(told))
        free = here.stop < parts and all(mark is None for mark in edges[here.start - 1 : here.stop + 1])
        if free and told not in known:
            spans[here] = [Span(char, "dim") for char in f"╵{told}"]
            known.add(told)
    return spans


_LABEL: Final = 12
_END: Final = 20
