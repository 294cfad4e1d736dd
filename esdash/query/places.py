"""What people type to name a moment in a stream, read into values. Knows no stream and no clock.

Where a range begins a place is the moment before its first entry, elsewhere the moment after its last. A snapshot and
`now` have no entries of their own: they are the same moment either way.
"""

import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from msgspec import Struct

GREATEST: Final = 2**64 - 1
"""The greatest number in an id."""

Id = tuple[int, int]
"""(Unix time in milliseconds, sequence), as ids compare."""


class PlaceError(ValueError):
    """What was typed is no place. The message is one or two plain sentences."""


class Numbered(Struct, frozen=True):
    """`#123`: the entry that was added as the 123rd since the stream began; 1 or more."""

    number: int


class Between(Struct, frozen=True):
    """An id, or a stretch of time: the entries from one id to another, both included."""

    first: Id
    last: Id


class OfSnapshot(Struct, frozen=True):
    """`snapshot:ID`: the moment that a stored snapshot shows."""

    snapshot_id: str


class End(Enum):
    """One of the two ends of the stream as it is."""

    FIRST = "first"
    """The oldest entry there is."""
    NOW = "now"
    """After the newest entry."""


Place = Numbered | Between | OfSnapshot | End

WAYS: Final = (
    "a number like #123 (n123 in a shell), an id like 1700000000000-0, a time like 14:03, 2026-11-23 14:03 or -5m, "
    "snapshot:ID, first or now"
)
"""What can be typed, for people."""

_NUMBER: Final = r"(\d{1,3}(?:,\d{3})+|\d+)"  # screens group the digits, and people copy from screens
_NUMBERED: Final = re.compile(rf"[#n]{_NUMBER}", re.ASCII)
_BARE: Final = re.compile(_NUMBER, re.ASCII)
_ID: Final = re.compile(r"(\d+)-(\d+)", re.ASCII)
_AGO: Final = re.compile(r"-(\d{1,9})([smhd])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_TIME_OF_DAY: Final = re.compile(r"\d\d:\d\d(?::\d\d)?", re.ASCII)
_ISO: Final = re.compile(
    r"[\dW-]{7,10}(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)

_MILLISECONDS_DIGITS: Final = 13
"""So many digits has the milliseconds' part of every id from 2001 to 2286."""


def read_place(text: str, now: float) -> Place:
    """The place that was typed; `now` is Unix time in seconds. Times without a zone are local.

    A time means all of the day, hour, minute, second or millisecond that it names. Raises PlaceError.
    """
    text = text.strip()
    if text in (End.FIRST.value, End.NOW.value):
        return End(text)
    kind, colon, snapshot_id = text.partition(":")
    if colon and kind == "snapshot":
        if not snapshot_id:
            raise PlaceError("snapshot: needs the id of a snapshot after it; `esdash snapshot list` shows them.")
        return OfSnapshot(snapshot_id)
    if found := _NUMBERED.fullmatch(text):
        return _numbered(found[1])
    if found := _ID.fullmatch(text):
        entry_id = _whole(found[1]), _whole(found[2])
        if max(entry_id) > GREATEST:
            raise PlaceError(f"{text[:50]} is no id: the numbers of an id are below 2^64.")
        return Between(entry_id, entry_id)
    if _BARE.fullmatch(text):
        return _bare(text)
    return _stretch(*_stretch_of(text, now))


def read_time(text: str, now: float) -> tuple[int, int]:
    """The first and the last Unix millisecond of the time that was typed: of a day, an hour, a minute, a second.

    `now` is Unix time in seconds. Raises PlaceError.
    """
    begin, length = _stretch_of(text.strip(), now)
    return begin, begin + length - 1


def _whole(digits: str) -> int:
    """A number, or one that is too large where it has more digits than any that is not."""
    return int(digits.lstrip("0")[:21] or "0")


def _numbered(digits: str) -> Numbered:
    number = _whole(digits.replace(",", ""))
    if not 0 < number <= GREATEST:
        raise PlaceError("Entries are numbered from #1 on." if not number else f"#{digits[:30]} is too large a number.")
    return Numbered(number)


def _bare(text: str) -> Between:
    digits = text.replace(",", "")
    if len(text) == _MILLISECONDS_DIGITS and text == digits:
        return _stretch(int(text), 1)
    number = _whole(digits)
    if number > GREATEST:
        raise PlaceError(f"{text[:30]}… is no place: the number is too large.")
    raise PlaceError(
        f"{text} alone could be several places. Write #{number} (n{number} in a shell) for the entry of that number, "
        f"{number}-0 for an id, or {_as_time(number)} for a time."
    )


def _as_time(number: int) -> str:
    """A Unix time in whatever unit makes sense of it, as ISO 8601 with its zone; `14:03` when none does."""
    digits = len(str(number))
    unit = 1 if digits < 12 else 10**3 if digits < 15 else 10**6 if digits < 18 else 10**9
    try:
        return datetime.fromtimestamp(number // unit).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        return "14:03"


def _stretch_of(text: str, now: float) -> tuple[int, int]:
    """When a time begins, in Unix milliseconds, and how many of them it lasts."""
    try:
        if found := _AGO.fullmatch(text):
            then = timedelta(**{_UNITS[found[2]]: int(found[1])})
            return round((now - then.total_seconds()) * 1000), 1
        if _TIME_OF_DAY.fullmatch(text):
            return _time_of_day(text, now)
        if found := _ISO.fullmatch(text):
            begin = datetime.fromisoformat(text)
            return _milliseconds(begin), _length(begin, found)
    except (ValueError, OverflowError, OSError):
        pass
    raise PlaceError(f"{text[:100]!r} is no place in the stream: write {WAYS}.")


def _time_of_day(text: str, now: float) -> tuple[int, int]:
    """The last such minute or second that has begun, and how long it lasts."""
    today = datetime.fromtimestamp(now)
    hour, minute, *second = map(int, text.split(":"))
    begin = today.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)
    # Where clocks are changed it comes twice on a day, or never.
    ways = ((begin - timedelta(days=days)).replace(fold=fold) for days in range(3) for fold in (1, 0))
    moments = ((each, each.timestamp()) for each in ways)
    last = next(when for each, when in moments if when <= now and datetime.fromtimestamp(when) == each)
    return round(last * 1000), 1000 if second else 60_000


def _length(begin: datetime, found: re.Match[str]) -> int:
    """How many milliseconds the last part that was given lasts."""
    hour, minute, second, fraction = found.groups()
    if fraction:
        return int(10 ** max(0, 3 - len(fraction)))
    if second:
        return 1000
    if minute:
        return 60_000
    if hour:
        return 3_600_000
    # Not always 24 hours: clocks are changed.
    try:
        return _milliseconds(begin + timedelta(days=1)) - _milliseconds(begin)
    except OverflowError:  # on the last day of all
        return 86_400_000


def _milliseconds(moment: datetime) -> int:
    """Its Unix time; of one on the edge of the calendar as if its zone were UTC."""
    try:
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _stretch(begin: int, length: int) -> Between:
    """Milliseconds from a Unix time on. What lies before 1970 is before every entry."""
    last = begin + length - 1
    return Between((max(0, begin), 0), (last, GREATEST) if last >= 0 else (0, 0))
