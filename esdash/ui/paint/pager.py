"""A long text to read: only the lines that are visible are drawn."""

from collections.abc import Callable, Iterable
from typing import ClassVar, Final, NamedTuple

from rich.cells import cell_len, chop_cells
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from esdash.ui.paint.json_spans import json_spans
from esdash.ui.paint.painted import Line, Painted, Span, strip_of

JSON: Final = "json"
"""The style of a line of JSON: each part in a colour of its own."""


class Paragraph(NamedTuple):
    """A piece of text with a label on its left. Both are drawn as they are: make them harmless first."""

    text: str
    label: str = ""
    style: str = ""
    """A name that `Painted.paint` knows, or JSON."""
    indent: int = 0
    """Cells before the text, where the label stands."""
    verbatim: bool = False
    """Cut at the edge instead of between words."""


Writer = Callable[[int], Iterable[Paragraph]]
"""The text for a width in cells."""


class Pager(ScrollView, Painted, can_focus=True):
    """Scrolls with arrows, vim keys, pages, ends and the mouse wheel; wraps to the width it has."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False),
        Binding("down,j", "scroll_down", "Down", show=False),
        Binding("pageup,ctrl+b", "page_up", "Page up", show=False),
        Binding("pagedown,ctrl+f,space", "page_down", "Page down", show=False),
        Binding("ctrl+u", "half_page(-1)", "Half a page up", show=False),
        Binding("ctrl+d", "half_page(1)", "Half a page down", show=False),
        Binding("home,g", "scroll_home", "Top", show=False),
        Binding("end,G", "scroll_end", "Bottom", show=False),
    ]

    def __init__(self, writer: Writer, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._writer = writer
        self._lines: list[tuple[str, str, str]] = []
        """Label with its indent, text, style."""
        self._width = 0

    def write(self, writer: Writer, keep_place: bool = False) -> None:
        """Show another text, from its top unless the reader's place should be kept."""
        self._writer = writer
        self._width = 0
        if not keep_place:
            self.scroll_home(animate=False, immediate=True)
        self.refresh(layout=True)
        self._wrap(self._room)

    @property
    def text(self) -> str:
        """Everything there is to read, as it is wrapped now."""
        return "\n".join((label + text).rstrip() for label, text, _ in self._lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        self._wrap(width - self.scrollbar_size_vertical)
        return len(self._lines)

    def on_resize(self) -> None:
        self._wrap(self._room)

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        place = y + self.scroll_offset.y
        if place >= len(self._lines):
            return Strip.blank(width, self.paint())
        label, text, style = self._lines[place]
        spans = spans_of(label, text, style)
        return strip_of([(span.text, self.paint(span.style)) for span in spans], width, self.paint())

    def action_half_page(self, direction: int) -> None:
        self.scroll_relative(y=direction * max(1, self.size.height // 2), animate=False)

    @property
    def _room(self) -> int:
        """Cells for the text. A column is kept for the scroll bar, so that its coming does not wrap the text anew."""
        bar = 0 if self.show_vertical_scrollbar else self.scrollbar_size_vertical
        return self.scrollable_content_region.width - bar

    def _wrap(self, width: int) -> None:
        if width == self._width or width <= 0:
            return
        self._width = width
        self._lines = [line for paragraph in self._writer(width) for line in lines_of(paragraph, width)]
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()


def spans_of(label: str, text: str, style: str) -> Line:
    return (Span(label, "strong"), *(json_spans(text) if style == JSON else (Span(text, style),)))


def lines_of(paragraph: Paragraph, width: int) -> Iterable[tuple[str, str, str]]:
    """A paragraph in lines of that many cells: label with its indent, text, style."""
    room = max(10, width - paragraph.indent)
    label = paragraph.label + " " * (paragraph.indent - cell_len(paragraph.label))
    pieces = chop_cells(paragraph.text, room) if paragraph.verbatim else wrap(paragraph.text, room)
    for index, piece in enumerate(pieces or [""]):
        yield label if index == 0 else " " * paragraph.indent, piece, paragraph.style


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words where that is possible."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, width) or [""]
        lines.extend(full)
    return [*lines, line]
