"""A dialog with one long text in it, written anew when what it tells about is another."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Generic

from textual.app import ComposeResult
from textual.screen import ScreenResultType

from esdash.ui.paint.dialog import Dialog
from esdash.ui.paint.pager import Pager, Paragraph


class TextDialog(Dialog[ScreenResultType], Generic[ScreenResultType]):
    """As wide as there is room for."""

    LOOKED_AT_EVERY: ClassVar = 0.0
    """Seconds between two looks; 0 where what it tells about does not change by itself."""

    def __init__(self, title: str, hints: str = "↑↓ scroll · Esc close") -> None:
        """Title and hints are the program's own text."""
        super().__init__()
        self._frame = self.frame(title, hints)
        self._told: object = self  # nothing yet

    @abstractmethod
    def tell(self, width: int) -> Iterator[Paragraph]:
        """The text for a width in cells."""

    def known(self) -> object:
        """What the text depends on."""

    def compose(self) -> ComposeResult:
        with self._frame:
            yield Pager(self.tell, id="pager")
            yield from self.foot()

    def foot(self) -> ComposeResult:
        """Nothing as a rule."""
        yield from ()

    def on_mount(self) -> None:
        self._frame.add_class("-wide")
        self.look()
        if self.LOOKED_AT_EVERY:
            self.set_interval(self.LOOKED_AT_EVERY, self.look)

    def look(self) -> None:
        known = self.known()
        if known != self._told:
            self._told = known
            self.query_one(Pager).write(self.tell, keep_place=True)
