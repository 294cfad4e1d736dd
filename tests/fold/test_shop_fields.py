"""From the fields of an entry of the shop to an event, or to the reason why it is parked."""

from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import given

from esdash.shop.events import AddItem, Line, Order, TopUp
from tests.fold.reading import PLAIN, TOP_UP, decoded, decoded_json
from tests.strategies import (
    json_bytes,
    pack_map,
    pack_string,
    pack_value,
    raw_entry,
    v0_members,
    v0_payload,
    valid_events,
)
from tests.unit.shop import SHOP, fold_all, steady

LARGE = TOP_UP.ljust(65_537)
REASONS = ("missing_field", "unsupported_version", "too_large", "unknown_type", "invalid_data")
V0_TOP_UP = v0_payload("TopUp", {"UserID": 7, "Amount": 500})


class TestAnEntryByHand:
    def test_each_event_of_the_manual(self) -> None:
        assert decoded_json("TopUp", '{"user_id":7,"amount":50000}') == TopUp(7, 50_000)
        assert decoded_json("AddItem", '{"item_id":"hdd","count":11}') == AddItem("hdd", 11, None)
        assert decoded_json("AddItem", '{"item_id":"hdd","count":11,"price":250}') == AddItem("hdd", 11, 250)
        lines = '{"user_id":7,"lines":[{"item_id":"hdd","quantity":2},{"item_id":"cpu","quantity":1}]}'
        assert decoded_json("Order", lines) == Order(7, (Line("hdd", 2), Line("cpu", 1)))

    @steady(60)
    @given(valid_events())
    def test_what_we_write_is_what_we_read(self, drawn: dict[str, Any]) -> None:
        made = decoded_json(drawn["type"], json_bytes(drawn["data"]))
        assert isinstance(made, TopUp | AddItem | Order)
        name, data = SHOP.encode(made)
        assert name == drawn["type"]
        assert decoded(*raw_entry(name, data)) == made

    def test_an_absent_price_is_not_written(self) -> None:
        assert SHOP.encode(AddItem("hdd", 1)) == ("AddItem", b'{"item_id":"hdd","count":1}')


