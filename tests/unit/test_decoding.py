"""From the fields of an entry to an event, or to the reason why it is parked (DESIGN.md, The fold, The wire)."""

import json
import subprocess
import sys
import time
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from itertools import combinations, permutations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.decoding import decode, first_price, key_of
from esdash.shop.events import EVENT_TYPES, AddItem, Event, Line, Order, TopUp, UnpricedItem, is_item_id
from esdash.shop.outcomes import OUTCOMES
from esdash.shop.story import encode
from tests import model
from tests.strategies import (
    RawEntry,
    broken_entries,
    entries,
    hostile_bytes,
    hostile_entries,
    json_bytes,
    nested_json,
    nested_messagepack,
    pack_array,
    pack_compact,
    pack_int64,
    pack_map,
    pack_string,
    pack_uint64,
    pack_value,
    raw_entry,
    v0_entries,
    v0_members,
    v0_payload,
    valid_events,
)
from tests.unit.shop import as_sent, event, fold_all, model_all, steady

MAX_INT = 2**63 - 1
MIB = 1024 * 1024

Decoded = Event | str


def decoded(*raw: tuple[bytes, bytes]) -> Decoded:
    """The event, or why there is none."""
    answer = decode(as_sent(list(raw)))
    if not isinstance(answer, int):
        return answer
    name, reason = OUTCOMES[answer]
    assert name == "parked"
    assert reason is not None
    return reason


def decoded_json(name: str, data: bytes | str) -> Decoded:
    return decoded(*raw_entry(name, data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data))


def from_the_model(raw: RawEntry) -> Decoded:
    try:
        name, members, _ = model.decode(raw)
    except model.ParkedError as refusal:
        return str(refusal)
    if name == "TopUp":
        return TopUp(members["user_id"], members["amount"])
    if name == "Order":
        return Order(members["user_id"], tuple(Line(*line) for line in members["lines"]))
    if members["first_price"] is not None:
        assert members["first_price"] == first_price(members["item_id"])
        return UnpricedItem(members["item_id"], members["count"])
    return AddItem(members["item_id"], members["count"], members["price"])


TOP_UP = b'{"user_id":7,"amount":50000}'
PLAIN = TopUp(7, 50_000)
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
        name, data = encode(made)
        assert name == drawn["type"]
        assert EVENT_TYPES[name] is type(made)
        assert decoded(*raw_entry(name, data)) == made

    def test_an_absent_price_is_not_written(self) -> None:
        assert encode(AddItem("hdd", 1)) == ("AddItem", b'{"item_id":"hdd","count":1}')


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

    @pytest.mark.parametrize("name", [b"", b"topup", b"TopUp ", b" TopUp", b"OrderType", b"UnpricedItem", b"\xff"])
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
        assert key_of([]) is None
        assert key_of(as_sent(raw_entry("TopUp", b"key"))) is None
        assert key_of([b"type", b"key", b"key", b"type"]) == b"type"
        assert key_of([b"key", b"a", b"type", b"TopUp", b"key", b"b", b"data", b"{}"]) == b"b"

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
        assert decoded(*(fields[::-1] if shuffled else fields)) == faults[0]

    def test_a_bad_key_is_named_last(self) -> None:
        assert decoded(*raw_entry("Refund", TOP_UP, key=b"")) == "unknown_type"
        assert decoded(*raw_entry("Refund", V0_TOP_UP, key=b"")) == "unknown_type"
        assert decoded(*raw_entry("TopUp", LARGE, key=b"")) == "too_large"


def with_member(name: str, member: str, value: str) -> str:
    """JSON of an event of the type, one of its members written as given."""
    members = {
        "TopUp": {"user_id": "7", "amount": "500"},
        "AddItem": {"item_id": '"hdd"', "count": "11", "price": "250"},
        "Order": {"user_id": "7", "lines": "[]"},
        "Line": {"item_id": '"hdd"', "quantity": "2"},
    }[name]
    assert member in members
    written = "{" + ",".join(f'"{key}":{value if key == member else old}' for key, old in members.items()) + "}"
    return f'{{"user_id":7,"lines":[{written}]}}' if name == "Line" else written


