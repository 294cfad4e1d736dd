"""Keys typed faster than the screen changes: each waits until the one before has done all it does."""

from collections import deque
from functools import partial
from typing import Final

from textual import events
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from esdash.ui.terminal import DriverOf, EndingApp
from esdash.ui.timers import after

_PATIENCE: Final = 2.0
"""Seconds after which the next key is handed out although nothing was heard of the one before."""

_OPENING: Final = 0.5
"""Seconds that a new screen is given until it has its focus."""

_LOOK_EVERY: Final = 0.01
"""Seconds between two looks whether a key that keeps others waiting is done."""


class TypeAhead(EndingApp):
    """An app that hands out keys one at a time.

    Textual gives a key to the widget that has the focus when the key arrives. Of `t 7`, typed or sent quickly, the 7
    would go to the panel while the form is still opening, and there mean something else.
    """

    class Done(Message):
        """Follows a key along its way up from the widget that got it: when it arrives, so has the key."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, driver: DriverOf | None = None) -> None:
        super().__init__(driver)
        self.keys_done = 0
        """Keys that have done what they do."""
        self._typed: deque[events.Key] = deque()
        self._target: Widget | None = None
        """Who has the key that is on its way; None when none is."""
        self._screen_before: Screen[object] | None = None
        self._arrived = False
        """The key has come back; a screen that it opened may not have its focus yet."""
        self._followed = False
        """What follows the key goes its way a second time."""
        self._looked_after = -1
        """The key that a timer looks after."""

    async def on_event(self, event: events.Event) -> None:
        """Queue keys; everything else goes its usual way."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._typed.append(event)
            if self._target is None:
                await self._hand_out()
            else:
                self._look_after(self.keys_done)
        else:
            await super().on_event(event)

    async def on_type_ahead_done(self, message: Done) -> None:
        """A key has come back."""
        message.stop()
        if message.number != self.keys_done:
            return
        target = self._target
        if not self._followed and target is not None:
            # What the widget has posted because of the key, `OptionSelected` say, is behind this and before the next.
            self._followed = target.post_message(self.Done(message.number).set_sender(target))
            if self._followed:
                return
        self._arrived = True
        await self._look(message.number)

    async def _hand_out(self) -> None:
        self._arrived = self._followed = False
        self._screen_before = self.screen
        target = self._target = self.focused or self.screen
        await super().on_event(self._typed.popleft())
        # A message of the app's own would not come back to it.
        self._arrived = not target.post_message(self.Done(self.keys_done).set_sender(target))
        if self._typed or self._arrived:
            self._look_after(self.keys_done)

    def _look_after(self, number: int, waited: float = 0.0) -> None:
        if not waited and self._looked_after == number:
            return
        self._looked_after = number
        after(self, _LOOK_EVERY, partial(self._look, number, waited + _LOOK_EVERY))

    async def _look(self, number: int, waited: float = 0.0) -> None:
        """Hand out the next key when this one is done, or when nothing will be heard of it any more."""
        if number != self.keys_done or self._target is None:
            return
        if waited < _PATIENCE and not self._is_done(waited):
            if self._typed or self._arrived:
                self._look_after(number, waited)
            return
        self._target = None
        self.keys_done += 1
        if self._typed:
            await self._hand_out()

    def _is_done(self, waited: float) -> bool:
        if not self._arrived:
            return self._target is None or not self._target.is_attached
        opened = self.screen is not self._screen_before
        return not opened or self.screen.focused is not None or waited >= _OPENING
