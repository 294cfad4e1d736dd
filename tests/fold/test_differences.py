"""What two states do not agree on."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.stored import Difference
from tests.domains import the_depots
from tests.domains.streams import depot_entries
from tests.fold.trying import rows
from tests.unit.shop import SHOP, shop, steady


class TestDifferences:
    @steady(50)
    @given(depot_entries(), depot_entries(), st.integers(0, 6))
    def test_are_exactly_what_differs_and_no_more_than_wanted(self, one: Any, other: Any, limit: int) -> None:
        fold = the_depots()
        states = [fold.empty(), fold.empty()]
        fold.fold(states[0], one)
        fold.fold(states[1], other)
        states[1].fork()
        found = fold.differences(states[0], states[1], 10_000)
        tables = [rows(fold, state) for state in states]
        expected = {}
        for table in fold.domain.tables:
            for key in tables[0][table.name].keys() | tables[1][table.name].keys():
                ours, theirs = (each[table.name].get(key, {}) for each in tables)
                for column in table.columns:
                    if ours.get(column.name) != theirs.get(column.name):
                        expected[table.name, str(key), column.name] = ours.get(column.name), theirs.get(column.name)
        cells = {
            (table, key.strip('"').replace("\\\\", "\\"), column): (each.first, each.second)
            for each in found
            if ":" in each.number
            for table, _, rest in [each.number.partition(":")]
            for key, _, column in [rest.rpartition(".")]
        }
        assert cells == expected
        counts = {each.number: (each.first, each.second) for each in found if ":" not in each.number}
        differing = [each for each in zip(*(state.counts for state in states), strict=True) if each[0] != each[1]]
        assert sorted(value for name, value in counts.items() if name != "idempotency keys") == sorted(differing)
        assert ("idempotency keys" in counts) is (list(states[0].key_order) != list(states[1].key_order))
        assert fold.differences(states[0], states[1], limit) == found[:limit]

    def test_name_the_number_as_a_person_would(self) -> None:
        first, second = shop({7: 5}, {"a b": (1, 2), 'c"\\': (3, 4)}), shop({7: 6})
        second.counts[5] = 1
        assert SHOP.differences(first, second, 10) == [
            Difference("applied", 0, 1),
            Difference("users:7.balance", 5, 6),
            Difference('items:"a b".price', 1, None),
            Difference('items:"c\\"\\\\".price', 3, None),
            Difference('items:"a b".remain', 2, None),
            Difference('items:"c\\"\\\\".remain', 4, None),
        ]
