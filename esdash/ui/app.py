"""The dashboard as a program: the main screen, the consumer's thread, leaving."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import platformdirs
from msgspec import Struct, field
from textual import events
from textual.app import ScreenStackError, UnknownModeError
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from esdash.engine.console import Console
from esdash.ui.actions import Keymap, Scope, bindings
from esdash.ui.clipboard import may_export
from esdash.ui.commands import ActionCommands
from esdash.ui.declared import Actions
from esdash.ui.export.handed import usual_file
from esdash.ui.export.offered import offer_picture
from esdash.ui.keymap import unknown
from esdash.ui.main.command_palette import DashboardCommands
from esdash.ui.main.screen import MainScreen
from esdash.ui.messages import Messages, message_of, plain, tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.painted import Palette
from esdash.ui.past.keeping import PastKeeping, PastOf
from esdash.ui.remembered import Arranged, Remembered
from esdash.ui.sandbox.opening import SandboxOf
from esdash.ui.tables.question_book import QuestionBook
from esdash.ui.terminal import DriverOf
from esdash.ui.type_ahead import TypeAhead
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.ui.main.settings import Setting
    from esdash.ui.main.streams import StreamBoard
    from esdash.whatif.rules_process import RulesProcess

FAREWELL_SECONDS: Final = 15.0
"""How long leaving waits for the farewell snapshot."""

USUAL_THEME: Final = "textual-dark"

SIXTEEN_COLOURS: Final = "ansi-dark"
"""Instead of the usual theme on a terminal with 16 colours, where its shades would all become grey."""


class UiSettings(Struct, frozen=True):
    """How the dashboard looks and which keys it obeys."""

    theme: str = ""
    """One of Textual's themes, of which `ansi-dark` and `ansi-light` use the terminal's own 16 colours; empty: the one
    that was chosen in the dashboard before, or the usual one."""
    keymap: Keymap = field(default_factory=dict)
    """Action id (`esdash.ui.actions`) → keys, comma-separated, instead of the usual ones."""
    export: bool = True
    """What is shown may be handed on: exported, copied, saved as a picture."""
    told: "Callable[[], Sequence[Setting]]" = tuple
    """Gives all settings, for whoever wants to read them."""
    profile: str = ""
    """What the person calls the server; empty: nothing."""


class DashboardApp(Palette, TypeAhead):
    """Watches and drives one consumer."""

    TITLE = "esdash"
    CSS_PATH = "main/main.tcss"  # a default screen does not load its own
    COMMANDS: ClassVar = {ActionCommands}
    BINDINGS: ClassVar = bindings(Scope.APP)
    ENABLE_SELECT_AUTO_SCROLL = False

    def __init__(
        self,
        console: Console,
        settings: UiSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        farewell_seconds: float = FAREWELL_SECONDS,
        may_go_raw: bool = False,
        past_of: PastOf | None = None,
        remembered: Remembered | None = None,
        book: QuestionBook | None = None,
        tour: bool = False,
        sandbox_of: SandboxOf | None = None,
        sandboxes: Path | None = None,
        rules: "RulesProcess | None" = None,
        survey: "Callable[[], StreamBoard] | None" = None,
        driver: DriverOf | None = None,
    ) -> None:
        """`clock` is the one of the console's views, `wall_clock` gives Unix seconds.

        `past_of` gives the past by the rules of a domain, where one is kept. `may_go_raw`: whoever runs it looks at
        `wants_raw` when it has ended, and shows the stream without a domain. `tour`: lead a person through it. `book`
        has the questions that a person keeps. `rules` watches the file of the domain while it is being written.
        `survey` gives what looks at the streams there are; one that is chosen there is `wants_stream` in the end.
        `sandbox_of` gives the sandbox of the log; in the file `sandboxes` those are kept that have a name.
        `driver` draws on something else than the terminal.
        """
        super().__init__(driver)
        self.engine = console
        self.settings = settings or UiSettings()
        self.keymap = self.settings.keymap
        self.remembered = remembered or Remembered()
        """How it was arranged before; when it has ended, how it is now."""
        self.book = book or QuestionBook()
        self._may_go_raw = may_go_raw
        self._tour = tour
        self._rules = rules
        self._survey = survey
        self._past = PastKeeping(self, console, past_of)
        self._sandbox_of = sandbox_of
        self._sandboxes = sandboxes
        self.wants_raw = False
        """A person has left to see the stream without a domain."""
        self.wants_stream = ""
        """The stream that a person has left for."""
        self.messages = Messages()
        self.actions = self._actions()
        self._clock = clock
        self._wall_clock = wall_clock
        self._farewell_seconds = farewell_seconds
        self._ended = asyncio.Event()
        self._leaving = False
        self._main: MainScreen | None = None
        self._generation = 0
        """How often the domain has become another one."""
        self.set_keymap(self.keymap)
        theme = self.settings.theme or self.remembered.theme or USUAL_THEME
        if theme == USUAL_THEME and self.console.color_system == "standard":
            theme = SIXTEEN_COLOURS
        if theme in self.available_themes:
            self.theme = theme

    def get_default_screen(self) -> Screen[None]:
        return self._new_main()

    def _new_main(self) -> MainScreen:
        self._main = MainScreen(
            self.engine,
            self.actions,
            self._clock,
            self._wall_clock,
            self.messages,
            self.begin_anew,
            self._past.asked,
            self.remembered.domains.get(self.engine.fold.name, Arranged()),
            self.book,
            self._sandbox_of,
            self._sandboxes,
            self._rules,
            self.settings.profile,
        )
        if self._tour:
            self._main.guide()
        return self._main

    def _actions(self) -> Actions:
        return Actions(
            self.engine.fold,
            self.keymap,
            raw=self._may_go_raw,
            watched=self._rules is not None,
            questions=tuple(self.book.saved),
        )

    def begin_anew(self) -> None:
        """The domain is another one: go on with another main screen."""
        self._remember()
        former, self._generation = self._generation, self._generation + 1
        if self._main is not None:
            self._main.pace.end()
        self.actions = self._actions()
        self.add_mode(f"domain-{self._generation}", self._new_main)
        self.switch_mode(f"domain-{self._generation}")
        if former:
            self.remove_mode(f"domain-{former}")
        self._past.begin_anew()
        self._watch_rules()

    @property
    def readonly(self) -> bool:
        """It writes nothing."""
        return self.engine.publishing is None

    @property
    def may_export(self) -> bool:
        """What is shown may be handed on."""
        return self.settings.export

    def copy_to_clipboard(self, text: str) -> None:
        """Put a text on the clipboard, where that is allowed."""
        if may_export(self):
            super().copy_to_clipboard(text)

    async def on_event(self, event: events.Event) -> None:
        """What a person does may change what the main screen shows."""
        if isinstance(event, events.InputEvent) and self._main is not None:
            self._main.pace.attend()
        await super().on_event(event)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Remember what is said, and show it: on the main screen's line, and over other screens as a toast.

        Not to be called from another thread.
        """
        said = message_of(plain(message) if markup else message, severity, self._wall_clock(), timeout)
        self.messages.add(said)
        if self._main is not None:
            self._main.say(said)
        try:
            covered = not getattr(self.screen, "SAYS_MESSAGES", False)
        except (ScreenStackError, UnknownModeError):  # it is ending
            return
        if covered:
            super().notify(str(said), title=title, severity=severity, timeout=said.seconds, markup=False)

    def on_mount(self) -> None:
        """Start the consumer once the first picture is on the screen."""
        self.call_after_refresh(self._start_consumer)
        if strange := unknown(self.keymap, self.engine.fold, tuple(self.book.saved)):
            name = visible(self.engine.fold.name, 40)
            named = ", ".join(visible(each, 40) for each in strange[:5])
            tell(self, f"The settings give keys to {named}: no such action in {name}.", "warning")
        for wrong in self.book.wrong(self.engine.fold):
            tell(self, visible(wrong, 400), "warning")

    def on_unmount(self) -> None:
        """However the screen ends, the consumer must not outlive it."""
        self.engine.close()
        self._remember()
        self._past.end()
        if self._rules is not None:
            self._rules.close()

    def _remember(self) -> None:
        if self._main is not None:
            chosen = "" if self.theme in (self.settings.theme, USUAL_THEME, SIXTEEN_COLOURS) else self.theme
            name = self.engine.fold.name
            self.remembered = self.remembered.with_domain(name, self._main.panels.arranged(), chosen)

    def action_command_palette(self) -> None:
        if not isinstance(self.screen, DashboardCommands):
            self.push_screen(DashboardCommands(id="--command-palette"))

    def action_suspend_process(self) -> None:
        """Stop, with whatever was started along with esdash, as Ctrl+Z does everywhere."""
        if self._driver is not None and self._driver.can_suspend:
            os.kill(0, signal.SIGTSTP)
        elif self.is_web:
            tell(self, "There is no shell under a page to go back to.")

    async def action_quit(self) -> None:
        """Leave after a farewell snapshot; the second time, at once."""
        if self._leaving or self._ended.is_set():
            self.exit()
            return
        self._leaving = True
        if self._main is not None:
            self._main.say_farewell()
        self.run_worker(self.engine.close, thread=True, exit_on_error=False, name="close")
        self.run_worker(self._leave(), name="leave")

    async def action_raw(self) -> None:
        """Leave, for the stream as it is."""
        if self._may_go_raw:
            self.wants_raw = True
            await self.action_quit()
        else:
            stream = visible(self.engine.view.stream, 60)
            tell(self, f"`esdash --domain raw --stream {stream}` shows the entries as they are.")

    def action_streams(self) -> None:
        from esdash.ui.main.streams import StreamsScreen

        if self._survey is None:
            tell(self, "There is no other stream to open from here.")
        else:
            streams = StreamsScreen(self._survey(), self.engine.view.stream, self._wall_clock)
            open_dialog(self, streams, self._chose_stream)

    def _chose_stream(self, name: str) -> None:
        self.wants_stream = name
        self.call_later(self.action_quit)

    def action_settings(self) -> None:
        from esdash.ui.main.settings import SettingsScreen

        self.push_screen(SettingsScreen(self.settings.told()))

    def action_save_picture(self) -> None:
        """Save the screen as SVG, once the palette is gone from it."""
        if may_export(self):
            self.call_after_refresh(self._save_picture)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The consumer's thread has ended: because it was asked to, or because something went wrong."""
        if event.worker.name != "consumer" or event.state not in (WorkerState.ERROR, WorkerState.SUCCESS):
            return
        self._ended.set()
        if self._leaving or self._main is None:
            return
        reason = f": {event.worker.error}" if event.worker.error is not None else "."
        self._main.say_failure(visible(f"The consumer has ended by itself{reason} What is shown is its last state."))

    def _save_picture(self) -> None:
        if self.is_web:
            name = usual_file("screen", "svg", self._wall_clock()).name
            offer_picture(self, name, self.export_screenshot())
            return
        try:
            folder = platformdirs.user_downloads_path()
        except RuntimeError:  # no home directory
            folder = Path.cwd()
        self.deliver_screenshot(path=str(folder))

    def _start_consumer(self) -> None:
        self.run_worker(self.engine.run, thread=True, exit_on_error=False, name="consumer", group="consumer")
        self._past.begin()
        self._watch_rules()

    def _watch_rules(self) -> None:
        """Compare what is saved with the rules that the consumer has now."""
        if self._rules is not None:
            begin = partial(self._rules.begin, self.engine.fold)
            self.run_worker(begin, thread=True, exit_on_error=False, name="rules")

    async def _leave(self) -> None:
        message, seconds = None, self._farewell_seconds
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            message = f"The consumer did not end within {seconds:g} s; its farewell snapshot may be missing."
        self.exit(message=message)
