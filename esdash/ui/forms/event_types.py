"""All types of event that can be published, to choose one from."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esdash.fold.folding import Fold
from esdash.ui.declared import Actions, label_of, model_of
from esdash.ui.paint.list_dialog import ListDialog
from esdash.visible import visible


class EventTypesScreen(ListDialog[int]):
    """A list with the key and the help of each. Its result is the number of the chosen one in `Fold.publishable`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "leave", "Close", show=False),
    ]

    def __init__(self, fold: Fold, actions: Actions, title: str = "Publish an event") -> None:
        super().__init__()
        self._title = title
        self._fold = fold
        self._actions = actions

    def compose(self) -> ComposeResult:
        with self.frame(self._title, "Enter opens its form · Esc close"):
            yield OptionList(*self._options(), id="types")

    def choose(self, place: int) -> None:
        self.dismiss(place)

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
