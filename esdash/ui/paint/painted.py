"""The base of every widget that draws its own lines: names for styles, and redrawing only what changed."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from esdash.ui.paint.drawing import fit
from esdash.visible import visible


class _UncutStrip(Strip):
    """A strip that does not remember itself.

    Textual's keeps the pieces that it was cut into, and one that is not cut is its own only piece. Such a cycle is
    freed by the garbage collector alone, which under a busy stream had to look at tens of thousands of them.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """As Textual does."""
        inside = [cut for cut in cuts if cut <= self.cell_length]
        return [self] if inside == [self.cell_length] else super().divide(inside)


class Uncut(Widget):
    """A widget whose strips are freed as soon as others take their place."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """As Textual does; its strips stay the same ones, so that it finds what it has kept of them."""
        strips = super().render_lines(crop)
        for strip in strips:
            strip.__class__ = _UncutStrip
        return strips


PAINTS: Final = ("strong", "dim", "accent", "good", "bad", "warning", "information", "track", "header", "tag")
"""What text can be painted with; `good-strong` is both."""

HUES: Final = ("hue1", "hue2", "hue3", "hue4", "hue5", "hue6")
"""Colours that mean nothing by themselves and tell names apart; none is that of what was refused or parked."""

UNDER: Final = ("cursor", "blurred-cursor")
"""What a line can be painted over."""


class Palette(App[None]):
    """An app that holds the styles of everything that is painted.

    Each component class of a widget costs about as much as a widget whenever its style is worked out; here they are
    worked out once, and follow the theme as they would there. Textual reads them from the first base of a class alone.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"paint--{name}" for name in (*PAINTS, *HUES, *UNDER)}
    DEFAULT_CSS = """
    Palette {
        .paint--strong { text-style: bold; }
        .paint--dim { color: $text-muted; }
        .paint--accent { color: $text-accent; text-style: bold; }
        .paint--good { color: $text-success; }
        .paint--bad { color: $text-error; }
        .paint--warning { color: $text-warning; }
        .paint--information { color: $text-primary; }
        .paint--track { color: $foreground 20%; }
        .paint--header { color: $text-muted; text-style: bold; }
        .paint--tag { text-style: bold reverse; }
        .paint--hue1 { color: #62c0ff; }
        .paint--hue2 { color: #c9a0ff; }
        .paint--hue3 { color: #5fd3d0; }
        .paint--hue4 { color: #ff9ed2; }
        .paint--hue5 { color: #a9b4c4; }
        .paint--hue6 { color: #9ba3ff; }
        &:light {
            .paint--hue1 { color: #0b62c4; }
            .paint--hue2 { color: #7a3fd0; }
            .paint--hue3 { color: #00757a; }
            .paint--hue4 { color: #b3256f; }
            .paint--hue5 { color: #51606f; }
            .paint--hue6 { color: #3d43c4; }
        }
        .paint--cursor { background: $primary 45%; text-style: bold; }
        .paint--blurred-cursor { background: $foreground 8%; }
        &:ansi {
            .paint--dim, .paint--track { color: ansi_default; text-style: dim; }
            .paint--header { color: ansi_default; text-style: dim bold; }
            .paint--good { color: ansi_green; }
            .paint--bad { color: ansi_red; }
            .paint--warning { color: ansi_yellow; }
            .paint--information { color: ansi_cyan; }
            .paint--accent { color: ansi_blue; text-style: bold; }
            .paint--hue1 { color: ansi_default; text-style: bold; }
            .paint--hue2 { color: ansi_magenta; text-style: bold; }
            .paint--hue3 { color: ansi_cyan; }
            .paint--hue4 { color: ansi_default; }
            .paint--hue5 { color: ansi_magenta; }
            .paint--hue6 { color: ansi_blue; text-style: bold; }
            .paint--cursor { background: ansi_default; text-style: bold reverse; }
            .paint--blurred-cursor { background: ansi_default; text-style: bold; }
        }
    }
    """