NOT_INTEGERS = ["true", "false", "1.0", "0.0", "-0.0", "1e0", "1E2", "10e-1", '"1"', '""', "[]", "{}", "[1]"]
NOT_INTEGERS += ["NaN", "1e999", "Infinity", "01", "+1", "0x1", "1_0", ".5", "1.", "--1", "-", "١", ""]
INTEGERS = [
    ("TopUp", "user_id", MAX_INT),
    ("TopUp", "amount", 10**15),
    ("AddItem", "count", 10**12),
    ("AddItem", "price", 10**15),
    ("Order", "user_id", MAX_INT),
    ("Line", "quantity", 10**12),
]
MEMBERS = [*((name, member) for name, member, _ in INTEGERS), ("AddItem", "item_id"), ("Order", "lines")]
MEMBERS += [("Line", "item_id")]


@pytest.mark.parametrize(("name", "member", "maximum"), INTEGERS)
class TestIntegers:
    @pytest.mark.parametrize("beside", ["", r'"x":"\ud800",'], ids=["alone", "beside what msgspec refuses"])
    def test_reach_from_0_to_their_bound(self, name: str, member: str, maximum: int, beside: str) -> None:
        def made(value: str) -> Decoded:
            written = with_member(name, member, value).replace("{", "{" + beside)
            return decoded_json("Order" if name == "Line" else name, written)

        for value in ("0", "-0", "1", str(maximum - 1), str(maximum)):
            event_made = made(value)
            assert not isinstance(event_made, str), value
            holder = event_made.lines[0] if name == "Line" and isinstance(event_made, Order) else event_made
            assert getattr(holder, member) == int(value)
            assert type(getattr(holder, member)) is int
        for value in ("-1", str(maximum + 1), str(2**63), str(2**64 - 1), str(2**64), "9" * 400, "9" * 5_000):
            assert made(value) == "invalid_data", value[:30]

    @pytest.mark.parametrize("value", NOT_INTEGERS)
    def test_are_nothing_but_integers(self, name: str, member: str, maximum: int, value: str) -> None:  # noqa: ARG002
        wire = "Order" if name == "Line" else name
        assert decoded_json(wire, with_member(name, member, value)) == "invalid_data"


ANY_JSON = ["true", "null", '""', r'"\ud800"', r'"\udfff\ud800"', "1e999", "-1.5E-7", "0.1e+1", '{"amount":-1}']
ANY_JSON += ["[[],{},[{}]]", r'"\u0000\u001b"', r'"[[[{{{\""']
NOT_JSON = rb"""NaN Infinity -Infinity nan 01 1. .5 +1 1e 1e+ - 0x1 tru nulll 'x' \ "\x" "\u12" "\u00G0" "\" /**/1
    [1,] [,1] {"a"} {"a":1,} {1:2} [} {] """.split()
