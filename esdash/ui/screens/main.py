"""The main screen: what the consumer is doing, and the balances, the stock and the event log it makes of it."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import ClassVar, Final

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size
from textual.timer import Timer
from textual.widgets import Static

from esdash.engine.console import Console, VerificationStatus
from esdash.engine.domain import Row
from esdash.engine.view import View
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.story import payload_of, type_of
from esdash.shop.view import ShopView
from esdash.ui.actions import BY_ID, Keymap, Scope, bindings, key_rows
from esdash.ui.hints import panel_hints
from esdash.ui.screens.trust import Trust
from esdash.ui.widgets.balances import BalancesSource
from esdash.ui.widgets.banner import Banner
from esdash.ui.widgets.key_bar import KeyBar
from esdash.ui.widgets.line_table import LineTable
from esdash.ui.widgets.log_source import LogSource, counts_text
from esdash.ui.widgets.log_table import LogTable
from esdash.ui.widgets.panel import Panel
from esdash.ui.widgets.panel_tabs import PanelTabs, Tab
from esdash.ui.widgets.payload import too_large
from esdash.ui.widgets.status_bar import Moment, StatusBar
from esdash.ui.widgets.stock import StockSource

LEAST_WIDTH: Final = 60
LEAST_HEIGHT: Final = 16

FRAME_SECONDS: Final = 0.1
"""Between two looks at what changes, but for one that may come early."""

ATTENTIVE_SECONDS: Final = 3.0
"""For so long after a person did something it looks again and again, since that may change what no view tells."""

_RESTING: Final = VerificationStatus(False, 0, 0, None, "")

_LAYOUTS: Final = ("tiny", "tabs", "tall", "stacked", "split", "columns")


def layout_for(width: int, height: int) -> str:
    """The arrangement of the panels on a terminal of this size, one of the classes in `main.tcss`."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return "tiny"
    if width < 80:
        return "tall" if height >= 34 else "tabs"
    if height < 21:
        return "columns" if width >= 150 else "tabs"
    if width >= 240:
        return "columns"
    return "split" if width >= 110 else "stacked"


