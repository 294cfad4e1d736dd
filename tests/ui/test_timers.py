"""A timer rings also where its time is over before it has looked at the clock twice."""

import asyncio
import itertools
from pathlib import Path

import pytest
from textual.app import App
from textual.screen import Screen
from textual.widgets import Static

from esdash.ui.timers import after
from tests.ui.stage import until

PACKAGE = Path(__file__).parents[2] / "esdash"


async def test_it_rings_however_late_the_clock_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where another thread is busy: more than the whole time passes between any two looks at the clock."""
    looks = itertools.count()
    rung: list[int] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        with monkeypatch.context() as held:
            held.setattr("textual._time.get_time", lambda: next(looks) * 0.0011)
            after(app, 0.001, lambda: rung.append(1))
            await until(pilot, lambda: rung)
        await pilot.pause()
        assert rung == [1]


async def test_one_that_is_stopped_does_not_ring() -> None:
    rung: list[int] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        stopped = after(app, 0.001, lambda: rung.append(1))
        stopped.cancel()
        after(app, 0.01, lambda: rung.append(2))
        await until(pilot, lambda: rung)
        assert rung == [2]


class _Leaving(Static):
    """Sets a timer of its screen when it has gone already, and lets it ring before the screen has."""

    def __init__(self, rung: list[int]) -> None:
        super().__init__()
        self._rung = rung

    async def on_unmount(self) -> None:
        set_off = asyncio.Event()
        after(self.screen, 0.0, lambda: self._rung.append(1))
        asyncio.get_running_loop().call_later(0.001, set_off.set)
        await set_off.wait()


async def test_a_screen_that_is_being_closed_hears_none() -> None:
    rung: list[int] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        screen: Screen[None] = Screen()
        await app.push_screen(screen)
        await screen.mount(_Leaving(rung))
        await app.pop_screen()
        await until(pilot, lambda: not screen.is_running)
        assert rung == []


def test_nothing_has_a_timer_that_may_be_left_out() -> None:
    assert [path for path in PACKAGE.rglob("*.py") if ".set_timer(" in path.read_text()] == []
