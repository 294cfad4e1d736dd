"""What the dashboard has said: the last messages, with their times."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from esdash.ui.messages import KEPT, Messages
from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.drawing import clock_time
from esdash.ui.paint.pager import Pager, Paragraph

LOOKED_AT_EVERY: Final = 0.25
"""Seconds between two looks."""


class MessagesScreen(Dialog[None]):
    """The newest first; what is said while it is open comes to its top."""

    SAYS_MESSAGES: ClassVar = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,M,enter", "leave", "Close", show=False)]

    def __init__(self, messages: Messages, wall_clock: Callable[[], float]) -> None:
        super().__init__()
        self._messages = messages
        self._wall_clock = wall_clock
        self._count = messages.ever

    def compose(self) -> ComposeResult:
        """One long text."""
        with self.frame("Messages", "↑↓ scroll · Esc close"):
            yield Pager(self._tell, id="pager")

    def on_mount(self) -> None:
        """Keep looking."""
        self.query_one("#dialog").add_class("-wide")
        self.set_interval(LOOKED_AT_EVERY, self.look)

    def look(self) -> None:
        """Show what was said since."""
        if self._messages.ever != self._count:
            self._count = self._messages.ever
            self.query_one(Pager).write(self._tell, keep_place=True)

    def _tell(self, width: int) -> Iterator[Paragraph]:  # noqa: ARG002 - the same at every width
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
