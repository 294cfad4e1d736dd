"""Whoever asks in a thread hears an answer, whatever goes wrong there, and only the last one."""

import threading

import pytest
from textual.app import App

from esdash.engine.console import EngineError
from esdash.ui.asking import Asking, Stopped, find_out
from tests.ui.stage import until


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (EngineError("The server is gone."), "The server is gone."),
        (ZeroDivisionError("by nothing"), "This could not be computed: ZeroDivisionError('by nothing')."),
    ],
)
async def test_what_goes_wrong_is_heard_as_a_sentence(error: Exception, told: str) -> None:
    heard: list[str] = []
    app: App[None] = App()

    def fail() -> int:
        raise error

    async with app.run_test() as pilot:
        find_out(app, fail, lambda found: heard.append(str(found)), heard.append, "test")
        await until(pilot, lambda: heard)
    assert heard == [told]


async def test_an_answer_that_nobody_waits_for_is_not_heard() -> None:
    heard: list[int] = []
    may_answer = threading.Event()
    app: App[None] = App()

    def slowly(stopped: Stopped) -> int:
        assert may_answer.wait(10)
        return 1 if stopped() else 2

    async with app.run_test() as pilot:
        asking = Asking(app, "test")
        asking.ask(slowly, heard.append, lambda _: None)
        asking.later(0.0, lambda: heard.append(3))
        asking.ask(lambda _: 4, heard.append, lambda _: None)
        may_answer.set()
        await until(pilot, lambda: heard)
        await app.workers.wait_for_complete()
        await pilot.pause()
    assert heard == [4]
