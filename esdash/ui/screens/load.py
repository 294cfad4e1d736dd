"""The steady load: how fast, on and off."""

import re
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Static

from esdash.engine.console import Console, load_of, publishing_of
from esdash.ui.outlook import blocked
from esdash.ui.screens.controls import FIRST_RATE, RATES
from esdash.ui.screens.dialog import Dialog
from esdash.ui.widgets.form_field import Field, Note
from esdash.ui.widgets.form_input import FormInput
from esdash.visible import visible

LOOKED_AT_EVERY: Final = 0.25
"""Seconds between two looks at how the load is doing."""
MIN_RATE: Final = 0.1
MAX_RATE: Final = 100_000
"""Events a second that a steady load may be asked for: the bounds of `engine.load`, which a screen cannot import."""

_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
_DECIMAL: Final = re.compile(r"\d{1,9}(?:[.]\d{1,3})?", re.ASCII)


class LoadScreen(Dialog[float]):
    """Starts and stops a steady stream of made-up events of the domain, and changes its rate while it runs.

    Left, it gives the rate that was chosen, whether the load runs or not.
    """

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
        """The rate, how it is going, the switch."""
        with self.frame("Steady load", "Enter start · ↑↓ rate · Ctrl+S stop · Esc close"):
            with VerticalScroll(id="body", can_focus=False):
                yield Field("Rate", FormInput(_written(self._chosen), "events a second", id="rate"))
                yield Static(
                    "Publishes made-up events, as the domain's `sample` gives them.",
                    id="consequence",
                    markup=False,
                )
            with Vertical(id="foot"):
                yield Static(id="outlook", markup=False)
                with Horizontal(id="buttons"):
                    yield Button("Start", id="switch", compact=True)
                    yield Button("Close", id="close", compact=True)

    def on_mount(self) -> None:
        """Keep looking at the load: it goes on without this screen."""
        self.look()
        self.query_one("#rate", Input).select_all()
        self.set_interval(LOOKED_AT_EVERY, self.look)

    def look(self) -> None:
        """Show how the load is doing now."""
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
            text = f"▶ running at {_written(load.rate)}/s · {load.sent:,} sent"
        elif load.error:
            text = f"✗ stopped by itself after {load.sent:,}: {visible(load.error, 300)}"
        elif why_not is not None:
            text = f"✗ {visible(why_not, 300)}"
        else:
            text = f"■ stopped · {load.sent:,} sent" if load.sent else "■ stopped"
        outlook = self.query_one("#outlook", Static)
        if outlook.content != text:
            outlook.update(text)
        outlook.set_class(load.running, "-good")
        outlook.set_class(text.startswith("✗"), "-bad")
        button = self.query_one("#switch", Button)
        label = "Stop" if load.running else "Start"
        if str(button.label) != label:
            button.label = label
            button.refresh(layout=True)

    def on_input_changed(self) -> None:
        """Say at once when the rate is no rate."""
        self.look()

    def on_input_submitted(self) -> None:
        """Start, or go on at the rate that is typed."""
        self._start()

    def action_leave(self) -> None:
        """Close, with the rate."""
        self.dismiss(self._rate)

    def action_step(self, direction: int) -> None:
        """The next round rate; a running load follows."""
        rate = self._rate or 0
        if direction > 0:
            rate = next((step for step in RATES if step > rate), RATES[-1])
        else:
            rate = next((step for step in reversed(RATES) if step < rate), RATES[0])
        field = self.query_one("#rate", Input)
        field.value = _written(rate)
        field.cursor_position = len(field.value)
        self.look()
        if load_of(self.engine).running:
            self._start()

    def action_switch(self) -> None:
        """Start when it is stopped, stop when it runs."""
        if load_of(self.engine).running:
            publishing_of(self.engine).stop_load()
            self.look()
        else:
            self._start()

    @on(Button.Pressed, "#switch")
    def _switch_pressed(self) -> None:
        self.action_switch()

    @on(Button.Pressed, "#close")
    def _close_pressed(self) -> None:
        self.action_leave()

    def _start(self) -> None:
        self.look()
        if self._rate is not None and blocked(self.engine.view) is None:
            publishing_of(self.engine).start_load(self._rate)
            self.look()


def read_rate(text: str) -> float:
    """Events a second from `100`, `1,000` or `0.5`. Raises ValueError with a sentence."""
    text = text.strip()
    written = text.replace(",", "") if _GROUPED.fullmatch(text) else text
    if not _DECIMAL.fullmatch(written) or not MIN_RATE <= float(written) <= MAX_RATE:
        raise ValueError(f"a rate is a number of events a second from {MIN_RATE} to {MAX_RATE:,}")
    return float(written)


def _written(rate: float) -> str:
    return f"{rate:g}" if rate < 100_000 else f"{rate:.0f}"
