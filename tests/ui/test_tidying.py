"""What screens leave behind is freed though the collector comes rarely, and no oftener than it is worth."""

import gc
import weakref
from contextlib import closing

import pytest
from textual._context import active_message_pump
from textual._styles_cache import StylesCache
from textual.widgets import Static

from esdash.cli.interpreter import collect_rarely
from esdash.ui.keyboard import Keyboard
from esdash.ui.tidying import LOOKS, TIDY_SECONDS, Tidying


@pytest.fixture(autouse=True)
def few() -> None:
    """Let the collector have little to look at, whatever other tests have left: from here on that is left to itself."""
    gc.freeze()


class _App:
    cycle: object


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def look_at_young_objects(times: int = LOOKS) -> None:
    """As the collector does when many objects have come."""
    for _ in range(times):
        gc.collect(0)


def test_the_lines_of_a_widget_that_is_gone_are_freed() -> None:
    """Textual remembers two styles for each cache of lines, and so the last thousand of those with all they hold."""
    clock = _Clock()
    tidying = Tidying(clock)
    colour = Static().styles.background
    cache = StylesCache()
    cache.get_inner_outer(colour, colour)
    left = weakref.ref(cache)
    del cache
    clock.now += TIDY_SECONDS
    look_at_young_objects()
    tidying.tidy()
    assert left() is None


def test_it_is_done_seldom() -> None:
    clock = _Clock()
    tidying = Tidying(clock)
    done: list[bool] = []
    for passed, looks in ((0.0, LOOKS), (TIDY_SECONDS, 0), (0.1, LOOKS), (0.1, LOOKS), (TIDY_SECONDS, LOOKS)):
        clock.now += passed
        gc.collect()
        look_at_young_objects(looks)
        tidying.tidy()
        done.append(gc.get_count()[1] == 0 and looks > 0)
    assert done == [False, False, True, False, True]


def test_a_dashboard_that_is_left_for_another_stream_is_freed() -> None:
    """It was left to itself when it began, in its cycles; and Textual remembers keys, which hold their app."""
    app = _App()
    app.cycle = app
    collect_rarely()
    token = active_message_pump.set(app)  # type: ignore[arg-type]
    with closing(Keyboard()) as keyboard:
        assert [*keyboard.feed(b"\x1b[97u")]
    active_message_pump.reset(token)
    left = weakref.ref(app)
    del app, keyboard
    collect_rarely()
    assert left() is None
