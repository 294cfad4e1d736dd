"""The main screen: what the consumer is doing, and the tables and the event log it makes of the stream."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.containers import Container
from textual.geometry import Size
from textual.timer import Timer
from textual.widgets import Static

from esdash.engine.console import Console, VerificationStatus, load_of
from esdash.engine.picture import Picture
from esdash.engine.row import Row
from esdash.engine.view import Phase, View
from esdash.ui.actions import Scope, bindings
from esdash.ui.arrangement import LAYOUTS, LEAST_HEIGHT, LEAST_WIDTH, ROOM_FOR_MESSAGES, layout_for
from esdash.ui.declared import LOG, Actions
from esdash.ui.messages import Message, Messages, message_of
from esdash.ui.pace import Pace
from esdash.ui.screens.panels import Panels
from esdash.ui.widgets.banner import Banner
from esdash.ui.widgets.key_bar import KeyBar
from esdash.ui.widgets.log_source import counts_text
from esdash.ui.widgets.message_line import MessageLine
from esdash.ui.widgets.status_bar import Moment, StatusBar

_RESTING = VerificationStatus(False, 0, 0, None, "")


class MainScreen(Panels):
    """Polls the console's view and shows what changed."""

    AUTO_FOCUS = f"#{LOG}"
    SAYS_MESSAGES: ClassVar = True
    BINDINGS: ClassVar = bindings(Scope.SCREEN)

    def __init__(
        self,
        console: Console,
        actions: Actions,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        messages: Messages,
    ) -> None:
        super().__init__(console, actions, clock, wall_clock)
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(actions.bindings())])
        self.pace = Pace(self, self.poll, self._is_moving, wall_clock)
        self._frozen: tuple[View, float] | None = None
        """While paused: what is shown, and the wall clock's time that it is of."""
        self._drawn: tuple[object, ...] = ()
        """What the last picture was made of."""
        self._messages = messages
        self._hushing: Timer | None = None
        """Takes the message away that is shown."""
        self._leaving = False
        self._reloading = False
        self._state: Picture | None = None
        self._newest: Row | None = None
        self._second = 0
        self._status = StatusBar(id="status")
        self._banner = Banner(self.fold, actions, id="banner")
        self._message = MessageLine(actions, id="message")
        self._keys = KeyBar(actions, id="keys")

    def compose(self) -> ComposeResult:
        """Status, banner, panels, message, keys."""
        yield self._status
        yield self._banner
        yield self.tabs
        with Container(id="panels"):
            yield Container(*self.panels[:-1], id="state")
            yield self.panels[-1]
        yield self._message
        yield self._keys
        yield Static(
            f"Make the terminal larger:\nesdash needs {LEAST_WIDTH}×{LEAST_HEIGHT}.", id="too-small", markup=False
        )

    def on_mount(self) -> None:
        """Look from now on."""
        self._fit(self.app.size)
        self.pace.begin(self.engine)

    def on_unmount(self) -> None:
        """Look no more."""
        self.pace.end()

    def poll(self) -> None:
        """Show the newest view, if it or a clock's second is another one than drawn last."""
        if self._reloading:
            return  # what the views show may be of other rules by now
        live, load, wall = self.engine.view, load_of(self.engine), self._wall_clock()
        self.watch_over(live)
        trust = self.trust_now(live)
        drawn = (live.number, load, int(wall), self._frozen is None, self._leaving, trust)
        if drawn == self._drawn and not self._is_sorting():
            return
        self._drawn = drawn
        shown, shown_at = self._frozen or (live, wall)
        moment = Moment(live, shown, load, self._clock(), wall, paused=self._frozen is not None, trust=trust)
        self._status.show(moment)
        self._banner.show(moment)
        self._show_tables(shown, shown_at)
        labels, extra = self._labels(live, load.running)
        self._keys.relabel(labels, extra, readonly=live.readonly or live.phase is Phase.HALTED)
        self._tell_notices(live)

    def redraw(self) -> None:
        """Show the view again although it is the same."""
        self._drawn = ()
        self.poll()

    def shown_view(self) -> View:
        """The view that the panels show, which is an older one while paused."""
        return self._frozen[0] if self._frozen is not None else self.engine.view

    def say_farewell(self) -> None:
        """The person is leaving: say what is being waited for."""
        self._leaving = True
        self._banner.farewell = True
        self._banner.refit()

    def say_failure(self, text: str) -> None:
        """The consumer ended by itself."""
        self._banner.failure = text
        self._banner.refit()

    def say(self, said: Message) -> None:
        """Show a message for as long as it stands, or until the next one."""
        self.hush()
        if self.is_running:
            self._hushing = self.set_timer(said.seconds, self.hush)
            self._message.show(said)
            self._place_message()

    def hush(self) -> None:
        """Take the message away."""
        if self._hushing is not None:
            self._hushing.stop()
            self._hushing = None
        self._message.show(None)
        self._place_message()

    def action_messages(self) -> None:
        """List the last messages."""
        from esdash.ui.screens.messages import MessagesScreen

        self.app.push_screen(MessagesScreen(self._messages, self._wall_clock))

    def action_pause(self) -> None:
        """Freeze, or catch up."""
        self._frozen = (self.engine.view, self._wall_clock()) if self._frozen is None else None
        self.redraw()

    def action_help(self) -> None:
        """Explain."""
        from esdash.ui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.actions.key_rows(self.engine.view.readonly)))

    def on_resize(self, event: events.Resize) -> None:
        """Arrange the panels for the terminal's size."""
        self._fit(event.size)
        self._drawn = ()
        self.call_after_refresh(self.poll)

    def counts(self, width: int) -> str:
        """Outcomes by name and reason, for the log's lower edge."""
        if self._state is None:
            return ""
        outcomes, counts = self.fold.outcomes, self._state.counts
        text = counts_text(outcomes, counts, width)
        parked = any(count for (name, _), count in zip(outcomes, counts, strict=False) if name == "parked")
        more = f"  {self.actions.key('parked')} shows parked" if parked else ""
        return text + more if cell_len(text + more) <= width else text

    def _fit(self, size: Size) -> None:
        layout = layout_for(*size)
        for name in LAYOUTS:
            self.set_class(name == layout, f"-{name}")
        self.arrangement = layout
        self.set_class(layout != "tiny" and size.height >= ROOM_FOR_MESSAGES, "-roomy")
        self._place_message()
        self.place_panels()

    def _place_message(self) -> None:
        self.set_class(self._message.message is not None and self.arrangement != "tiny", "-telling")

    def _show_tables(self, shown: View, wall: float) -> None:
        newest = shown.rows[-1] if shown.rows else None
        same = shown.state is self._state and newest is self._newest and int(wall) == self._second
        if same and not self._is_sorting():
            return
        self._state, self._newest, self._second = shown.state, newest, int(wall)
        for source in self.tables:
            source.update(shown.state, wall)
        self.log_lines.update(shown.rows, wall, shown.nth(0))
        self.log_lines.known = shown.state is not None
        self.log_lines.behind = shown.position.ordinal > 0
        for panel in self.panels:
            panel.sync()
        self.show_tabs()

    def _is_sorting(self) -> bool:
        return any(source.sorting for source in self.tables)

    def _is_moving(self) -> bool:
        return (
            load_of(self.engine).running
            or (self.engine.verifying.verification or _RESTING).running
            or self._is_sorting()
        )

    def _labels(self, live: View, producing: bool) -> tuple[dict[str, str], tuple[str, ...]]:
        """What some keys do just now, and keys that matter only now."""
        labels = {} if self.current == LOG else {"details": "Entries"}
        if producing:
            labels["load"] = "Stop producing"
        if self._frozen is not None:
            labels["pause"] = "Go on"
        if self.zoomed:
            labels["zoom"] = "Unzoom"
        return labels, self.keys_that_matter(live)

    def _tell_notices(self, live: View) -> None:
        for notice in live.notices:
            if notice.number <= self._messages.noticed:
                continue
            self._messages.noticed = notice.number
            if self._banner.says(notice.text) or self._status.says(notice.text):
                self._messages.add(message_of(notice.text, notice.severity, self._wall_clock()))
            else:
                self.tell(notice.text, notice.severity)
