"""Whoever asks in a thread hears an answer, whatever goes wrong there, and only the last one."""

import gc
import threading
import weakref

import pytest
from textual.app import App
from textual.worker import active_worker

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


async def test_a_screen_that_an_answer_opens_holds_nobody_who_asked() -> None:
    """Its tasks keep their context, and in that of a worker stands whose worker it is: each would hold the former."""
    heard: list[object] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        find_out(app, lambda: 7, lambda _: heard.append(active_worker.get(None)), heard.append, "test")
        await until(pilot, lambda: heard)
    assert heard == [None]


async def test_what_was_asked_with_is_let_go_once_it_is_answered() -> None:
    """Without a look of the collector, who comes rarely: a view holds thousands of rows."""

    class View:
        def find(self) -> bool:
            return True

        def came(self, found: bool) -> None:
            heard.append(found)

        def failed(self, _: str) -> None: ...

    heard: list[bool] = []
    app: App[None] = App()
    gc.disable()
    try:
        async with app.run_test() as pilot:
            held: list[weakref.ref[View]] = []
            for _ in range(3):
                views = View(), View(), View()
                held += map(weakref.ref, views)
                find_out(app, views[0].find, views[1].came, views[2].failed, "test")
            del views
            await until(pilot, lambda: len(heard) == 3)
            await until(pilot, lambda: not any(view() for view in held))
    finally:
        gc.enable()


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