NOT_JSON += [b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe2\x82"', b"\xff", b"1\xff"]
NOT_JSON += [b"\xc2\xa01"]


def shortened(value: str) -> str:
    return value[:20]


class TestMembers:
    @pytest.mark.parametrize(("name", "member"), MEMBERS)
    def test_null_is_a_value_for_a_price_alone(self, name: str, member: str) -> None:
        made = decoded_json("Order" if name == "Line" else name, with_member(name, member, "null"))
        assert made == (AddItem("hdd", 11, None) if member == "price" else "invalid_data")

    @pytest.mark.parametrize(("name", "member"), MEMBERS)
    def test_only_a_price_may_be_absent(self, name: str, member: str) -> None:
        other = with_member(name, member, "0").replace(f'"{member}"', f'"{member}_"')
        made = decoded_json("Order" if name == "Line" else name, other)
        assert made == (AddItem("hdd", 11, None) if member == "price" else "invalid_data")

    @pytest.mark.parametrize(("name", "member"), MEMBERS)
    def test_a_name_is_exact_but_may_be_escaped(self, name: str, member: str) -> None:
        wire = "Order" if name == "Line" else name
        value = {"item_id": '"hdd"', "lines": "[]"}.get(member, "3")
        plain = decoded_json(wire, with_member(name, member, value))
        assert not isinstance(plain, str)
        escaped = with_member(name, member, value).replace(f'"{member}"', f'"\\u{ord(member[0]):04x}{member[1:]}"')
        assert decoded_json(wire, escaped) == plain
        if member != "price":
            capital = with_member(name, member, value).replace(f'"{member}"', f'"{member.capitalize()}"')
            assert decoded_json(wire, capital) == "invalid_data"

    @pytest.mark.parametrize(("name", "member"), MEMBERS)
    def test_of_a_repeated_member_the_last_counts(self, name: str, member: str) -> None:
        wire = "Order" if name == "Line" else name
        value = {"item_id": '"hdd"', "lines": "[]"}.get(member, "3")
        expected = decoded_json(wire, with_member(name, member, value))
        assert not isinstance(expected, str)
        for wrong in ("-1", "1.5", '"\\ud800"', "[[]]", "{}", "true", "9" * 50):
            right_last = with_member(name, member, f'{wrong},"{member}":{value}')
            assert decoded_json(wire, right_last) == expected
            wrong_last = with_member(name, member, f'{value},"{member}":{wrong}')
            assert decoded_json(wire, wrong_last) == "invalid_data"

    @pytest.mark.parametrize("value", [*ANY_JSON, "9" * 5_000, "-" + "9" * 5_000, '"\x7f\u0085\u202e"'], ids=shortened)
    def test_an_ignored_member_may_hold_anything(self, value: str) -> None:
        for form in (f'{{"x":{value},"user_id":7,"amount":50000}}', f'{{"user_id":7,"amount":50000,"x":{value}}}'):
            assert decoded_json("TopUp", form) == PLAIN
        line = f'{{"user_id":7,"lines":[{{"item_id":"hdd","x":{value},"quantity":2}}]}}'
        assert decoded_json("Order", line) == Order(7, (Line("hdd", 2),))

    @pytest.mark.parametrize("value", [*NOT_JSON, b"", b"1 2", b"[1 2]", b'"\n"', b'"\t"', b'"\0"'])
    def test_an_ignored_member_must_be_json(self, value: bytes) -> None:
        for form in (b'{"x":%b,"user_id":7,"amount":50000}', b'{"user_id":7,"amount":50000,"x":%b}'):
            assert decoded_json("TopUp", form % value) == "invalid_data"
        line = b'{"user_id":7,"lines":[{"item_id":"hdd","x":%b,"quantity":2}]}' % value
        assert decoded_json("Order", line) == "invalid_data"

    @pytest.mark.parametrize("name", [b"\xff", b"\xed\xa0\x80", b"a\n", b"\\q", b"\\u1"])
    def test_the_name_of_an_ignored_member_must_be_json_too(self, name: bytes) -> None:
        assert decoded_json("TopUp", b'{"%b":1,"user_id":7,"amount":50000}' % name) == "invalid_data"
        assert decoded_json("TopUp", b'{"\\ud800":1,"user_id":7,"amount":50000}') == PLAIN


class TestJson:
    @pytest.mark.parametrize("space", [b" ", b"\n", b"\r\n", b"\t", b" \t\r\n " * 9])
    def test_may_have_space_between_its_parts(self, space: bytes) -> None:
        spaced = space.join((b"", b"{", b'"user_id"', b":", b"7", b",", b'"amount"', b":", b"50000", b"}", b""))
        assert decoded_json("TopUp", spaced) == PLAIN

    @pytest.mark.parametrize(
        "space", [b"\xef\xbb\xbf", b"\xc2\xa0", b"\x0b", b"\x0c", b"\x00", b"\xe2\x80\xa8", b"//\n", b","]
    )
    def test_has_no_other_space(self, space: bytes) -> None:
        assert decoded_json("TopUp", space + TOP_UP) == "invalid_data"
        assert decoded_json("TopUp", TOP_UP + space) == "invalid_data"
        assert decoded_json("TopUp", TOP_UP.replace(b":", b":" + space)) == "invalid_data"

    @pytest.mark.parametrize("data", [b"", b" ", b"null", b"7", b'"x"', b"[]", b"[" + TOP_UP + b"]", TOP_UP * 2, b"{}"])
    def test_is_one_object_with_the_members_of_its_event(self, data: bytes) -> None:
        for name in EVENT_TYPES:
            assert decoded_json(name, data) == "invalid_data"

    def test_is_utf_8(self) -> None:
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
            assert decoded_json("TopUp", TOP_UP.decode().encode(encoding)) == "invalid_data"
        assert decoded_json("AddItem", '{"item_id":"é","count":1}'.encode("latin-1")) == "invalid_data"

    def test_every_shorter_text_is_invalid(self) -> None:
        whole = b'{"user_id":7,"lines":[{"item_id":"h\\u00e9\xc3\xa9","quantity":2}],"x":[null,-1.5e3,"\\ud800"]}'
        assert decoded_json("Order", whole) == Order(7, (Line("héé", 2),))
        for size in range(len(whole)):
            assert decoded_json("Order", whole[:size]) == "invalid_data"


class TestItemIds:
    @staticmethod
    def spoken(item_id: str) -> Iterator[Decoded]:
        """What becomes of the item id in each event and in each way to write it."""
        for ascii_only in (False, True):
            quoted = json.dumps(item_id, ensure_ascii=ascii_only)
            yield decoded_json("AddItem", f'{{"item_id":{quoted},"count":1}}')
            yield decoded_json("Order", f'{{"user_id":1,"lines":[{{"item_id":{quoted},"quantity":1}}]}}')
        packed = pack_string(item_id.encode("utf-8", "surrogatepass"))
        yield decoded(
            *raw_entry("AddItem", pack_map([(pack_string("ItemID"), packed), (pack_string("Count"), b"\x01")]))
        )
        members = [(pack_string("UserID"), b"\x01"), (pack_string("ItemIDs"), pack_array([packed]))]
        yield decoded(
            *raw_entry("OrderType", pack_map([*members, (pack_string("ItemQuantities"), pack_array([b"\x01"]))]))
        )

    @pytest.mark.parametrize(
        "item_id", ["x", "x" * 64, "é" * 64, "猫" * 64, "\U0001f600" * 64, "\U0010ffff", "e\u0301" * 32]
    )
    def test_have_1_to_64_code_points(self, item_id: str) -> None:
        assert is_item_id(item_id)
        assert not is_item_id(item_id + "x" * 64)
        for made in self.spoken(item_id):
            assert isinstance(made, AddItem | UnpricedItem | Order)
            assert (made.lines[0].item_id if isinstance(made, Order) else made.item_id) == item_id
        for long in (item_id + "x" * (65 - len(item_id)), item_id * 65):
            assert set(self.spoken(long)) == {"invalid_data"}

    def test_are_not_empty(self) -> None:
        assert not is_item_id("")
        assert set(self.spoken("")) == {"invalid_data"}

    def test_hold_no_control_character(self) -> None:
        controls = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cc"]
        assert len(controls) == 65
        for control in controls:
            for item_id in (control, f"a{control}", f"{control}b", f"猫{control}"):
                assert not is_item_id(item_id)
                assert set(self.spoken(item_id)) == {"invalid_data"}, repr(item_id)

    @pytest.mark.parametrize(
        "char", " \xa0\u200b\u202e\u2028\ufeff\ufffd\ufffe\ue000\u0378\u0301\U000e0001\"\\/'[<\u00ad"
    )
    def test_may_hold_any_other_character(self, char: str) -> None:
        assert is_item_id(char)
        assert not {made for made in self.spoken(f"a{char}") if isinstance(made, str)}

    def test_hold_no_half_of_a_surrogate_pair(self) -> None:
        for half in ("\ud800", "\udbff", "\udc00", "\udfff", "a\ud83d", "\ude00\ud83d"):
            assert not is_item_id(half)
            assert set(self.spoken(half)) == {"invalid_data"}

    def test_a_whole_surrogate_pair_in_escapes_is_one_code_point(self) -> None:
        made = decoded_json("AddItem", '{"item_id":"' + "\\ud83d\\ude00" * 64 + '","count":1}')
        assert made == AddItem("\U0001f600" * 64, 1)

    @pytest.mark.parametrize("value", ["7", "true", "null", "[]", '["hdd"]', '{"x":1}', "1.5"])
    def test_are_text(self, value: str) -> None:
        assert decoded_json("AddItem", f'{{"item_id":{value},"count":1}}') == "invalid_data"
        assert decoded_json("Order", f'{{"user_id":1,"lines":[{{"item_id":{value},"quantity":1}}]}}') == "invalid_data"


class TestLines:
    def test_are_at_most_100(self) -> None:
        line = {"item_id": "x", "quantity": 1}
        for count in (0, 1, 99, 100):
            made = decoded(*event("Order", user_id=7, lines=[line] * count))
            assert made == Order(7, (Line("x", 1),) * count)
            assert decoded(*raw_entry("Order", old_order(["x"] * count, [1] * count))) == made
        assert decoded(*event("Order", user_id=7, lines=[line] * 101)) == "invalid_data"
        assert decoded(*raw_entry("Order", old_order(["x"] * 101, [1] * 101))) == "invalid_data"

    @pytest.mark.parametrize(
        "lines", [{}, "x", 7, None, True, [7], ["x"], [None], [["x", 1]], [[]], [{}], {"item_id": "x"}]
    )
    def test_are_a_list_of_objects(self, lines: Any) -> None:
        assert decoded(*event("Order", user_id=7, lines=lines)) == "invalid_data"

    def test_one_bad_line_makes_the_order_invalid(self) -> None:
        good = {"item_id": "x", "quantity": 1}
        for bad in (
            {"item_id": "x"},
            {"quantity": 1},
            {"item_id": "", "quantity": 1},
            {"item_id": "x", "quantity": -1},
        ):
            for lines in ([bad, good], [good, bad], [good, bad, good]):
                assert decoded(*event("Order", user_id=7, lines=lines)) == "invalid_data"

    def test_an_order_may_name_an_item_twice_and_ask_for_nothing(self) -> None:
        lines = [{"item_id": "x", "quantity": 0}, {"item_id": "x", "quantity": 1}]
        assert decoded(*event("Order", user_id=7, lines=lines)) == Order(7, (Line("x", 0), Line("x", 1)))


def old_order(items: list[str], quantities: list[int]) -> bytes:
    return v0_payload("OrderType", {"UserID": 7, "ItemIDs": items, "ItemQuantities": quantities})


def old(name: str, members: dict[str, Any]) -> Decoded:
    """What becomes of a v0 payload with these members."""
    return decoded(*raw_entry(name, pack_value(members)))


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
            expected: Event
            if means["Type"] == "TopUp":
                expected = TopUp(means["UserID"], means["Amount"] * 100)
            elif means["Type"] == "AddItem":
                expected = UnpricedItem(means["ItemID"], means["Count"])
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
        assert made("AddItem", ItemID=item, Count=pack(10**12)) == UnpricedItem("x", 10**12)
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
        assert old("AddItem", item) == old("AddItem", {**item, "Type": "AddItem"}) == UnpricedItem("x", 1)
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
            (b"\xc0", b"\xc0"),
            (b"\x01", b"\x01"),
            (b"\xc3", b"\xcb" + bytes(8)),
            (pack_value(b"Amount"), b"\x07"),
            (pack_value({"Amount": 1}), b"\xd4\x01\x00"),
            (pack_value([1]), b"\xd6\xff" + bytes(4)),
            (pack_string(b"\xff"), pack_string(b"\xff")),
            (pack_string(b"\xed\xa0\x80"), b"\xc7\x03\xff\x00\x00\x00"),
            (b"\xcb\x7f\xf8" + bytes(6), b"\xca\x7f\xc0\x00\x00"),
            (b"\xd9\x01a", b"\xd8\x00" + bytes(16)),
            (b"\xda\x00\x01a", b"\xc9\x00\x00\x00\x00\x05"),
            (b"\xdb\x00\x00\x00\x01a", b"\xc8\x00\x01\x05\x05"),
            (b"\xc4\x00", b"\xc6\x00\x00\x00\x00"),
            (b"\xdc\x00\x00", b"\xdd\x00\x00\x00\x00"),
            (b"\xde\x00\x00", b"\xdf\x00\x00\x00\x00"),
            (b"\xd0\x80", b"\xd1\x80\x00"),
            (b"\xd2" + bytes(4), b"\xe0"),
        ],
    )
    def test_an_ignored_member_may_be_anything_in_messagepack(self, name: bytes, value: bytes) -> None:
        members = [(pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))]
        for place in range(3):
            members_and_other = [*members[:place], (name, value), *members[place:]]
            for width in (0, 16, 32):
                assert decoded(*raw_entry("TopUp", pack_map(members_and_other, width))) == PLAIN

    def test_of_a_repeated_member_the_last_counts(self) -> None:
        user, amount = (pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))
        for wrong in (b"\xff", b"\xc0", b"\xc3", pack_string("1"), b"\x90", pack_string(b"\xff"), b"\xd4\x01\x00"):
            other = (pack_string("Amount"), wrong)
            assert decoded(*raw_entry("TopUp", pack_map([user, other, amount]))) == PLAIN
            assert decoded(*raw_entry("TopUp", pack_map([user, amount, other]))) == "invalid_data"

    def test_of_a_repeated_type_inside_the_last_counts(self) -> None:
        members = [(pack_string("UserID"), b"\x07"), (pack_string("Amount"), pack_uint64(500))]
        right = (pack_string("Type"), pack_string("TopUp"))
        for value in (pack_string("AddItem"), b"\xc0", b"\x07", pack_string(b"\xff"), pack_value(b"TopUp")):
            wrong = (pack_string("Type"), value)
            for place in range(3):
                some, others = members[:place], members[place:]
                assert decoded(*raw_entry("TopUp", pack_map([wrong, *some, right, *others]))) == PLAIN
                assert decoded(*raw_entry("TopUp", pack_map([right, *some, wrong, *others]))) == "invalid_data"

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


