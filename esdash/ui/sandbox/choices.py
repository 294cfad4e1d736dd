"""What can be tried with one entry of the log, to choose one from."""

from collections.abc import Iterator
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from esdash.fold.folding import Fold
from esdash.ui.declared import label_of
from esdash.ui.paint.list_dialog import ListDialog

SKIP, CHANGE, EARLIER, LATER, INSERT, LOOK = "skip", "change", "earlier", "later", "insert", "look"
"""What was chosen; `insert 2` is an event of the third type, behind the entry."""

_KEYS: Final = {SKIP: "x", CHANGE: "c", EARLIER: "K", LATER: "J", LOOK: "w"}
_SAYS: Final = {
    SKIP: "Leave it out",
    CHANGE: "Let it say something else …",
    EARLIER: "Let it change places with the entry before it",
    LATER: "Let it change places with the entry after it",
    LOOK: "Only open the sandbox",
}


class ChoicesScreen(ListDialog[str]):
    """Its result is what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"choose('{name}')", _SAYS[name], show=False) for name, key in _KEYS.items()),
    ]

    def __init__(self, fold: Fold, entry: str) -> None:
        """`entry` is what it is called: harmless text."""
        super().__init__()
        self._fold = fold
        self._entry = entry

    def compose(self) -> ComposeResult:
        with self.frame("What if", "Enter tries it, in a sandbox: nothing is published · Esc close"):
            yield OptionList(*self._options(), id="choices")

    def on_mount(self) -> None:
        self.query_one("#dialog").border_title = Content(f"What if · {self._entry}")

    def choose(self, place: int) -> None:
        self.dismiss(self.query_one(OptionList).get_option_at_index(place).id)

    def action_choose(self, name: str) -> None:
        self.dismiss(name)

    def _options(self) -> Iterator[Option]:
        for name, text in _SAYS.items():
            if name == LOOK:
                for place, event_type in enumerate(self._fold.publishable):
                    label = f"Insert behind it: {label_of(event_type)} …"
                    yield Option(Content.assemble("   ", label), id=f"{INSERT} {place}")
            yield Option(Content.assemble((f"{_KEYS[name]}  ", "$text-accent bold"), text), id=name)
