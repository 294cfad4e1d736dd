"""Which moment the screen shows: now, a picture that was stopped, or any moment of the past; and how keys go there."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace
from textual.screen import Screen

from esdash.counted import counted
from esdash.engine.console import Console
from esdash.engine.shown.view import Phase, Position, View
from esdash.ui.asking import Asking, Stopped, find_out
from esdash.ui.declared import Actions
from esdash.ui.messages import tell
from esdash.ui.past.past_now import PastNow, broken_at, now_of
from esdash.ui.past.player import Player
from esdash.ui.tables.lit import Lit
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.past.service import Past, Shown
    from esdash.past.shown.moments import Moment

COMING: Final = (Phase.CONNECTING, Phase.RESTORING, Phase.REPLAYING)
"""Phases in which the state is not there yet: the consumer's position is not where the stream ends."""

LIT_SECONDS: Final = 0.3
"""How long what an entry changed stays lit while entries follow one another."""

Find = Callable[["Past", Stopped], int | None]
"""Gives the ordinal of a moment, or None where there is none; may take its time. Raises EngineError."""

EARLIEST: Final = "This is the earliest moment that can be shown."


class _Goal(NamedTuple):
    """Where playing ends before the newest entry."""

    ordinal: int
    reached: str
    """What is said there."""


