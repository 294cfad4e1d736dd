"""The rows that one part of a segment is about: each is found by its key, and none that is not there."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Table
from esdash.fold.cells import MAX_INT, MIN_INT
from esdash.fold.folding import Fold
from esdash.past.track.encoding import STRIDE
from tests.past.recording import recorded


class Put(Struct):
    number: int


def put(state: Any, event: Put) -> None:
    state.things.times[event.number] = 1


THINGS = Table("things", "number", int, (Column("times"),))
FOLD = Fold(Domain("things", "1", (THINGS,), (EventType(Put, put),)))

EDGES = st.sampled_from((MIN_INT, MIN_INT + 1, -1, 0, 1, MAX_INT - 1, MAX_INT))
KEYS = st.sets(st.integers(MIN_INT, MAX_INT) | EDGES, min_size=1, max_size=20)


@given(KEYS, st.integers(-10, 10), st.integers(0, 3 * STRIDE), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_each_is_found_by_its_key(scattered: set[int], start: int, count: int, step: int) -> None:
    keys = sorted({*scattered, *range(start, start + count * step, step)})
    entries = [
        (b"%d-0" % place, [b"type", b"Put", b"data", b'{"number":%d}' % key]) for place, key in enumerate(keys, 1)
    ]
    with recorded(FOLD, entries) as reader:
        part = reader.part("things.times", THINGS, 0)
        assert part is not None
        assert part.keys.tolist() == keys
        found = [part.place(key) for key in keys]
        beside = {key + by for key in keys for by in (-1, 1)}.difference(keys) | {MIN_INT - 1, MAX_INT + 1}
        missed = {part.place(key) for key in beside}
    assert found == list(range(len(keys)))
    assert missed == {None}
