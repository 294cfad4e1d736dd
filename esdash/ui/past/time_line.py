"""The line of time: how much came when, what of it was refused or not understood, and where the screen stands."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from textual import events

from esdash.engine.console import EngineError
from esdash.ui.paint.drawing import clock_time, spark
from esdash.ui.paint.painted import Line, PaintedLines, Span

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.past.timeline import Timeline

LOOK_SECONDS: Final = 2.0
"""Between two looks at what came."""

WINDOWS: Final = ((60, "1 min"), (600, "10 min"), (3_600, "1 h"), (86_400, "1 d"))
"""Seconds that are shown beside the whole."""

MUCH: Final = 0.2
"""The share of refused entries from which a part is painted as bad."""


class TimeLine(PaintedLines):
    """One line; a click goes to a moment, the wheel shows more or less of the time."""

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
        self._looking = False

    def on_mount(self) -> None:
        """Look from now on."""
        self.set_interval(LOOK_SECONDS, self.look)

    def show(self, at: int | None) -> None:
        """Say where the screen stands, in Unix milliseconds; None for now."""
        if at != self._at:
            self._at = at
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
        if past is None or self._looking or width < 10 or not self.display:
            return

        def count() -> None:
            try:
                start, end = self._stretch(past)
                found = past.timeline(start, end, width)
            except EngineError:
                found = None  # said when somebody goes there
            self.app.call_from_thread(self._counted, found)

        self._looking = True
        self.run_worker(count, thread=True, exit_on_error=False, name="time line")

    def lines(self, width: int) -> Sequence[Line]:  # noqa: ARG002 - the parts were counted for a width
        """One line."""
        found = self._timeline
        if found is None or not any(found.entries):
            return ((Span("time ", "dim"), Span("…", "dim")),)
        label = WINDOWS[self._window][1] if self._window < len(WINDOWS) else "all"
        wall = self._wall_clock()
        begin, end = (clock_time(each, wall).rjust(11) for each in (found.start, found.end))
        top = max(found.entries)
        cursor = self._cursor()
        spans = [Span(f"{begin} ", "dim")]
        for place, (entries, refused, parked) in enumerate(
            zip(found.entries, found.refused, found.parked, strict=True)
        ):
            style = "warning" if parked else "bad" if refused > MUCH * entries else "information"
            if place == cursor:
                spans.append(Span("◆", "tag"))
            else:
                spans.append(Span(spark(entries, top) if entries else " ", style))
        return ((*spans, Span(f" {end.strip()}", "dim"), Span(f"  {label}", "strong")),)

    def on_click(self, event: events.Click) -> None:
        """Go to the moment under the pointer."""
        found = self._timeline
        place = event.x - self.styles.padding.left - _LABEL
        if found is not None and 0 <= place < len(found.entries):
            parts = len(found.entries)
            self._go_to_time(found.start + (found.end - found.start) * (place + 1) // parts)

    def on_mouse_scroll_up(self) -> None:
        """Less of the time."""
        self.zoom(1)

    def on_mouse_scroll_down(self) -> None:
        """More of the time."""
        self.zoom(-1)

    def on_resize(self) -> None:
        """Parts are as many as there is room for."""
        super().on_resize()
        self.look()

    def _counted(self, found: "Timeline | None") -> None:
        self._looking = False
        if found is not None:
            self._timeline = found
        self.sync()

    def _stretch(self, past: "Past") -> tuple[int, int]:
        """From when to when, in Unix milliseconds."""
        span = past.span()
        if self._window == len(WINDOWS):
            return span.first_ms, span.last_ms
        length = WINDOWS[self._window][0] * 1000
        end = max(span.last_ms, int(self._wall_clock() * 1000))
        if self._at is not None and self._at < end - length:
            end = self._at + length // 2
        return end - length, end

    def _cursor(self) -> int | None:
        found = self._timeline
        if self._at is None or found is None or not found.start <= self._at <= found.end:
            return None
        parts = len(found.entries)
        return min(parts - 1, (self._at - found.start) * parts // max(1, found.end - found.start))

    def _room(self) -> int:
        return self.size.width - _LABEL - _END


_LABEL: Final = 12
_END: Final = 20
