"""Reading the screen as a person does."""

import re

from textual.app import App
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widget import Widget

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp
from esdash.ui.main.screen import MainScreen
from esdash.ui.tables.panel import Panel
from tests.ui.recorded import RecordedConsole


def text_of(app: App[None]) -> list[str]:
    """The lines of the terminal."""
    return ["".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips()]


def main_of(app: App[None]) -> MainScreen:
    """The main screen, also when something lies over it."""
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def is_applied(line: str) -> bool:
    """Whether a line of the log tells that its entry was applied: what moved stands at its end, or the glyph."""
    return re.search(r" (?:[+−][\d,.]+(?: kg)?|✓|new|gone)$", line.rstrip()) is not None


def told(app: DashboardApp) -> list[str]:
    """What was said, the oldest first, each with its glyph."""
    return [str(message) for message in app.messages]


def panel_of(app: App[None], name: str) -> Panel:
    """The panel of a table, or `log`."""
    return main_of(app).query_one(f"#panel-{name}" if name == "log" else f"#panel-table-{name}", Panel)


def lines_of(app: App[None], name: str) -> list[str]:
    """What a panel's table shows: its titles, then its lines, without the cursor and the scroll bar."""
    table = panel_of(app, name).table
    return [table.render_line(y).text[1:-1].rstrip() for y in range(table.size.height)]


def cursor_line(app: App[None], name: str) -> str:
    """The line under a panel's cursor."""
    table = panel_of(app, name).table
    return lines_of(app, name)[1 + table.cursor - table.top]


async def show(pilot: Pilot[None], console: RecordedConsole, view: View) -> None:
    """Let another view be shown."""
    console.show(view)
    main_of(pilot.app).poll()
    await pilot.pause()


async def wheel(pilot: Pilot[None], widget: Widget, notches: int) -> None:
    """Turn the mouse wheel over a widget, down where `notches` is above 0."""
    event = MouseScrollDown if notches > 0 else MouseScrollUp
    for _ in range(abs(notches)):
        widget.post_message(event(widget, 3, 3, 0, 0, 0, False, False, False))
    await pilot.pause()


async def settle(pilot: Pilot[None], but: tuple[str, ...] = ("consumer",)) -> None:
    """Let all workers `but` those of these names end, and what they say arrive."""
    await pilot.pause()
    while waited := [worker for worker in pilot.app.workers if worker.name not in but and not worker.is_finished]:
        await pilot.app.workers.wait_for_complete(waited)
    await pilot.pause()
