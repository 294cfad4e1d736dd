"""Payloads of the shop in JSON: its members, their bounds, and what is no JSON."""

import json
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from esdash.shop.events import AddItem, Line, Order
from esdash.shop.older import AddItemV0
from tests.fold.reading import MAX_INT, PLAIN, TOP_UP, Decoded, decoded, decoded_json
from tests.strategies import pack_array, pack_map, pack_string, raw_entry, v0_payload
from tests.unit.shop import event


def old_order(items: list[str], quantities: list[int]) -> bytes:
    return v0_payload("OrderType", {"UserID": 7, "ItemIDs": items, "ItemQuantities": quantities})


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
    @pytest.mark.parametrize("beside", ["", r'"x":"\u00e9",'], ids=["alone", "beside an escape"])
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


ANY_JSON = ["true", "null", '""', r'"\ud83d\ude00"', "1e999", "-1.5E-7", "0.1e+1", '{"amount":-1}']
ANY_JSON += ["[[],{},[{}]]", r'"\u0000\u001b"', r'"[[[{{{\""']
NOT_JSON = rb""""\ud800" "\udfff\ud800" "\udc00x"
    NaN Infinity -Infinity nan 01 1. .5 +1 1e 1e+ - 0x1 tru nulll 'x' \ "\x" "\u12" "\u00G0" "\" /**/1
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
    def test_of_a_repeated_member_each_must_be_right_and_the_last_counts(self, name: str, member: str) -> None:
        wire = "Order" if name == "Line" else name
        value = {"item_id": '"hdd"', "lines": "[]"}.get(member, "3")
        expected = decoded_json(wire, with_member(name, member, value))
        assert not isinstance(expected, str)
        other = {"item_id": '"cpu"', "lines": '[{"item_id":"x","quantity":1}]'}.get(member, "4")
        assert decoded_json(wire, with_member(name, member, f'{other},"{member}":{value}')) == expected
        for wrong in ("-1", "1.5", '"\\ud800"', "[[]]", "{}", "true", "9" * 50):
            right_last = with_member(name, member, f'{wrong},"{member}":{value}')
            assert decoded_json(wire, right_last) == "invalid_data"
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
        assert decoded_json("TopUp", b'{"\\u00e9":1,"user_id":7,"amount":50000}') == PLAIN


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
        for name in ("TopUp", "AddItem", "Order"):
            assert decoded_json(name, data) == "invalid_data"

    def test_is_utf_8(self) -> None:
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
            assert decoded_json("TopUp", TOP_UP.decode().encode(encoding)) == "invalid_data"
        assert decoded_json("AddItem", '{"item_id":"é","count":1}'.encode("latin-1")) == "invalid_data"

    def test_every_shorter_text_is_invalid(self) -> None:
        whole = b'{"user_id":7,"lines":[{"item_id":"h\\u00e9\xc3\xa9","quantity":2}],"x":[null,-1.5e3,"\\u00e9"]}'
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
        for made in self.spoken(item_id):
            assert isinstance(made, AddItem | AddItemV0 | Order)
            if isinstance(made, Order):
                assert made.lines[0].item_id == item_id
            else:
                assert (made.ItemID if isinstance(made, AddItemV0) else made.item_id) == item_id
        for long in (item_id + "x" * (65 - len(item_id)), item_id * 65):
            assert set(self.spoken(long)) == {"invalid_data"}

    def test_are_not_empty(self) -> None:
        assert set(self.spoken("")) == {"invalid_data"}

    def test_hold_no_control_character(self) -> None:
        controls = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cc"]
        assert len(controls) == 65
        for control in controls:
            for item_id in (control, f"a{control}", f"{control}b", f"猫{control}"):
                assert set(self.spoken(item_id)) == {"invalid_data"}, repr(item_id)

    @pytest.mark.parametrize(
        "char", " \xa0\u200b\u202e\u2028\ufeff\ufffd\ufffe\ue000\u0378\u0301\U000e0001\"\\/'[<\u00ad"
    )
    def test_may_hold_any_other_character(self, char: str) -> None:
        assert not {made for made in self.spoken(f"a{char}") if isinstance(made, str)}

    def test_hold_no_half_of_a_surrogate_pair(self) -> None:
        for half in ("\ud800", "\udbff", "\udc00", "\udfff", "a\ud83d", "\ude00\ud83d"):
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