@pytest.mark.parametrize("nested", [nested_json, nested_messagepack])
class TestDepth:
    def test_512_levels_are_read_and_513_are_not(self, nested: Callable[[int], bytes]) -> None:
        assert decoded(*raw_entry("TopUp", nested(511))) == TopUp(1, 500)
        assert decoded(*raw_entry("TopUp", nested(512))) == TopUp(1, 500)
        assert decoded(*raw_entry("TopUp", nested(513))) == "invalid_data"
        assert decoded(*raw_entry("TopUp", nested(30_000))) == "invalid_data"

    def test_the_answer_does_not_depend_on_the_callers_stack(self, nested: Callable[[int], bytes]) -> None:
        shallow, allowed, excess = (as_sent(raw_entry("TopUp", nested(depth))) for depth in (2, 512, 513))

        def answers(frames: int) -> list[Event | int]:
            return answers(frames - 1) if frames else [decode(shallow), decode(allowed), decode(excess)]

        used = 0
        frame = sys._getframe()
        while frame.f_back is not None:
            frame, used = frame.f_back, used + 1
        room = sys.getrecursionlimit() - used - 30
        assert room > 300
        expected = answers(0)
        assert expected[:2] == [TopUp(1, 500)] * 2
        for frames in (*range(0, room, 50), room):
            assert answers(frames) == expected

    @pytest.mark.parametrize("limit", [150, 600, 20_000])
    def test_the_answer_does_not_depend_on_the_recursion_limit(
        self, nested: Callable[[int], bytes], limit: int
    ) -> None:
        script = (
            "import sys\n"
            "from esdash.shop.decoding import decode\n"
            "for line in sys.stdin.buffer.read().split(b'\\n'):\n"
            "    fields = [b'type', b'TopUp', b'data', bytes.fromhex(line.decode())]\n"
            f"    sys.setrecursionlimit({limit})\n"
            "    answer = decode(fields)\n"
            "    sys.setrecursionlimit(1000)\n"
            "    print(answer)\n"
        )
        given_data = b"\n".join(nested(depth).hex().encode() for depth in (2, 512, 513))
        done = subprocess.run([sys.executable, "-c", script], input=given_data, capture_output=True, check=False)
        assert done.stderr == b""
        top_up = "TopUp(user_id=1, amount=500)"
        assert done.stdout.decode().split("\n") == [top_up, top_up, str(OUTCOMES.index(("parked", "invalid_data"))), ""]


