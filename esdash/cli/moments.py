"""What people type for a place in the stream: an id, a time, how long ago."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

import click

LAST_SEQUENCE: Final = 2**64 - 1

_ID: Final = re.compile(r"(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)
_AGO: Final = re.compile(r"-(\d{1,9})(s|m|h|d)", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment(*, last: bool) -> Callable[[click.Context, click.Parameter, str | None], bytes | None]:
    """A callback for an option that takes a place in the stream; its value is an id as bytes.

    `last`: of a time, or an id without a sequence, the end of that millisecond is meant, not its beginning.
    """

    def read(_: click.Context, __: click.Parameter, value: str | None) -> bytes | None:
        return None if value is None else read_moment(value, LAST_SEQUENCE if last else 0, time.time())

    return read


def read_moment(text: str, sequence: int, now: float) -> bytes:
    """The id that is meant by an id, an ISO time, or `-5m` before `now` in Unix seconds.

    A time without a zone is local time. `sequence` completes what has none. Raises click.BadParameter.
    """
    if found := _ID.fullmatch(text):
        milliseconds, sequence = int(found[1]), int(found[2]) if found[2] else sequence
        if max(milliseconds, sequence) > LAST_SEQUENCE:
            raise click.BadParameter(f"{text} is no id: its numbers are below 2^64.")
        return b"%d-%d" % (milliseconds, sequence)
    if found := _AGO.fullmatch(text):
        milliseconds = round((now - int(found[1]) * _SECONDS[found[2]]) * 1000)
    else:
        try:
            milliseconds = round(datetime.fromisoformat(text).timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            raise click.BadParameter(
                f"{text!r} is no place in the stream: give an entry's id like 1700000000000-0, a time like "
                "2026-01-31T12:00 or 2026-01-31T12:00:00Z, or -5m for five minutes ago."
            ) from None
    return b"%d-%d" % (max(0, milliseconds), sequence)
