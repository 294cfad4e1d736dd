"""Where a question is typed: names are completed, and what is wrong is pointed at."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from esdash.ui.paint.painted import Line, Span, ToldLines
from esdash.ui.tables.filter_line import FilterInput, FilterLine
from esdash.ui.tables.log_source import Wrong
from esdash.visible import visible
from esdash.words.typed import write_text

if TYPE_CHECKING:
    from esdash.query.completing import Completion

Offers = Callable[[str, int], Sequence["Completion"]]
"""What may stand in a text where the cursor is."""

_BEFORE: int = 3
"""Cells before the text: the padding, and the slash with its space."""


class QuestionInput(FilterInput):
    """Tab takes the first of what is offered, and again the next one; where nothing is, it does nothing: what is typed
    next must not become commands. The arrows go through what was asked before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "Complete", show=False),
        Binding("shift+tab", "complete(-1)", "Complete with the one before", show=False),
        Binding("up", "asked(1)", "What was asked before", show=False),
        Binding("down", "asked(-1)", "What was asked after that", show=False),
        Binding("ctrl+s", "save", "Save the question", show=False),
    ]

    def __init__(
        self,
        placeholder: str,
        leave: Callable[[], None],
        offers: Offers,
        moved: Callable[[], None],
        asked: Callable[[], Sequence[str]],
        save: Callable[[str], object],
    ) -> None:
        """`moved` is called when something else may be offered although the text is the same. `asked` gives what was
        asked before, the newest last; `save` keeps a question."""
        super().__init__(placeholder, leave)
        self._asked = asked
        self._save = save
        self._through: Sequence[str] = ()
        """What the arrows go through: what stood here first, then what was asked before, the newest first."""
        self._at = 0
        self._find = offers
        self._moved = moved
        self._before = ("", 0)
        """Text and cursor before the first Tab."""
        self._after = ("", 0)
        """And after the last one."""
        self._taken = 0

    @property
    def offers(self) -> "Sequence[Completion]":
        """What fits, the one that Tab takes first."""
        found = self._fitting()
        first = (self._taken + 1) % len(found) if self._taking else 0
        return found[first:] + found[:first]

    def action_complete(self, step: int) -> None:
        """Take what is offered."""
        taking, found = self._taking, self._fitting()
        if not found:
            return
        self._taken = (self._taken + step) % len(found) if taking else 0 if step > 0 else len(found) - 1
        if not taking:
            self._before = (self.value, self.cursor_position)
        text, offer = self._before[0], found[self._taken]
        self.value = text[: offer.start] + offer.text + text[offer.end :]
        self.cursor_position = offer.start + len(offer.text)
        # Where nothing else was meant, Tab goes on with what may follow.
        self._after = (self.value, self.cursor_position) if len(found) > 1 else ("", 0)
        self._moved()

    def action_asked(self, step: int) -> None:
        """Take what was asked before, or after that; from what stands here, down goes back to the table."""
        if not self._at or self.value != self._through[self._at]:
            before = map(write_text, self._asked()[::-1])
            self._through, self._at = [self.value, *(each for each in before if each != self.value)], 0
        if self._at + step < 0:
            self.action_keep()
            return
        self._at = min(self._at + step, len(self._through) - 1)
        self.value = self._through[self._at]
        self.cursor_position = len(self.value)

    def action_save(self) -> None:
        self._save(self.value.strip())

    @property
    def _taking(self) -> bool:
        """The last key took one of several."""
        return self.value != "" and (self.value, self.cursor_position) == self._after

    def _fitting(self) -> "list[Completion]":
        text, cursor = self._before if self._taking else (self.value, self.cursor_position)
        return [each for each in self._find(text, cursor) if each.text != text[each.start : each.end]]

    def watch_has_focus(self, focused: bool) -> None:
        """What is offered is of use only to whoever types."""
        super().watch_has_focus(focused)
        self._at = 0
        self._moved()


class QuestionNote(ToldLines):
    """What is wrong with a question, or what may be typed."""

    DEFAULT_CSS = """
    QuestionNote { height: 1; padding: 0 1; background: $boost; &:ansi { background: ansi_default; } }
    """

    def __init__(self) -> None:
        super().__init__()
        self.display = False

    def say(self, wrong: Wrong | None, offers: "Sequence[Completion]", width: int) -> None:
        """Say it in so many cells; nothing takes no line."""
        told = _lines(wrong, offers, width - 2)
        self.display = bool(told)
        self.styles.height = max(1, len(told))
        self.tell(*told)


def _lines(wrong: Wrong | None, offers: "Sequence[Completion]", width: int) -> list[Line]:
    if offers:
        names = "  ".join(visible(each.text, 40) for each in offers[:20])
        return [(Span("  "), Span("Tab ", "accent"), Span(names, "dim"))]
    if wrong is None:
        return []
    sentence = visible(wrong.sentence, 400)
    carets = "  " + wrong.carets
    if not wrong.carets or cell_len(carets) >= width:
        return [(Span("  ✗ ", "bad"), Span(sentence))]
    if cell_len(carets) + 1 + cell_len(sentence) <= width:
        return [(Span(carets, "bad"), Span(f" {sentence}"))]
    return [(Span(carets, "bad"),), (Span("  "), Span(sentence))]


class QuestionLine(Vertical):
    """A slash, the question that is typed after it, and what there is to say about it."""

    DEFAULT_CSS = """
    QuestionLine { height: auto; }
    """

    def __init__(
        self,
        placeholder: str,
        leave: Callable[[], None],
        offers: Offers,
        asked: Callable[[], Sequence[str]],
        save: Callable[[str], object],
    ) -> None:
        super().__init__()
        self.input = QuestionInput(placeholder, leave, offers, self.refit, asked, save)
        self._line = FilterLine(self.input)
        self._note = QuestionNote()
        self._wrong: Wrong | None = None

    def fill(self) -> None:
        """Take in what is on the line, once this is in its panel."""
        self.mount(self._line, self._note)
        self._line.fill()

    def tell(self, wrong: Wrong | None) -> None:
        self._wrong = wrong
        self.refit()

    def refit(self) -> None:
        # While a name is being typed it is no error that it is not whole.
        typing = self.input.value[: self.input.cursor_position][-1:].strip()
        offering = self.input.has_focus and (self._wrong is None or typing)
        self._note.say(self._wrong, self.input.offers if offering else (), self.size.width or self.app.size.width)

    def on_resize(self, event: events.Resize) -> None:
        """There is more or less room."""
        event.stop()
        self.refit()
