"""The line of keys at the bottom of a screen: as many as have room."""

from collections.abc import Sequence
from typing import NamedTuple

from textual import events

from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span, join


class Key(NamedTuple):
    """One key."""

    key: str
    """As people read it."""
    label: str
    action: str
    """The action of the screen, or with `app.` before it the one of the app."""
    rank: int = 0
    """The highest rank leaves first when there is no room; rank 0 never leaves."""


class KeyBar(PaintedLines):
    """Keys and what they do; a click does it."""

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $panel; &:ansi { background: ansi_default; } }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys: tuple[Key, ...] = ()

    def show(self, keys: Sequence[Key]) -> None:
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        return (join([_chunk(key) for key in self._keys], width),)

    def on_click(self, event: events.Click) -> None:
        shown = self.lines(self.size.width)[0]
        x = event.x - self.styles.padding.left
        for key in self._keys:
            chunk = _chunk(key)
            if chunk.spans[0] not in shown:
                continue
            if 0 <= x < chunk.width:
                self.app.run_worker(self.app.run_action(key.action, self.screen), name="clicked key")
                return
            x -= chunk.width + 2


def _chunk(key: Key) -> Chunk:
    return Chunk((Span(key.key, "accent"), Span(f" {key.label}")), key.rank)
