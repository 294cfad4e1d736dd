"""What lets the past go on by itself: so many entries a second, up to one of them."""

from collections.abc import Callable
from typing import Final

from textual.screen import Screen
from textual.timer import Timer

PACES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000)
"""Entries a second that are played."""

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
        at: Callable[[], int | None],
        go_to: Callable[[int], object],
        ended: Callable[[bool], object],
    ) -> None:
        """`at` gives the ordinal that is shown, None while one is being looked for. `ended` hears whether it was a
        replay that was watched to its end."""
        self._screen = screen
        self._at = at
        self._go_to = go_to
        self._ended = ended
        self.pace = 0
        """Entries a second just now; 0 while it stands still."""
        self._usual = 5
        self._watched = 0
        """The pace at which a replay is watched; 0 where none is, also while it stands still."""
        self._until = 0
        self._owed = 0.0
        """Entries, and parts of one, that are to be gone on by."""
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
        pace = next((step for step in steps if (step - at) * direction > 0), steps[-1])
        if self._watched:
            self._watched = pace
        else:
            self._usual = pace
        if self.pace:
            self.pace = pace

    def _begin(self, pace: int) -> None:
        self.pace, self._owed = pace, 0.0
        if self._timer is None:
            self._timer = self._screen.set_interval(FRAME_SECONDS, self._frame)

    def _frame(self) -> None:
        at = self._at()
        if self._hold > 0:
            self._hold -= FRAME_SECONDS if at is not None else 0
            return
        self._owed += self.pace * FRAME_SECONDS
        if at is None:
            return
        if at >= self._until:
            self._end()
        elif self._owed >= 1:
            steps = int(self._owed)
            self._owed -= steps
            self._go_to(min(at + steps, self._until))

    def _end(self) -> None:
        if self._watched and not self._over:
            self._over, self._hold = True, HOLD_SECONDS
            return
        watched = self._watched > 0
        self.stop()
        self._ended(watched)
