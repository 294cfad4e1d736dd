"""Timers that are sure to ring."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def after(owner: MessagePump, seconds: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
    """Have the owner call something once, after so many seconds; for the loop's thread.

    Textual's `set_timer` leaves a call out whose time is over before it has looked at the clock twice: that comes to
    pass where another thread is busy and the time is short.
    """
    return asyncio.get_running_loop().call_later(seconds, owner.call_next, callback)