class TestTheFields:
    def test_come_in_any_order_among_others(self) -> None:
        fields = [(b"type", b"TopUp"), (b"data", TOP_UP), (b"key", b"k"), (b"v", b"1"), (b"trace", b"\xff")]
        for size in range(3, 6):
            for order in permutations(fields[:size]):
                assert decoded(*order) == PLAIN
        assert decoded((b"data", TOP_UP), (b"type", b"TopUp")) == PLAIN

    def test_of_a_repeated_field_the_last_counts(self) -> None:
        assert decoded((b"type", b"?"), (b"data", TOP_UP), (b"type", b"TopUp")) == PLAIN
        assert decoded((b"type", b"TopUp"), (b"data", TOP_UP), (b"type", b"?")) == "unknown_type"
        assert decoded((b"data", b"?"), (b"type", b"TopUp"), (b"data", TOP_UP)) == PLAIN
        assert decoded((b"type", b"TopUp"), (b"data", TOP_UP), (b"data", b"?")) == "invalid_data"
        assert decoded((b"v", b"2"), (b"type", b"TopUp"), (b"data", TOP_UP), (b"v", b"1")) == PLAIN
        assert decoded((b"key", b""), (b"type", b"TopUp"), (b"data", TOP_UP), (b"key", b"k")) == PLAIN
        assert decoded((b"key", b"k"), (b"type", b"TopUp"), (b"data", TOP_UP), (b"key", b"")) == "invalid_data"

    def test_have_exact_names(self) -> None:
        for name in (b"Type", b"type ", b"TYPE", b"", b"typ"):
            assert decoded((name, b"TopUp"), (b"data", TOP_UP)) == "missing_field"
        for name in (b"Data", b"data\x00", b"payload"):
            assert decoded((b"type", b"TopUp"), (name, TOP_UP)) == "missing_field"
        assert decoded((b"type", b"TopUp"), (b"data", TOP_UP), (b"V", b"2"), (b"Key", b"")) == PLAIN

    def test_may_be_missing_altogether(self) -> None:
        assert decoded() == "missing_field"
        assert decoded((b"type", b"TopUp")) == "missing_field"
        assert decoded((b"data", TOP_UP)) == "missing_field"
        assert decoded((b"type", b"TopUp"), (b"type", b"TopUp")) == "missing_field"
        assert decoded((b"key", b"k"), (b"v", b"1")) == "missing_field"

    @pytest.mark.parametrize(
        "version", [b"", b"0", b"2", b"01", b"1.0", b" 1", b"1\n", b"v1", b"\xff", b"\xef\xbc\x91"]
    )
    def test_a_version_is_1_or_absent(self, version: bytes) -> None:
        assert decoded(*raw_entry("TopUp", TOP_UP, version=b"1")) == PLAIN
        assert decoded(*raw_entry("TopUp", V0_TOP_UP, version=b"1")) == PLAIN
        assert decoded(*raw_entry("TopUp", TOP_UP, version=version)) == "unsupported_version"
        assert decoded(*raw_entry("TopUp", V0_TOP_UP, version=version)) == "unsupported_version"
        assert decoded(*raw_entry("OrderType", TOP_UP, version=version)) == "unsupported_version"
        assert decoded(*raw_entry("Refund", TOP_UP, version=version)) == "unknown_type"

    @pytest.mark.parametrize("name", [b"", b"topup", b"TopUp ", b" TopUp", b"OrderType", b"TopUpV0", b"\xff"])
    def test_a_type_is_one_of_three(self, name: bytes) -> None:
        assert decoded(*raw_entry(name, TOP_UP)) == "unknown_type"

    def test_an_order_type_is_known_in_schema_v0_only(self) -> None:
        old = v0_payload("OrderType", {"UserID": 7, "ItemIDs": ["hdd"], "ItemQuantities": [2]})
        assert decoded(*raw_entry("OrderType", old)) == Order(7, (Line("hdd", 2),))
        assert decoded(*raw_entry("Order", old)) == Order(7, (Line("hdd", 2),))
        assert decoded_json("OrderType", '{"user_id":7,"lines":[]}') == "unknown_type"

    @pytest.mark.parametrize("size", [1, 2, 127, 128])
    def test_a_key_of_1_to_128_bytes_is_one(self, size: int) -> None:
        assert decoded(*raw_entry("TopUp", TOP_UP, key=b"\xff" * size)) == PLAIN

    @pytest.mark.parametrize("size", [0, 129, 130, 100_000])
    def test_any_other_key_makes_the_entry_invalid(self, size: int) -> None:
        assert decoded(*raw_entry("TopUp", TOP_UP, key=b"\xff" * size)) == "invalid_data"
        assert decoded(*raw_entry("TopUp", V0_TOP_UP, key=b"k" * size)) == "invalid_data"

    def test_the_last_key_is_the_key(self) -> None:
        twice = [(b"key", b"a"), (b"type", b"TopUp"), (b"key", b"b"), (b"data", TOP_UP)]
        state, _ = fold_all([twice, raw_entry("TopUp", TOP_UP, key=b"c"), [(b"type", b"key"), (b"data", b"key")]])
        assert list(state.key_order) == [b"b", b"c"]

    def test_64_kib_of_data_are_allowed(self) -> None:
        assert decoded_json("TopUp", TOP_UP.ljust(65_536)) == PLAIN
        assert decoded_json("TopUp", TOP_UP.ljust(65_537)) == "too_large"
        members = v0_members("TopUp", {"UserID": 7, "Amount": 500})
        room = 65_536 - len(pack_map([*members, (pack_string("Note"), pack_value(b""))]))
        for more, expected in ((0, PLAIN), (1, "too_large")):
            padded = pack_map([*members, (pack_string("Note"), pack_value(bytes(room + more)))])
            assert len(padded) == 65_536 + more
            assert decoded(*raw_entry("TopUp", padded)) == expected


class TestOfTwoFaultsTheFirstOfTheTableIsNamed:
    @pytest.mark.parametrize("faults", [found for size in range(1, 6) for found in combinations(REASONS, size)])
    @pytest.mark.parametrize("shuffled", [False, True])
    def test_whatever_else_is_wrong(self, faults: tuple[str, ...], shuffled: bool) -> None:
        payload = b"nonsense" if "invalid_data" in faults else TOP_UP
        fields = [
            (b"data", payload.ljust(65_537) if "too_large" in faults else payload),
            (b"v", b"2" if "unsupported_version" in faults else b"1"),
            (b"key", b"" if "invalid_data" in faults else b"k"),
            (b"type", b"Refund" if "unknown_type" in faults else b"TopUp"),
        ]
        if "missing_field" in faults:
            fields = fields[:3] if "unknown_type" not in faults else fields[1:]
        expected = [each for each in faults if each != "unsupported_version" or "unknown_type" not in faults]
        assert decoded(*(fields[::-1] if shuffled else fields)) == expected[0]

    def test_a_bad_key_is_named_last(self) -> None:
        assert decoded(*raw_entry("Refund", TOP_UP, key=b"")) == "unknown_type"
        assert decoded(*raw_entry("Refund", V0_TOP_UP, key=b"")) == "unknown_type"
        assert decoded(*raw_entry("TopUp", LARGE, key=b"")) == "too_large"
