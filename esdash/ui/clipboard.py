"""Copying what is shown, where that is allowed."""

import os
from typing import Any, Final

from textual.app import App

from esdash.ui.messages import tell

FORBIDDEN: Final = "The setting export is false: nothing is exported, copied or saved as a picture here."

TMUX: Final = " Unless tmux keeps it to itself: `set -s set-clipboard on` lets it through."
"""tmux drops what a program copies, as it comes, and says nothing."""


def may_export(app: App[Any]) -> bool:
    """Whether what is shown may be handed on; where it may not, that is said."""
    allowed: bool = getattr(app, "may_export", True)
    if not allowed:
        tell(app, FORBIDDEN, "warning")
    return allowed


def copy(app: App[Any], text: str, told: str) -> None:
    """Put a text on the clipboard and say something, or why that cannot be."""
    if may_export(app):
        app.copy_to_clipboard(text)
        tell(app, told + (TMUX if "TMUX" in os.environ else ""))
