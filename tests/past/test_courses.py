"""What numbers were, entry after entry, is followed through many segments as a plain replay says."""

from typing import Any

import pytest

from esdash.past.numbers.courses import follow
from esdash.past.track.reader import TrackReader
from esdash.query.numbers import Number
from tests.engine.asked import day
from tests.past.recording import recorded
from tests.past.test_turns import history, numbers_in


def followed(reader: TrackReader, number: Number, start: int) -> list[Any]:
    """Before the segment at a place, then after each entry from there on."""
    follows = follow(reader, number)
    value = follows.stand(start)
    found = [value]
    courses = dict(follows.through(len(reader.segments)))
    for place in range(start, len(reader.segments)):
        course = courses.get(place)
        values = {} if course is None else dict(zip(course.entries.tolist(), range(1, len(course.values)), strict=True))
        for entry in range(reader.segments[place].count):
            if course is not None and entry in values:
                at = values[entry]
                value = course.values[at : at + 1].tolist()[0] if course.there[at] else None
            found.append(value)
    return found


@pytest.mark.parametrize("domain", ["shop", "bank", "depots"])
def test_every_number_through_a_day(domain: str) -> None:
    fold, rows, _ = day(domain, 240)
    entries = [(row.entry_id, row.fields) for row in rows]
    numbers = [number for number, _ in numbers_in(fold, entries)]
    expected = history(fold, entries, numbers)
    for page, segment in ((7, 1), (20, 40), (300, 150)):
        with recorded(fold, entries, page=page, segment=segment) as reader:
            for start in (0, len(reader.segments) // 2):
                before = reader.segments[start].first - 1
                for number in numbers:
                    values = [each[number] for each in expected[before:]]
                    assert followed(reader, number, start) == values, (str(number), segment)
