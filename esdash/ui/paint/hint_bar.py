"""The line of keys at the bottom of a screen of its own."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events

from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span, join


class Hint(NamedTuple):
    """One key."""

    key: str
    """As people read it."""
    label: str
    action: str
    """The action of the screen."""


class HintBar(PaintedLines):
    """Keys and what they do, the last ones leaving first when there is no room; a click does it."""

    DEFAULT_CSS = """
    HintBar { height: 1; padding: 0 1; background: $panel; &:ansi { background: ansi_default; } }
    """

    def __init__(self, hints: Sequence[Hint] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._hints = tuple(hints)

    def show(self, hints: Sequence[Hint]) -> None:
        """Other keys matter now."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        """One line."""
        return (join([chunk for _, chunk in self._chunks()], width),)

    def on_click(self, event: events.Click) -> None:
        """Do what was clicked."""
        chunks = self._chunks()
        shown = join([chunk for _, chunk in chunks], self.size.width)
        x = event.x - self.styles.padding.left
        for hint, chunk in chunks:
            if chunk.spans[0] not in shown:
                continue
            if 0 <= x < chunk.width:
                self.app.run_worker(self.app.run_action(hint.action, self.screen), name="clicked key")
                return
            x -= chunk.width + 2

    def _chunks(self) -> list[tuple[Hint, Chunk]]:
        return [
            (hint, Chunk((Span(hint.key, "accent"), Span(f" {hint.label}")), place))
            for place, hint in enumerate(self._hints)
        ]
