"""What is otherwise by rules that are being written: entries decided otherwise, numbers that are other ones."""

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.ui.paint.drawing import fit
from esdash.ui.paint.painted import Line, Span, ToldLines
from esdash.ui.sandbox.cells import DECIDED, NUMBERS, outcome_cell
from esdash.ui.tables.columns import Cell
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.lines import Made, MadeLines
from esdash.ui.tables.table_dialog import TableDialog
from esdash.visible import visible
from esdash.whatif.telling import Result

_TEXT: Final = 30
"""Characters of a value that is a text."""


class OtherwiseScreen(TableDialog[int]):
    """Left with Enter on an entry, it gives the number of that entry, as people count."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,left,right,h,l", "other_list", "Entries or numbers", show=False),
        Binding("B", "leave", "Back", show=False),
    ]
    CSS: ClassVar = """
    OtherwiseScreen #dialog { max-width: 150; }
    OtherwiseScreen #told { height: auto; margin-bottom: 1; }
    OtherwiseScreen.-short #told { margin-bottom: 0; }
    OtherwiseScreen #numbers { margin-top: 1; }
    OtherwiseScreen.-short #numbers { margin-top: 0; }
    """

    def __init__(self, file: str, when: str, result: Result) -> None:
        """`file` and `when` it was saved: harmless text."""
        super().__init__()
        self._title = f"By the new rules  {file} {when}"
        self._result = result
        entries, numbers = MadeLines(DECIDED), MadeLines(NUMBERS)
        entries.show(_entry_lines(result))
        numbers.show(_number_lines(result))
        self._tables = LineTable(entries, id="decided"), LineTable(numbers, id="numbers")

    def compose(self) -> ComposeResult:
        """Entries, and under them numbers; what there is none of has no room."""
        decided, numbers = self._tables
        decided.display, numbers.display = bool(self._result.decided), bool(self._result.numbers)
        with self.frame(self._title, "Tab entries, numbers · Enter goes to the entry · Esc back"):
            yield ToldLines(*self._told(), id="told")
            yield from self._tables

    def on_mount(self) -> None:
        decided, numbers = self._tables
        self.set_focus(decided if decided.display else numbers)

    def action_other_list(self) -> None:
        decided, numbers = self._tables
        self.set_focus(numbers if decided.has_focus and numbers.display else decided if decided.display else numbers)

    def action_open(self) -> None:
        if self._tables[0].has_focus and isinstance(number := self._tables[0].selected, int):
            self.dismiss(number)

    def _told(self) -> Sequence[Line]:
        found = self._result
        of = f" of {counted(found.entries, 'entry', 'entries')}"
        most = max(len(found.decided), len(found.numbers))
        more = most < max(found.decided_count, found.number_count)
        first: Line = (
            Span(f"{found.decided_count:,} decided otherwise", "strong"),
            Span(of, "dim"),
            Span(" · "),
            Span(counted(found.number_count, "number differs", "numbers differ"), "strong"),
            *([Span(f" · the first {most:,} shown", "dim")] if more else ()),
        )
        lines: list[Line] = [first]
        if found.unheld:
            names = ", ".join(visible(name, 64) for name in found.unheld)
            lines.append((Span(f"✗ invariants that do not hold any more: {names}", "bad-strong"),))
        if found.ends:
            lines.append((Span(visible(found.ends, 300), "warning"),))
        return lines


def _entry_lines(result: Result) -> list[Made]:
    return [
        (
            each.number,
            (Cell(f"{each.number:,}"), Cell(visible(each.type, 40)), outcome_cell(each.was), outcome_cell(each.now)),
        )
        for each in result.decided
    ]


def _number_lines(result: Result) -> list[Made]:
    return [
        (
            place,
            (
                Cell(visible(each.name, 120)),
                _value(each.was),
                _value(each.now),
                Cell(visible(each.moved, 60), "strong"),
            ),
        )
        for place, each in enumerate(result.numbers)
    ]


def _value(text: str) -> Cell:
    shown = visible(text, 120)
    return Cell(shown, "dim" if text == "–" else "", (fit(shown, _TEXT).rstrip(),) if len(shown) > _TEXT else ())
