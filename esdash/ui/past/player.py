"""What lets the past go on by itself, up to an entry: so many entries a second, or in the time that they came in."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.screen import Screen
from textual.timer import Timer

from esdash.ui.asking import find_out

if TYPE_CHECKING:
    from esdash.past.service import Past
    from esdash.past.shown.moments import Moment

PACES: Final = (-1, -10, -100, -1_000, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000)
"""Entries a second that are played; below 0 so many times as fast as they came. From the slowest to the fastest."""

FRAME_SECONDS: Final = 0.1

EYES_SECONDS: Final = 6.0
"""In which a replay is watched, however long it is."""

HOLD_SECONDS: Final = 1.0
"""How long it stands still before that, at the snapshot, and after it."""


class Player:
    """Goes from one moment to a later one, frame after frame; a frame that comes late goes on by more."""

    def __init__(
        self,
        screen: Screen[None],
        past: "Callable[[], Past | None]",
        at: "Callable[[], Moment | None]",
        go_to: Callable[[int], object],
        ended: Callable[[bool], object],
    ) -> None:
        """`at` gives the moment that is shown, None while one is being looked for. `ended` hears whether it was a
        replay that was watched to its end."""
        self._screen = screen
        self._past = past
        self._at = at
        self._go_to = go_to
        self._ended = ended
        self.pace = 0
        """One of PACES just now, or another number of entries a second; 0 while it stands still."""
        self._usual = 5
        self._watched = 0
        """The pace at which a replay is watched; 0 where none is, also while it stands still."""
        self._until = 0
        self._owed = 0.0
        """Entries, and parts of one, that are to be gone on by."""
        self._time: float | None = None
        """Up to when entries were played, in Unix milliseconds of their ids; None: up to the moment that is shown."""
        self._asking = False
        self._hold = 0.0
        self._over = False
        self._timer: Timer | None = None

    def go_on(self, until: int) -> None:
        """Play up to an ordinal; a replay that stood still is watched further."""
        if not self._watched:
            self._until = until
        self._begin(self._watched or self._usual)

    def watch(self, start: int, until: int) -> None:
        """Let a replay from one ordinal to another pass so that eyes can follow."""
        self._watched = max(1, round((until - start) / EYES_SECONDS))
        self._until, self._hold, self._over = until, HOLD_SECONDS, False
        self._begin(self._watched)

    def pause(self) -> None:
        """Stand still for a while."""
        self.pace = 0
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def stop(self) -> None:
        """Stand still; what was watched is not watched any more."""
        self._watched = 0
        self.pause()

    def change_pace(self, direction: int) -> None:
        """Faster, or slower where `direction` is negative; also of what is played later."""
        steps = PACES if direction > 0 else PACES[::-1]
        at = self._watched or self._usual
        pace = next((step for step in steps if (_speed(step) - _speed(at)) * direction > 0), steps[-1])
        if self._watched:
            self._watched = pace
        else:
            self._usual = pace
        if self.pace:
            self.pace, self._time = pace, None

    def _begin(self, pace: int) -> None:
        self.pace, self._owed, self._time = pace, 0.0, None
        if self._timer is None:
            self._timer = self._screen.set_interval(FRAME_SECONDS, self._frame)

    def _frame(self) -> None:
        moment = self._at()
        if self._hold > 0:
            self._hold -= FRAME_SECONDS if moment is not None else 0
            return
        self._owed += max(0, self.pace) * FRAME_SECONDS
        if self._time is not None:
            self._time -= min(0, self.pace) * FRAME_SECONDS * 1000
        if moment is None:
            return
        at = moment.position.ordinal
        if at >= self._until:
            self._end()
        elif self.pace < 0:
            self._follow(at, moment.time)
        elif self._owed >= 1:
            steps = int(self._owed)
            self._owed -= steps
            self._go_to(min(at + steps, self._until))

    def _follow(self, at: int, milliseconds: int) -> None:
        """Go to the last entry that had come by now; `milliseconds` are those of the one that is shown."""
        past = self._past()
        if past is None or self._asking:
            return
        if not milliseconds:
            self._go_to(at + 1)  # before the first entry there is no time
            return
        if self._time is None:
            self._time = milliseconds
        wanted, self._asking = int(self._time), True
        # Where it cannot be told yet, the next frame asks again.
        find_out(self._screen, partial(past.at_time, wanted), self._came, lambda _: self._came(at), "past")

    def _came(self, found: int) -> None:
        self._asking = False
        moment = self._at()
        if self.pace < 0 and moment is not None and found > moment.position.ordinal:
            self._go_to(min(found, self._until))

    def _end(self) -> None:
        if self._watched and not self._over:
            self._over, self._hold = True, HOLD_SECONDS
            return
        watched = self._watched > 0
        self.stop()
        self._ended(watched)


def _speed(pace: int) -> float:
    """By which paces can be ordered: whatever goes by the time of the entries is slower than one of them a second."""
    return pace if pace > 0 else -pace / 1_000_000