class TestFuzz:
    @steady(1_000)
    @given(hostile_entries())
    def test_hostile_data_is_an_event_or_a_reason_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(180)
    @given(st.sampled_from(["TopUp", "AddItem", "Order", "OrderType"]), hostile_bytes())
    def test_hostile_bytes_are_an_event_or_a_reason_as_the_model_says(self, name: str, data: bytes) -> None:
        raw = raw_entry(name, data)
        assert decoded(*raw) == from_the_model(raw)

    @steady(90)
    @given(st.sampled_from(REASONS).flatmap(broken_entries))
    def test_broken_entries_are_parked_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(48)
    @given(entries())
    def test_entries_of_every_kind_decode_as_the_model_says(self, stream: list[RawEntry]) -> None:
        for raw in stream:
            assert decoded(*raw) == from_the_model(raw)

    @steady(120)
    @given(st.lists(st.tuples(st.binary(max_size=6) | st.sampled_from([b"type", b"data", b"key", b"v"]), st.binary())))
    def test_random_fields_are_an_event_or_a_reason_as_the_model_says(self, raw: RawEntry) -> None:
        assert decoded(*raw) == from_the_model(raw)

    @steady(90)
    @given(v0_entries("OrderType", {"UserID": 1, "ItemIDs": ["cpu"], "ItemQuantities": [3]}), st.data())
    def test_one_changed_byte_of_an_old_entry_decodes_as_the_model_says(
        self, raw: RawEntry, chance: st.DataObject
    ) -> None:
        name, data = raw[0][1], bytearray(raw[1][1])
        data[chance.draw(st.integers(0, len(data) - 1))] = chance.draw(st.integers(0, 255))
        changed = raw_entry(name, bytes(data))
        assert decoded(*changed) == from_the_model(changed)

    def test_every_changed_byte_of_an_entry_decodes_as_the_model_says(self) -> None:
        payload = b'{"user_id":7,"lines":[{"item_id":"h\\u00e9","quantity":20}],"x":[-1.5e3]}'
        for place in range(len(payload)):
            for byte in range(256):
                raw = raw_entry("Order", payload[:place] + bytes([byte]) + payload[place + 1 :])
                assert decoded(*raw) == from_the_model(raw)