class TimeMachine:
    """The part of the main screen that knows which moment it shows."""

    def __init__(
        self,
        screen: Screen[None],
        console: Console,
        past: "Callable[[], Past | None] | None",
        actions: Actions,
        chosen_rows: Callable[[], dict[str, int | str]],
        changed: Callable[[], object],
        wall_clock: Callable[[], float],
    ) -> None:
        """`chosen_rows` gives table → key of the row that is selected; `changed` is called when another moment is to be
        shown."""
        self.screen = screen
        self.engine = console
        self._past = past
        self.fold = console.fold
        self._actions = actions
        self._chosen_rows = chosen_rows
        self._changed = changed
        self._wall_clock = wall_clock
        self._stopped: tuple[View, float] | None = None
        """While paused: what is shown, and the wall clock's time that it is of."""
        self._shown: Shown | None = None
        self._now: PastNow | None = None
        self._wanted: int | None = None
        """The ordinal that is to be shown, while it is being looked for."""
        self._looking = False
        self.finding = Asking(screen, "past")
        self._goal: _Goal | None = None
        self._player = Player(screen, lambda: self.past, self._standing, self._play_to, self._played)

    @property
    def past(self) -> "Past | None":
        """Where moments come from; None while, or where, no past is kept."""
        return None if self._past is None else self._past()

    @property
    def kept(self) -> bool:
        """Whether a past is kept, or will be in a moment."""
        return self._past is not None

    def may_look(self) -> bool:
        """Whether there is a past to look into; where there is none, it is said why."""
        if self._past is None:
            tell(self.screen.app, "No past is kept here: the setting track_mb is 0.", "warning")
        elif self.past is None:
            tell(self.screen.app, "The past is only being begun. Try again in a moment.")
        return self.past is not None

    # What is shown

    @property
    def is_live(self) -> bool:
        """Now is shown, and goes on."""
        return self._shown is None and self._stopped is None

    @property
    def paused(self) -> bool:
        """A person stopped the picture."""
        return self._stopped is not None

    @property
    def now(self) -> PastNow | None:
        """What there is to say of the moment of the past that is shown; None while none is."""
        return None if self._now is None else replace(self._now, pace=self._player.pace)

    @property
    def lit(self) -> Lit:
        """What the entry of the moment changed; while entries follow one another, those just before it as well."""
        if self._shown is None:
            return Lit()
        moment, pace = self._shown.moment, self._player.pace
        newest = self._shown.rows[-max(1, int(pace * LIT_SECONDS)) :]
        return Lit(
            frozenset({moment.position.last_event_id, *(row.entry_id.decode() for row in newest)}),
            tuple((change.table, change.key) for change in moment.changes),
            pace != 0,
        )

    def view(self, live: View, wall: float) -> tuple[View, float]:
        """What the panels show, and the time in Unix seconds that it is of."""
        if self._shown is not None:
            moment = self._shown.moment
            shown = replace(
                live,
                position=moment.position,
                state_position=moment.position,
                rows=self._shown.rows,
                state=moment.picture,
                orphans=(),
                parked=(),
            )
            return shown, moment.time / 1000
        return self._stopped or (live, wall)

    # What keys do

    def action_pause(self) -> None:
        """Stop the picture, or go on; in the past, play."""
        if self._shown is not None:
            if self._player.pace:
                self._player.pause()
            else:
                self._player.go_on(self._newest() if self._goal is None else self._goal.ordinal)
            self._changed()
            return
        self._stopped = (self.engine.view, self._wall_clock()) if self._stopped is None else None
        self._changed()

    def action_change_pace(self, direction: int) -> None:
        self._player.change_pace(direction)
        self._changed()

    def action_now(self) -> None:
        self._player.stop()
        self.finding.forget()
        self._stopped = self._shown = self._now = self._wanted = self._goal = None
        self._changed()

    def play_until(self, ordinal: int, reached: str) -> None:
        """Play from the moment of the past that is shown to a later one; there, say something."""
        self._player.stop()
        self._goal = _Goal(ordinal, reached)
        self._player.go_on(ordinal)
        self._changed()

    def action_step(self, by: int) -> None:
        """Go on, or back, by entries."""
        if self._end_is_unknown:
            self.find(lambda past, _: past.span().last)
            return
        self._player.stop()
        self.go_to(self._ordinal() + by)

    def action_next_refused(self, direction: int) -> None:
        self._look_for(lambda past, at: past.refused(at, back=direction < 0), "was refused by a rule", direction)

    def action_next_parked(self, direction: int) -> None:
        """Go to the next entry that could not be understood, or to the one before."""
        self._look_for(lambda past, at: past.parked(at, back=direction < 0), "could not be understood", direction)

    def action_next_about(self, direction: int) -> None:
        """Go to the next entry about the selected row, or to the one before."""
        name, key = next(iter(self._chosen_rows().items()), ("", 0))
        if not self.may_look():
            return
        if not name:
            tell(self.screen.app, "Select a row, or an entry about one: then these keys go to the next about it.")
            return
        table, _ = self.fold.storage.places[name]
        row = f"is about {visible(table.one, 40)} {visible(str(key), 40)}"
        self._look_for(lambda past, at: past.about(at, table, key, back=direction < 0), row, direction)

    def action_watch(self) -> None:
        restored = self.engine.view.restored
        if not self.may_look():
            return
        if restored is None or not restored.done or not restored.replayed:
            tell(self.screen.app, "Nothing was replayed since the last restore.")
        else:
            start = restored.position.ordinal
            self.go_to(start)
            self._player.watch(start, start + restored.replayed)

    def go_to(self, ordinal: int) -> None:
        """Show the moment after an entry."""
        self._goal = None
        self._play_to(ordinal)

    def _play_to(self, ordinal: int) -> None:
        if not self.may_look():
            return
        self.finding.forget()
        phase, newest = self.engine.view.phase, self._newest()
        if ordinal > newest and phase not in COMING:
            self._player.stop()
            if self._shown is None:
                tell(self.screen.app, "This is now: nothing is later.")
                return
            if self._ordinal() >= newest:
                on = f"This is the newest entry. {self._actions.key('clear')} goes on to what comes."
                tell(self.screen.app, on if phase is Phase.LIVE else "No later entry is known.")
            ordinal = newest
        if ordinal < 0:
            tell(self.screen.app, EARLIEST)
        self._wanted = max(0, ordinal)
        self._look()

    def go_to_time(self, milliseconds: int) -> None:
        self.find(lambda past, _: past.at_time(milliseconds))

    # Looking, in a thread

    @property
    def _end_is_unknown(self) -> bool:
        """Keys would start from now, and the consumer does not know yet where that is."""
        return self.is_live and self._wanted is None and self.engine.view.phase in COMING

    def position(self) -> Position:
        """Of what is shown."""
        if self._shown is not None:
            return self._shown.moment.position
        return (self.engine.view if self._stopped is None else self._stopped[0]).position

    def _ordinal(self) -> int:
        """Where keys go on from."""
        return self.position().ordinal if self._wanted is None else self._wanted

    def _newest(self) -> int:
        """The ordinal of the newest entry known: the consumer's is less while it replays."""
        return max(self.engine.view.position.ordinal, self.position().ordinal)

    def unseen(self) -> int:
        """Entries that had left the stream before the history began; the consumer does not know while it restores."""
        shown = self.position().unseen
        return shown if self._shown is not None else max(shown, self.engine.view.position.unseen)

    def _look(self) -> None:
        past, wanted, unseen = self.past, self._wanted, self.unseen()
        if past is None or wanted is None or self._looking:
            return

        def look() -> "tuple[Shown, PastNow]":
            shown = past.at(wanted, unseen)
            return shown, now_of(self.fold, shown, broken_at(self.fold, shown))

        self._looking = True
        find_out(self.screen, look, lambda found: self._arrived(wanted, *found), partial(self._lost, wanted), "past")

    def _arrived(self, wanted: int, shown: "Shown", now: PastNow) -> None:
        if not self._is_waited_for(wanted):
            return
        if shown.moment.position.ordinal > wanted:
            tell(self.screen.app, EARLIEST)
        self._shown, self._now = shown, now
        self._changed()

    def _lost(self, wanted: int, why: str) -> None:
        """There is no such moment."""
        if self._is_waited_for(wanted) and self._wanted is None:
            self._player.stop()
            self._warn(why)

    def _is_waited_for(self, wanted: int) -> bool:
        """Not where somebody has gone back to now; whoever wants another moment by now has that looked for."""
        self._looking = False
        if self._wanted is None:
            return False
        if self._wanted == wanted:
            self._wanted = None
        else:
            self._look()
        return True

    def _warn(self, why: str) -> None:
        tell(self.screen.app, why, "warning")

    def _look_for(self, find: "Callable[[Past, int], int | None]", what: str, direction: int) -> None:
        at = self.going_on(direction)
        where = "before" if direction < 0 else "after"
        self.find(lambda past, _: find(past, at(past)), f"No entry {where} this one {what}.")

    def going_on(self, direction: int) -> "Callable[[Past], int]":
        """The ordinal after which, or before which, keys look for something now; it may take its time."""
        at = None if self._end_is_unknown else self._ordinal()
        # From now, the newest entry is one before.
        later = int(self._shown is None and direction < 0)
        return lambda past: (past.span().last if at is None else at) + later

    def find(self, find: Find, otherwise: str = "", then: Callable[[int], object] | None = None) -> bool:
        """Go to what is found, in a thread, or do something else with it; where nothing is, say something.

        Whether something is looked for.
        """
        if not self.may_look() or (past := self.past) is None:
            return False
        self._player.stop()

        def came(found: int | None) -> None:
            if found is None:
                tell(self.screen.app, otherwise)
            else:
                (then or self.go_to)(found)

        self.finding.ask(partial(find, past), came, self._warn)
        return True

    # Playing

    def _standing(self) -> "Moment | None":
        """The moment that is shown; None while one is being looked for."""
        return None if self._looking or self._shown is None else self._shown.moment

    def _played(self, watched: bool) -> None:
        restored, goal, self._goal = self.engine.view.restored, self._goal, None
        if not watched or restored is None:
            self._changed()
            if goal is not None:
                tell(self.screen.app, goal.reached)
            return
        self.action_now()
        replayed = counted(restored.replayed, "event", "events")
        tell(self.screen.app, f"That was the replay: {replayed} from #{restored.position.number:,} on. This is now.")
