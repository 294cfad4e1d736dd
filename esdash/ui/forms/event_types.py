"""All types of event that can be published, to choose one from."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from esdash.fold.folding import Fold
from esdash.ui.declared import Actions, label_of, model_of
from esdash.ui.paint.line_input import LineInput
from esdash.ui.paint.list_dialog import ListDialog
from esdash.visible import visible


class EventTypesScreen(ListDialog[int]):
    """A list with the key and the help of each. Its result is the number of the chosen one in `Fold.publishable`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "leave", "Close", show=False),
        Binding("slash", "find", "Find", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("up", "move(-1)", "Up", show=False),
    ]
    CSS: ClassVar = "EventTypesScreen LineInput { display: none; margin-bottom: 1; }"

    def __init__(self, fold: Fold, actions: Actions, title: str = "Publish an event") -> None:
        super().__init__()
        self._title = title
        self._fold = fold
        self._actions = actions
        self._all = self._options()
        self._places: Sequence[int] = range(len(self._all))
        """Of those that are listed, in the list of all."""

    def compose(self) -> ComposeResult:
        with self.frame(self._title, "Enter opens its form · / finds · Esc close"):
            yield LineInput(placeholder="any part of its line", id="find")
            yield OptionList(*self._all, id="types")

    def choose(self, place: int) -> None:
        self.dismiss(self._places[place])

    def action_find(self) -> None:
        """List only those that hold what is typed from now on."""
        field = self.query_one(LineInput)
        field.display = True
        self.set_focus(field)

    def on_input_changed(self, event: Input.Changed) -> None:
        needle = event.value.casefold()
        self._places = [place for place, each in enumerate(self._all) if needle in str(each.prompt).casefold()]
        self.fill([self._all[place] for place in self._places])

    def on_input_submitted(self) -> None:
        if (place := self.query_one(OptionList).highlighted) is not None:
            self.choose(place)

    def _options(self) -> list[Option]:
        keys = [self._actions.key(name) for name in self._actions.event_types]
        labels = [label_of(event_type) for event_type in self._fold.publishable]
        widths = max(map(len, keys), default=0), max(map(len, labels), default=0)
        options = []
        for key, label, event_type in zip(keys, labels, self._fold.publishable, strict=True):
            summary = visible((model_of(self._fold, event_type).help.splitlines() or [""])[0], 200)
            options.append(
                Option(
                    Content.assemble(
                        (f"{key:<{widths[0]}}  " if widths[0] else "", "$text-accent bold"),
                        (f"{label:<{widths[1]}}  ", "bold"),
                        (summary, "$text-muted"),
                    )
                )
            )
        return options
