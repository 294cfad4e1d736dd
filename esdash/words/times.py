"""Moments in words."""

from datetime import UTC, datetime


def local_time(milliseconds: int) -> str:
    """Unix milliseconds for people: `2026-01-31 12:00:00`, local time; – for what no clock shows."""
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1000):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "–"


def zoned_time(milliseconds: int) -> str:
    """The same where it may be read elsewhere: `2026-01-31 12:00:00.123+01:00`."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (ValueError, OverflowError, OSError):
        return "–"
    return moment.isoformat(" ", "milliseconds")


def iso_time(milliseconds: int) -> str | None:
    """Unix milliseconds as `2026-01-31T12:00:00.123Z`; None beyond the year 9999."""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
