"""Messages of harmless plain text."""

from typing import Any, Literal, cast

from textual.app import App

from esdash.visible import visible


def tell(app: App[Any], text: str, severity: str = "information") -> None:
    """Say something. Severity is information, warning or error; a glyph tells it, too."""
    known = cast("Literal['information', 'warning', 'error']", severity)
    app.notify(visible(text, 500), severity=known, timeout=10 if severity == "error" else None, markup=False)
