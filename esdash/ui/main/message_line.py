"""The line above the line of keys: what was said last."""

from asyncio import TimerHandle
from collections.abc import Sequence

from textual import events

from esdash.ui.declared import Actions
from esdash.ui.messages import Message
from esdash.ui.paint.drawing import fit
from esdash.ui.paint.painted import Chunk, Line, PaintedLines, Span
from esdash.ui.timers import after

_ROOMY = 78
"""Columns from which the key for earlier messages has room."""


class MessageLine(PaintedLines):
    """One message for as long as it stands, or nothing; a click lists the earlier ones."""

    DEFAULT_CSS = """
    MessageLine { height: 1; padding: 0 1; }
    """

    def __init__(self, actions: Actions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._actions = actions
        self.message: Message | None = None
        self._hushing: TimerHandle | None = None
        """Takes the message away that is shown."""

    def say(self, message: Message | None) -> None:
        """Show another one, or none. While there is one, the screen has the class `-telling`."""
        if self._hushing is not None:
            self._hushing.cancel()
        if not self.is_running:
            return
        self._hushing = None if message is None else after(self, message.seconds, lambda: self.say(None))
        self.message = message
        self.sync()
        self.screen.set_class(message is not None, "-telling")

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
        event.stop()
        if self.message is not None:
            await self.run_action("screen.messages")
