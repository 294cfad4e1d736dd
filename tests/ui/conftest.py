"""What the tests of the screens share: one time zone, and the dashboard over a recorded console."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakSet

import pytest
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.app import App
from textual.css.stylesheet import Stylesheet
from textual.geometry import Size
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from esdash.engine.shown.view import View
from esdash.ui.app import DashboardApp, UiSettings
from tests.ui.recorded import NOW, WALL, RecordedConsole, a_busy_view

PAINT = Compositor.render_update
"""What paints what changed."""


@pytest.fixture(autouse=True, scope="session")
def _parse_each_style_sheet_once() -> Iterator[None]:
    """Every dashboard has the same ones, and reading them takes an eighth of the time of these tests."""
    parse, known = Stylesheet._parse_rules, {}

    def parse_once(sheet: Stylesheet, *arguments: Any, **options: Any) -> Any:
        # The colours of a theme are in the variables.
        key = (tuple(sheet._variables.items()), arguments, tuple(options.items()))
        if key not in known:
            known[key] = parse(sheet, *arguments, **options)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parse_once)
        yield


@pytest.fixture(autouse=True, scope="session")
def _paint_what_somebody_looks_at() -> Iterator[None]:
    """An app without a terminal throws away what it paints whenever something changed: a third of the time of these
    tests. What a test reads is painted when it reads it; the last picture of each app at its end, unless it was read.
    """
    paint, strips, run_test = PAINT, Compositor.render_strips, App.run_test
    read: WeakSet[Compositor] = WeakSet()
    """Those of which a test has read all that there is."""

    def unseen(compositor: Compositor, full: bool = False, screen_stack: Any = None, simplify: bool = False) -> Any:
        if full:
            return paint(compositor, full, screen_stack, simplify)
        visible_screen_stack.set(screen_stack or [])
        compositor._dirty_regions.clear()
        read.discard(compositor)
        return None

    def seen(compositor: Compositor, size: Size | None = None) -> list[Strip]:
        found = strips(compositor, size)
        read.add(compositor)
        return found

    @asynccontextmanager
    async def run_and_paint(app: App[Any], **options: Any) -> AsyncIterator[Pilot[Any]]:
        with pytest.MonkeyPatch.context() as ending:
            async with run_test(app, **options) as pilot:
                yield pilot
                if app.is_running:
                    compositor = app.screen._compositor
                    if compositor._dirty_regions or compositor not in read:
                        paint(compositor, full=True, screen_stack=app._background_screens)
                    # A widget that is removed passes its focus on, and what has it now is styled anew.
                    ending.setattr(Screen, "_reset_focus", lambda *_: None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compositor, "render_update", unseen)
        patch.setattr(Compositor, "render_strips", seen)
        patch.setattr(App, "run_test", run_and_paint)
        yield


@pytest.fixture
def every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what depends on earlier paintings: every change is painted, as on a terminal."""
    monkeypatch.setattr(Compositor, "render_update", PAINT)


@pytest.fixture(autouse=True)
def _pictures_are_those_of_a_terminal(request: pytest.FixtureRequest) -> None:
    """A table widens its columns for what it has painted, so what a picture shows depends on those before it."""
    if "snap_compare" in request.fixturenames:
        request.getfixturevalue("every_picture")


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of UTC, wherever the tests run."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own environment does not change the colours, nor what is said."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")


@pytest.fixture
def dashboard() -> Callable[..., DashboardApp]:
    """Make a dashboard over a view or a console, with both clocks frozen."""

    def make(what: View | RecordedConsole, settings: UiSettings | None = None) -> DashboardApp:
        console = what if isinstance(what, RecordedConsole) else RecordedConsole(what)
        return DashboardApp(console, settings, clock=lambda: NOW, wall_clock=lambda: WALL)

    return make


@pytest.fixture
def busy() -> View:
    """A live consumer of the present domain with every kind of outcome in its log."""
    return a_busy_view()
