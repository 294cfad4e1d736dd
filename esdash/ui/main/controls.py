"""What the keys of the main screen do to the engine: publish, produce, snapshot, crash, rebuild."""

import itertools
import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from textual.screen import Screen

from esdash.counted import counted
from esdash.engine.console import Console, EngineError, Published, load_of, publishing_of
from esdash.engine.shown.view import Phase
from esdash.fold.schema import Model
from esdash.ui.asking import find_out
from esdash.ui.declared import Actions, model_of
from esdash.ui.forms.outlook import blocked
from esdash.ui.forms.rates import FIRST_RATE, step_from
from esdash.ui.main.trouble import domain_failed
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.drawing import rate
from esdash.visible import visible
from esdash.words.typed import pair_of, write_name, write_pair_name, write_value

BATCH: Final = 30
"""Made-up events that are published at once."""


class Controls:
    """Acts on the engine. Whatever may block runs in a thread."""

    def __init__(
        self,
        screen: Screen[None],
        console: Console,
        actions: Actions,
        chosen_rows: Callable[[], dict[str, int | str]],
        begin_anew: Callable[[], object],
        why_not_now: Callable[[], str],
    ) -> None:
        """`chosen_rows` gives table → key of the row that is selected; `begin_anew` is called after the domain's files
        were read again, and may declare other tables and events; `why_not_now` says why nothing can be published,
        empty when something can.
        """
        self.screen = screen
        self.engine = console
        self.fold = console.fold
        self.actions = actions
        self.reloading = False
        """What the views show may be of other rules than `fold` by now."""
        self._chosen_rows = chosen_rows
        self._begin_anew = begin_anew
        self._why_not_now = why_not_now
        self._seeds = itertools.count(time.time_ns() // 1_000_000)
        self._rate = FIRST_RATE
        """Of the steady load, when it is started."""

    def tell(self, text: str, severity: str = "information") -> None:
        tell(self.screen.app, text, severity)

    def action_publish(self, number: int) -> None:
        """Open the form of an event type, filled in with what is selected."""
        from esdash.ui.forms.type_form import TypeForm

        if self._may_publish():
            event_type = self.fold.publishable[number]
            values = prefilled(model_of(self.fold, event_type), self._chosen_rows())
            open_dialog(self.screen.app, TypeForm(self.engine, event_type, values), self._published)

    def action_events(self) -> None:
        from esdash.ui.forms.event_types import EventTypesScreen

        if not self.fold.publishable:
            self.tell(self.fold.objection or f"{visible(self.fold.name, 40)} has no events to publish.", "warning")
        elif self._may_publish():
            open_dialog(self.screen.app, EventTypesScreen(self.fold, self.actions), self.action_publish)

    def action_demo_batch(self) -> None:
        if self._has_samples() and self._may_publish():
            self._in_thread(self._publish_batch)

    def action_load(self) -> None:
        if load_of(self.engine).running:
            self._in_thread(self._stop_load)
        elif self._has_samples() and self._may_publish():
            self._start_load()

    def action_load_form(self) -> None:
        from esdash.ui.forms.load import LoadScreen

        if self._has_samples() and self._may_publish():
            open_dialog(self.screen.app, LoadScreen(self.engine, self._current_rate), self._remember_rate)

    def action_change_rate(self, direction: int) -> None:
        if not self._has_samples():
            return
        self._rate = step_from(self._current_rate, direction)
        if load_of(self.engine).running:
            self._start_load()
        else:
            self.tell(f"The steady load will make {rate(self._rate)}.")

    def action_snapshot(self) -> None:
        """Take a snapshot; a notice tells how it went."""
        if self.engine.storing is None:
            self.tell("This dashboard is read-only: it writes no snapshots.", "warning")
        else:
            self.engine.storing.take_snapshot()

    def action_crash(self) -> None:
        """Ask, then drop the memory."""
        self._ask(
            "Crash the consumer?",
            "Its memory is dropped without a farewell snapshot. It restores the newest snapshot and replays the events "
            "after it; nothing in the log is lost.",
            "Crash",
            self.engine.control.crash,
        )

    def action_rebuild(self) -> None:
        """Ask, then replay everything."""
        view = self.engine.view
        events = view.position.ordinal
        if view.phase is Phase.HALTED and view.continuity is not None and view.continuity.missing:
            lost = counted(view.continuity.missing, "entry is", "entries are")
            question = "Rebuild from what is left?"
            consequence = (
                f"{lost} lost, and what they changed with them. The state is made anew from the entries that are "
                "still in the stream, and is labelled partial from then on. Stored snapshots stay."
            )
        elif view.forgotten:
            gone = counted(view.forgotten, "entry has", "entries have")
            question = "Rebuild, and forget what is not in the stream any more?"
            consequence = (
                f"{gone} left the stream since esdash read them. The state is made anew without them, from the "
                f"{events - view.forgotten:,} events that are left, and is labelled partial. It is not stored as long "
                "as a snapshot that has seen more can be used: a crash or a new start brings that one back."
            )
        else:
            question = "Rebuild from the beginning of the stream?"
            consequence = f"The state is forgotten and all {events:,} events are replayed. Stored snapshots stay."
        self._ask(question, consequence, "Rebuild", self.engine.control.rebuild)

    def action_reload(self) -> None:
        if domain_failed(self.engine.view):
            self.reload()
        else:
            self.tell("There is nothing to mend: the domain did not fail.")

    def reload(self) -> None:
        """Read the domain's files again, and go on by them."""
        self.reloading = True
        find_out(self.screen, self.engine.control.reload, lambda _: self._reloaded(), self._not_reloaded, "engine")

    @property
    def _current_rate(self) -> float:
        load = load_of(self.engine)
        return load.rate if load.running else self._rate

    def _remember_rate(self, chosen: float) -> None:
        self._rate = chosen

    def _start_load(self) -> None:
        try:
            publishing_of(self.engine).start_load(self._rate)
        except EngineError as error:
            self.tell(str(error), "error")

    def _stop_load(self) -> None:
        publishing = publishing_of(self.engine)
        self._rate = publishing.load.rate or self._rate
        publishing.stop_load()

    def _publish_batch(self) -> None:
        events = islice(self.fold.samples(next(self._seeds)), BATCH)
        count = publishing_of(self.engine).publish_batch(map(self.fold.encode, events))
        self.screen.app.call_from_thread(self.tell, f"{count} events are in the log.")

    def _published(self, published: Published) -> None:
        safe = f" ({published.durability})" if published.durability else ""
        self.tell(f"{published.event_type} {published.entry_id} is in the log{safe}.")

    def _has_samples(self) -> bool:
        if self.fold.domain.sample is None:
            self.tell(f"{visible(self.fold.name, 40)} declares no `sample`, so there are no made-up events.", "warning")
        return self.fold.domain.sample is not None

    def _reloaded(self) -> None:
        self._begin_anew()
        self.reloading = False

    def _not_reloaded(self, why: str) -> None:
        self.reloading = False
        self.tell(why, "error")

    def _may_publish(self) -> bool:
        view = self.engine.view
        why_not = self.fold.objection or (
            blocked(view)
            if self.engine.publishing is None or view.phase is Phase.HALTED
            else self._why_not_now() or None
        )
        if why_not is not None:
            self.tell(why_not, "warning")
        return why_not is None

    def _ask(self, question: str, consequence: str, yes: str, act: Callable[[], None]) -> None:
        from esdash.ui.paint.confirm import ask

        ask(self.screen.app, question, consequence, yes, act)

    def _in_thread(self, work: Callable[[], None]) -> None:
        find_out(self.screen, work, lambda _: None, lambda why: self.tell(why, "error"), "engine")


def prefilled(model: Model, rows: dict[str, int | str]) -> dict[str, str]:
    """What to fill in for the fields that name rows, by the name of the field."""
    values = {}
    for field in model.fields:
        pair = pair_of(field)
        if field.about in rows:
            values[field.name] = write_value(field, rows[field.about])
        elif pair is not None and pair[0].about in rows:
            values[field.name] = write_pair_name(write_name(str(rows[pair[0].about])))
    return values
