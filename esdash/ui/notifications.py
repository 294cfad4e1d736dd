"""Notifications of harmless plain text."""

from typing import Any

from textual.app import App

from esdash.visible import visible


def tell(app: App[Any], text: str, severity: str = "information") -> None:
    """Show a notification. Severity is information, warning or error; a glyph tells it, too."""
    told = visible(text, 500)
    if severity == "error":
        app.notify(f"✗ {told}", severity="error", timeout=10, markup=False)
    elif severity == "warning":
        app.notify(f"! {told}", severity="warning", markup=False)
    else:
        app.notify(told, markup=False)
