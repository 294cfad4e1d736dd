"""Payloads of the reference program, schema v0."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.events import Line, Order, TopUp
from esdash.shop.older import AddItemV0, first_price
from tests.fold.reading import MAX_INT, PLAIN, Decoded, decoded, old
from tests.strategies import (
    RawEntry,
    pack_array,
    pack_compact,
    pack_int64,
    pack_map,
    pack_string,
    pack_uint64,
    pack_value,
    raw_entry,
)
from tests.unit.shop import fold_all, model_all, steady

LYING_SIZES = [b"\xdf\xff\xff\xff\xff", b"\xde\xff\xff", b"\x8f"]
LYING_SIZES += [b"\x81\xa1x" + head + b"\xff\xff\xff\xff\x01" for head in (b"\xc6", b"\xc9", b"\xdb", b"\xdd", b"\xdf")]


class TestSchemaV0:
    def test_entries_of_the_reference_program(self) -> None:
        lines = Path(__file__).with_name("reference-entries.jsonl").read_text("utf-8").splitlines()
        stream: list[RawEntry] = []
        for sample in map(json.loads, lines):
            raw = [
                (name.encode(), bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode())
                for name, value in sample["fields"]
            ]
            stream.append(raw)
            means = sample["means"]
            expected: Decoded
            if means["Type"] == "TopUp":
                expected = TopUp(means["UserID"], means["Amount"] * 100)
            elif means["Type"] == "AddItem":
                expected = AddItemV0(means["ItemID"], means["Count"])
            else:
                bought = zip(means["ItemIDs"], means["ItemQuantities"], strict=True)
                expected = Order(means["UserID"], tuple(Line(*line) for line in bought))
            assert decoded(*raw) == expected
        assert len(stream) == 21
        assert fold_all(stream)[1] == model_all(stream)[1]

    def test_is_known_by_the_first_byte(self) -> None:
        for first in range(256):
            made = decoded(*raw_entry("OrderType", bytes([first])))
            is_old = 0x80 <= first <= 0x8F or first in (0xDE, 0xDF)
            assert made == ("invalid_data" if is_old else "unknown_type"), hex(first)

    def test_an_amount_is_in_whole_units(self) -> None:
        assert old("TopUp", {"UserID": 7, "Amount": 0}) == TopUp(7, 0)
        assert old("TopUp", {"UserID": 7, "Amount": 1}) == TopUp(7, 100)
        assert old("TopUp", {"UserID": MAX_INT, "Amount": 10**13}) == TopUp(MAX_INT, 10**15)
        assert old("TopUp", {"UserID": 7, "Amount": 10**13 + 1}) == "invalid_data"
        assert old("TopUp", {"UserID": 7, "Amount": 10**15 + 1}) == "invalid_data"
        assert old("TopUp", {"UserID": 7, "Amount": 2**64 - 1}) == "invalid_data"

    @pytest.mark.parametrize("pack", [pack_int64, pack_compact])
    def test_bounds_are_those_of_schema_v1(self, pack: Callable[[int], bytes]) -> None:
        def made(name: str, **members: bytes) -> Decoded:
            return decoded(*raw_entry(name, pack_map([(pack_string(key), value) for key, value in members.items()])))

        item = pack_string("x")
        assert made("AddItem", ItemID=item, Count=pack(10**12)) == AddItemV0("x", 10**12)
        assert made("AddItem", ItemID=item, Count=pack(10**12 + 1)) == "invalid_data"
        assert made("AddItem", ItemID=item, Count=pack(-1)) == "invalid_data"
        assert made("TopUp", UserID=pack(MAX_INT), Amount=pack(1)) == TopUp(MAX_INT, 100)
        assert made("TopUp", UserID=pack_uint64(2**63), Amount=pack(1)) == "invalid_data"
        assert made("TopUp", UserID=pack(-1), Amount=pack(1)) == "invalid_data"
        for quantity, expected in ((10**12, Order(7, (Line("x", 10**12),))), (10**12 + 1, "invalid_data")):
            quantities = pack_array([pack(quantity)])
            assert made("Order", UserID=pack(7), ItemIDs=pack_array([item]), ItemQuantities=quantities) == expected

    @pytest.mark.parametrize("wrong", [True, 1.0, "1", b"1", None, [], {}, -1])
    def test_integers_are_nothing_but_integers(self, wrong: Any) -> None:
        assert old("TopUp", {"UserID": wrong, "Amount": 1}) == "invalid_data"
        assert old("TopUp", {"UserID": 1, "Amount": wrong}) == "invalid_data"
        assert old("AddItem", {"ItemID": "x", "Count": wrong}) == "invalid_data"
        assert old("OrderType", {"UserID": wrong, "ItemIDs": [], "ItemQuantities": []}) == "invalid_data"
        assert old("OrderType", {"UserID": 1, "ItemIDs": ["x"], "ItemQuantities": [wrong]}) == "invalid_data"

    @pytest.mark.parametrize("wrong", [7, True, b"x", None, [], {}, 1.5, ""])
    def test_item_ids_are_text(self, wrong: Any) -> None:
        assert old("AddItem", {"ItemID": wrong, "Count": 1}) == "invalid_data"
        assert old("OrderType", {"UserID": 1, "ItemIDs": [wrong], "ItemQuantities": [1]}) == "invalid_data"

    def test_lists_are_of_equal_length_and_may_be_nil(self) -> None:
        empty: list[Any] = [[], None]
        for items, quantities in product(empty, empty):
            assert old("Order", {"UserID": 7, "ItemIDs": items, "ItemQuantities": quantities}) == Order(7, ())
        unequal: list[tuple[Any, Any]] = [(["x"], []), ([], [1]), (["x"], None), (None, [1]), (["x"], [1, 1])]
        for items, quantities in (*unequal, (["x", "x"], [1])):
            assert old("Order", {"UserID": 7, "ItemIDs": items, "ItemQuantities": quantities}) == "invalid_data"
        wrongs: list[Any] = [{}, "x", 7, False]
        for wrong in wrongs:
            assert old("Order", {"UserID": 7, "ItemIDs": wrong, "ItemQuantities": []}) == "invalid_data"
            assert old("Order", {"UserID": 7, "ItemIDs": [], "ItemQuantities": wrong}) == "invalid_data"

    @pytest.mark.parametrize("member", ["UserID", "ItemIDs", "ItemQuantities"])
    def test_a_missing_member_is_invalid(self, member: str) -> None:
        members = {"UserID": 7, "ItemIDs": ["x"], "ItemQuantities": [1]}
        del members[member]
        assert old("Order", members) == "invalid_data"

    def test_the_type_inside_agrees_or_is_absent(self) -> None:
        top_up = {"UserID": 7, "Amount": 500}
        order = {"UserID": 7, "ItemIDs": ["x"], "ItemQuantities": [1]}
        item = {"ItemID": "x", "Count": 1}
        assert old("TopUp", top_up) == old("TopUp", {**top_up, "Type": "TopUp"}) == PLAIN
        assert old("AddItem", item) == old("AddItem", {**item, "Type": "AddItem"}) == AddItemV0("x", 1)
        for wire in ("Order", "OrderType"):
            for inside in ("Order", "OrderType"):
                assert old(wire, {**order, "Type": inside}) == Order(7, (Line("x", 1),))
        wrongs: list[Any] = ["AddItem", "topup", "TopUp ", "", 7, None, b"TopUp", ["TopUp"], {}]
        for wrong in wrongs:
            assert old("TopUp", {**top_up, "Type": wrong}) == "invalid_data"
        for wrong in ("TopUp", "Order", "OrderType"):
            assert old("AddItem", {**item, "Type": wrong}) == "invalid_data"
        assert old("Order", {**order, "Type": "TopUp"}) == "invalid_data"

    @pytest.mark.parametrize("inside", [None, 7, "x" * 300, [[{}]], b"\xff", {"UserID": -1}, 1.5])
    def test_an_id_inside_and_unknown_members_are_ignored(self, inside: Any) -> None:
        for name in ("ID", "Note", "user_id", "amount", "userid", ""):
            assert old("TopUp", {name: inside, "UserID": 7, "Amount": 500}) == PLAIN
            assert old("TopUp", {"UserID": 7, "Amount": 500, name: inside}) == PLAIN

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            (pack_string(""), b"\xc0"),
            (pack_string("amount"), b"\xcb" + bytes(8)),
            (pack_string("x"), b"\xd4\x01\x00"),
            (pack_string("x"), b"\xd6\xff" + bytes(4)),
            (pack_string("x"), pack_value({1: {2: 3}})),
            (pack_string(b"\xff"), pack_string(b"\xff")),
            (pack_string(b"\xed\xa0\x80"), b"\xc7\x03\xff\x00\x00\x00"),
            (b"\xa0", b"\xca\x7f\xc0\x00\x00"),
            (b"\xd9\x01a", b"\xd8\x00" + bytes(16)),
            (b"\xda\x00\x01a", b"\xc9\x00\x00\x00\x00\x05"),
            (b"\xdb\x00\x00\x00\x01a", b"\xc8\x00\x01\x05\x05"),
            (b"\xa1b", b"\xc6\x00\x00\x00\x00"),
            (b"\xa1c", b"\xdd\x00\x00\x00\x00"),
            (b"\xa1d", b"\xdf\x00\x00\x00\x00"),
            (b"\xa1e", b"\xd1\x80\x00"),
            (b"\xa1f", b"\xe0"),
        ],
    )
    def test_an_ignored_member_may_be_anything_in_messagepack(self, name: bytes, value: bytes) -> None:
        members = [(pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))]
        for place in range(3):
            members_and_other = [*members[:place], (name, value), *members[place:]]
            for width in (0, 16, 32):
                assert decoded(*raw_entry("TopUp", pack_map(members_and_other, width))) == PLAIN

    @pytest.mark.parametrize("name", [b"\xc0", b"\x01", b"\xc3", b"\xc4\x00", b"\x90", b"\x80", b"\xca" + bytes(4)])
    def test_a_member_has_a_name(self, name: bytes) -> None:
        members = [(pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500)), (name, b"\x01")]
        assert decoded(*raw_entry("TopUp", pack_map(members))) == "invalid_data"

    def test_of_a_repeated_member_each_must_be_right_and_the_last_counts(self) -> None:
        user, amount = (pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))
        for wrong in (b"\xff", b"\xc0", b"\xc3", pack_string("1"), b"\x90", pack_string(b"\xff"), b"\xd4\x01\x00"):
            other = (pack_string("Amount"), wrong)
            assert decoded(*raw_entry("TopUp", pack_map([user, other, amount]))) == "invalid_data"
            assert decoded(*raw_entry("TopUp", pack_map([user, amount, other]))) == "invalid_data"
        first = (pack_string("Amount"), b"\x01")
        assert decoded(*raw_entry("TopUp", pack_map([user, first, amount]))) == PLAIN

    def test_of_a_repeated_type_inside_each_must_be_right(self) -> None:
        members = [(pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))]
        right = (pack_string("Type"), pack_string("TopUp"))
        for value in (pack_string("AddItem"), b"\xc0", b"\x07", pack_string(b"\xff"), pack_value(b"TopUp")):
            wrong = (pack_string("Type"), value)
            for place in range(3):
                some, others = members[:place], members[place:]
                assert decoded(*raw_entry("TopUp", pack_map([wrong, *some, right, *others]))) == "invalid_data"
                assert decoded(*raw_entry("TopUp", pack_map([right, *some, wrong, *others]))) == "invalid_data"
                assert decoded(*raw_entry("TopUp", pack_map([right, *some, right, *others]))) == PLAIN

    def test_a_name_may_be_written_in_any_width(self) -> None:
        for head in (b"\xa6", b"\xd9\x06", b"\xda\x00\x06", b"\xdb\x00\x00\x00\x06"):
            assert decoded(
                *raw_entry("TopUp", pack_map([(head + b"UserID", b"\x07"), (head + b"Amount", b"\x05")]))
            ) == (TopUp(7, 500))

    def test_every_shorter_or_longer_payload_is_invalid(self) -> None:
        members: dict[str, Any] = {"UserID": 7, "Amount": 500, "x": [b"\xff", 1.5, {"a": None}], "y": "z" * 40}
        payload = pack_value(members)
        assert decoded(*raw_entry("TopUp", payload)) == PLAIN
        for size in range(1, len(payload)):
            assert decoded(*raw_entry("TopUp", payload[:size])) == "invalid_data"
        for more in (b"\x00", b"\xc1", b"\n", payload):
            assert decoded(*raw_entry("TopUp", payload + more)) == "invalid_data"

    @pytest.mark.parametrize("data", LYING_SIZES)
    def test_sizes_that_lie_are_invalid(self, data: bytes) -> None:
        for name in ("TopUp", "AddItem", "Order"):
            assert decoded(*raw_entry(name, data)) == "invalid_data"

    @pytest.mark.parametrize(
        ("item_id", "price"),
        [("hdd", 1_700), ("cpu", 1_100), ("ssd", 10_000), ("ram", 7_200), ("gg", 100), ("кот", 2_900), ("😀", 5_700)],
    )
    def test_the_first_price_comes_from_the_name(self, item_id: str, price: int) -> None:
        assert first_price(item_id) == price

    @steady(60)
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64))
    def test_a_first_price_is_1_to_100_units(self, item_id: str) -> None:
        assert first_price(item_id) in range(100, 10_001, 100)