def filled(start: bytes, unit: bytes, size: int = 65_536) -> bytes:
    return start + unit * ((size - len(start)) // len(unit))


WORST = [
    filled(b"[]," * 600 + b'"', b'\\"'),
    filled(b"[]" * 600, b'"'),
    filled(b'{"x":"', b"\\\\"),
    filled(b'{"x":"', b'\\"'),
    filled(b"", b"["),
    filled(b"", b"{"),
    filled(b'{"x":[', b"[],"),
    filled(b'{"x":["\\ud800"', b",{}"),
    filled(b"{", b'"":0,'),
    filled(b'{"x":', b"9"),
    filled(b'{"x":0.', b"9"),
    filled(b'{"x":1e', b"9"),
    filled(b'{"user_id":1,"amount":', b"9"),
    filled(b'{"lines":[', b'{"item_id":"x","quantity":1},'),
    filled(b'{"x":"\\ud800"}', b" "),
    filled(b"\x81", b"\x80"),
    filled(b"\x82\xa1x\xdc\xff\xff", b"\x80"),
    filled(b"\x82\xa1x\xdc\xff\xff", b"\x90"),
    filled(b"\x81\xa1x\xdd\xff\xff\xff\xff", b"\x01"),
    filled(b"\xdf\x00\x00\xff\xff", b"\xa0\xc0"),
    filled(b"", b"\x81\xa0"),
    filled(b"\x81\xa1x", b"\x91"),
]


class TestTimeAndMemory:
    @pytest.mark.parametrize("data", WORST, ids=lambda data: repr(data[:12]))
    def test_64_kib_of_the_worst_data_are_decided_in_a_moment(self, data: bytes) -> None:
        def cost(fields: list[bytes]) -> float:
            started = time.process_time()
            decode(fields)
            return time.process_time() - started

        for name in ("TopUp", "AddItem", "Order"):
            fields = as_sent(raw_entry(name, data))
            # One of three is enough, since a busy machine may slow any; the square of the size would be seconds.
            assert any(cost(fields) < 1 for _ in range(3))

    def test_64_kib_of_the_worst_data_take_a_bounded_amount_of_memory(self) -> None:
        tracemalloc.start()
        try:
            for data in WORST:
                tracemalloc.reset_peak()
                decode(as_sent(raw_entry("TopUp", data)))
                assert tracemalloc.get_traced_memory()[1] < 24 * MIB, data[:20]
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("data", WORST, ids=lambda data: repr(data[:12]))
    def test_the_answer_is_that_of_the_model(self, data: bytes) -> None:
        for name in ("TopUp", "Order", "OrderType"):
            raw = raw_entry(name, data)
            assert decoded(*raw) == from_the_model(raw)
