"""The main screen: what the consumer is doing, and the tables and the event log it makes of the stream."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingsMap
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from esdash.engine.console import Console, load_of
from esdash.engine.shown.view import Phase, View
from esdash.ui.actions import Group, Scope, bindings
from esdash.ui.declared import LOG, Actions
from esdash.ui.main.arrangement import LAYOUTS, LEAST_HEIGHT, LEAST_WIDTH, ROOM_FOR_MESSAGES, layout_for
from esdash.ui.main.banner import Banner
from esdash.ui.main.controls import Controls
from esdash.ui.main.exports import Exports
from esdash.ui.main.message_line import MessageLine
from esdash.ui.main.new_rules import NewRules
from esdash.ui.main.pace import Pace
from esdash.ui.main.panel_keys import PanelKeys
from esdash.ui.main.panels import Panels
from esdash.ui.main.preview import Preview
from esdash.ui.main.status_bar import Moment, StatusBar
from esdash.ui.main.trust import Trust
from esdash.ui.messages import Message, Messages, message_of, tell
from esdash.ui.paint.key_bar import Key, KeyBar
from esdash.ui.past.destinations import Destinations
from esdash.ui.past.overviews import Overviews
from esdash.ui.past.time_line import TWO_LINES, TimeLine
from esdash.ui.past.time_machine import TimeMachine
from esdash.ui.remembered import Arranged
from esdash.ui.sandbox.opening import Sandboxes, SandboxOf
from esdash.ui.tables.question_book import QuestionBook

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.ui.main.tour import Seen, Tour
    from esdash.whatif.rules_process import RulesProcess

PAST_KEYS: Final = ("clear", "step_back", "step_on", "go_to", "refused_before", "refused_after")
"""What the line of keys begins with while the past is shown."""


class MainScreen(Screen[None]):
    """Polls the console's view and shows what changed.

    What its keys do is done by its parts: the panels, the controls of the engine, and what is about trust.
    """

    SAYS_MESSAGES: ClassVar = True
    BINDINGS: ClassVar = bindings(Scope.SCREEN)

    def __init__(
        self,
        console: Console,
        actions: Actions,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        messages: Messages,
        begin_anew: Callable[[], object],
        past: "Callable[[], Past | None] | None" = None,
        arranged: Arranged | None = None,
        book: QuestionBook | None = None,
        sandbox_of: SandboxOf | None = None,
        sandboxes: Path | None = None,
        rules: "RulesProcess | None" = None,
        profile: str = "",
    ) -> None:
        """`clock` is the one of the console's views, `wall_clock` gives Unix seconds.

        `begin_anew` is called when the domain has become another one, which this screen is not made for. `past` gives
        the past once it is being kept; None: none is kept. `arranged`: how a person had the panels before. `book`
        has the questions that they keep. `sandbox_of` gives the sandbox; in the file `sandboxes` some are kept. `rules`
        follows those that are being written, where a file is watched. `profile` is what a person calls the server.
        """
        super().__init__()
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(actions.bindings())])
        self.engine = console
        self.actions = actions
        preview = Preview(console, lambda: self.time.past, past is not None, wall_clock)
        self.panels = Panels(
            console, actions, preview, self.redraw, lambda table, key: self.overviews.open_page(table, key), past, book
        )
        if arranged is not None:
            self.panels.arrange_again(arranged)
        self.AUTO_FOCUS = f"#{self.panels.current}"  # type: ignore[misc]  # Textual asks the screen itself
        self._panel_keys = PanelKeys(self.panels, actions)
        self.time = TimeMachine(self, console, past, actions, self.panels.chosen_rows, self.redraw, wall_clock)
        self.controls = Controls(self, console, actions, self.panels.chosen_rows, begin_anew, self._why_not_now)
        self.trust = Trust(self, console, clock, wall_clock, self._show_entry)
        self.destinations = Destinations(self, self.time, actions, self.say, wall_clock)
        self.overviews = Overviews(
            self, self.time, actions, self.panels.list_matching, lambda row: self.sandboxes.try_with(row), wall_clock
        )
        self.sandboxes = Sandboxes(self, self.time, actions, lambda: self.panels.chosen_entry, sandbox_of, sandboxes)
        self.rules = NewRules(self, rules, self.controls, self.time, wall_clock)
        for part in (
            self._panel_keys,
            self.panels,
            self.controls,
            self.trust,
            self.time,
            self.destinations,
            self.overviews,
            Exports(self.panels, wall_clock),
            self.sandboxes,
            self.rules,
        ):
            self._offer_actions(part)
        self.pace = Pace(self, self.poll, self._is_moving, wall_clock)
        self._clock = clock
        self._wall_clock = wall_clock
        self._drawn: tuple[object, ...] = ()
        """What the last picture was made of."""
        self._messages = messages
        self._leaving = False
        self._status = StatusBar(profile, id="status")
        self._line = TimeLine(past, self.time.go_to_time, wall_clock, id="time-line")
        watched = "" if rules is None else rules.file.name
        self._banner = Banner(console.fold, actions, past_kept=self.time.kept, watched=watched, id="banner")
        self._tour: Tour | None = None
        """Of whoever is led through it."""
        self._message = MessageLine(actions, id="message")
        self._keys = KeyBar(id="keys")
        self._keys_of: tuple[object, ...] = ()
        """What the line of keys was made of."""

    def _offer_actions(self, part: object) -> None:
        """Textual looks for the method of an action on the screen."""
        for name in vars(type(part)):
            if name.startswith("action_") and name not in vars(MainScreen):
                setattr(self, name, getattr(part, name))

    def compose(self) -> ComposeResult:
        """Status, banner, panels, message, keys; over them what a tour says."""
        self.update_classes(self._classes_for(self.app.size))  # before there is anything in it to be styled twice
        yield self._status
        yield self._line
        yield self._banner
        if self._tour is not None:
            yield self._tour
        yield self.panels.tabs
        yield self.panels
        yield self._message
        yield self._keys
        yield Static(
            f"Make the terminal larger:\nesdash needs {LEAST_WIDTH}×{LEAST_HEIGHT}.", id="too-small", markup=False
        )

    def _show_entry(self, ordinal: int) -> None:
        """Go back to now, and there to an entry of the log."""
        if not self.time.is_live:
            self.time.action_now()
        self._panel_keys.show_entry(ordinal)

    def guide(self) -> None:
        """Before it is shown: lead a person through it."""
        from esdash.ui.main.tour import SKIP, Tour

        self._tour = Tour(self.engine.fold, self.actions, self._seen)
        self._bindings.bind(SKIP, "skip", "Next step", show=False)

    def _seen(self) -> "Seen":
        from esdash.ui.main.tour import seen_of

        return seen_of(self, self.engine.view, self.engine.fold, self.time.now)

    def action_skip(self) -> None:
        if self._tour is not None:
            self._tour.skip()

    def on_mount(self) -> None:
        self._fit(self.app.size)
        self.pace.begin(self.engine, *([] if self.rules.watched is None else [self.rules.watched.on_told]))

    def on_screen_resume(self) -> None:
        """Nothing lies over it any more: look at once."""
        self.pace.attend()

    def on_unmount(self) -> None:
        self.pace.end()

    def poll(self) -> None:
        """Show the newest view, if it or a clock's second is another one than drawn last."""
        if self.controls.reloading:
            return
        live, load, wall = self.engine.view, load_of(self.engine), self._wall_clock()
        self.trust.look(live)
        trust = self.trust.now(live)
        past, rules = self.time.now, self.rules.now
        drawn = (live.number, load, int(wall), self.time.paused, past, self._leaving, trust, self.rules.count)
        if drawn == self._drawn and not self.panels.sorting:
            return
        self._drawn = drawn
        shown, shown_at = self.time.view(live, wall)
        paused = self.time.paused
        moment = Moment(live, shown, load, self._clock(), wall, paused=paused, trust=trust, past=past, rules=rules)
        self.set_class(past is not None, "-past")
        self._status.show(moment)
        self._line.show(None if past is None else past.time, live)
        self._banner.show(moment)
        self.panels.show(shown, shown_at, self.time.lit)
        self._show_keys(live, load.running)
        self._tell_notices(live)

    def redraw(self) -> None:
        """Show the view again although it is the same."""
        self._drawn = ()
        self.poll()

    def say_farewell(self) -> None:
        """The person is leaving: say what is being waited for."""
        self._leaving = True
        self._banner.farewell = True
        self._banner.refit()

    def say_failure(self, text: str) -> None:
        """The consumer ended by itself."""
        self._banner.failure = text
        self._banner.refit()

    def say(self, said: Message | None) -> None:
        """Show a message for as long as it stands, or until the next one; None takes it away."""
        self._message.say(said)

    def action_messages(self) -> None:
        from esdash.ui.main.messages import MessagesScreen

        self.app.push_screen(MessagesScreen(self._messages, self._wall_clock))

    def action_clear(self) -> None:
        """Look for no condition any more; else go back to now; there, undo the filter, or the zoom."""
        if self.destinations.give_up():
            return
        if self.time.now is not None:
            self.time.action_now()
        else:
            self.panels.action_clear()

    def action_zoom_time(self, direction: int) -> None:
        """Show less of the time in its line, or more."""
        if not self.time.may_look():
            return
        if self._line.display:
            self._line.zoom(direction)
        else:
            tell(self.app, "The line of time has no room here. In a larger terminal, or in the past, it is shown.")

    def action_change_rate(self, direction: int) -> None:
        """Faster or slower: what is played in the past, else the steady load."""
        if self.time.now is not None:
            self.time.action_change_pace(direction)
        else:
            self.controls.action_change_rate(direction)

    def action_help(self) -> None:
        from esdash.ui.main.help import HelpScreen

        view = self.engine.view
        self.app.push_screen(HelpScreen(self.actions.key_rows(view.readonly or view.phase is Phase.HALTED)))

    def on_resize(self, event: events.Resize) -> None:
        self._fit(event.size)
        self._drawn = ()
        self.call_after_refresh(self.poll)

    def _fit(self, size: Size) -> None:
        self.update_classes(self._classes_for(size))
        self._line.styles.height = 2 if size.height >= TWO_LINES else 1
        self.panels.lay_out(layout_for(*size))

    def _classes_for(self, size: Size) -> dict[str, bool]:
        """Its classes on a terminal of this size, those of the panels too: each change styles all that it holds."""
        layout = layout_for(*size)
        roomy = layout != "tiny" and size.height >= ROOM_FOR_MESSAGES
        return {
            **{f"-{name}": name == layout for name in LAYOUTS},
            "-roomy": roomy,
            "-timed": roomy and self.time.kept,
            **self.panels.placed(layout, size).classes,
        }

    def _is_moving(self) -> bool:
        verification = self.engine.verifying.verification
        verifying = verification is not None and verification.running
        return load_of(self.engine).running or verifying or self.panels.sorting

    def _show_keys(self, live: View, producing: bool) -> None:
        """The keys that matter now before those that are always shown, with what they do just now."""
        now, labels = self.time.now is None, self._labels(producing)
        first = self.trust.keys_that_matter(live) if now else PAST_KEYS
        readonly = live.readonly or live.phase is Phase.HALTED or not now
        if (first, labels, readonly) == self._keys_of:
            return
        self._keys_of = (first, labels, readonly)
        shown = [self.actions[name] for name in first]
        shown += [
            action
            for action in self.actions.offered(readonly)
            if action.shown and action.id not in first and (now or action.group is not Group.CONSUMER)
        ]
        keys = []
        for place, action in enumerate(shown, 1):
            if name := action.name(self.actions.keymap):
                kept = action.id in ("clear", "help", "quit") or (now and action.id in first)
                does = f"app.{action.action}" if action.scope is Scope.APP else action.action
                keys.append(Key(name, labels.get(action.id, action.label), does, 0 if kept else place))
        self._keys.show(keys)

    def _labels(self, producing: bool) -> dict[str, str]:
        labels = {} if self.panels.current == LOG else {"details": "Page" if self.time.kept else "Entries"}
        if (past := self.time.now) is not None:
            return labels | {"clear": "Back to now", "pause": "Stop" if past.pace else "Play"}
        if producing:
            labels["load"] = "Stop producing"
        if self.time.paused:
            labels["pause"] = "Go on"
        if self.panels.zoomed:
            labels["zoom"] = "Unzoom"
        return labels

    def _why_not_now(self) -> str:
        """Why nothing can be published; empty when something can."""
        if self.time.now is None:
            return ""
        return f"The past cannot be changed. {self.actions.key('clear')} goes back to now."

    def _tell_notices(self, live: View) -> None:
        for notice in live.notices:
            if notice.number <= self._messages.noticed:
                continue
            self._messages.noticed = notice.number
            if self._banner.says(notice.text) or self._status.says(notice.text):
                self._messages.add(message_of(notice.text, notice.severity, self._wall_clock()))
            else:
                tell(self.app, notice.text, notice.severity)
