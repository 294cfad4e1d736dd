"""Goes to a place, or to where a condition begins to hold; and plays until then."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from textual.screen import Screen

from esdash.ui.asking import Stopped
from esdash.ui.declared import Actions
from esdash.ui.messages import Message, message_of, tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.past.time_machine import TimeMachine
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.query.conditions import Condition
    from esdash.query.places import Place
    from esdash.ui.past.go_to import Destination

PATIENCE: Final = 0.3
"""Seconds after which it is said that something is being looked for."""

STANDS: Final = 3600.0
"""Seconds that this is said for, if it is not found before."""


class Destinations(Struct, eq=False):
    """The part of the main screen that asks where to go."""

    screen: Screen[None]
    time: TimeMachine
    actions: Actions
    say: Callable[[Message | None], object]
    """Shows what is said only while it is so; None takes it away."""
    wall_clock: Callable[[], float]
    _condition: "Condition | None" = None
    """The last one that was asked for."""
    _seeking: int = 0
    """Conditions that are being looked for."""
    _earliest: int = 0
    """The ordinal of the first moment that can be shown, as far as it is known."""

    def action_go_to(self) -> None:
        # Where an invariant is broken, the entry that broke it is what one wants to see.
        broken = "".join(f"#{each.broken.position.number}" for each in self.time.engine.view.broken[:1] if each.broken)
        self._ask("Go to a moment", "Enter go · Esc close", self._go, broken)

    def action_play_until(self) -> None:
        if not self.time.may_look():
            return
        if self.time.now is None:
            go_to = self.actions.key("go_to")
            tell(self.screen.app, f"What comes now plays by itself. {go_to} goes to the past, to play from there.")
        else:
            self._ask("Play until", "Enter play · Esc close", self._play)

    def action_next_condition(self, direction: int) -> None:
        """Go to the next moment at which the last condition begins to hold, or to the one before."""
        if not self.time.may_look():
            return
        if self._condition is None:
            self.action_go_to()
        else:
            self._seek(self._condition, direction, self.time.go_to)

    def give_up(self) -> bool:
        """Look no more; whether a condition was being looked for."""
        if not self._seeking:
            return False
        self.time.finding.forget()
        return True

    def _ask(self, title: str, hints: str, go: "Callable[[Destination], None]", known: str = "") -> None:
        from esdash.ui.past.go_to import GoToScreen

        if self.time.may_look():
            known = known if self._condition is None else str(self._condition)
            open_dialog(self.screen.app, GoToScreen(self.time.fold, title, hints, known, self.wall_clock), go)

    def _go(self, destination: "Destination") -> None:
        if destination.place is not None:
            self._find_place(destination.place, self.time.go_to)
        elif destination.condition is not None:
            self._condition = destination.condition
            self._seek(destination.condition, 0, self._arrive)

    def _arrive(self, ordinal: int) -> None:
        self.time.go_to(ordinal)
        after, before = map(self.actions.key, ("condition_after", "condition_before"))
        told = visible(str(self._condition), 200)
        holds = "begins to hold"
        if ordinal == self._earliest:
            holds = "holds, at the earliest moment that can be shown"
        keys = f"{after} and {before} go to the next such moment and to the one before."
        tell(self.screen.app, f"Here {told} {holds}. {keys}")

    def _play(self, destination: "Destination") -> None:
        if destination.place is not None:
            self._find_place(destination.place, self._play_to_place)
        elif destination.condition is not None:
            self._condition = condition = destination.condition
            told = f"Here {condition} begins to hold."
            self._seek(condition, 1, lambda ordinal: self.time.play_until(ordinal, told))

    def _find_place(self, place: "Place", then: Callable[[int], object]) -> None:
        unseen = self.time.unseen()
        self.time.find(lambda past, _: past.place(place, unseen), "", then)

    def _play_to_place(self, ordinal: int) -> None:
        if ordinal <= self.time.position().ordinal:
            tell(self.screen.app, "That is no later moment than this one: nothing is played backwards.", "warning")
        else:
            self.time.play_until(ordinal, "So far it was to be played.")

    def _seek(self, condition: "Condition", direction: int, then: Callable[[int], object]) -> None:
        """Look for where a condition begins to hold: first of all, after the moment that is shown, or before it."""
        position, going_on = self.time.position(), self.time.going_on(direction)
        named, number = visible(str(condition), 200), position.number
        otherwise = f"{named} holds at no moment that can be shown."
        if direction:
            otherwise = f"{named} does not begin to hold {'after' if direction > 0 else 'before'} #{number:,}."

        def find(past: "Past", stopped: Stopped) -> int | None:
            try:
                at, self._earliest = going_on(past) if direction else None, past.span().first
                return self._found(past, condition, at, direction < 0, stopped)
            finally:
                self.screen.app.call_from_thread(self._end)

        if self.time.find(find, otherwise, then):
            self._seeking += 1

    def _found(self, past: "Past", condition: "Condition", at: int | None, back: bool, stopped: Stopped) -> int | None:
        begun = time.monotonic()
        for looked in past.begins(condition, at, back=back):
            if looked.found is not None or stopped():
                return looked.found
            if time.monotonic() - begun > PATIENCE:
                self.screen.app.call_from_thread(self._tell_progress, str(condition), looked.to)
        return None

    def _tell_progress(self, condition: str, to: int) -> None:
        number = to + self.time.unseen()
        text = f"looking where {visible(condition, 60)} begins to hold … #{number:,} · Esc gives up"
        self.say(message_of(text, "information", self.wall_clock(), STANDS))

    def _end(self) -> None:
        self._seeking -= 1
        self.say(None)
