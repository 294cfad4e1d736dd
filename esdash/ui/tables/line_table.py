"""A table of any number of lines that draws the visible ones, each only when it changed.

`textual.widgets.DataTable` lays out all of its rows when one cell changes, which takes 0.4 s at a hundred thousand
rows; here a frame costs the same at any number.
"""

from collections.abc import Hashable, Sequence
from typing import Final, NamedTuple

from rich.segment import Segment
from textual import events
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from esdash.ui.actions import Scope, bindings
from esdash.ui.paint.drawing import fit, scroll_bar
from esdash.ui.paint.painted import Painted
from esdash.ui.tables.columns import Cell, Column, Widths, draw, title
from esdash.ui.tables.table_source import SortOrder, Source

_WHEEL_LINES: Final = 3


class _Row(NamedTuple):
    """All that a drawn line depends on."""

    cells: tuple[Cell, ...]
    cursor: str
    thumb: str


class LineTable(Painted, can_focus=True):
    """A table with a title line, a cursor and a scroll bar."""

    DEFAULT_CSS = """
    LineTable { height: 1fr; width: 1fr; }
    """
    BINDINGS = bindings(Scope.TABLE)

    class Activated(Message):
        """A person double-clicked a line."""

        def __init__(self, table: "LineTable") -> None:
            super().__init__()
            self.table = table

    class Moved(Message):
        """The cursor stands on another line, or a person's hand changed the part in view or the order."""

        def __init__(self, table: "LineTable") -> None:
            super().__init__()
            self.table = table

    def __init__(self, source: Source, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.source = source
        self.cursor = 0
        self.top = 0
        """The first line in view."""
        self._stood_on: Hashable | None = None
        """The line under the cursor, as it was told last."""
        self._anchor: Hashable | None = None
        """The line a person chose; None while nobody has, and the cursor stays on the first line."""
        self._widths = Widths()
        self._rows: list[_Row | str] = []
        """What was drawn last, by line."""
        self._strips: LRUCache[tuple[_Row, tuple[int, ...]], Strip] = LRUCache(512)
        self._dragging = False
        self._area = Size(0, 0)
        """Its size when it last looked: asking the layout costs more than drawing a line."""

    @property
    def page(self) -> int:
        """Lines that fit under the titles."""
        return max(1, self._area.height - 1)

    @property
    def selected(self) -> Hashable | None:
        return self.source.identity(self.cursor) if 0 <= self.cursor < len(self.source) else None

    def sync(self) -> None:
        """Look at the source again and redraw the lines that changed."""
        rows = self._look()
        drawn = len(self._rows)
        self.repaint([y for y, row in enumerate(rows) if y >= drawn or row != self._rows[y]])
        self._rows = rows
        if self.selected != self._stood_on:
            self._stood_on = self.selected
            # Later: what is posted while the panel around it acts goes no further than to that.
            self.call_next(self._tell)

    def forget(self) -> None:
        """Put the cursor back on the first line: other lines than before are to be shown."""
        self._anchor = None
        self.cursor = self.top = 0

    def move_to(self, index: int) -> None:
        """Put the cursor on a line and scroll as little as shows it."""
        self.cursor = max(0, min(index, len(self.source) - 1))
        self.chosen()
        if self.cursor < self.top:
            self.top = self.cursor
        elif self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1
        self.touched()

    def reveal(self, lines: Sequence[int]) -> None:
        """Scroll as little as brings one of these lines into view, where none of them is; the cursor stays."""
        if not lines or any(self.top <= line < self.top + self.page for line in lines):
            return
        line = lines[0]
        self.top = line if line < self.top else line - self.page + 1

    def choose(self, index: int) -> None:
        self.move_to(index)

    def chosen(self) -> None:
        """Remember the line under the cursor as what a person wants to keep in sight."""
        self._anchor = self.selected if self.cursor > 0 else None

    def scroll_by(self, lines: int) -> None:
        """Move the part in view, not the cursor."""
        self.top = max(0, min(self.top + lines, len(self.source) - self.page))
        self.touched()

    def touched(self) -> None:
        """Show what a person's hand changed."""
        self._stood_on = self.selected
        self.sync()
        self._tell()

    def _tell(self) -> None:
        self.post_message(self.Moved(self))

    def sort_by(self, column: Column) -> None:
        """Sort by a column; again, the other way round."""
        order = self.source.order
        if order is None or not column.sortable:
            return
        turned = not order.descending if order.column == column.key else column.starts_descending
        self.source.sort(SortOrder(column.key, turned))
        self.touched()

    def sort_invert(self) -> None:
        if self.source.order is not None:
            self.source.sort(SortOrder(self.source.order.column, not self.source.order.descending))
            self.touched()

    def sort_step(self, step: int) -> None:
        sortable = [column for column in self.source.columns if column.sortable]
        order = self.source.order
        if order is None or not sortable:
            return
        place = [column.key for column in sortable].index(order.column)
        self.sort_by(sortable[(place + step) % len(sortable)])

    def action_move(self, lines: int) -> None:
        """Some lines down, or up where it is negative."""
        self.move_to(self.cursor + lines)

    def action_page(self, pages: float) -> None:
        """A page or half of one down, or up where it is negative."""
        lines = int(self.page * pages) or (1 if pages > 0 else -1)
        self.top = max(0, min(self.top + lines, len(self.source) - self.page))
        self.move_to(self.cursor + lines)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(len(self.source) - 1)

    def _look(self) -> list[_Row | str]:
        self._area = self.size
        self._settle()
        rows = [self._row(y) for y in range(self._area.height)]
        self._measure()  # some sources know only now how much room their lines want
        return rows

    def _settle(self) -> None:
        """Find the chosen line again, and keep it on the same line of the screen."""
        count = len(self.source)
        index = None if self._anchor is None else self.source.find(self._anchor)
        if index is not None:
            if self.top <= self.cursor < self.top + self.page:
                self.top += index - self.cursor
            self.cursor = index
        elif self._anchor is None:
            self.cursor = 0
        self.cursor = max(0, min(self.cursor, count - 1))
        self.top = max(0, min(self.top, count - self.page))

    def _measure(self) -> None:
        if self._widths.fit(self.source.columns, self.source.wanted(), self._area.width - 2):
            self._rows = []
            self.refresh()

    def _row(self, y: int) -> _Row | str:
        count = len(self.source)
        if y == 0:
            return f"titles {self.source.order}"
        if not count:
            hint = self.source.hint()
            return hint[y - 2] if 0 <= y - 2 < len(hint) else ""
        index = self.top + y - 1
        thumb = scroll_bar(y - 1, self.page, self.top, count)
        if index >= count:
            return ""
        cursor = "" if index != self.cursor else "cursor" if self.has_focus else "blurred-cursor"
        return _Row(self.source.cells(index), cursor, thumb)

    def render_line(self, y: int) -> Strip:
        # Its whole size, for it has no frame: that of what is inside is asked of the layout, which takes long.
        if self._area != self.outer_size or len(self._rows) != self._area.height:
            self._rows = self._look()
        row = self._rows[y]
        if y == 0:
            return self._titles()
        if isinstance(row, str):
            text = fit(" " + row, self._area.width)
            return Strip([Segment(text, self.paint("dim"))], self._area.width)
        key = (row, self._widths.cells)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strips[key] = self._draw(row)
        return strip

    def _draw(self, row: _Row) -> Strip:
        over = row.cursor
        segments = [Segment("▌" if over else " ", self.paint("accent" if over == "cursor" else "track", over))]
        gap = Segment(" " * self._widths.gap, self.paint("", over))
        first = True
        for column, cell, width in zip(self.source.columns, row.cells, self._widths.cells, strict=True):
            if not width:
                continue
            if not first:
                segments.append(gap)
            first = False
            segments.append(Segment(draw(column, cell, width), self.paint(cell.style, over)))
        return self._finish(segments, row.thumb, over)

    def _titles(self) -> Strip:
        header = self.paint("header")
        segments = [Segment(" ", header)]
        order = self.source.order
        for column, width in zip(self.source.columns, self._widths.cells, strict=True):
            if not width:
                continue
            if len(segments) > 1:
                segments.append(Segment(" " * self._widths.gap, header))
            arrow = ("↓" if order.descending else "↑") if order is not None and order.column == column.key else ""
            segments.append(Segment(title(column, width, arrow), self.paint("accent") if arrow else header))
        return self._finish(segments, " ", "")

    def _finish(self, segments: list[Segment], thumb: str, over: str) -> Strip:
        width = self._area.width
        used = 1 + self._widths.used
        segments.append(Segment(" " * max(0, width - 1 - used), self.paint("", over)))
        segments.append(Segment(thumb, self.paint("accent" if thumb == "┃" and self.has_focus else "track")))
        return Strip(segments, max(width, used + 1)).adjust_cell_length(width, self.paint())

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self._area = self.size
        if self.cursor >= self.top + self.page:
            self.top = self.cursor - self.page + 1
        self.sync()

    def on_focus(self) -> None:
        """The cursor looks different."""
        self._strips.clear()
        self.sync()

    def on_blur(self) -> None:
        self._strips.clear()
        self.sync()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_by(_WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_by(-_WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll bar."""
        if event.x == self.size.width - 1 and event.y > 0 and len(self.source) > self.page:
            self._dragging = True
            self.capture_mouse()
            self._drag(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._drag(event.y)

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Sort by a title, choose a line; a second click opens it."""
        event.stop()
        if event.y == 0:
            column = self._widths.column_at(self.source.columns, event.x)
            if column is not None:
                self.sort_by(column)
        elif event.x < self.size.width - 1 and self.top + event.y - 1 < len(self.source):
            self.choose(self.top + event.y - 1)
            if event.chain == 2:
                self.post_message(self.Activated(self))

    def _drag(self, y: int) -> None:
        share = (y - 1) / max(1, self.page - 1)
        self.scroll_by(round(share * (len(self.source) - self.page)) - self.top)
