"""The board of refusals says what plain counting says."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.domain import Format
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.log.facts import id_parts
from esdash.past.entries.board import FEW_ROWS, Board, Refusals
from esdash.past.track.reader import TrackReader
from tests.domains.shop import Shop
from tests.past.domains import DOMAINS, tried
from tests.past.recording import recorded

PARTS = 5


def board_of(reader: TrackReader, length: int | None, until: int | None, now: int) -> Board:
    refusals = Refusals(reader, length, until, now, PARTS)
    while not refusals.done:
        refusals.take(reader)
    return refusals.board()


class Counted:
    """The same, counted entry by entry."""

    def __init__(self, fold: Fold, entries: Sequence[Entry], length: int | None, until: int | None, now: int) -> None:
        self.reasons: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.sums: dict[tuple[int, Format], list[int]] = {}
        self.rows: dict[tuple[str, int | str], list[tuple[int, int]]] = defaultdict(list)
        self.entries = 0
        state = fold.empty()
        last = len(entries) if until is None else until
        end = id_parts(entries[last - 1][0])[0] if last else now
        end = max(now, end) if until is None else end
        for ordinal, entry in enumerate(entries[:last], 1):
            code, told = fold.explain(state, entry)
            time = id_parts(entry[0])[0]
            if length is not None and time <= end - length:
                continue
            self.entries += 1
            if fold.outcomes[code].name not in ("rejected", "parked"):
                continue
            self.reasons[code].append((ordinal, time))
            if told.needed is not None and told.available is not None:
                found = self.sums.setdefault((code, told.shown), [0, 0, 0])
                short = max(0, told.needed - told.available)
                for place, value in enumerate((1, told.needed, short)):
                    found[place] += value
            event = fold.read(entry[1]).event if fold.outcomes[code].name == "rejected" else None
            for table, key in set(fold.model(event).rows(event)) if event is not None else ():
                if not fold.storage.places[table][0].hidden:
                    self.rows[table, key].append((code, ordinal))


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_it_is_what_counting_every_entry_gives(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries = data.draw(strategy())
    first_ms = id_parts(entries[0][0])[0] if entries else 0
    length = data.draw(st.none() | st.integers(1, 40))
    until = data.draw(st.none() | st.integers(0, len(entries)))
    now = first_ms + data.draw(st.integers(0, 60))
    expected = Counted(make(), entries, length, until, now)
    with recorded(make(), entries, page=4, segment=data.draw(st.integers(1, 9))) as reader:
        board = board_of(reader, length, until, now)
    assert board.entries == expected.entries
    assert {each.code: (each.count, each.first, each.first_ms) for each in board.reasons} == {
        code: (len(found), *found[0]) for code, found in expected.reasons.items()
    }
    assert [each.count for each in board.reasons] == sorted((each.count for each in board.reasons), reverse=True)
    assert all(sum(each.parts) == each.count and len(each.parts) == PARTS for each in board.reasons)
    assert {
        (each.code, one.shown): [one.times, one.needed, one.short] for each in board.reasons for one in each.sums
    } == expected.sums
    assert {(row.table.name, row.key): (row.count, row.first, dict(row.codes)) for row in board.rows} == {
        row: (len(found), found[0][1], dict(Counter(code for code, _ in found))) for row, found in expected.rows.items()
    }
    for reason in board.reasons:
        counts = sorted(
            (sum(code == reason.code for code, _ in found) for found in expected.rows.values()), reverse=True
        )
        assert [row.count for row in reason.rows] == [count for count in counts if count][:FEW_ROWS]


def order(time: int, user: int, item: str, quantity: int) -> Entry:
    data = b'{"user_id":%d,"lines":[{"item_id":"%s","quantity":%d}]}' % (user, item.encode(), quantity)
    return b"%d-0" % time, [b"type", b"Order", b"data", data]


def test_sums_may_be_larger_than_a_number_of_a_state() -> None:
    most = 10**15
    entries: list[Entry] = [
        (b"1-0", [b"type", b"TopUp", b"data", b'{"user_id":1,"amount":1}']),
        (b"2-0", [b"type", b"AddItem", b"data", b'{"item_id":"a","count":100000,"price":%d}' % most]),
        *(order(3 + number, 1, "a", 9_000) for number in range(3)),
    ]
    with recorded(Shop(), entries) as reader:
        (reason,) = board_of(reader, None, None, 0).reasons
    (found,) = reason.sums
    assert (found.times, found.needed, found.short) == (3, 27_000 * most, 27_000 * most - 3)


@pytest.mark.parametrize("tell", [False, True])
def test_the_numbers_of_a_refusal_may_be_larger_than_those_of_a_state(tell: bool) -> None:
    fold = Shop()
    fold.careful = tell
    entries: list[Entry] = [
        (b"1-0", [b"type", b"TopUp", b"data", b'{"user_id":1,"amount":1}']),
        (b"2-0", [b"type", b"AddItem", b"data", b'{"item_id":"a","count":1000000000000,"price":1000000000000000}']),
        *(order(3 + number, 1, "a", 10**6) for number in range(2)),
    ]
    with recorded(fold, entries) as reader:
        assert [(found or ())[:2] for found in map(reader.decisive_of, range(1, 5))] == [(), (), *[(10**21, 1)] * 2]
        (reason,) = board_of(reader, None, None, 0).reasons
    (found,) = reason.sums
    assert (found.times, found.needed, found.short) == (2, 2 * 10**21, 2 * 10**21 - 2)


def test_parts_of_the_stretch_are_equal_and_the_last_one_ends_with_it() -> None:
    times = [1_000, 1_001, 1_010, 1_011, 1_050]
    with recorded(Shop(), [order(time, 1, "a", 1) for time in times], segment=2) as reader:
        (reason,) = board_of(reader, 50, 5, 0).reasons
        assert (reason.parts, reason.first, reason.first_ms) == ([2, 1, 0, 0, 1], 2, 1_001)
        (whole,) = board_of(reader, None, None, 1_099).reasons
        assert whole.parts == [4, 0, 1, 0, 0]


def test_a_track_that_begins_later_counts_from_there() -> None:
    entries = [order(1_000 + number, number, "a", 1) for number in range(6)]
    projection = Projection(Shop(), unseen=3)
    projection.apply(entries[:2])
    with recorded(projection.domain, entries[2:], projection=projection) as reader:
        board = board_of(reader, None, None, 0)
    assert (board.entries, board.reasons[0].first, board.unseen, board.until) == (4, 3, 3, 6)
