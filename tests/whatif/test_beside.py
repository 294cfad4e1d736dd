"""A log that is folded beside the one there is: what differs is what differs between two plain folds."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.fold.state import State
from esdash.log.facts import id_parts
from esdash.whatif.beside import Beside, Consequences, OtherwiseError
from esdash.whatif.edits import Change, Edit, Insert, Plan, Skip, Swap
from tests.domains.shop import Shop
from tests.past.domains import DOMAINS, tried

Cells = dict[tuple[str, Any, str], Any]


def folded_beside(fold: Fold, entries: Sequence[Entry], edits: Sequence[Edit], page: int) -> Consequences:
    """What comes of edits, page after page, from the first of them on."""
    plan = Plan(edits, entries[-1][0])
    start = 0
    if plan.begin is not None:
        start = sum(id_parts(entry_id) <= id_parts(plan.begin) for entry_id, _ in entries)
    was = Projection(fold)
    if start:
        was.apply(entries[:start])
    beside = Beside(was, fold, was.state.copy(), plan)
    for first in range(start, len(entries), page):
        some = entries[first : first + page]
        beside.see(first + 1, some, was.apply(some))
    return beside.end()


def edited(entries: Sequence[Entry], edits: Sequence[Edit]) -> list[tuple[bytes | None, Entry]]:
    """The log as it would have been, each entry with the one it stems from: by the plainest means."""
    places: list[list[Any]] = [[entry_id, entry_id, fields] for entry_id, fields in entries]

    def place_of(entry_id: bytes) -> list[Any]:
        return next(place for place in places if place[1] == entry_id)

    gone: set[bytes] = set()
    for edit in edits:
        if isinstance(edit, Skip):
            gone.add(edit.entry[0])
        elif isinstance(edit, Change):
            gone.discard(edit.entry[0])
            place_of(edit.entry[0])[2] = edit.fields
        elif isinstance(edit, Swap):
            one, other = place_of(edit.one[0]), place_of(edit.other[0])
            one[1:], other[1:] = other[1:], one[1:]
    found: list[tuple[bytes | None, Entry]] = []
    for entry_id, origin, fields in [[b"0-0", None, None], *places]:
        if origin is not None and origin not in gone:
            found.append((origin, (entry_id, fields)))
        milliseconds, sequence = id_parts(entry_id)
        later = [id_parts(place[0]) for place in places if id_parts(place[0]) > (milliseconds, sequence)]
        inserts = [each for each in edits if isinstance(each, Insert) and (each.after or entries[-1][0]) == entry_id]
        for inserted in (each for edit in inserts for each in edit.entries):
            if not later or (milliseconds, sequence + 1) < later[0]:
                sequence += 1
            found.append((None, (b"%d-%d" % (milliseconds, sequence), inserted)))
    return found


def cells_of(fold: Fold, state: State) -> Cells:
    return {
        (name, key, column.name): value
        for name, (table, places) in fold.storage.places.items()
        for column, place in zip(table.columns, places, strict=True)
        for key, value in state.cells[place].items()
    }


def drawn_edits(data: DataObject, entries: Sequence[Entry]) -> list[Edit]:
    entry = st.sampled_from(entries)
    fields = entry.map(lambda each: each[1])
    after = st.none() | st.just(b"0-0") | entry.map(lambda each: each[0])
    one = st.one_of(
        entry.map(Skip),
        st.builds(Change, entry, fields),
        st.builds(Swap, entry, entry),
        st.builds(Insert, after, st.lists(fields, max_size=3).map(tuple)),
    )
    return data.draw(st.lists(one, max_size=5))


@pytest.mark.parametrize("name", DOMAINS)
@tried
@given(data=st.data())
def test_what_differs_is_what_differs_between_two_logs(name: str, data: DataObject) -> None:
    make, strategy = DOMAINS[name]
    entries = data.draw(strategy().filter(bool))
    edits = drawn_edits(data, entries)
    found = folded_beside(make(), entries, edits, page=data.draw(st.integers(1, 7)))
    fold = make()
    was, now = fold.empty(), fold.empty()
    codes = dict(zip((entry[0] for entry in entries), fold.fold(was, entries), strict=True))
    would = edited(entries, edits)
    decided = [
        (origin, fold.outcomes[codes[origin]], fold.outcomes[code])
        for (origin, _), code in zip(
            would, fold.fold(now, [entry for _, entry in would]) if would else b"", strict=True
        )
        if origin is not None and codes[origin] != code
    ]
    order = {entry_id: place for place, (entry_id, _) in enumerate(entries, 1)}
    assert [(each.ordinal, each.was, each.now) for each in found.decided] == sorted(
        ((order[origin], one, other) for origin, one, other in decided), key=lambda each: each[0]
    )
    assert found.count == len(decided)
    before, after = cells_of(fold, was), cells_of(fold, now)
    assert {(each.table, each.key, each.column): (each.before, each.after) for each in found.numbers} == {
        number: (before.get(number), after.get(number))
        for number in before.keys() | after.keys()
        if before.get(number) != after.get(number)
    }
    assert found.end.ordinal == len(entries)


def shop(*lines: str) -> list[Entry]:
    """Entries of the shop: `TopUp {…}`."""
    return [
        (b"%d-0" % (1000 + 10 * place), [b"type", kind.encode(), b"data", data.encode()])
        for place, (kind, _, data) in enumerate(line.partition(" ") for line in lines)
    ]


class TestWhatIsTried:
    entries = shop(
        'TopUp {"user_id": 1, "amount": 500}',
        'AddItem {"item_id": "hdd", "count": 1, "price": 400}',
        'Order {"user_id": 1, "lines": [{"item_id": "hdd", "quantity": 1}]}',
    )

    def test_stands_between_its_neighbours_and_is_told(self) -> None:
        order = self.entries[2][1]
        found = folded_beside(Shop(), self.entries, [Insert(b"1010-0", (order, order))], page=2)
        assert [(each.place.named(0), each.entry[0], each.outcome.name) for each in found.tried] == [
            ("#2a", b"1010-1", "applied"),
            ("#2b", b"1010-2", "rejected"),
        ]
        assert [(change.column, change.after) for change in found.tried[0].told.changes] == [
            ("remain", 0),
            ("balance", 100),
        ]
        assert (found.tried[1].told.needed, found.tried[1].told.available) == (1, 0)
        assert [(each.ordinal, each.was.name, each.now.reason) for each in found.decided] == [
            (3, "applied", "out_of_stock")
        ]

    def test_has_no_id_of_its_own_where_none_is_free(self) -> None:
        entries = [(b"5-0", self.entries[0][1]), (b"5-1", self.entries[1][1])]
        found = folded_beside(Shop(), entries, [Insert(b"5-0", (self.entries[0][1],))], page=9)
        assert [each.entry[0] for each in found.tried] == [b"5-0"]

    def test_behind_the_last_of_a_millisecond_it_is_of_the_next(self) -> None:
        entries = [(b"5-0", self.entries[0][1]), (b"9-0", self.entries[1][1])]
        last = b"5-18446744073709551615"
        found = folded_beside(Shop(), entries, [Insert(last, (self.entries[0][1],) * 2)], page=9)
        assert [each.entry[0] for each in found.tried] == [b"6-0", b"6-1"]

    @pytest.mark.parametrize("page", [1, 2, 9])
    def test_is_called_by_the_one_before_it_also_where_that_is_left_out(self, page: int) -> None:
        edits: list[Edit] = [Skip(self.entries[1]), Insert(self.entries[1][0], (self.entries[0][1],))]
        found = folded_beside(Shop(), self.entries, edits, page)
        assert [each.place.named(0) for each in found.tried] == ["#2a"]

    def test_is_of_the_time_it_would_be_appended_at_where_it_stands_at_the_end(self) -> None:
        was = Projection(Shop())
        codes = was.apply(self.entries)
        assert set(codes) == {5}
        plan = Plan([Insert(None, (self.entries[2][1],) * 2)], b"1020-0", now_ms=7777)
        beside = Beside(was, Shop(), was.state.copy(), plan)
        assert [each.entry[0] for each in beside.end().tried] == [b"7777-0", b"7777-1"]

    def test_a_changed_one_is_told_as_well(self) -> None:
        more = [b"type", b"TopUp", b"data", b'{"user_id": 1, "amount": 300}']
        found = folded_beside(Shop(), self.entries, [Change(self.entries[0], more)], page=1)
        assert [(each.place.named(100), each.outcome.name) for each in found.tried] == [("#101", "applied")]
        assert [(each.key, each.column, each.before, each.after) for each in found.numbers] == [
            (1, "balance", 100, 300),
            ("hdd", "remain", 0, 1),
        ]

    def test_letters_go_on_behind_z(self) -> None:
        topup = self.entries[0][1]
        found = folded_beside(Shop(), self.entries, [Insert(b"1000-0", (topup,) * 28)], page=3)
        names = [each.place.named(0) for each in found.tried]
        assert names[0] == "#1a"
        assert names[25:] == ["#1z", "#1aa", "#1ab"]


def test_an_entry_that_is_not_there_is_no_entry_to_try_something_with() -> None:
    entries = [(b"%d-0" % number, [b"type", b"TopUp", b"data", b'{"user_id": 1, "amount": 5}']) for number in (7, 8)]
    gone = b"3-0", entries[0][1]
    for edit in (Skip(gone), Swap(gone, entries[1]), Change(gone, entries[0][1])):
        with pytest.raises(OtherwiseError, match="3-0 is not in the stream"):
            folded_beside(Shop(), entries, [edit], page=1)
