"""What keys and clicks do with the lines of the panels, and ask of the log."""

from esdash.ui.declared import LOG, Actions
from esdash.ui.main.copying import copy_line
from esdash.ui.main.panels import Panels
from esdash.ui.messages import tell
from esdash.ui.tables.rows_source import RowsSource


class PanelKeys:
    """The part of the main screen that sorts, lists and copies lines, and asks the log."""

    def __init__(self, panels: Panels, actions: Actions) -> None:
        self._panels = panels
        self._actions = actions

    def action_ask(self, question: str) -> None:
        self._panels.list_matching(question)

    def action_filter(self) -> None:
        self._panels.panel.start_filter()

    def action_questions(self) -> None:
        """List the questions that were saved, and those that were asked before."""
        from esdash.ui.tables.saved_questions import QuestionsScreen

        def asks(question: str | None) -> None:
            if question:
                self._panels.list_matching(question)

        self._panels.app.push_screen(QuestionsScreen(self._panels.book, self._actions), asks)

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

    def show_entry(self, ordinal: int) -> None:
        """Put the cursor on an entry of the log, or on the one nearest to it."""
        panels = self._panels
        panels.log_panel.show_all()
        panels.action_panel(LOG)
        if (index := panels.log_lines.find(ordinal)) is not None:
            panels.log_panel.log_table.move_to(index)

    def action_copy(self) -> None:
        copy_line(self._panels.app, self._panels.fold, self._panels.panel)

    def action_sort(self, step: int) -> None:
        if self._sortable():
            self._panels.panel.table.sort_step(step)

    def action_sort_invert(self) -> None:
        if self._sortable():
            self._panels.panel.table.sort_invert()

    def action_entries(self) -> None:
        source, selected = self._panels.panel.source, self._panels.panel.table.selected
        if isinstance(source, RowsSource) and isinstance(selected, int | str):
            self._panels.list_entries(source.table, selected)
        else:
            tell(self._panels.app, "Select a row of a table: then this lists the entries about it.")

    def _sortable(self) -> bool:
        if self._panels.panel.table.source.order is None:
            tell(self._panels.app, "The log has one order: that of its entries.")
            return False
        return True
