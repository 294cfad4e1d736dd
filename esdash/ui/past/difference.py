"""What differs between two moments: the numbers, the largest difference first, and the entries in between."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from esdash.counted import counted
from esdash.domain import Table
from esdash.fold.folding import Fold
from esdash.ui.asking import Asking, Stopped
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.pager import Pager, Paragraph
from esdash.ui.past.difference_source import DifferenceSource
from esdash.ui.past.marked import MarkedMoment
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.relation import text_of
from esdash.ui.tables.table_dialog import TableDialog
from esdash.visible import visible
from esdash.words.outcomes import GLYPHS

if TYPE_CHECKING:
    from esdash.past.numbers.difference import Came, Difference
    from esdash.past.service import Past


AGAIN_SECONDS: Final = 1.0
"""Before it is looked once more, where the past could not tell yet."""


class DifferenceScreen(TableDialog[int | str]):
    """Left from the page of a row, it gives the ordinal of the entry that was chosen there; left for the entries about
    a row, the question that asks for them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("E", "list", "The entries about the row", show=False),
        Binding("ctrl+e", "export", "Export", show=False, id="export"),
    ]
    AUTO_FOCUS = "#numbers"
    CSS: ClassVar = """
    DifferenceScreen #dialog { max-width: 150; }
    DifferenceScreen #between { height: auto; max-height: 40%; margin-top: 1; }
    DifferenceScreen.-short #between { margin-top: 0; }
    """

    def __init__(
        self,
        fold: Fold,
        past: "Past",
        before: MarkedMoment,
        after: MarkedMoment,
        tables: Sequence[Table],
        page_of: Callable[[Table, int | str], Screen[int | str] | None],
        unseen: int = 0,
    ) -> None:
        """`page_of` gives the page of a row, which gives the ordinal of an entry or None. `unseen` entries had left
        the stream before the history began."""
        super().__init__()
        self._fold = fold
        self._past = past
        self._before = before
        self._after = after
        self._of = tables
        self._page_of = page_of
        self._unseen = unseen
        self._source = DifferenceSource(fold)
        self._table = LineTable(self._source, id="numbers")
        self._found: Difference | None = None
        self._why = ""
        self._asking = Asking(self, "difference")

    def compose(self) -> ComposeResult:
        title = f"Difference  {self._before.label} → {self._after.label}"
        with self.frame(title, "Enter the row's page · E its entries between · Ctrl+E export · Esc back"):
            yield self._table
            yield Pager(self._about, id="between")

    def on_mount(self) -> None:
        self._begin()

    def _begin(self) -> None:
        def compare(stopped: Stopped) -> "Difference":
            return self._past.difference(self._before.ordinal, self._after.ordinal, self._of, stopped)

        self._asking.ask(compare, self._came, self._failed)

    def on_unmount(self) -> None:
        self._asking.forget()

    def action_open(self) -> None:
        change = self._source.change(self._table.cursor)
        if change is None:
            return
        table, _ = self._fold.storage.places[change.table]
        if (page := self._page_of(table, change.key)) is not None:
            open_dialog(self.app, page, self.dismiss)

    def action_list(self) -> None:
        """Leave for the entries between the two moments that are about the row of the chosen number."""
        change = self._source.change(self._table.cursor)
        if change is not None:
            table, _ = self._fold.storage.places[change.table]
            first, last = sorted(each.ordinal + self._unseen for each in (self._before, self._after))
            self.dismiss(f"{text_of(table, change.key)} since:#{first + 1} until:#{last}")

    def action_export(self) -> None:
        from esdash.ui.export.screen import open_export
        from esdash.ui.past import handing

        if self._found is None:
            tell(self.app, "The two moments are still being compared.")
            return
        title = f"Difference {self._before.label} → {self._after.label}"
        open_export(self.app, handing.difference(self._fold, self._found, title), time.time)

    def _came(self, found: "Difference") -> None:
        self._found, self._why = found, ""
        self._source.show_found(found.numbers)
        self._table.sync()
        self._write()

    def _failed(self, why: str) -> None:
        self._why = why
        self._source.told = ""
        self._table.sync()
        self._write()
        self._asking.later(AGAIN_SECONDS, self._begin)

    def _write(self) -> None:
        self.query_one(Pager).write(self._about)

    def _about(self, width: int) -> Iterator[Paragraph]:  # noqa: ARG002 - all of it wraps
        if self._why:
            yield Paragraph(visible(self._why, 300), style="warning")
        if self._found is None:
            return
        came = self._found.came
        numbers = counted(len(self._found.numbers), "number differs", "numbers differ")
        between = counted(sum(each.count for each in came), "entry", "entries")
        yield Paragraph(f"{numbers} · {between} between the two moments", style="strong")
        by_type: dict[str, list[Came]] = {}
        for each in came:
            by_type.setdefault(visible(each.type, 30) or "type not known", []).append(each)
        indent = max(map(len, by_type), default=0) + 2
        for name, found in by_type.items():
            yield Paragraph(" · ".join(map(_outcome, found)), name, indent=indent)


def _outcome(came: "Came") -> str:
    """How many, of what; no line breaks within."""
    outcome = came.outcome
    parts = (GLYPHS[outcome.name], f"{came.count:,}", *([outcome.reason] if outcome.reason else ()))
    return "\N{NO-BREAK SPACE}".join(parts)
