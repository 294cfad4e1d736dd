"""The steady load: how fast, on and off."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Static

from esdash.engine.console import Console, load_of, publishing_of
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.inputs import FormInput
from esdash.ui.forms.outlook import blocked
from esdash.ui.forms.rates import FIRST_RATE, read_rate, step_from, write_rate
from esdash.ui.paint.dialog import Dialog
from esdash.visible import visible

LOOKED_AT_EVERY: Final = 0.25
"""Seconds between two looks at how the load is doing."""


class LoadScreen(Dialog[float]):
    """Starts and stops a steady stream of made-up events of the domain, and changes its rate while it runs.

    Left, it gives the rate that was chosen, whether the load runs or not.
    """

    CSS_PATH: ClassVar = STYLES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "step(1)", "Faster", show=False),
        Binding("down", "step(-1)", "Slower", show=False),
        Binding("ctrl+s", "switch", "Start or stop", show=False),
    ]
    AUTO_FOCUS = "#rate"

    def __init__(self, console: Console, chosen: float = FIRST_RATE) -> None:
        super().__init__()
        self.engine = console
        self._chosen = chosen
        self._rate: float | None = None

    def compose(self) -> ComposeResult:
        with self.frame("Steady load", "Enter start · ↑↓ rate · Ctrl+S stop · Esc close"):
            with VerticalScroll(id="body", can_focus=False):
                yield Field("Rate", FormInput(write_rate(self._chosen), "events a second", id="rate"))
                yield Static(
                    "Publishes made-up events, as the domain's `sample` gives them.",
                    id="consequence",
                    markup=False,
                )
            with Vertical(id="foot"):
                yield Static(id="outlook", markup=False)
                with Horizontal(id="buttons"):
                    yield Button("Start", id="switch", action="screen.switch", compact=True)
                    yield Button("Close", id="close", action="screen.leave", compact=True)

    def on_mount(self) -> None:
        """Keep looking at the load: it goes on without this screen."""
        self.look()
        self.query_one("#rate", Input).select_all()
        self.set_interval(LOOKED_AT_EVERY, self.look)

    def look(self) -> None:
        try:
            self._rate = read_rate(self.query_one("#rate", Input).value)
            note = Note("events a second")
        except ValueError as error:
            self._rate = None
            note = Note(str(error), wrong=True)
        self.query_one(Field).say(note)
        load = load_of(self.engine)
        why_not = blocked(self.engine.view)
        if load.running:
            text = f"▶ running at {write_rate(load.rate)}/s · {load.sent:,} sent"
        elif load.error:
            text = f"✗ stopped by itself after {load.sent:,}: {visible(load.error, 300)}"
        elif why_not is not None:
            text = f"✗ {visible(why_not, 300)}"
        else:
            text = f"■ stopped · {load.sent:,} sent" if load.sent else "■ stopped"
        self.foretell(text, True if load.running else False if text.startswith("✗") else None)
        self.relabel("switch", "Stop" if load.running else "Start")

    def on_input_changed(self) -> None:
        self.look()

    def on_input_submitted(self) -> None:
        self._start()

    def action_leave(self) -> None:
        """Close, with the rate."""
        self.dismiss(self._rate)

    def action_step(self, direction: int) -> None:
        """The next round rate; a running load follows."""
        field = self.query_one("#rate", Input)
        field.value = write_rate(step_from(self._rate or 0, direction))
        field.cursor_position = len(field.value)
        self.look()
        if load_of(self.engine).running:
            self._start()

    def action_switch(self) -> None:
        if load_of(self.engine).running:
            publishing_of(self.engine).stop_load()
            self.look()
        else:
            self._start()

    def _start(self) -> None:
        self.look()
        if self._rate is not None and blocked(self.engine.view) is None:
            publishing_of(self.engine).start_load(self._rate)
            self.look()
