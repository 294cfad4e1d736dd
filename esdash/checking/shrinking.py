"""The smallest input that still shows something: entries are dropped, then what they hold is made simpler."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from esdash.domain import Codec
from esdash.fold.folding import Entry, Fold
from esdash.fold.sorting import FIRST
from esdash.fold.writing import written

Shows = Callable[[list[Entry]], bool]
"""Whether entries show it."""


def smallest(
    entries: list[Entry], shows: Shows, simpler_than: Callable[[Entry], Iterator[Entry]], in_time: Callable[[], bool]
) -> list[Entry]:
    """A part of the entries that shows it; all of them where they do not. `simpler_than` makes an entry simpler."""
    if not shows(entries):
        return entries
    size = max(1, len(entries) // 2)
    while in_time():
        place, dropped = len(entries), False
        while place > 0 and in_time():
            fewer = entries[: max(0, place - size)] + entries[place:]
            if fewer and shows(fewer):
                entries, dropped = fewer, True
            place -= size
        if size == 1 and not dropped:
            break
        size = max(1, size // 2)
    for place in range(len(entries)):
        simpler = True
        while simpler and in_time():
            simpler = False
            for other in simpler_than(entries[place]):
                changed = [*entries[:place], other, *entries[place + 1 :]]
                if shows(changed):
                    entries, simpler = changed, True
                    break
                if not in_time():
                    break
    return entries


def simpler(fold: Fold, entry: Entry) -> Iterator[Entry]:
    """The entry with one value of its JSON payload made simpler, or without its key."""
    entry_id, fields = entry
    if isinstance(fold.domain.wire, Codec):
        yield from _simpler_opened(fold, fold.domain.wire, entry)
        return
    data = fold.payload_field.encode()
    for index in range(0, len(fields), 2):
        if fields[index] == data and fields[index + 1][:1] == b"{":
            try:
                payload = msgspec.json.decode(fields[index + 1])
            except msgspec.MsgspecError:
                continue
            for other in _less(payload):
                yield entry_id, [*fields[: index + 1], msgspec.json.encode(other), *fields[index + 2 :]]
        elif index >= 4:
            yield entry_id, [*fields[:index], *fields[index + 2 :]]


def _simpler_opened(fold: Fold, codec: Codec, entry: Entry) -> Iterator[Entry]:
    """The same of an entry of another program."""
    entry_id, fields = entry
    kind, data, key = fold.sorter.open(fields)
    if kind < FIRST or data[:1] != b"{":
        return
    event_type = fold.domain.events[kind - FIRST]
    try:
        payload = msgspec.json.decode(data)
    except msgspec.MsgspecError:
        return
    if key is not None:
        yield entry_id, written(codec, event_type.wire_name, event_type.v, data, None)
    for other in _less(payload):
        yield entry_id, written(codec, event_type.wire_name, event_type.v, msgspec.json.encode(other), key)


def _less(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield {other: each for other, each in value.items() if other != name}
            for less in _less(inner):
                yield value | {name: less}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            for less in _less(inner):
                yield [*value[:place], less, *value[place + 1 :]]
    elif isinstance(value, str):
        yield from (text for text in ("", "a", value[: len(value) // 2]) if len(text) < len(value))
    elif type(value) is int:
        sign = 1 if value > 0 else -1
        closer = (0, 1, -1, sign * (abs(value) // 2), value - sign)
        yield from dict.fromkeys(number for number in closer if abs(number) < abs(value))
