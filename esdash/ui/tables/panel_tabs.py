"""The panels' names on one line, where not all of them have room on the screen."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events

from esdash.ui.paint.painted import Line, PaintedLines, Span


class Tab(NamedTuple):
    """One panel's name."""

    panel: str
    text: str


class PanelTabs(PaintedLines):
    """Names to click on; the current one stands out, and those that are not on the screen are dim."""

    DEFAULT_CSS = """
    PanelTabs { height: 1; padding: 0 1; }
    """

    def __init__(self, choose: Callable[[str], object], *, id: str | None = None) -> None:
        """`choose` is called with the panel whose name was clicked."""
        super().__init__(id=id)
        self._choose = choose
        self._tabs: tuple[Tab, ...] = ()
        self._current = ""
        self._on_screen: frozenset[str] = frozenset()

    def show(self, tabs: Sequence[Tab], current: str, on_screen: Iterable[str] = ()) -> None:
        self._tabs = tuple(tabs)
        self._current = current
        self._on_screen = frozenset(on_screen)
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        spans: list[Span] = []
        tabs = self._fitting(width)
        if tabs and tabs[0] is not self._tabs[0]:
            spans.append(Span("‹", "dim"))
        for tab in tabs:
            style = "tag" if tab.panel == self._current else "" if tab.panel in self._on_screen else "dim"
            spans += (Span(f" {tab.text} ", style), Span(" "))
        if tabs and tabs[-1] is not self._tabs[-1]:
            spans.append(Span("›", "dim"))
        return (tuple(spans),)

    def on_click(self, event: events.Click) -> None:
        """A name, or the arrow behind which the next one waits."""
        tabs = self._fitting(self.size.width)
        if not tabs:
            return
        first, last = self._tabs.index(tabs[0]), self._tabs.index(tabs[-1])
        x = event.x - self.styles.padding.left - bool(first)
        if x < 0:
            self._choose(self._tabs[max(0, first - 1)].panel)
            return
        for tab in tabs:
            if 0 <= x < _width(tab) - 1:
                self._choose(tab.panel)
                return
            x -= _width(tab)
        if x == 0 and last + 1 < len(self._tabs):
            self._choose(self._tabs[last + 1].panel)

    def _fitting(self, width: int) -> tuple[Tab, ...]:
        """As many names as have room, the current one among them."""
        if sum(map(_width, self._tabs)) <= width + 1:
            return self._tabs
        current = next((place for place, tab in enumerate(self._tabs) if tab.panel == self._current), 0)
        room = width - 2
        first = 0
        while first < current and sum(map(_width, self._tabs[first : current + 1])) > room:
            first += 1
        last = current + 1
        while last < len(self._tabs) and sum(map(_width, self._tabs[first : last + 1])) <= room:
            last += 1
        return self._tabs[first:last]


def _width(tab: Tab) -> int:
    return cell_len(tab.text) + 3
