"""What is still read of a broken payload, to begin a corrected event with."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.shop.decoding import decode
from esdash.ui.salvage import as_json, as_typed, escape_json, objection, salvage
from esdash.visible import visible


def fields(event_type: bytes, data: bytes) -> list[bytes]:
    return [b"type", event_type, b"data", data]


@pytest.mark.parametrize(
    ("event_type", "data", "kind", "members"),
    [
        (b"TopUp", b'{"user_id":"7","amount":500}', "TopUp", {"user_id": 7, "amount": 500}),
        (b"topup", b'{"user_id":7,"amount":500}', "", {}),
        (b"Refund", b'{"user_id":7,"amount":500}', "", {}),
        (b"OrderType", b'{"user_id":7,"lines":[]}', "", {}),
        (b"", b'{"item_id":"hdd","count":-1}', "", {}),
        (b"TopUp", b'{"userId":7,"Amount":5}', "TopUp", {}),
        (b"TopUp", b'{"user_id":7.0,"amount":5.0}', "TopUp", {"user_id": 7}),
        (b"TopUp", b'{"user_id":7,"amount":"500"}', "TopUp", {"user_id": 7}),
        (b"AddItem", b'{"item_id":5,"count":"2","price":1.5}', "AddItem", {"count": 2}),
        (b"TopUp", b'{"user_id":7,"amount":12', "TopUp", {"user_id": 7}),
        (b"TopUp", b'{"user_id":7,"amount":1200,', "TopUp", {"user_id": 7, "amount": 1200}),
        (b"TopUp", b'{"user_id":7,"amount":1200,"amount":5,', "TopUp", {"user_id": 7}),
        (b"TopUp", b'{"fee":{"amount":5},"user_id":7,', "TopUp", {}),
        (b"TopUp", b"user_id=7 amount=12.50", "TopUp", {}),
        (b"Order", b'{"user_id":3,"lines":[{"item_id":"hdd","quantity":"2"}', "Order", {"user_id": 3}),
        (
            b"Order",
            b'{"user_id":3,"lines":[{"item_id":"5","quantity":"2"}]}',
            "Order",
            {"user_id": 3, "lines": [{"item_id": "5", "quantity": 2}]},
        ),
        (b"Order", b'{"user_id":3,"lines":[{"item_id":"5","quantity":"2"},7]}', "Order", {"user_id": 3}),
        (b"Order", b"\xff\xfe", "Order", {}),
        (b"What", b"[]", "", {}),
    ],
)
def test_only_what_is_certain_is_kept(event_type: bytes, data: bytes, kind: str, members: dict[str, Any]) -> None:
    found = salvage(fields(event_type, data))
    assert (found.kind, found.members) == (kind, members)


def test_for_a_type_that_a_person_chose_only_who_and_what_is_kept() -> None:
    refund = fields(b"Refund", b'{"user_id":7,"amount":500,"item_id":"hdd","count":2,"price":9}')
    assert salvage(refund, "TopUp").members == {"user_id": 7}
    assert salvage(refund, "AddItem").members == {"item_id": "hdd"}


def test_of_another_version_only_who_and_what_is_kept() -> None:
    later = [*fields(b"TopUp", b'{"user_id":7,"amount":500}'), b"v", b"2"]
    assert salvage(later) == ("TopUp", {"user_id": 7})


def test_schema_v0_is_translated() -> None:
    order = msgspec.msgpack.encode({"Type": "OrderType", "UserID": 7, "ItemIDs": ["a", "b"], "ItemQuantities": [1, 2]})
    found = salvage(fields(b"OrderType", order))
    assert found.kind == "Order"
    assert found.members["lines"] == [{"item_id": "a", "quantity": 1}, {"item_id": "b", "quantity": 2}]
    order = msgspec.msgpack.encode({"Type": "OrderType", "UserID": 7, "ItemIDs": ["a", "b"], "ItemQuantities": [1]})
    assert as_typed(salvage(fields(b"OrderType", order)))["items"] == "a: b:", (
        "which one the quantity is of is not said"
    )
    top_up = msgspec.msgpack.encode({"Type": "TopUp", "UserID": 7, "Amount": 5, "ID": 1.5})
    assert salvage(fields(b"TopUp", top_up)).members["amount"] == 500, "v0 has whole units"
    top_up = msgspec.msgpack.encode({"Type": "Other", "UserID": 7, "Amount": 5})
    assert "amount" not in salvage(fields(b"TopUp", top_up)).members, "what another type means by it, nobody knows"


def test_it_is_typed_as_people_type_it() -> None:
    assert as_typed(salvage(fields(b"TopUp", b'{"user_id":"7","amount":-1250}'))) == {"user": "7", "amount": "-12.50"}
    assert as_typed(salvage(fields(b"AddItem", '{"item_id":"a\u200b","count":true,"price":"x"}'.encode()))) == {
        "item": r"a\u{200B}",
        "count": "",
    }
    lines = b'{"user_id":1,"lines":[{"item_id":"two words","quantity":2.0},{"item_id":5}]}'
    assert as_typed(salvage(fields(b"Order", lines)))["items"] == '"two words":2 "":'


def test_json_is_offered_as_it_is_and_harmless() -> None:
    assert as_json(fields(b"TopUp", '{"x":"\u202e\U000e0001"}'.encode())) == r'{"x":"\u202e\udb40\udc01"}'
    assert as_json(fields(b"TopUp", b"\xff")) == '{"user_id":null,"amount":null}'
    assert as_json(fields(b"Nothing", b"")) == "{}"
    assert (
        as_json(fields(b"TopUp", b'{"user_id":1,"amount":2,"x":"' + b"y" * 9_000 + b'"}')) == '{"user_id":1,"amount":2}'
    )


@pytest.mark.parametrize(
    ("event_type", "data", "said"),
    [
        ("TopUp", b'{"user_id":7,"amount":"5"}', "$.amount"),
        ("TopUp", b"{", "truncated"),
        ("TopUp", b" " * 70_000, "at most 65,536"),
        ("AddItem", b'{"item_id":"a\\u0007","count":1}', "control character"),
        ("TopUp", b'{"user_id":7,"amount":5}', ""),
        ("Refund", b"{}", ""),
    ],
)
def test_what_is_wrong_is_said(event_type: str, data: bytes, said: str) -> None:
    assert said in objection(event_type, data)
    assert bool(said) == bool(objection(event_type, data))


@given(event_type=st.binary(max_size=12), data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_nothing_breaks_it(event_type: bytes, data: bytes) -> None:
    entry = fields(event_type, data)
    for text in (*as_typed(salvage(entry)).values(), as_json(entry)):
        assert visible(text, 100_000) == text
    objection(event_type.decode("utf-8", "replace"), data)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)))
def test_escaping_keeps_the_meaning_of_json(value: object) -> None:
    text = msgspec.json.encode({"user_id": 1, "amount": 2, "x": value}).decode()
    escaped = escape_json(text)
    assert msgspec.json.decode(escaped) == msgspec.json.decode(text)
    assert decode(fields(b"TopUp", escaped.encode())) == decode(fields(b"TopUp", text.encode()))
