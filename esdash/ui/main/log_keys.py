"""What keys and clicks ask of the log."""

from esdash.ui.declared import LOG, Actions
from esdash.ui.main.panels import Panels
from esdash.ui.messages import tell


class LogKeys:
    """The part of the main screen that asks the log."""

    def __init__(self, panels: Panels, actions: Actions) -> None:
        self._panels = panels
        self._actions = actions

    def action_ask(self, question: str) -> None:
        """Show exactly what a question asks for in the log."""
        self._panels.action_panel(LOG)
        self._panels.log_panel.start_filter(question)

    def action_next_hit(self, direction: int) -> None:
        """Go to the next entry that the last question to the log asks for, or to the one before, among all others."""
        panels = self._panels
        lines, table = panels.log_lines, panels.log_panel.log_table
        if lines.answer is None:
            tell(panels.app, f"Ask for something first: {self._actions.key('filter')} in the log.")
            return
        at = table.selected
        panels.log_panel.show_all()
        found = lines.next_hit(at if isinstance(at, int) else lines.entries.last + 1, direction)
        where = "before" if direction < 0 else "after"
        if found is not None and (index := lines.find(found)) is not None:
            panels.action_panel(LOG)
            table.move_to(index)
        elif direction < 0 and lines.searched is not None:
            tell(panels.app, f"No hit {where} this entry so far: {lines.searched} % are searched.")
        else:
            tell(panels.app, f"There is no hit {where} this entry.")
