"""The base of every field of one line."""

import re
from unicodedata import category

from textual import events
from textual.widgets import Input

from esdash.words.typed import escape_hidden


class LineInput(Input):
    r"""A field of one line; of a paste with several, the lines follow one another, each after a space.

    Characters that a terminal hides or obeys are `\u{200B}` in it, whether they are typed, pasted or put there.
    """

    escape = staticmethod(escape_hidden)

    def __init__(self, value: str = "", placeholder: str = "", *, id: str | None = None, max_length: int = 0) -> None:
        """`max_length`: characters that can be typed; 0 for no limit."""
        super().__init__(value, placeholder, id=id, compact=True, select_on_focus=False, max_length=max_length)

    def validate_value(self, value: str) -> str:
        """Called by Textual with whatever is put there."""
        return self.escape(value)

    def replace(self, text: str, start: int, end: int) -> None:
        """Put text in place of a range; every way of typing, pasting and deleting comes through here."""
        start, end = sorted((start, end))
        # The whole of it: a mark may come after the letter that carries it, or lose that one.
        typed = self.value[:start] + text
        whole = self.escape(typed + self.value[end:])
        super().replace(whole, 0, len(self.value))
        if self.value == whole:  # it may be too long
            self.cursor_position = len(self.escape(typed))

    def on_key(self, event: events.Key) -> None:
        """Textual's drops what cannot be printed alone, such as what joins the parts of 👩‍🚒."""
        if event.character and not event.is_printable and category(event.character[0]) != "Cc":
            event.prevent_default()
            event.stop()
            self.replace(event.character, *self.selection)

    def on_paste(self, event: events.Paste) -> None:
        """Textual's keeps the first line and drops the others without a word."""
        event.prevent_default()
        event.stop()
        lines = re.split(r"\r\n?|\n", event.text)
        self.replace(" ".join(line.strip() for line in lines if line.strip()), *self.selection)
