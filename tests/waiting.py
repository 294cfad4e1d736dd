"""Waiting for a condition, with a deadline, instead of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def eventually(
    condition: Callable[[], Value],
    timeout: float = 15.0,
    interval: float = 0.01,
    ignore: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> Value:
    """Call `condition` until it returns something true, and return that.

    `timeout` and `interval` are in seconds. Exceptions of the types in `ignore` count as "not yet"; every
    other one passes through. Raises AssertionError at the deadline, naming the last answer or exception.
    """
    deadline = time.monotonic() + timeout
    while True:
        last: object
        try:
            value = condition()
        except ignore as error:
            last = error
        else:
            if value:
                return value
            last = value
        if time.monotonic() >= deadline:
            raise AssertionError(f"still not true after {timeout:g} s; the last answer was {last!r}")
        time.sleep(interval)
