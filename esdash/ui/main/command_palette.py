"""The command palette as a screen: Textual's own, which a second click beside it finds closed already."""

from textual.command import CommandPalette

from esdash.ui.paint.dialog import LeftOnce


class DashboardCommands(CommandPalette, LeftOnce[None]):
    """Finds an action by its name, and runs it."""
