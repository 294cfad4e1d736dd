"""What the keys of the main screen do to the engine: publish, produce, snapshot, crash, rebuild."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from textual.screen import Screen

from esdash.engine.console import Console, EngineError, Published
from esdash.engine.view import Phase
from esdash.ui.notifications import tell
from esdash.ui.outlook import blocked
from esdash.ui.widgets.drawing import rate

RATES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
"""Events a second that `+` and `-` step through."""

FIRST_RATE: Final = 10.0


class Controls(Screen[None]):
    """The part of the main screen that acts on the engine. Whatever may block runs in a thread."""

    def __init__(self, console: Console, demo_batch: Callable[[], Iterable[tuple[str, bytes]]]) -> None:
        super().__init__()
        self.engine = console
        self._demo_batch = demo_batch
        self._rate = FIRST_RATE
        """Of the steady load, when it is started."""

    def tell(self, text: str, severity: str = "information") -> None:
        """A notification of harmless plain text."""
        tell(self.app, text, severity)

    def action_top_up(self) -> None:
        """Open the form."""
        from esdash.ui.screens.top_up import TopUpForm

        if self._may_publish():
            self.app.push_screen(TopUpForm(self.engine), self._published)

    def action_add_item(self) -> None:
        """Open the form."""
        from esdash.ui.screens.add_item import AddItemForm

        if self._may_publish():
            self.app.push_screen(AddItemForm(self.engine), self._published)

    def action_order(self) -> None:
        """Open the form."""
        from esdash.ui.screens.order import OrderForm

        if self._may_publish():
            self.app.push_screen(OrderForm(self.engine), self._published)

    def action_demo_batch(self) -> None:
        """Publish thirty events."""
        if self._may_publish():
            self._in_thread(self._publish_batch)

    def action_load(self) -> None:
        """Start or stop the steady load."""
        if self.engine.load.running:
            self._in_thread(self._stop_load)
        elif self._may_publish():
            self._start_load()

    def action_load_form(self) -> None:
        """Open the dialog."""
        from esdash.ui.screens.load import LoadScreen

        if self._may_publish():
            self.app.push_screen(LoadScreen(self.engine, self._current_rate), self._remember_rate)

    def action_faster(self) -> None:
        """The next higher rate."""
        self._change_rate(next((step for step in RATES if step > self._current_rate), RATES[-1]))

    def action_slower(self) -> None:
        """The next lower rate."""
        self._change_rate(next((step for step in reversed(RATES) if step < self._current_rate), RATES[0]))

    def action_snapshot(self) -> None:
        """Take a snapshot; a notice tells how it went."""
        if self.engine.view.readonly:
            self.tell("This dashboard is read-only: it writes no snapshots.", "warning")
        else:
            self.engine.take_snapshot()

    def action_crash(self) -> None:
        """Ask, then drop the memory."""
        self._ask(
            "Crash the consumer?",
            "Its memory is dropped without a farewell snapshot. It restores the newest snapshot and replays the events "
            "after it; nothing in the log is lost.",
            "Crash",
            self.engine.crash,
        )

    def action_rebuild(self) -> None:
        """Ask, then replay everything."""
        view = self.engine.view
        events = view.position.ordinal
        if view.phase is Phase.HALTED and view.continuity is not None and view.continuity.missing:
            missing = view.continuity.missing
            lost = "1 entry is" if missing == 1 else f"{missing:,} entries are"
            self._ask(
                "Rebuild from what is left?",
                f"{lost} lost, and what they changed with them. The state is made anew from the entries that are "
                "still in the stream, and is labelled partial from then on. Stored snapshots stay.",
                "Rebuild",
                self.engine.rebuild,
            )
            return
        if view.forgotten:
            gone = "1 entry has" if view.forgotten == 1 else f"{view.forgotten:,} entries have"
            self._ask(
                "Rebuild, and forget what is not in the stream any more?",
                f"{gone} left the stream since esdash read them. The state is made anew without them, from the "
                f"{events - view.forgotten:,} events that are left, and is labelled partial. It is not stored as long "
                "as a snapshot that has seen more can be used: a crash or a new start brings that one back.",
                "Rebuild",
                self.engine.rebuild,
            )
            return
        self._ask(
            "Rebuild from the beginning of the stream?",
            f"The state is forgotten and all {events:,} events are replayed. Stored snapshots stay.",
            "Rebuild",
            self.engine.rebuild,
        )

    def action_stay(self) -> None:
        """Keep the last good state."""
        if self.engine.view.phase is Phase.HALTED:
            self.engine.stay()
        else:
            self.tell("There is nothing to choose: the consumer is not halted.")

    @property
    def _current_rate(self) -> float:
        load = self.engine.load
        return load.rate if load.running else self._rate

    def _remember_rate(self, chosen: float | None) -> None:
        self._rate = chosen or self._rate

    def _change_rate(self, wanted: float) -> None:
        self._rate = wanted
        if self.engine.load.running:
            self._start_load()
        else:
            self.tell(f"The steady load will make {rate(wanted)}.")

    def _start_load(self) -> None:
        try:
            self.engine.start_load(self._rate)
        except EngineError as error:
            self.tell(str(error), "error")

    def _stop_load(self) -> None:
        self._rate = self.engine.load.rate or self._rate
        self.engine.stop_load()

    def _publish_batch(self) -> None:
        count = self.engine.publish_batch(self._demo_batch())
        self.app.call_from_thread(self.tell, f"{count} events are in the log.")

    def _published(self, published: Published | None) -> None:
        if published is not None:
            self.tell(f"{published.event_type} {published.entry_id} is in the log.")

    def _may_publish(self) -> bool:
        view = self.engine.view
        why_not = blocked(view) if view.readonly or view.phase is Phase.HALTED else None
        if why_not is not None:
            self.tell(why_not, "warning")
        return why_not is None

    def _ask(self, question: str, consequence: str, yes: str, act: Callable[[], None]) -> None:
        from esdash.ui.screens.confirm import ConfirmScreen

        def answered(sure: bool | None) -> None:
            if sure:
                act()

        self.app.push_screen(ConfirmScreen(question, consequence, yes), answered)

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.run_worker(partial(self._try, work), thread=True, exit_on_error=False, name="engine")

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except EngineError as error:
            self.app.call_from_thread(self.tell, str(error), "error")
