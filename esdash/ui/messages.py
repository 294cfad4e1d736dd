"""What the dashboard says, and has said lately."""

from collections import deque
from typing import Any, Final, Literal, cast

from msgspec import Struct
from textual.app import App
from textual.content import Content
from textual.markup import MarkupError

from esdash.visible import visible

KEPT: Final = 100
"""Messages that are remembered."""

USUAL_SECONDS: Final = 5.0
"""How long a message stands on the screen."""

_GLYPHS: Final = {"information": "·", "warning": "!", "error": "✗"}
_STYLES: Final = {"information": "information", "warning": "warning", "error": "bad"}


class Message(Struct, frozen=True):
    """One thing that was said."""

    text: str
    """Harmless, on one line."""
    severity: str
    """information, warning or error."""
    at: float
    """Unix seconds."""
    seconds: float = USUAL_SECONDS
    """How long it stands on the screen."""

    @property
    def glyph(self) -> str:
        """The severity without colour; empty for good news, which bring their own."""
        return "" if self.severity == "information" and self.text.startswith("✓ ") else _GLYPHS[self.severity]

    @property
    def style(self) -> str:
        """The severity's colour, by its name in `esdash.ui.paint.painted` and `esdash.ui.paint.pager`."""
        return _STYLES[self.severity]

    def __str__(self) -> str:
        """With its glyph."""
        return f"{self.glyph} {self.text}".strip()


class Messages(deque[Message]):
    """The last ones, the oldest first, for as long as the dashboard runs, whatever its domain becomes."""

    def __init__(self) -> None:
        super().__init__(maxlen=KEPT)
        self.ever = 0
        """How many were ever said."""
        self.noticed = 0
        """The number of the newest of the consumer's notices that was said."""

    def add(self, message: Message) -> None:
        self.append(message)
        self.ever += 1


def message_of(text: str, severity: str, at: float, seconds: float | None = None) -> Message:
    return Message(visible(text, 500), severity, at, USUAL_SECONDS if seconds is None else seconds)


def tell(app: App[Any], text: str, severity: str = "information") -> None:
    """Say something, made harmless. Severity is information, warning or error; a glyph tells it, too."""
    known = cast("Literal['information', 'warning', 'error']", severity)
    app.notify(visible(text, 500), severity=known, timeout=10 if severity == "error" else None, markup=False)


def plain(markup: str) -> str:
    """What is said, without its markup."""
    try:
        return Content.from_markup(markup).plain
    except MarkupError:
        return markup
