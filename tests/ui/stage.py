"""An app with nothing but the screen under test, and waiting without sleeping."""

import time
from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, Static

from esdash.ui.paint.painted import Palette
from tests.ui.recording_console import RecordingConsole


class Stage(Palette):
    """Shows one screen and keeps its result."""

    def __init__(self, screen: Screen[Any]) -> None:
        super().__init__()
        self._first = screen
        self.results: list[Any] = []

    def on_mount(self) -> None:
        """Push the screen."""
        self.push_screen(self._first, self.results.append)

    @property
    def plain(self) -> str:
        """The whole terminal as text."""
        lines = self.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


def a_shop() -> RecordingConsole:
    """User 7 has 12.00, user 70 has 9,999.00; hdd costs 12.00, 5 left; cpu costs 200.00, 30 left."""
    return RecordingConsole(
        ("TopUp", '{"user_id":7,"amount":1200}'),
        ("TopUp", '{"user_id":70,"amount":999900}'),
        ("AddItem", '{"item_id":"hdd","count":5,"price":1200}'),
        ("AddItem", '{"item_id":"cpu","count":30,"price":20000}'),
    )


async def until(pilot: Pilot[Any], condition: Callable[[], object], timeout: float = 10.0) -> None:
    """Let the app work until the condition holds; AssertionError at the deadline."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "still not true at the deadline"
        await pilot.pause(0.01)


async def write(pilot: Pilot[Any], text: str) -> None:
    """Press the keys of a text, one by one."""
    await pilot.press(*keys_for(text))


def keys_for(text: str) -> list[str]:
    """The names of the keys by which a text is typed."""
    return [_NAMES.get(char, char) for char in text]


def said(pilot: Pilot[Any], selector: str = "#outlook") -> str:
    """What a line of the dialog says."""
    return str(pilot.app.screen.query_one(selector, Static).content)


async def still(pilot: Pilot[Any]) -> None:
    """For pictures: no cursor blinks."""
    for field in pilot.app.screen.query(Input):
        field.cursor_blink = False
    await pilot.pause()


_NAMES = {" ": "space", ".": "full_stop", ",": "comma", ":": "colon", '"': "quotation_mark", "-": "minus"}
