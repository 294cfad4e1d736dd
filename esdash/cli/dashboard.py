"""`esdash` without a command: the dashboard."""

import asyncio
import select
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from esdash.cli.connect import open_log
from esdash.cli.failures import BadInputError
from esdash.cli.interpreter import collect_rarely, paint_promptly, take_short_turns
from esdash.config import Settings

if TYPE_CHECKING:
    from esdash.ui.app import DashboardApp

TERMINAL_SECONDS: Final = 1.0
"""Between two looks whether the terminal is still there."""

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the dashboard as `quit` does, without a last question."""


def open_dashboard(settings: Settings) -> None:
    """Run the dashboard until the person leaves it, or the terminal is closed.

    Raises BadInputError when there is no terminal, or for settings that name nothing.
    """
    # Textual draws on stderr.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise BadInputError(
            "The dashboard needs a terminal, and stdin, stdout or stderr is none. These commands work without one: "
            "publish, produce, consume, state, events, snapshot, verify, doctor, server."
        )
    paint_promptly()
    from esdash.demo import demo_events
    from esdash.engine.consumer import ConsumerSettings
    from esdash.engine.live import LiveConsole
    from esdash.shop.domain import Shop
    from esdash.ui.actions import ACTIONS
    from esdash.ui.app import DashboardApp, UiSettings

    actions = {action.id for action in ACTIONS}
    for name in settings.keys:
        if name not in actions:
            raise BadInputError(f"The settings give keys to {name!r}. There are {', '.join(sorted(actions))}.")
    with open_log(settings) as log:
        console = LiveConsole(
            log,
            Shop(),
            ConsumerSettings(snapshot_seconds=settings.snapshot_seconds, readonly=settings.readonly),
            demo_events(time.time_ns()),
        )
        looks = UiSettings(keymap=settings.keys)
        if settings.theme is not None:
            looks = replace(looks, theme=settings.theme)
        app = DashboardApp(console, looks)
        if looks.theme not in app.available_themes:
            raise BadInputError(
                f"There is no theme {looks.theme!r}. There are {', '.join(sorted(app.available_themes))}."
            )
        collect_rarely()
        take_short_turns()
        try:
            asyncio.run(_run(app, settings))
        finally:
            # A terminal that is closed may say so twice, and the embedded server is still to be left.
            for number in ENDINGS:
                signal.signal(number, signal.SIG_IGN)
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)


async def _run(app: "DashboardApp", settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    for number in ENDINGS:
        loop.add_signal_handler(number, app.exit)
    watching = loop.create_task(_leave_with_terminal(app))
    try:
        await app.run_async(mouse=settings.mouse)
    finally:
        watching.cancel()


async def _leave_with_terminal(app: "DashboardApp") -> None:
    """End when the terminal is gone. A process that it does not control gets no signal, and would read on for ever."""
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)
    while not terminal.poll(0):
        await asyncio.sleep(TERMINAL_SECONDS)
    app.exit()
