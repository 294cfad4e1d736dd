"""Timers that are sure to ring while there is somebody to hear it."""

import asyncio
from collections.abc import Callable

from textual.app import ScreenStackError
from textual.dom import DOMNode, NoScreen


def after(owner: DOMNode, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Have the owner call something once, after so many seconds; for the loop's thread.

    Textual's `set_timer` leaves a call out whose time is over before it has looked at the clock twice: that comes to
    pass where another thread is busy and the time is short. On a screen that is being closed nothing is called: its
    widgets are gone before it is.
    """

    def ring() -> object:
        return callback() if _is_open(owner) else None

    return asyncio.get_running_loop().call_later(seconds, owner.call_next, ring)


def _is_open(owner: DOMNode) -> bool:
    try:
        return bool(owner.screen.display)
    except (NoScreen, ScreenStackError):
        return False
