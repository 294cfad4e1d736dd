"""What the keys of the main screen do to its panels: go to one, filter, sort, zoom, look closer, copy."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Size

from esdash.domain import Table
from esdash.engine.console import Console
from esdash.engine.shown.picture import Picture
from esdash.engine.shown.row import Row
from esdash.engine.shown.view import Phase, View
from esdash.ui.declared import LOG, Actions, panel_of, title_of, visible_tables
from esdash.ui.main.arrangement import Placed, Places, heights_for
from esdash.ui.main.log_reader import LogReader
from esdash.ui.main.preview import Preview, under_cursor
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.remembered import Arranged
from esdash.ui.tables.hints import example_of, log_hint, table_hint
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.lit import NOTHING_LIT, Lit
from esdash.ui.tables.log_panel import LogPanel
from esdash.ui.tables.log_source import LogSource
from esdash.ui.tables.log_table import LogTable
from esdash.ui.tables.panel import Panel
from esdash.ui.tables.panel_tabs import PanelTabs, Tab
from esdash.ui.tables.question_book import QuestionBook
from esdash.ui.tables.relation import rows_of, text_of
from esdash.ui.tables.rows_source import RowsSource
from esdash.ui.tables.table_source import SortOrder
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.service import Past


class Panels(Container):
    """The panels: one for each table that is not hidden, and the log. They show one view at a time."""

    def __init__(
        self,
        console: Console,
        actions: Actions,
        preview: Preview,
        changed: Callable[[], object],
        open_page: Callable[[Table, int | str], bool] = lambda _, __: False,
        past: "Callable[[], Past | None] | None" = None,
        book: QuestionBook | None = None,
    ) -> None:
        """`changed` is called when something else is to be shown although the view is the same; `open_page` opens the
        page of a row, where there is one. `past` gives the past once it is being kept; None: none is kept.
        `book` has the questions that a person keeps."""
        super().__init__(id="panels")
        self.book = book or QuestionBook()
        self.engine = console
        self.fold = console.fold
        self.actions = actions
        self._preview = preview
        self._wants_preview = True
        self._changed = changed
        self._open_page = open_page
        readonly = console.view.readonly
        self.tables = tuple(
            RowsSource(
                table, table_hint(self.fold, actions, table, readonly=readonly), lambda: self.call_later(changed)
            )
            for table in visible_tables(self.fold)
        )
        self.reader = LogReader(self, past, self._log_changed)
        self.log_lines = self.reader.lines = LogSource(
            self.fold, log_hint(self.fold, actions, readonly=readonly), lambda: self.call_later(self.reader.read),
            self.reader.search, self.book.saved,
        )  # fmt: skip
        self.log_panel = LogPanel(
            len(self.tables) + 1, self.log_lines, LogTable(self.log_lines, id=LOG),
            f"part of a line{example_of(self.fold)}", actions.key("parked"), self.book,
        )  # fmt: skip
        self.all = (
            *(self._table_panel(number, source) for number, source in enumerate(self.tables, 1)),
            self.log_panel,
        )
        self.tabs = PanelTabs(self.action_panel, id="tabs")
        self.current = LOG
        self.zoomed = False
        self._arrangement = ""
        """One of `arrangement.LAYOUTS`."""
        self._places = Places([panel.called for panel in self.all[:-1]], LOG)
        self._heights: dict[str, int | None] = {}
        """Lines of tables, by panel, where they are not all as high."""
        self._state: Picture | None = None
        self._newest: Row | None = None
        self._nth = self._ordinal = 0
        self._second = 0
        self._lit = NOTHING_LIT

    def compose(self) -> ComposeResult:
        yield Container(*self.all[:-1], id="state")
        yield self.all[-1]
        yield self._preview

    def show(self, view: View, wall: float, lit: Lit = NOTHING_LIT) -> None:
        """Show a view as it was at a time in Unix seconds; what is lit stands out, and is scrolled to."""
        newest = view.rows[-1] if view.rows else None
        same = view.state is self._state and newest is self._newest and int(wall) == self._second and lit == self._lit
        if same and not self.sorting:
            return
        self._state, self._newest, self._second = view.state, newest, int(wall)
        for source in self.tables:
            source.lit = lit.entries
            source.update(view.state, wall)
        self._nth, self._ordinal = view.nth(0), view.position.ordinal
        self.log_lines.update(
            view.rows,
            wall,
            self._nth,
            moment=view.position.ordinal if lit.entries else None,
            settled=view.phase not in (Phase.RESTORING, Phase.REPLAYING),
        )
        self.log_panel.picture = view.state
        self.log_lines.known = view.state is not None
        self.log_lines.behind = view.position.ordinal > 0
        if lit != self._lit:
            self._bring_into_view(lit)
        for panel in self.all:
            panel.sync()
        self._share_height()
        self._show_tabs()
        if not self.log_lines.entries.beginning:
            self.reader.read()
        self._show_preview()

    def _log_changed(self) -> None:
        self.log_panel.sync()
        self._show_tabs()
        self._show_preview()

    def on_unmount(self) -> None:
        self.reader.search(None)

    def _bring_into_view(self, lit: Lit) -> None:
        """Scroll to what is lit, and once nothing is, back to the cursors; a log that is played follows its tail."""
        self._lit = lit
        for source, panel in zip(self.tables, self.all, strict=False):
            name = source.table.name
            wanted = (
                [source.find(key) for table, key in lit.rows if table == name] if lit.entries else [panel.table.cursor]
            )
            panel.table.reveal([index for index in wanted if index is not None])
        if lit.playing:
            self.log_panel.log_table.forget()

    def arranged(self) -> Arranged:
        orders = {
            panel.called: (order.column, order.descending)
            for panel in self.all
            if (order := panel.source.order) is not None and (order.column or order.descending)
        }
        filters = {panel.called: panel.filtered_by for panel in self.all if panel.filtered_by}
        return Arranged("" if self.current == LOG else self.current, self.zoomed, orders, self._wants_preview, filters)

    def arrange_again(self, arranged: Arranged) -> None:
        """Arrange them as before; what is not there any more is left out."""
        for panel in self.all:
            panel.begin_with = arranged.filters.get(panel.called, "")
            column, descending = arranged.orders.get(panel.called, ("", False))
            sortable = {each.key for each in panel.source.columns if each.sortable}
            if panel.source.order is not None and column in sortable:
                panel.source.sort(SortOrder(column, descending))
        if any(panel.called == arranged.panel for panel in self.all):
            self.current = arranged.panel
            self._places.look_at(arranged.panel)
        self.zoomed, self._wants_preview = arranged.zoomed, arranged.preview

    def lay_out(self, layout: str) -> None:
        """Place them as `arrangement.layout_for` says."""
        self._arrangement = layout
        self._place()

    @property
    def sorting(self) -> bool:
        """A table is being sorted in a thread."""
        return any(source.sorting for source in self.tables)

    @property
    def panel(self) -> Panel:
        """The one that keys are about."""
        return next(panel for panel in self.all if panel.called == self.current)

    @property
    def chosen_entry(self) -> Row | None:
        """The entry of the log that a person has gone to; None while the log follows its tail."""
        table = self.log_panel.log_table
        if self.current != LOG or table.selected is None or table.following:
            return None
        return self.log_lines.row(table.cursor)

    def chosen_rows(self) -> dict[str, int | str]:
        """Table → key of the row that is selected, or that the selected entry is about."""
        source = self.panel.source
        if isinstance(source, RowsSource):
            selected = self.panel.table.selected
            return {source.table.name: selected} if isinstance(selected, int | str) else {}
        entry = self.chosen_entry
        found: dict[str, int | str] = {}
        for table, key in rows_of(self.fold, entry) if entry is not None else ():
            found.setdefault(table, key)
        return found

    def action_panel(self, name: str) -> None:
        """Focus a panel; where it has no place, give it one."""
        self.current = name
        self._places.look_at(name)
        self._place()
        self.screen.set_focus(self.panel.table)

    def action_next_panel(self, step: int) -> None:
        """Focus the next one, or the one before."""
        names = [panel.called for panel in self.all]
        self.action_panel(names[(names.index(self.current) + step) % len(names)])

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self._place()
        self._changed()

    def action_preview(self) -> None:
        """Show what the cursor stands on beside the panels, or show it no more."""
        self._wants_preview = not self._wants_preview
        self._place()
        if self._wants_preview and not self._preview.display:
            tell(self.app, "There is a preview once the terminal is at least 140 columns wide, and no panel zoomed.")

    def action_clear(self) -> None:
        """Undo the filter, or the zoom."""
        if not self.panel.clear_filter() and self.zoomed:
            self.action_zoom()
        self.screen.set_focus(self.panel.table)

    def action_details(self) -> None:
        """Look closer at the line under the cursor."""
        panel = self.panel
        selected = panel.table.selected
        if selected is None:
            return
        if isinstance(panel.source, RowsSource):
            assert isinstance(selected, int | str)
            if not self._open_page(panel.source.table, selected):
                self.list_entries(panel.source.table, selected)
            return
        from esdash.ui.trust.details import DetailsScreen

        row = self.log_panel.row_under_cursor()
        if row is not None:
            more_before = bool(self.log_lines.entries.beginning)
            rows = self.log_lines.entries.around(row)
            details = DetailsScreen(self.engine, row, rows, more_before=more_before)
            open_dialog(self.app, details, self.go_to_row)

    def list_entries(self, table: Table, key: int | str) -> None:
        self.list_matching(text_of(table, key))

    def list_matching(self, question: str) -> None:
        self.action_panel(LOG)
        self.panel.start_filter(question)

    def go_to_row(self, place: tuple[str, int | str]) -> None:
        name, key = place
        for source, panel in zip(self.tables, self.all, strict=False):
            if source.table.name != name:
                continue
            if source.find(key) is None and source.needle:
                panel.clear_filter()
                source.search("")
            index = source.find(key)
            if index is None:
                one = visible(source.table.one, 40)
                tell(self.app, f"{one} {visible(str(key), 60)} is not in the table now.", "warning")
                return
            self.action_panel(panel.called)
            panel.table.move_to(index)

    @on(LineTable.Activated)
    def _open(self, event: LineTable.Activated) -> None:
        event.stop()
        self.action_details()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which panel the keys are about."""
        panel = next((node for node in event.widget.ancestors_with_self if isinstance(node, Panel)), None)
        if panel is not None and panel.called != self.current:
            self.current = panel.called
            self._places.look_at(self.current)
            self._show_tabs()
            self._show_preview()
            self._changed()

    @on(LineTable.Moved)
    def _moved(self, event: LineTable.Moved) -> None:
        event.stop()
        self._show_preview()

    def _show_preview(self) -> None:
        if self._preview.display:
            self._preview.follow(under_cursor(self.panel, self._state, self._ordinal, self._nth))

    def placed(self, layout: str, size: Size) -> Placed:
        return self._places.placed(layout, size, self.current, zoomed=self.zoomed, preview=self._wants_preview)

    def _place(self) -> None:
        """Hide the panels that have no place now."""
        placed = self.placed(self._arrangement, self.app.size)
        if placed.beside:
            self._preview.styles.width = placed.beside
        self._preview.display = placed.beside > 0
        self.screen.update_classes(placed.classes)
        for panel in self.all:
            panel.display = panel.called in placed.shown
        self.query_one("#state").display = bool(placed.shown - {LOG})
        self._share_height()
        self._show_tabs()
        self._show_preview()

    def _share_height(self) -> None:
        """Where tables lie over each other: to long ones what short ones do not need."""
        shown = [panel for panel in self.all[:-1] if panel.display]
        over = self._arrangement in ("split", "tall") and not self.screen.has_class("-single")
        totals = [panel.source.total for panel in shown] if over else []
        heights = heights_for(totals, self.query_one("#state").size.height) or [None] * len(shown)
        for panel, height in zip(shown, heights, strict=True):
            if height != self._heights.get(panel.called):
                self._heights[panel.called] = panel.styles.height = height

    def _show_tabs(self) -> None:
        """The names of the panels, for where not all of them have room."""
        tabs = [Tab(panel.called, panel.brief) for panel in self.all]
        self.tabs.show(tabs, self.current, [panel.called for panel in self.all if panel.display])

    def _table_panel(self, number: int, source: RowsSource) -> Panel:
        table = source.table
        looked_for = "first digits" if table.key is int else f"part of the {visible(table.one, 30)}"
        name = panel_of(table)
        return Panel(number, title_of(table), source, LineTable(source, id=name), looked_for)