class Painted(Uncut):
    """A widget that paints with the styles of a `Palette`."""

    ALLOW_SELECT = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._paints: dict[tuple[str, str], Style] = {}

    def paint(self, name: str = "", over: str = "") -> Style:
        """The style of a name such as `good` or `good-strong`, on the widget's background or `over` a cursor."""
        found = self._paints.get((name, over))
        if found is None:
            found = self.rich_style
            ground = self.background_colors[1]
            for part in name.split("-") if name else ():
                styles = self.app.get_component_styles(f"paint--{part}")
                found += styles.text_style
                if styles.has_rule("color"):
                    colour = ground.get_contrast_text(styles.color.a) if styles.auto_color else styles.color
                    found += Style(color=(ground + colour).rich_color)
            if over:
                styles = self.app.get_component_styles(f"paint--{over}")
                found += styles.text_style + Style(bgcolor=(ground + styles.background).rich_color)
            self._paints[name, over] = found
        return found

    def repaint(self, changed: Iterable[int]) -> None:
        """Draw some lines anew, in ascending order; those that adjoin together, which takes half of the time."""
        regions: list[Region] = []
        width = self.size.width
        for y in changed:
            if regions and regions[-1].bottom == y:
                regions[-1] = regions[-1].grow((0, 0, 1, 0))
            else:
                regions.append(Region(0, y, width, 1))
        if regions:
            self.refresh(*regions)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._paints.clear()


class Span(NamedTuple):
    """A stretch of text in one style. The text must be harmless already (`esdash.visible`)."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


class PaintedLines(Painted):
    """A few lines of spans; `sync` redraws those that changed and nothing else."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()

    @abstractmethod
    def lines(self, width: int) -> Sequence[Line]:
        """What to show now in lines of at most `width` cells; longer ones are cut."""

    def sync(self) -> None:
        """Look whether anything changed."""
        lines = tuple(self.lines(self.size.width))
        most = range(max(len(lines), len(self._lines)))
        self.repaint([y for y in most if lines[y : y + 1] != self._lines[y : y + 1]])
        self._lines = lines

    def says(self, text: str) -> bool:
        """Whether these words, all of them, stand there now; lines may break between them."""
        height = self.styles.height
        shown = self._lines[: int(height.value)] if height is not None else self._lines
        drawn = (fit("".join(span.text for span in line), self.size.width) for line in shown)
        return " ".join(visible(text, 500).split()) in " ".join(" ".join(drawn).split())

    def on_resize(self) -> None:
        self.sync()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, self.paint())
        return strip_of([(span.text, self.paint(span.style)) for span in self._lines[y]], width, self.paint())


class ToldLines(PaintedLines):
    """Shows what it was told last; long lines are cut."""

    def __init__(self, *told: Line, id: str | None = None) -> None:
        super().__init__(id=id)
        self.told = told

    def tell(self, *told: Line) -> None:
        self.told = told
        self.sync()

    def lines(self, width: int) -> Sequence[Line]:  # noqa: ARG002 - the same at every width
        return self.told


def strip_of(parts: Sequence[tuple[str, Style]], width: int, background: Style) -> Strip:
    """A strip of exactly `width` cells; what is too long is cut with …."""
    segments = []
    left = width
    for text, style in parts:
        length = cell_len(text)
        if length > left:
            segments.append(Segment(fit(text, left), style))
            left = 0
            break
        if text:
            segments.append(Segment(text, style))
        left -= length
    if left:
        segments.append(Segment(" " * left, background))
    return Strip(segments, width)


class Chunk(NamedTuple):
    """Spans that belong together on a line."""

    spans: Line
    rank: int = 0
    """The highest rank leaves first when there is no room; rank 0 never leaves."""

    @property
    def width(self) -> int:
        return sum(cell_len(span.text) for span in self.spans)


def join(chunks: Sequence[Chunk], width: int, separator: str = "  ") -> Line:
    """The chunks that have room in `width` cells, in their order, separated."""
    shown = list(chunks)
    gap = cell_len(separator)
    while shown and sum(chunk.width + gap for chunk in shown) - gap > width:
        worst = max(shown, key=lambda chunk: chunk.rank)
        if worst.rank == 0:
            break
        shown.remove(worst)
    spans: list[Span] = []
    for chunk in shown:
        if spans:
            spans.append(Span(separator, "dim"))
        spans.extend(chunk.spans)
    return tuple(spans)
