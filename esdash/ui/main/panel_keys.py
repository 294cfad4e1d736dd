"""What keys and clicks do with the lines of the panels, and ask of the log."""

from msgspec import Struct

from esdash.ui.clipboard import copy
from esdash.ui.declared import LOG, Actions
from esdash.ui.main.panels import Panels
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.payload import too_large
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.rows_source import RowsSource
from esdash.words.entries import payload_of, type_of


class PanelKeys(Struct, eq=False):
    """The part of the main screen that sorts, lists and copies lines, and asks the log."""

    panels: Panels
    actions: Actions

    def action_ask(self, question: str) -> None:
        self.panels.list_matching(question)

    def action_filter(self) -> None:
        self.panels.panel.start_filter()

    def action_questions(self) -> None:
        """List the questions that were saved, and those that were asked before."""
        from esdash.ui.tables.saved_questions import QuestionsScreen

        open_dialog(self.panels.app, QuestionsScreen(self.panels.book, self.actions), self.panels.list_matching)

    def action_next_hit(self, direction: int) -> None:
        """Go to the next entry that the last question to the log asks for, or to the one before, among all others."""
        panels = self.panels
        lines, table = panels.log_lines, panels.log_panel.log_table
        if lines.answer is None:
            tell(panels.app, f"Ask for something first: {self.actions.key('filter')} in the log.")
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
        panels = self.panels
        panels.log_panel.show_all()
        panels.action_panel(LOG)
        if (index := panels.log_lines.find(ordinal)) is not None:
            panels.log_panel.log_table.move_to(index)

    def action_copy(self) -> None:
        """Put a row's cells, or an event's id, type and payload, on the clipboard."""
        app, fold, panel = self.panels.app, self.panels.fold, self.panels.panel
        table, source = panel.table, panel.source
        if table.selected is None:
            return
        if not isinstance(source, LogSource):
            cells = source.cells(table.cursor)[:-2]  # without what changed it last, and when
            copy(app, " ".join(cell.text for cell in cells if cell.text), "The line is copied.")
        elif (row := self.panels.log_panel.row_under_cursor()) is None:
            return
        elif why_not := too_large(row, "copied"):
            tell(app, why_not, "warning")
        else:
            payload = payload_of(fold, row.fields).decode("utf-8", "backslashreplace")
            entry_id = row.entry_id.decode("utf-8", "backslashreplace")
            text = f"{entry_id} {type_of(fold, row.fields)} {payload}"
            copy(app, text, "The event's id, type and payload are copied.")

    def action_sort(self, step: int) -> None:
        if self._sortable():
            self.panels.panel.table.sort_step(step)

    def action_sort_invert(self) -> None:
        if self._sortable():
            self.panels.panel.table.sort_invert()

    def action_entries(self) -> None:
        source, selected = self.panels.panel.source, self.panels.panel.table.selected
        if isinstance(source, RowsSource) and isinstance(selected, int | str):
            self.panels.list_entries(source.table, selected)
        else:
            tell(self.panels.app, "Select a row of a table: then this lists the entries about it.")

    def _sortable(self) -> bool:
        if self.panels.panel.table.source.order is None:
            tell(self.panels.app, "The log has one order: that of its entries.")
            return False
        return True
