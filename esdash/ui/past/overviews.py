"""The screens over the past: the page of a row, what was refused, what differs between two moments."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from textual.screen import Screen

from esdash.domain import Table
from esdash.engine.shown.picture import TableRow
from esdash.engine.shown.view import Position
from esdash.ui.asking import find_out
from esdash.ui.declared import Actions, visible_tables
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog, uncover
from esdash.ui.paint.drawing import clock_time, milliseconds_of
from esdash.ui.past.marked import MarkedMoment
from esdash.ui.past.time_machine import TimeMachine

if TYPE_CHECKING:
    from esdash.engine.shown.row import Row
    from esdash.past.shown.stored import Stored
    from esdash.ui.past.row_page import RowPage


class Overviews(Struct, eq=False):
    """Opens them, as of the moment that is shown."""

    screen: Screen[None]
    time: TimeMachine
    actions: Actions
    list_matching: Callable[[str], object]
    """Lists the entries of the log that a question asks for."""
    what_if: "Callable[[Row], object]"
    """Something is tried with an entry."""
    wall_clock: Callable[[], float]
    _marked: MarkedMoment | None = None

    def open_page(self, table: Table, key: int | str) -> bool:
        """Open the page of a row; False where no past is kept."""
        if (page := self._page_of(table, key)) is not None:
            open_dialog(self.screen.app, page, self._chose_entry)
        return page is not None

    def action_board(self) -> None:
        if not self.time.may_look() or (past := self.time.past) is None:
            return
        from esdash.ui.past.board import BoardScreen

        until = None if self.time.is_live else self._shown().ordinal
        board = BoardScreen(self.time.fold, past, until, self.wall_clock)
        open_dialog(self.screen.app, board, self.list_matching)

    def action_mark(self) -> None:
        if self.time.may_look():
            self._mark(self._shown())

    def action_ladder(self) -> None:
        """Tell where the state came from, and list the snapshots: their moments can be gone to, marked and compared."""
        from esdash.ui.trust.ladder import LadderScreen

        stored = None if self.time.past is None else self.time.past.snapshots
        ladder = LadderScreen(self.time.engine, self.wall_clock, stored, self._mark_snapshot)
        open_dialog(self.screen.app, ladder, self._go_to_snapshot)

    def _mark(self, moment: MarkedMoment) -> None:
        from esdash.ui.past.difference import DifferenceScreen

        if (past := self.time.past) is None:
            return
        fold, marked, key = self.time.fold, self._marked, self.actions.key("mark")
        if marked is None:
            self._marked = moment
            tell(self.screen.app, f"{moment.label} is marked. At another moment, {key} shows what differs.")
        elif marked.ordinal == moment.ordinal:
            tell(self.screen.app, f"{moment.label} is marked already. Go to another moment, and press {key} there.")
        else:
            self._marked = None
            later = max(marked.ordinal, moment.ordinal)

            def page_of(table: Table, key: int | str, trail: Sequence[str] = ()) -> "RowPage | None":
                return self._page_of(table, key, trail, later)

            page = DifferenceScreen(fold, past, marked, moment, visible_tables(fold), page_of, self._position().unseen)
            open_dialog(self.screen.app, page, self._left_difference)

    def _left_difference(self, chosen: int | str) -> None:
        """For a moment, or for the entries of the log that a question asks for."""
        uncover(self.screen)
        if isinstance(chosen, int):
            self.time.go_to(chosen)
            return
        if not self.time.is_live:
            self.time.action_now()  # the log of the moment that is shown may end before them
        self.list_matching(chosen)

    def _mark_entry(self, ordinal: int, entry_id: bytes) -> None:
        self._mark(self._moment(ordinal, entry_id))

    def _mark_snapshot(self, snapshot: "Stored") -> None:
        self._find(snapshot.snapshot_id, self._mark)

    def _go_to_snapshot(self, snapshot_id: str) -> None:
        self._find(snapshot_id, lambda moment: self.time.go_to(moment.ordinal))

    def _find(self, snapshot_id: str, then: Callable[[MarkedMoment], object]) -> None:
        """Find the moment of a snapshot, in a thread."""
        from esdash.query.places import OfSnapshot

        if (past := self.time.past) is None:
            return
        unseen = self._position().unseen

        def find() -> MarkedMoment:
            ordinal = past.place(OfSnapshot(snapshot_id), unseen)
            return MarkedMoment(ordinal, f"#{ordinal + unseen:,} (snapshot)")

        find_out(self.screen, find, then, lambda why: tell(self.screen.app, why, "warning"), "snapshot")

    def _shown(self) -> MarkedMoment:
        position = self._position()
        return self._moment(position.ordinal, position.last_event_id.encode())

    def _moment(self, ordinal: int, entry_id: bytes) -> MarkedMoment:
        when = f" · {clock_time(milliseconds_of(entry_id), self.wall_clock())}" if ordinal else ""
        return MarkedMoment(ordinal, f"#{ordinal + self._position().unseen:,}{when}")

    def _position(self) -> Position:
        """Of what is shown."""
        return self.time.view(self.time.engine.view, 0)[0].position

    def _page_of(
        self, table: Table, key: int | str, trail: Sequence[str] = (), at: int | None = None
    ) -> "RowPage | None":
        """As of the entry `at`; None: as of the moment that is shown."""
        if (past := self.time.past) is None:
            return None
        from esdash.ui.past.row_page import RowPage, Ways

        view, _ = self.time.view(self.time.engine.view, 0)
        position, state = view.position, view.state
        until = position.ordinal if at is None else at

        def what() -> TableRow | None:
            shown = past.at(until, position.unseen).moment.picture if until != position.ordinal else state
            picture = None if shown is None else shown.tables.get(table.name)
            return None if picture is None else picture.get(key)

        def page_of(table: Table, key: int | str, trail: Sequence[str] = ()) -> "RowPage | None":
            return self._page_of(table, key, trail, until)

        ways = Ways(page_of, self._mark_entry, self.what_if)
        return RowPage(self.time.engine, past, table, key, what, until, position.unseen, self.wall_clock, ways, trail)

    def _chose_entry(self, chosen: int | str) -> None:
        if isinstance(chosen, int):
            self.time.go_to(chosen)
        else:
            self.list_matching(chosen)
