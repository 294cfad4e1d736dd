"""The screens over the past: the page of a row, what was refused, what differs between two moments."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen

from esdash.domain import Table
from esdash.ui.declared import Actions, visible_tables
from esdash.ui.messages import tell
from esdash.ui.paint.drawing import clock_time, milliseconds_of
from esdash.ui.past.time_machine import TimeMachine

if TYPE_CHECKING:
    from esdash.ui.past.difference import MarkedMoment
    from esdash.ui.past.row_page import RowPage


class Overviews:
    """Opens them, as of the moment that is shown."""

    def __init__(
        self,
        screen: Screen[None],
        time: TimeMachine,
        actions: Actions,
        list_matching: Callable[[str], object],
        wall_clock: Callable[[], float],
    ) -> None:
        """`list_matching` lists the entries of the log that a question asks for."""
        self.screen = screen
        self.time = time
        self._actions = actions
        self._list_matching = list_matching
        self._wall_clock = wall_clock
        self._marked: MarkedMoment | None = None

    def open_page(self, table: Table, key: int | str) -> bool:
        """Open the page of a row; False where no past is kept."""
        if (page := self._page_of(table, key)) is not None:
            self.screen.app.push_screen(page, self._chose_entry)
        return page is not None

    def action_board(self) -> None:
        """Show what was refused and parked."""
        if not self.time.may_look() or (past := self.time.past) is None:
            return
        from esdash.ui.past.board import BoardScreen

        until = None if self.time.is_live else self._shown().ordinal
        self.screen.app.push_screen(BoardScreen(self.time.fold, past, until, self._wall_clock), self._chose_question)

    def action_mark(self) -> None:
        """Mark the moment, or compare it with the one that is marked."""
        if not self.time.may_look() or (past := self.time.past) is None:
            return
        from esdash.ui.past.difference import DifferenceScreen

        fold, shown, marked, key = self.time.fold, self._shown(), self._marked, self._actions.key("mark")
        if marked is None:
            self._marked = shown
            tell(self.screen.app, f"{shown.label} is marked. At another moment, {key} shows what differs.")
        elif marked.ordinal == shown.ordinal:
            tell(self.screen.app, f"{shown.label} is marked already. Go to another moment, and press {key} there.")
        else:
            self._marked = None
            page = DifferenceScreen(fold, past, marked, shown, visible_tables(fold), self._page_of)
            self.screen.app.push_screen(page, self._chose_entry)

    def _shown(self) -> "MarkedMoment":
        from esdash.ui.past.difference import MarkedMoment

        wall = self._wall_clock()
        position = self.time.view(self.time.engine.view, wall)[0].position
        when = f" · {clock_time(milliseconds_of(position.last_event_id), wall)}" if position.ordinal else ""
        return MarkedMoment(position.ordinal, f"#{position.number:,}{when}")

    def _page_of(self, table: Table, key: int | str, trail: Sequence[str] = ()) -> "RowPage | None":
        if (past := self.time.past) is None:
            return None
        from esdash.ui.past.row_page import RowPage

        view, _ = self.time.view(self.time.engine.view, 0)
        picture = None if view.state is None else view.state.tables.get(table.name)
        row = None if picture is None else picture.get(key)
        position = view.position
        return RowPage(
            self.time.engine, past, table, key, row, position.ordinal, position.unseen, self._wall_clock,
            self._page_of, trail,
        )  # fmt: skip

    def _chose_question(self, question: str | None) -> None:
        if question is not None:
            self._list_matching(question)

    def _chose_entry(self, ordinal: int | None) -> None:
        if ordinal is not None:
            self.time.go_to(ordinal)
