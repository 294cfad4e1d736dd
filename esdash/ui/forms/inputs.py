"""Inputs for forms: nothing typed or pasted can reach the terminal as a control, and known names are offered."""

from collections.abc import Callable
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from esdash.ui.forms.completion import Completion
from esdash.ui.forms.json_text import escape_json
from esdash.ui.paint.line_input import LineInput

Completer = Callable[[str, int], Completion]
"""What fits a text with the cursor at a place."""

_NOTHING: Final = Completion(0, 0, (), 0)


class FormInput(LineInput):
    """A field of a form."""


class JsonInput(FormInput):
    r"""A field for JSON. Hidden characters become `\u200b` as they are typed or pasted."""

    escape = staticmethod(escape_json)


class Suggestions(Widget):
    """The list of matches that hangs under a field, over whatever is there."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"suggestions--detail", "suggestions--highlighted"}

    completion: reactive[Completion] = reactive(_NOTHING, layout=True)
    highlighted: reactive[int] = reactive(0)

    class Picked(Message):
        """A match was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def get_content_width(self, *_: object) -> int:
        return max(
            (len(self._mark(0)) + cell_len(m.name) + 2 + cell_len(m.detail) for m in self.completion.matches), default=1
        )

    def get_content_height(self, *_: object) -> int:
        return len(self.completion.matches) + (self.completion.more > 0)

    def render(self) -> Text:
        """Names on the left, what is known of them on the right. Plain text: names come from the stream."""
        lines = Text(no_wrap=True, overflow="ellipsis", end="")
        detail_style = self.get_component_rich_style("suggestions--detail", partial=True)
        highlight = self.get_component_rich_style("suggestions--highlighted", partial=True)
        width = self.content_size.width
        for index, match in enumerate(self.completion.matches):
            lines.append("\n" if index else "")
            line = Text(self._mark(index) + match.name)
            line.append(" " * max(2, width - line.cell_len - cell_len(match.detail)))
            line.append(match.detail, detail_style)
            if index == self.highlighted:
                line.stylize(highlight)
            lines.append_text(line)
        if self.completion.more:
            lines.append("\n  … and more" if self.completion.matches else "", detail_style)
        return lines

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self.completion.matches):
            self.post_message(self.Picked(event.y))

    def _mark(self, index: int) -> str:
        return "▸ " if index == self.highlighted else "  "


class CompletingInput(FormInput):
    """A field that offers known names while one is typed.

    Tab and Right take the highlighted match, Up and Down choose another, Escape closes the list. Enter takes a match
    that was chosen; while only known names make sense (`known_only`), also the first one for a name that is not known.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "take", "Complete", show=False),
        Binding("down", "choose(1)", "Next match", show=False),
        Binding("up", "choose(-1)", "Previous match", show=False),
        Binding("escape", "close", "Close the list", show=False),
    ]

    def __init__(
        self,
        completer: Completer,
        suggestions: Suggestions,
        value: str = "",
        placeholder: str = "",
        *,
        known_only: Callable[[], bool] | None = None,
        several: bool = False,
        id: str,
    ) -> None:
        super().__init__(value, placeholder, id=id)
        self._completer = completer
        self._suggestions = suggestions
        self._known_only = known_only or bool
        self._several = several
        """The field holds several names: Tab stays in it after taking a match."""
        self._chosen = False

    @property
    def is_open(self) -> bool:
        return self._suggestions.display

    def replace(self, text: str, start: int, end: int) -> None:
        """Typing opens the list when something fits."""
        super().replace(text, start, end)
        self.offer()

    def offer(self, even_for_nothing: bool = False) -> None:
        """Look for matches; show the list unless it could tell nothing new."""
        completion = self._completer(self.value, self.cursor_position)
        part = completion.part_of(self.value)
        told = [match.written for match in completion.matches]
        if not told or told == [part] or not (part or even_for_nothing):
            self.close()
            return
        suggestions = self._suggestions
        suggestions.highlighted = 0
        suggestions.completion = completion
        suggestions.display = True
        self._chosen = False

    def close(self) -> None:
        self._suggestions.display = False
        self._chosen = False

    def take(self, index: int) -> None:
        """Put a match in place of what was typed of it."""
        completion = self._suggestions.completion
        written = completion.matches[index].written
        self.close()
        self.value = self.value[: completion.start] + written + self.value[completion.end :]
        self.cursor_position = completion.start + len(written)

    def action_take(self) -> None:
        """Take the highlighted match, and go on to the next field unless more names may follow."""
        if not self.is_open or not (self._part or self._chosen):
            raise SkipAction
        changed = self._would_change
        self.take(self._suggestions.highlighted)
        if not (self._several and changed):
            raise SkipAction

    def action_choose(self, step: int) -> None:
        """Move the highlight; open the list first."""
        if not self.is_open:
            if step > 0:
                self.offer(even_for_nothing=True)
                self._chosen = self.is_open
            if not self.is_open:
                raise SkipAction
            return
        self._chosen = True
        suggestions = self._suggestions
        suggestions.highlighted = (suggestions.highlighted + step) % len(suggestions.completion.matches)

    def action_close(self) -> None:
        """Close the list; without one, Escape belongs to the form."""
        if not self.is_open:
            raise SkipAction
        self.close()

    def action_cursor_right(self, select: bool = False) -> None:
        """Take the highlighted match where there is nothing further right to go to."""
        at_end = self.cursor_position == self._suggestions.completion.end
        if self.is_open and not select and at_end and (self._part or self._chosen) and self._would_change:
            self.take(self._suggestions.highlighted)
        else:
            super().action_cursor_right(select)

    async def action_submit(self) -> None:
        """Take a match when that is what Enter means here, else submit the form."""
        wanted = self._chosen or (self._known_only() and self._part != "" and not self._is_known)
        if self.is_open and wanted and self._would_change:
            self.take(self._suggestions.highlighted)
            return
        self.close()
        await super().action_submit()

    def on_blur(self) -> None:
        """A list without its field would be a riddle."""
        self.close()

    @property
    def _part(self) -> str:
        return self._suggestions.completion.part_of(self.value)

    @property
    def _would_change(self) -> bool:
        matches = self._suggestions.completion.matches
        return matches[self._suggestions.highlighted].written != self._part

    @property
    def _is_known(self) -> bool:
        return any(match.written == self._part for match in self._suggestions.completion.matches)
