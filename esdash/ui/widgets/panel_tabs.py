"""The panels' names on one line, where only one of them fits on the screen."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message

from esdash.ui.widgets.painted import Line, PaintedLines, Span


class Tab(NamedTuple):
    """One panel's name."""

    panel: str
    text: str


class PanelTabs(PaintedLines):
    """Names to click on; the current one stands out."""

    DEFAULT_CSS = """
    PanelTabs { height: 1; padding: 0 1; }
    """

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, panel: str) -> None:
            super().__init__()
            self.panel = panel

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: tuple[Tab, ...] = ()
        self._current = ""

    def show(self, tabs: Sequence[Tab], current: str) -> None:
        """Show names, one of them as the current one."""
        self._tabs = tuple(tabs)
        self._current = current
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:  # noqa: ARG002 - three short names always fit
        """One line."""
        spans: list[Span] = []
        for tab in self._tabs:
            spans.append(Span(f" {tab.text} ", "tag" if tab.panel == self._current else "dim"))
            spans.append(Span(" "))
        return (tuple(spans),)

    def on_click(self, event: events.Click) -> None:
        """Choose the name under the mouse."""
        x = event.x - self.styles.padding.left
        for tab in self._tabs:
            if 0 <= x < len(tab.text) + 2:
                self.post_message(self.Chosen(tab.panel))
                return
            x -= len(tab.text) + 3
