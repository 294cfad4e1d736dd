"""The board of refusals: what rules refused and what could not be understood, by reason and by row."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from esdash.counted import counted
from esdash.fold.folding import Fold
from esdash.ui.asking import Asking, Stopped
from esdash.ui.messages import tell
from esdash.ui.paint.drawing import clock_time
from esdash.ui.paint.painted import Line, Span, ToldLines
from esdash.ui.past.board_source import PARTS, REASONS, ROWS, reason_lines, row_lines
from esdash.ui.tables.line_table import LineTable
from esdash.ui.tables.lines import MadeLines
from esdash.ui.tables.table_dialog import TableDialog
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.entries.board import Board
    from esdash.past.service import Past

STRETCHES: Final = ((300_000, "5 min"), (3_600_000, "1 hour"), (None, "all"))
"""Milliseconds that are looked at."""

LOOK_SECONDS: Final = 2.0
"""Between two looks at what came; at least, and at least so many times what a look took:"""
REST: Final = 10

_NOTHING: Final = """\
Nothing was refused in this stretch, and all was understood.
An entry that a rule refuses, or that cannot be understood,
stays in the log and changes nothing: here it is counted.
"""


class BoardScreen(TableDialog[str]):
    """Left with Enter, it gives the question for the entries that the chosen line is of."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next_stretch(1)", "Next stretch", show=False),
        Binding("shift+tab", "next_stretch(-1)", "Previous stretch", show=False),
        *(
            Binding(str(place + 1), f"stretch({place})", label, show=False)
            for place, (_, label) in enumerate(STRETCHES)
        ),
        Binding("left,right,h,l", "other_list", "Reasons or rows", show=False),
        Binding("ctrl+e", "export", "Export", show=False, id="export"),
        Binding("!", "leave", "Back", show=False),
    ]
    AUTO_FOCUS = "#reasons"
    CSS: ClassVar = """
    BoardScreen #dialog { max-width: 170; }
    BoardScreen #stretches { height: 3; }
    BoardScreen.-short #stretches { height: 2; }
    """

    def __init__(self, fold: Fold, past: "Past", until: int | None, wall_clock: Callable[[], float]) -> None:
        """As of the moment after an entry, by its ordinal; None: up to now, again and again."""
        super().__init__()
        self._fold = fold
        self._past = past
        self._until = until
        self._wall_clock = wall_clock
        self._chosen = 0
        """The stretch."""
        self._heading = ToldLines(id="stretches")
        self._lists = MadeLines(REASONS), MadeLines(ROWS)
        self._tables = LineTable(self._lists[0], id="reasons"), LineTable(self._lists[1], id="rows")
        self._asking = Asking(self, "board")
        self._board: Board | None = None
        self._since = ""
        """What restricts a question to the stretch that is shown."""

    def compose(self) -> ComposeResult:
        with self.frame("Refused and parked", "Tab stretch · ←→ lists · Enter its entries · Ctrl+E export · Esc back"):
            yield self._heading
            yield from self._tables

    def on_mount(self) -> None:
        self._tables[1].display = False
        self._look_anew()

    def on_unmount(self) -> None:
        self._asking.forget()

    def action_stretch(self, place: int) -> None:
        if place != self._chosen:
            self._chosen = place
            self._look_anew()

    def action_next_stretch(self, step: int) -> None:
        self.action_stretch((self._chosen + step) % len(STRETCHES))

    def action_other_list(self) -> None:
        reasons, rows = self._tables
        self.set_focus(rows if reasons.has_focus and rows.display else reasons)

    def action_open(self) -> None:
        table = next((each for each in self._tables if each.has_focus), self._tables[0])
        if isinstance(question := table.selected, str):
            self.dismiss(question + self._since)

    def action_export(self) -> None:
        from esdash.ui.export.screen import open_export
        from esdash.ui.past import handing

        if self._board is None:
            tell(self.app, "It is still being counted.")
            return
        title = f"Refused and parked · {STRETCHES[self._chosen][1]}"
        open_export(self.app, handing.board(self._fold, self._board, title), self._wall_clock)

    def _look_anew(self) -> None:
        self._tell((Span("looking into the past …", "dim"),))
        self._look()

    def _tell(self, told: Line) -> None:
        """The stretches, and what was found in the chosen one."""
        stretches: list[Span] = []
        for place, (_, label) in enumerate(STRETCHES):
            stretches += (Span(f" {place + 1} {label} ", "tag" if place == self._chosen else "dim"), Span(" "))
        self._heading.tell(tuple(stretches), told)

    def _look(self) -> None:
        """Count, in a thread."""
        now, begun = self._wall_clock(), time.monotonic()
        length, _ = STRETCHES[self._chosen]

        def count(stopped: Stopped) -> "Board":
            return self._past.board(length, self._until, int(now * 1000), PARTS, stopped)

        def came(board: "Board") -> None:
            self._since = "" if length is None else f" since:{max(0, board.start + 1)}-0"
            self._show(board)
            if self._until is None or board.until < self._until:  # the past may be put together still
                self._asking.later(max(LOOK_SECONDS, (time.monotonic() - begun) * REST), self._look)

        self._asking.ask(count, came, self._failed)

    def _show(self, board: "Board") -> None:
        self._board = board
        wall = self._wall_clock()
        lines = reason_lines(self._fold, board, wall), row_lines(self._fold, board, wall)
        for source, table, found in zip(self._lists, self._tables, lines, strict=True):
            source.show(found, _NOTHING)
            table.sync()
        reasons, rows = self._tables
        if not lines[1] and rows.has_focus:
            self.set_focus(reasons)
        rows.display = bool(lines[1])
        reasons.styles.height = max(3, min(len(lines[0]) + 2, self.app.size.height // 2)) if lines[1] else "1fr"
        self._tell(self._summary(board))

    def _failed(self, why: str) -> None:
        self._tell((Span(visible(why, 300), "warning"),))
        self._asking.later(LOOK_SECONDS, self._look)

    def _summary(self, board: "Board") -> Line:
        counts = dict.fromkeys(("rejected", "parked"), 0)
        for reason in board.reasons:
            counts[self._fold.outcomes[reason.code].name] += reason.count
        number = board.until + board.unseen
        when = "" if self._until is None else f" · {clock_time(board.end, self._wall_clock())}"
        return (
            Span(f"{counts['rejected']:,} refused", "bad" if counts["rejected"] else "dim"),
            Span(" · "),
            Span(f"{counts['parked']:,} parked", "warning" if counts["parked"] else "dim"),
            Span(f" of {counted(board.entries, 'entry', 'entries')}, up to #{number:,}{when}", "dim"),
        )
