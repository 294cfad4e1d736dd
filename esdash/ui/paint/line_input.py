"""The base of every field of one line."""

import re

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """A field of one line; of a paste with several, the lines follow one another, each after a space."""

    def __init__(self, value: str = "", placeholder: str = "", *, id: str | None = None, max_length: int = 0) -> None:
        """`max_length`: characters that can be typed; 0 for no limit."""
        super().__init__(value, placeholder, id=id, compact=True, select_on_focus=False, max_length=max_length)

    def on_paste(self, event: events.Paste) -> None:
        """Textual's keeps the first line and drops the others without a word."""
        event.prevent_default()
        event.stop()
        lines = re.split(r"\r\n?|\n", event.text)
        self.replace(" ".join(line.strip() for line in lines if line.strip()), *self.selection)
