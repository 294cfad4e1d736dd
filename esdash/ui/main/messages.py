"""What the dashboard has said: the last messages, with their times."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType

from esdash.ui.messages import KEPT, Messages
from esdash.ui.paint.drawing import clock_time
from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog


class MessagesScreen(TextDialog[None]):
    """The newest first; what is said while it is open comes to its top."""

    LOOKED_AT_EVERY = 0.25
    SAYS_MESSAGES: ClassVar = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,M,enter", "leave", "Close", show=False)]

    def __init__(self, messages: Messages, wall_clock: Callable[[], float]) -> None:
        super().__init__("Messages")
        self._messages = messages
        self._wall_clock = wall_clock

    def known(self) -> object:
        return self._messages.ever

    def tell(self, width: int) -> Iterator[Paragraph]:  # noqa: ARG002 - the same at every width
        now = self._wall_clock()
        labels = [f"{clock_time(int(said.at * 1000), now)} {said.glyph}" for said in reversed(self._messages)]
        indent = max(map(len, labels), default=0) + 1
        for label, said in zip(labels, reversed(self._messages), strict=True):
            text = said.text if said.glyph else said.text.removeprefix("✓ ")
            style = "" if said.severity == "information" else said.style
            yield Paragraph(text, label if said.glyph else f"{label}✓", style, indent)
        if not labels:
            yield Paragraph("Nothing was said yet.", style="dim")
        elif self._messages.ever > KEPT:
            yield Paragraph(f"These are the last {KEPT} of {self._messages.ever:,} messages.", style="dim")
