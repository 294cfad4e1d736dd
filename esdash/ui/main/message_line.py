"""The line above the line of keys: what was said last."""

from collections.abc import Sequence

from textual import events

from esdash.ui.declared import Actions
from esdash.ui.messages import Message
from esdash.ui.paint.drawing import fit
from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span

_ROOMY = 78
"""Columns from which the key for earlier messages has room."""


class MessageLine(PaintedLines):
    """One message, or nothing; a click lists the earlier ones."""

    DEFAULT_CSS = """
    MessageLine { height: 1; padding: 0 1; }
    """

    def __init__(self, actions: Actions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._actions = actions
        self.message: Message | None = None

    def show(self, message: Message | None) -> None:
        """Another one, or none."""
        self.message = message
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:
        """The message, cut to the width, and how to see those before it."""
        if self.message is None:
            return ()
        told, style = str(self.message), self.message.style
        key = self._actions.key("messages")
        if not key or width < _ROOMY:
            return ((Span(told, style),),)
        more = Chunk((Span("  "), Span(key, "accent"), Span(" messages", "dim")))
        return ((Span(fit(told, width - more.width), style), *more.spans),)

    async def on_click(self, event: events.Click) -> None:
        """List all messages."""
        event.stop()
        if self.message is not None:
            await self.run_action("screen.messages")
