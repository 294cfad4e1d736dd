"""What entries wrote is recorded as it was made, also where a function of the domain fails between them."""

import json
from pathlib import Path

import pytest

from esdash.fold.failing import DomainError
from esdash.fold.folding import Entry, Fold
from esdash.fold.loading import load
from esdash.fold.recording import Record

COUNTERS = '''"""Counters that fail on 0, and give a reason that is none for 7."""

from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table


class Raised(Struct):
    """Raise a counter."""

    name: str
    by: int


def raised(state, event):
    if event.by == 7:
        return "no_reason"
    if event.by < 0:
        return "no"
    value = state.counters.value
    state.counters.times[event.name] = state.counters.times.get(event.name, 0) + 1
    value[event.name] = value.get(event.name, 0) + 100 // event.by


COUNTERS = Domain(
    name="counters",
    version="1",
    tables=(Table("counters", "counter", str, (Column("value"), Column("times"))),),
    events=(EventType(Raised, raised),),
    reasons={"no": "No."},
    fast=True,
)
'''


@pytest.fixture
def fold(tmp_path: Path) -> Fold:
    file = tmp_path / "counters.py"
    file.write_text(COUNTERS)
    return load(str(file))


def entries(*numbers: int) -> list[Entry]:
    return [
        (b"%d-0" % place, [b"type", b"Raised", b"data", json.dumps({"name": "ab"[place % 2], "by": by}).encode()])
        for place, by in enumerate(numbers, 1)
    ]


def written(record: Record) -> dict[int, list[tuple[str, int | None]]]:
    return {
        place: list(zip(keys, befores, strict=True))
        for place, (keys, befores) in enumerate(zip(record.writes.keys, record.writes.befores, strict=True))
    }


def test_the_writes_of_every_entry(fold: Fold) -> None:
    state, record = fold.empty(), Record(fold.models, 2)
    fold.record(state, entries(1, 2, 4), record)
    assert record.writes.entries == [[0, 1, 2]] * 2
    assert written(record) == {0: [("b", None), ("a", None), ("b", 100)], 1: [("b", None), ("a", None), ("b", 1)]}


@pytest.mark.parametrize("bad", [0, 7])
def test_nothing_of_an_entry_that_fails(fold: Fold, bad: int) -> None:
    state, record = fold.empty(), Record(fold.models, 2)
    with pytest.raises(DomainError) as raised:
        fold.record(state, entries(1, 2, bad, 5, 10), record)
    assert not raised.value.spoiled
    assert (len(record), record.writes.entries) == (2, [[0, 1]] * 2)
    assert written(record) == {0: [("b", None), ("a", None)], 1: [("b", None), ("a", None)]}
    expected = fold.empty()
    fold.fold(expected, entries(1, 2))
    assert fold.digest(state) == fold.digest(expected)
    fold.record(state, entries(4), record)
    assert record.writes.entries == [[0, 1, 2]] * 2
    assert written(record)[0] == [("b", None), ("a", None), ("b", 100)]


@pytest.mark.parametrize("bad", [0, 7])
def test_what_is_refused_before_an_entry_that_fails(fold: Fold, bad: int) -> None:
    state, record = fold.empty(), Record(fold.models, 2)
    with pytest.raises(DomainError) as raised:
        fold.record(state, entries(1, -1, bad), record)
    refused = [fold.outcomes[code].reason for code in raised.value.codes]
    assert refused == [None, "no"]
    assert bytes(record.codes) == raised.value.codes