class MainScreen(Trust):
    """Polls the console's view and shows what changed."""

    AUTO_FOCUS = "#log"
    BINDINGS: ClassVar = bindings(Scope.SCREEN)

    def __init__(
        self,
        console: Console,
        keymap: Keymap,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        demo_batch: Callable[[], Iterable[tuple[str, bytes]]],
    ) -> None:
        super().__init__(console, demo_batch, clock, wall_clock)
        self._keymap = keymap
        hints = panel_hints(keymap)
        self.balances = BalancesSource(hints["balances"], lambda: self.call_later(self.poll))
        self.stock = StockSource(hints["stock"])
        self.log_lines = LogSource(hints["log"])
        self._frozen: tuple[View, float] | None = None
        """While paused: what is shown, and the wall clock's time that it is of."""
        self._paced = 0.0
        """When as many looks as there were would have been due at an even pace."""
        self._next_look: tuple[float, Timer] | None = None
        self._view_is_new = False
        """The consumer has told of a view, and nobody has looked yet."""
        self._attentive_until = 0.0
        self._drawn: tuple[object, ...] = ()
        """What the last picture was made of."""
        self._noticed = 0
        self._layout = ""
        self._zoomed = False
        self._current = "log"
        self._leaving = False
        self._state: ShopView | None = None
        self._newest: Row | None = None
        self._second = 0
        self._status = StatusBar(id="status")
        self._banner = Banner(keymap, id="banner")
        self._tabs = PanelTabs(id="tabs")
        self._keys = KeyBar(keymap, id="keys")
        self.panels = (
            Panel(1, "Balances", self.balances, LineTable(self.balances, id="balances"), "a user's number"),
            Panel(2, "Stock", self.stock, LineTable(self.stock, id="stock"), "part of an item's name"),
            Panel(3, "Log", self.log_lines, LogTable(self.log_lines, id="log"), "part of a line", self._counts),
        )

    def compose(self) -> ComposeResult:
        """Status, banner, panels, keys."""
        yield self._status
        yield self._banner
        yield self._tabs
        with Container(id="panels"):
            yield Container(*self.panels[:2], id="state")
            yield self.panels[2]
        yield self._keys
        yield Static(
            f"Make the terminal larger:\nesdash needs {LEAST_WIDTH}×{LEAST_HEIGHT}.", id="too-small", markup=False
        )

    def on_mount(self) -> None:
        """Look from now on: at each new view and each second, ten times a second at most."""
        self._fit(self.app.size)
        self._look()
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()

        def view_came() -> None:
            if not self._view_is_new:
                self._view_is_new = True
                with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                    loop.call_soon_threadsafe(self.look_soon, context=context)

        self.engine.on_view(view_came)

    def attend(self) -> None:
        """A person has done something."""
        self._attentive_until = time.monotonic() + ATTENTIVE_SECONDS
        self.look_soon()

    def look_soon(self) -> None:
        """Look as soon as there is a frame to spare: at once, though the clock's second may just have been shown."""
        self._look_at(self._paced - FRAME_SECONDS)

    def _look(self) -> None:
        self._next_look = None
        self._view_is_new = False
        self.poll()
        now = time.monotonic()
        self._paced = max(self._paced, now) + FRAME_SECONDS
        moving = self.engine.load.running or (self.engine.verification or _RESTING).running or self.balances.sorting
        second = 1.002 - self._wall_clock() % 1  # a timer is up to a millisecond early
        self._look_at(now + (FRAME_SECONDS if moving or now < self._attentive_until else second))

    def _look_at(self, moment: float) -> None:
        if self._next_look is not None:
            if self._next_look[0] <= moment:
                return
            self._next_look[1].stop()
        # Of a timer for no time at all, Textual makes a division by zero.
        timer = self.set_timer(max(0.001, moment - time.monotonic()), self._look)
        self._next_look = (moment, timer)

    def poll(self) -> None:
        """Show the newest view, if it or a clock's second is another one than drawn last."""
        live, load, wall = self.engine.view, self.engine.load, self._wall_clock()
        self.watch_over(live)
        trust = self.trust_now(live)
        drawn = (live.number, load, int(wall), self._frozen is None, self._leaving, trust)
        if drawn == self._drawn and not self.balances.sorting:
            return
        self._drawn = drawn
        shown, shown_at = self._frozen or (live, wall)
        moment = Moment(live, shown, load, self._clock(), wall, paused=self._frozen is not None, trust=trust)
        self._status.show(moment)
        self._banner.show(moment)
        self._show_tables(shown, shown_at)
        labels, extra = self._labels(live, load.running)
        self._keys.relabel(labels, extra)
        self._tell_notices(live)

    def _show_tables(self, shown: View, wall: float) -> None:
        state = shown.state if isinstance(shown.state, ShopView) else None
        newest = shown.rows[-1] if shown.rows else None
        if state is self._state and newest is self._newest and int(wall) == self._second and not self.balances.sorting:
            return
        self._state, self._newest, self._second = state, newest, int(wall)
        self.balances.update(state, wall)
        self.stock.update(state, wall)
        self.log_lines.update(shown.rows, wall, shown.nth(0))
        self.log_lines.known = state is not None
        self.log_lines.behind = shown.position.ordinal > 0
        for panel in self.panels:
            panel.sync()
        self._show_tabs()

    def say_farewell(self) -> None:
        """The person is leaving: say what is being waited for."""
        self._leaving = True
        self._banner.farewell = True
        self._banner.refit()

    def say_failure(self, text: str) -> None:
        """The consumer ended by itself."""
        self._banner.failure = text
        self._banner.refit()

    # Panels

    @property
    def panel(self) -> Panel:
        """The one that keys are about."""
        return next(panel for panel in self.panels if panel.table.id == self._current)

    def action_panel(self, name: str) -> None:
        """Focus a panel; where one is shown at a time, show it."""
        self._current = name
        self._arrange()
        self.set_focus(self.panel.table)

    def action_next_panel(self) -> None:
        """Focus the next one."""
        self._step(1)

    def action_previous_panel(self) -> None:
        """Focus the one before."""
        self._step(-1)

    def action_zoom(self) -> None:
        """One panel, or all."""
        self._zoomed = not self._zoomed
        self._arrange()
        self._drawn = ()
        self.poll()

    def action_filter(self) -> None:
        """Type a filter."""
        self.panel.start_filter()

    def action_clear(self) -> None:
        """Undo the filter, or the zoom."""
        if not self.panel.clear_filter() and self._zoomed:
            self.action_zoom()
        self.set_focus(self.panel.table)

    def action_sort_next(self) -> None:
        """Another column."""
        self.panel.table.sort_step(1)

    def action_sort_previous(self) -> None:
        """Another column."""
        self.panel.table.sort_step(-1)

    def action_sort_invert(self) -> None:
        """The other way round."""
        self.panel.table.sort_invert()

    def action_pause(self) -> None:
        """Freeze, or catch up."""
        self._frozen = (self.engine.view, self._wall_clock()) if self._frozen is None else None
        self._drawn = ()
        self.poll()

    def action_details(self) -> None:
        """Look closer at the line under the cursor."""
        selected = self.panel.table.selected
        if selected is None:
            return
        if self._current == "log":
            from esdash.ui.screens.details import DetailsScreen

            row = self.log_lines.row(self.panel.table.cursor)
            self.app.push_screen(
                DetailsScreen(self.engine, row, (self._frozen[0] if self._frozen else self.engine.view).rows)
            )
            return
        needle = f"user {selected} " if self._current == "balances" else str(selected)
        self.action_panel("log")
        self.panel.start_filter(needle)

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        table = self.panel.table
        if table.selected is None:
            return
        if self._current == "log":
            row = self.log_lines.row(table.cursor)
            if why_not := too_large(row, "copied"):
                self.tell(why_not, "warning")
                return
            payload = payload_of(row.fields).decode("utf-8", "backslashreplace")
            text = f"{row.entry_id.decode('utf-8', 'backslashreplace')} {type_of(row.fields)} {payload}"
            self.tell("The event's id, type and payload are copied.")
        else:
            text = " ".join(cell.text for cell in table.source.cells(table.cursor)[:3] if cell.text)
            self.tell("The line is copied.")
        self.app.copy_to_clipboard(text)

    def action_help(self) -> None:
        """Explain."""
        from esdash.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(key_rows(self._keymap)))

    @on(LineTable.Activated)
    def _open(self, event: LineTable.Activated) -> None:
        event.stop()
        self.action_details()

    @on(PanelTabs.Chosen)
    def _choose(self, event: PanelTabs.Chosen) -> None:
        event.stop()
        self.action_panel(event.panel)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which panel the keys are about."""
        panel = next((node for node in event.widget.ancestors_with_self if isinstance(node, Panel)), None)
        if panel is not None and panel.table.id is not None:
            self._current = panel.table.id
            self._show_tabs()

    def on_resize(self, event: events.Resize) -> None:
        """Arrange the panels for the terminal's size."""
        self._fit(event.size)
        self._drawn = ()
        self.call_after_refresh(self.poll)

    def _fit(self, size: Size) -> None:
        layout = layout_for(*size)
        if layout != self._layout:
            self._layout = layout
            for name in _LAYOUTS:
                self.set_class(name == layout, f"-{name}")
            self._arrange()

    def _step(self, step: int) -> None:
        names = [panel.table.id or "" for panel in self.panels]
        self.action_panel(names[(names.index(self._current) + step) % len(names)])

    def _arrange(self) -> None:
        """Hide the panels that have no place now."""
        single = self._zoomed or self._layout == "tabs"
        self.set_class(single, "-single")
        for panel in self.panels:
            panel.display = not single or panel.table.id == self._current
        self.query_one("#state").display = not single or self._current != "log"
        self._show_tabs()

    # What is around the panels

    def _show_tabs(self) -> None:
        tabs = [Tab(panel.table.id or "", panel.brief) for panel in self.panels]
        self._tabs.show(tabs, self._current)

    def _counts(self, width: int) -> str:
        """Outcomes by name and reason, for the log's lower edge."""
        if self._state is None:
            return ""
        text = counts_text(self._state.counts, width)
        parked = any(count for (name, _), count in zip(OUTCOMES, self._state.counts, strict=False) if name == "parked")
        more = f"  {BY_ID['parked'].name(self._keymap)} shows parked" if parked else ""
        return text + more if cell_len(text + more) <= width else text

    def _labels(self, live: View, producing: bool) -> tuple[dict[str, str], tuple[str, ...]]:
        """What some keys do just now, and keys that matter only now."""
        labels = {}
        if producing:
            labels["load"] = "Stop producing"
        if self._frozen is not None:
            labels["pause"] = "Go on"
        if self._zoomed:
            labels["zoom"] = "Unzoom"
        return labels, self.keys_that_matter(live)

    def _tell_notices(self, live: View) -> None:
        for notice in live.notices:
            if notice.number > self._noticed:
                self._noticed = notice.number
                self.tell(notice.text, notice.severity)
