"""When the main screen looks again."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen

from esdash.engine.console import Console
from esdash.ui.main.pace import UNDER_CLOCK_SECONDS, Pace
from esdash.ui.timers import after
from tests.ui.stage import until


class _Console:
    """Tells of no view by itself."""

    def on_view(self, callback: Callable[[], object]) -> None:
        self.tell = callback


class _Looking(Screen[None]):
    """Looks, and counts how often."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.console = _Console()
        self.pace = Pace(self, self._look, bool, time.time)

    def on_mount(self) -> None:
        self.pace.begin(cast(Console, self.console))

    def on_screen_resume(self) -> None:
        self.pace.attend()

    def on_unmount(self) -> None:
        self.pace.end()

    def _look(self) -> None:
        self.looks += 1


async def looked(pilot: Pilot[None], screen: _Looking) -> None:
    seen = screen.looks
    screen.console.tell()
    await until(pilot, lambda: screen.looks > seen)


async def test_each_view_is_looked_at() -> None:
    async with App[None]().run_test() as pilot:
        await pilot.app.push_screen(screen := _Looking())
        for _ in range(5):
            await looked(pilot, screen)


async def test_under_a_dialog_it_looks_seldom_and_at_once_when_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esdash.ui.main.pace.UNDER_SECONDS", 1000.0)
    async with App[None]().run_test() as pilot:
        await pilot.app.push_screen(screen := _Looking())
        await pilot.app.push_screen(ModalScreen())
        before = screen.looks
        for _ in range(50):
            screen.console.tell()
            await pilot.pause()
        seen = screen.looks
        assert seen <= before + 2
        await pilot.app.pop_screen()
        await until(pilot, lambda: screen.looks > seen)


async def test_seconds_alone_are_not_shown_through_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture of what lies under one costs as much as several seconds of the main screen."""
    monkeypatch.setattr("esdash.ui.main.pace.ATTENTIVE_SECONDS", 0.0)
    due: list[float] = []
    async with App[None]().run_test() as pilot:
        await pilot.app.push_screen(screen := _Looking())
        await until(pilot, lambda: screen.looks)
        await pilot.app.push_screen(ModalScreen())

        def note(owner: Screen[None], seconds: float, _: Callable[[], object]) -> asyncio.TimerHandle:
            due.append(seconds)
            return after(owner, 0, int)

        monkeypatch.setattr("esdash.ui.main.pace.after", note)
        seen = screen.looks
        screen.pace.begin(cast(Console, screen.console))
        assert screen.looks == seen + 1
        assert due == [pytest.approx(UNDER_CLOCK_SECONDS, abs=1)]
