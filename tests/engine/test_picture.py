"""Pictures of a state: rows in any order, filtered, with what changed them last."""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pytest

from esdash.engine.shown.picture import CHANGE, LastChange, TablePicture
from esdash.engine.shown.row import Row
from esdash.engine.shown.viewer import REMEMBERED_CHANGES, Viewer
from esdash.engine.snapshots.snapshot import Journal
from esdash.fold.cells import MAX_INT, MIN_INT, Change
from esdash.fold.folding import Fold, Told
from esdash.fold.loading import load
from esdash.fold.state import State
from tests.domains import METERS, the_bank, the_depots
from tests.domains.shop import shop
from tests.domains.ways import present
from tests.engine.running import sound_event


class Watched:
    """A state that is folded and observed."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.state: State = fold.empty()
        self.viewer = Viewer(fold)
        self._ordinal = 0

    def apply(self, *events: tuple[str, bytes], observed: bool = True) -> None:
        """Fold events, one entry each."""
        entries = [
            (b"%d-0" % (self._ordinal + number), [b"type", name.encode(), b"data", data])
            for number, (name, data) in enumerate(events, 1)
        ]
        told: list[Told] = []
        codes = self.fold.fold(self.state, entries, told)
        rows = [
            Row(self._ordinal + number, entry_id, fields, code, told=did)
            for number, ((entry_id, fields), code, did) in enumerate(zip(entries, codes, told, strict=True), 1)
        ]
        self._ordinal += len(entries)
        if observed:
            self.viewer.observe(rows)

    def table(self, name: str) -> TablePicture:
        """A table now."""
        return self.viewer.view(self.state).tables[name]


def top_up(user: int, amount: int) -> tuple[str, bytes]:
    return "TopUp", b'{"user_id":%d,"amount":%d}' % (user, amount)


def opened(account: str, owner: str = "Ann") -> tuple[str, bytes]:
    return "Opened", f'{{"account":"{account}","owner":"{owner}"}}'.encode()


def keys(table: TablePicture, order: Iterable[Any]) -> list[Any]:
    """The keys of rows."""
    return [table.row(int(number)).key for number in order]


def test_rows_come_by_key_by_a_column_and_by_the_newest_change() -> None:
    watched = Watched(shop())
    watched.apply(top_up(7, 300), top_up(2, 100), top_up(11, 300), top_up(2, 50))
    table = watched.table("users")
    assert keys(table, table.order()) == [2, 7, 11]
    assert keys(table, table.order(descending=True)) == [11, 7, 2]
    assert keys(table, table.order("balance")) == [2, 7, 11]
    assert keys(table, table.order("balance", descending=True)) == [11, 7, 2]
    assert keys(table, table.order(CHANGE)) == [7, 11, 2]
    assert table.get(2) == (2, (150,), LastChange("4-0", "balance", 50, {"balance": 50}))
    assert table.greatest("balance") == 300
    assert (table.number(11), table.number(3), table.number(2**70), table.get(3)) == (2, None, None, None)


@pytest.mark.parametrize(
    ("needle", "found"),
    [("1", [1, 10, 11, 19, 100]), ("10", [10, 100]), ("0", [0]), ("9", [9]), ("x", []), ("01", []), ("9" * 30, [])],
)
def test_numbers_are_found_by_their_first_digits(needle: str, found: list[int]) -> None:
    watched = Watched(shop())
    watched.apply(*(top_up(user, 100) for user in (0, 1, 9, 10, 11, 19, 20, 100)))
    table = watched.table("users")
    assert keys(table, table.order(needle=needle)) == found


def test_texts_are_found_by_any_part_in_any_case() -> None:
    watched = Watched(the_bank())
    watched.apply(opened("Straße"), opened("main"), opened("MAINE"), opened("b"))
    table = watched.table("accounts")
    assert keys(table, table.order(needle="mAi")) == ["MAINE", "main"]
    assert keys(table, table.order(needle="STRASSE")) == ["Straße"]
    assert keys(table, table.order(needle="q")) == []


def test_texts_are_sorted_and_equal_ones_by_key() -> None:
    watched = Watched(the_bank())
    watched.apply(opened("a", "Zoe"), opened("b", "Ann"), opened("c", "Zoe"))
    table = watched.table("accounts")
    assert keys(table, table.order("owner")) == ["b", "a", "c"]
    watched.apply(opened("aa", "Ann"))
    table = watched.table("accounts")
    assert keys(table, table.order("owner")) == ["aa", "b", "a", "c"]


def test_cells_without_a_value_come_first_and_are_none() -> None:
    watched = Watched(the_depots())
    built = '{"depot":"%s","name":"N","opened":"2026-01-01T00:00:00Z"%s}'
    watched.apply(
        ("Built", (built % ("a", ',"manager":"Zoe"')).encode()),
        ("Built", (built % ("b", "")).encode()),
        ("Built", (built % ("c", ',"manager":"Ann"')).encode()),
    )
    table = watched.table("depots")
    place = [column.name for column in table.table.columns].index("manager")
    assert [table.row(number).cells[place] for number in range(3)] == ["Zoe", None, "Ann"]
    assert keys(table, table.order("manager")) == ["b", "c", "a"]


def test_numbers_over_a_column_are_those_of_its_cells_however_large() -> None:
    values = [MAX_INT, MAX_INT, 7, MIN_INT + 9]
    for cells in (np.array(values), np.array([None, *values], dtype=object)):
        picture = TablePicture(shop().domain.tables[0], np.arange(len(cells)), [cells], {})
        found = [picture.total(function, "balance") for function in ("sum", "min", "max")]
        assert found == [sum(values), min(values), max(values)]
    empty = TablePicture(shop().domain.tables[0], np.arange(0), [np.array([], dtype=np.int64)], {})
    assert [empty.total(function, "balance") for function in ("sum", "min", "max")] == [0, None, None]


def test_a_row_that_is_removed_is_gone_and_what_was_seen_before_stays() -> None:
    watched = Watched(the_depots())
    built = '{"depot":"%s","name":"N","opened":"2026-01-01T00:00:00Z"}'
    watched.apply(*(("Built", (built % name).encode()) for name in "abc"))
    before = watched.table("depots")
    watched.apply(("Closed", b'{"depot":"b"}'))
    after = watched.table("depots")
    assert keys(after, after.order()) == ["a", "c"]
    assert keys(before, before.order()) == ["a", "b", "c"]
    assert after.get("b") is None


def value_of(table: TablePicture, number: int) -> Any:
    """What the sound event of a number set; None where there was none."""
    _, key, column, _ = present().cell(number, 0)
    row = table.get(key)
    return None if row is None else row.cells[[each.name for each in table.table.columns].index(column)]


@pytest.mark.usefixtures("any_domain")
class TestOfAnyDomain:
    def test_after_entries_that_nobody_observed_it_is_right(self) -> None:
        watched = Watched(present().fold())
        name = present().cell(1, 0)[0]
        watched.apply(sound_event(1, 100))
        watched.table(name)
        watched.apply(sound_event(2, 5), sound_event(3, 6), observed=False)
        table = watched.table(name)
        assert [value_of(table, number) for number in (2, 3)] == [present().cell(2, 5)[3], present().cell(3, 6)[3]]
        watched.apply(sound_event(4, 7))
        table = watched.table(name)
        assert sorted(keys(table, table.order())) == sorted(present().cell(number, 0)[1] for number in range(1, 5))
        assert [value_of(table, number) for number in (2, 4)] == [present().cell(2, 5)[3], present().cell(4, 7)[3]]

    @pytest.mark.domains_in_turn
    def test_the_longest_unchanged_is_forgotten_first(self) -> None:
        watched = Watched(present().fold())
        watched.apply(*(sound_event(number, 100) for number in range(REMEMBERED_CHANGES + 2)))
        table = watched.table(present().cell(1, 0)[0])
        changes = [table.get(present().cell(number, 0)[1]) for number in range(3)]
        assert [row is not None and row.change is None for row in changes] == [True, True, False]

    def test_a_refused_entry_changes_nothing_and_is_no_change(self) -> None:
        watched = Watched(present().fold())
        name, members = present().refused
        watched.apply(sound_event(1, 100), (name, json.dumps(members).encode()), sound_event(2, 100))
        table, key, _, _ = present().cell(1, 100)
        row = watched.table(table).get(key)
        assert row is not None
        assert row.change is not None
        assert row.change.entry_id == "1-0"
        assert len(watched.table(table)) == 2

    def test_an_event_is_tried_on_the_state_and_leaves_it_as_it_is(self) -> None:
        watched = Watched(present().fold())
        watched.apply(sound_event(1, 100))
        picture = watched.viewer.view(watched.state)
        digest = watched.fold.digest(watched.state)
        name, data = sound_event(2, 900)
        code, told = picture.decide(watched.fold.read([b"type", name.encode(), b"data", data]).event)
        assert watched.fold.outcomes[code].name == "applied"
        table, key, column, value = present().cell(2, 900)
        assert Change(table, key, column, None, value) in told.changes
        assert watched.fold.digest(watched.state) == digest
        assert picture.cell(table, key, column) is None


def test_a_difference_beyond_64_bits_is_shown_and_keeps_no_snapshot_from_being_stored() -> None:
    watched = Watched(load(str(METERS)))
    for shown in (MAX_INT, MIN_INT):
        watched.apply(("Read", b'{"meter":"a","shown":%d}' % shown), ("Read", b'{"meter":"b","shown":7}'))
    row = watched.table("meters").get("a")
    assert row is not None
    assert row.change is not None
    assert row.change.deltas == {"shown": MIN_INT - MAX_INT}
    stored = msgspec.msgpack.encode(Journal(changes=watched.viewer.marks()))
    again = Viewer(watched.fold)
    again.recall(msgspec.msgpack.decode(stored, type=Journal).changes)
    changes = [again.view(watched.state).tables["meters"].row(number).change for number in (0, 1)]
    assert changes == [LastChange("3-0", "shown", None, {}), LastChange("2-0", "shown", 7, {"shown": 7})]
