"""How the program ends when it is told to: by SIGINT, SIGTERM or SIGHUP, at any moment and without a traceback.

As long as there is nothing to leave behind in order, while modules are imported above all, it ends at once: there an
exception may come to light as another one, or never. While a log is open it ends as after an error.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

AGAIN_SECONDS: Final = 0.01
"""After an ending that nobody heard, it is told again."""

_told: int | None = None
"""The signal that ended the program in order."""


def end_at_once() -> None:
    """From now on, end at once when told to. What the shell that started this ignores, as under nohup, is ignored."""
    for number in NUMBERS:
        if number is signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _at_once)
    # `cli.secrecy` starts the program anew with its signals blocked.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """In this block, end as after an error: by KeyboardInterrupt or SystemExit. Only where `end_at_once` was said."""
    numbers = [number for number in NUMBERS if signal.getsignal(number) is _at_once]
    if numbers:
        signal.signal(signal.SIGALRM, _again)
        sys.unraisablehook = _unraisable
    try:
        for number in numbers:
            signal.signal(number, _in_order)
        yield
    finally:
        for number in numbers:
            if signal.getsignal(number) is _in_order:
                signal.signal(number, _at_once)


def told_to_end() -> int | None:
    """The exit code of a program that was told to end; None for one that was not."""
    return None if _told is None else 128 + _told


def _at_once(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def _in_order(number: int, _: FrameType | None) -> None:
    global _told
    _told = number
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(128 + number)


def _again(_: int, frame: FrameType | None) -> None:
    if _told is not None:
        _in_order(_told, frame)


def _unraisable(lost: "UnraisableHookArgs") -> None:
    """An ending that came in a destructor, or in what the collector calls, gets lost there."""
    if _told is not None and isinstance(lost.exc_value, KeyboardInterrupt | SystemExit):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
    else:
        sys.__unraisablehook__(lost)
