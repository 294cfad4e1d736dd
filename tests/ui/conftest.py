"""What the tests of the screens share: one time zone, and the dashboard over a recorded console."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

from esdash.engine.view import View
from esdash.ui.app import DashboardApp, UiSettings
from tests.ui.recorded import NOW, WALL, RecordedConsole, busy_history


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
    """The tests' own environment does not change the colours."""
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_COLOR_SYSTEM"):
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
    """A live shop with every kind of outcome in its log."""
    return busy_history().live()
