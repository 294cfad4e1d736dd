"""What is still read of a broken payload, to begin a corrected event with."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.domain import Wire
from esdash.engine.shown.row import Row
from esdash.fold.folding import Fold
from esdash.fold.outcomes import INVALID_DATA
from esdash.ui.correct.salvage import Salvaged, as_json, likely_type, objection, salvage, texts_of
from esdash.ui.forms.json_text import escape_json
from esdash.visible import visible
from tests.domains import kinds, the_bank, the_depots
from tests.domains.shop import shop
from tests.domains.ways import WAYS, Ways


def fields(event_type: bytes, data: bytes) -> list[bytes]:
    return [b"type", event_type, b"data", data]


def salvaged(entry: list[bytes], chosen: str = "") -> Salvaged:
    """For a type that a person chose, by its name."""
    return salvage(shop(), entry, next((each for each in shop().publishable if each.wire_name == chosen), None))


def texts(entry: list[bytes]) -> dict[str, str]:
    """What is typed into the form."""
    return texts_of(shop(), salvaged(entry))


def said_of(event_type: str, data: bytes) -> str:
    """What is wrong with a payload."""
    row = Row(1, b"1-0", fields(event_type.encode(), data), INVALID_DATA)
    return objection(shop(), row, len(data))


@pytest.mark.parametrize(
    ("event_type", "data", "kind", "members"),
    [
        (b"TopUp", b'{"user_id":"7","amount":500}', "TopUp", {"user_id": 7, "amount": 500}),
        (b"topup", b'{"user_id":7,"amount":500}', "", {}),
        (b"Refund", b'{"user_id":7,"amount":500}', "", {}),
        (b"OrderType", b'{"user_id":7,"lines":[]}', "", {}),
        (b"", b'{"item_id":"hdd","count":-1}', "", {}),
        (b"TopUp", b'{"userId":7,"Amount":5}', "TopUp", {"user_id": 7}),
        (b"TopUp", b'{"userId":7,"UserID":8,"amount":5.0}', "TopUp", {}),
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
        (b"AddItem", b'{"item_id":"caf\xe9","count":2}', "AddItem", {"count": 2}),
        (b"What", b"[]", "", {}),
    ],
)
def test_only_what_is_certain_is_kept(event_type: bytes, data: bytes, kind: str, members: dict[str, Any]) -> None:
    found = salvaged(fields(event_type, data))
    assert ("" if found.type is None else found.type.wire_name, found.members) == (kind, members)


def test_for_a_type_that_a_person_chose_only_who_and_what_is_kept() -> None:
    refund = fields(b"Refund", b'{"user_id":7,"amount":500,"item_id":"hdd","count":2,"price":9}')
    assert salvaged(refund, "TopUp").members == {"user_id": 7}
    assert salvaged(refund, "AddItem").members == {"item_id": "hdd"}


def test_of_another_version_only_who_and_what_is_kept() -> None:
    later = [*fields(b"TopUp", b'{"user_id":7,"amount":500}'), b"v", b"2"]
    assert salvaged(later).members == {"user_id": 7}


def test_an_older_schema_is_translated_by_its_own_function() -> None:
    order = msgspec.msgpack.encode(
        {"Type": "OrderType", "UserID": "7", "ItemIDs": ["a", "b"], "ItemQuantities": [1, 2]}
    )
    found = salvaged(fields(b"OrderType", order))
    assert found.type is not None
    assert found.type.wire_name == "Order"
    assert found.members["lines"] == [{"item_id": "a", "quantity": 1}, {"item_id": "b", "quantity": 2}]
    top_up = msgspec.msgpack.encode({"Type": "TopUp", "UserID": 7, "Amount": "5", "ID": 1.5})
    assert salvaged(fields(b"TopUp", top_up)).members["amount"] == 500, "v0 has whole units"


def test_of_an_older_schema_that_cannot_be_translated_only_who_and_what_is_kept() -> None:
    top_up = msgspec.msgpack.encode({"Type": "Other", "UserID": 7, "Amount": 5})
    assert salvaged(fields(b"TopUp", top_up)).members == {"user_id": 7}
    order = msgspec.msgpack.encode({"Type": "Order", "UserID": 7, "ItemIDs": ["a", "b"], "ItemQuantities": [1]})
    assert salvaged(fields(b"Order", order)).members == {"user_id": 7}


@pytest.mark.parametrize(
    ("event_type", "data", "likely"),
    [
        (b"order", b"{}", "Order"),
        (b"top_up", b"garbage", "TopUp"),
        (b"Refund", b'{"userId":7,"amount":5}', "TopUp"),
        (b"", b'{"item_id":"hdd","count":2,"note":"x"}', "AddItem"),
        (b"Refund", b'{"user_id":7}', None),
        (b"Refund", b"[]", None),
    ],
)
def test_the_likely_type_has_the_name_or_the_members(event_type: bytes, data: bytes, likely: str | None) -> None:
    found = likely_type(shop(), fields(event_type, data))
    assert (found and found.wire_name) == likely


def test_it_is_typed_as_people_type_it() -> None:
    assert texts(fields(b"TopUp", b'{"user_id":"7","amount":-1250}')) == {"user_id": "7", "amount": "-12.50"}
    assert texts(fields(b"AddItem", '{"item_id":"a\u200b","count":true,"price":"x"}'.encode())) == {
        "item_id": r"a\u{200B}"
    }
    lines = b'{"user_id":1,"lines":[{"item_id":"two words","quantity":2.0},{"item_id":5}]}'
    assert texts(fields(b"Order", lines))["lines"] == '"two words":2 "":'


def test_of_every_kind_of_field_what_is_certain_is_kept() -> None:
    data = {
        "thing": "x", "pieces": "7", "price": "12", "ratio": 1.5, "fragile": "yes", "size": "LARGE", "care": "2",
        "made": "2026-11-23T14:03:05Z", "seen": 5, "note": "n", "part": {"name": "leg", "grams": "5"},
        "holds": [{"thing": "y", "cost": 5}], "limit": 6.0,
    }  # fmt: skip
    entry = fields(b"Described", msgspec.json.encode(data))
    found = salvage(kinds(), entry)
    assert found.members == {
        "thing": "x", "pieces": 7, "ratio": "1.5", "size": "large", "care": 2, "made": "2026-11-23T14:03:05Z",
        "seen": 5, "note": "n", "part": {"name": "leg", "grams": 5}, "holds": [{"thing": "y", "cost": 5}], "limit": 6,
    }, "whether 12 are cents nobody knows, nor what a text says of a truth"  # fmt: skip
    assert texts_of(kinds(), found) == {
        "thing": "x", "pieces": "7", "ratio": "1.5", "size": "large", "care": "2", "made": "2026-11-23T14:03:05Z",
        "seen": "1970-01-01 00:00:00.005+00:00", "note": "n", "part": '{"name":"leg","grams":5}', "holds": "y:0.05",
        "limit": "6",
    }  # fmt: skip


def test_a_time_without_a_zone_is_for_a_person_since_it_is_another_moment_for_each() -> None:
    for made, kept in (("2026-11-23T14:03:05", False), ("2026-11-23T14:03:05+02:00", True), ("noon", True)):
        entry = fields(b"Described", msgspec.json.encode({"thing": "x", "made": made}))
        assert ("made" in salvage(kinds(), entry).members) is kept


def test_an_entry_of_an_older_version_is_translated_where_only_texts_stand_for_numbers() -> None:
    old = fields(b"Delivered", b'{"depot":"north","sku":"nails","pieces":"3"}')
    found = salvage(the_depots(), old)
    assert found.members["goods"] == [{"sku": "nails", "pieces": 3, "care": "normal"}]
    assert found.members["depot"] == "north"
    newer = [*fields(b"Delivered", b'{"depot":"north","kilos":5,"labels":["a"]}'), b"v", b"2"]
    assert salvage(the_depots(), newer).members == {"depot": "north", "kilos": "5", "labels": ["a"]}
    unknown = [*fields(b"Delivered", b'{"depot":"north","kilos":5,"labels":["a"]}'), b"v", b"3"]
    assert salvage(the_depots(), unknown).members == {"depot": "north"}


def test_fields_that_are_members_themselves_are_texts_for_what_the_schema_wants() -> None:
    flat = Fold(replace(the_bank().domain, wire=Wire(data="")))
    entry = [b"type", b"Transferred", b"source", b"A", b"target", b"B", b"amount", b"-5"]
    found = salvage(flat, entry)
    assert found.members == {"source": "A", "target": "B", "amount": -5}
    assert texts_of(flat, found)["amount"] == "-0.05"
    row = Row(1, b"1-0", entry, INVALID_DATA)
    assert "$.amount" in objection(flat, row, 100)
    broken = [*entry[:-3], b"caf\xe9", b"amount", b"5"]
    assert salvage(flat, broken).members == {"source": "A", "amount": 5}, "what is no UTF-8 is no value"
    assert as_json(flat, broken) == '{"source":"A","target":null,"amount":5}'
    assert objection(flat, Row(1, b"1-0", broken, INVALID_DATA), 100) == "target is not UTF-8"


def test_a_text_that_is_too_long_to_be_typed_is_left_out_and_never_cut() -> None:
    entry = fields(b"Opened", msgspec.json.encode({"account": "A", "owner": "x" * 5_000, "more": 1}))
    fold = the_bank()
    assert texts_of(fold, salvage(fold, entry)) == {"account": "A"}


def test_json_is_offered_as_it_is_and_harmless() -> None:
    assert as_json(shop(), fields(b"TopUp", '{"x":"\u202e\U000e0001"}'.encode())) == r'{"x":"\u202e\udb40\udc01"}'
    assert as_json(shop(), fields(b"TopUp", b"\xff")) == '{"user_id":null,"amount":null}'
    assert as_json(shop(), fields(b"Nothing", b"")) == "{}"
    assert (
        as_json(shop(), fields(b"TopUp", b'{"user_id":1,"amount":2,"x":"' + b"y" * 9_000 + b'"}'))
        == '{"user_id":1,"amount":2}'
    )


@pytest.mark.parametrize(
    ("event_type", "data", "said"),
    [
        ("TopUp", b'{"user_id":7,"amount":"5"}', "$.amount"),
        ("TopUp", b"{", "truncated"),
        ("TopUp", b" " * 70_000, "at most 65,536"),
        ("TopUp", b'{"user_id":7,"amount":5,"note":"caf\xe9"}', "not UTF-8: 0xe9 at byte 35"),
        ("AddItem", b'{"item_id":"a\\u0007","count":1}', "can be no key of items"),
        ("TopUp", b'{"user_id":7,"amount":5}', ""),
        ("Refund", b"{}", ""),
    ],
)
def test_what_is_wrong_is_said(event_type: str, data: bytes, said: str) -> None:
    assert said in said_of(event_type, data)
    assert bool(said) == bool(said_of(event_type, data))


@given(
    ways=st.sampled_from([*WAYS.values()]),
    seed=st.integers(0, 99),
    cut=st.integers(0, 200),
    more=st.binary(max_size=50) | st.text(max_size=50).map(str.encode),
    renamed=st.none() | st.binary(max_size=12),
)
def test_nothing_breaks_it(ways: Ways, seed: int, cut: int, more: bytes, renamed: bytes | None) -> None:
    fold = ways.fold()
    for sound in ways.day(seed, 3):
        entry = [part for field in sound for part in field]
        place = entry.index(b"data") + 1
        entry[place] = entry[place][:cut] + more
        if renamed is not None and b"type" in entry:
            entry[entry.index(b"type") + 1] = renamed
        for text in (*texts_of(fold, salvage(fold, entry)).values(), as_json(fold, entry)):
            assert visible(text, 100_000) == text
        likely_type(fold, entry)
        objection(fold, Row(1, b"1-0", entry, INVALID_DATA), len(entry[place]))


@given(st.recursive(st.none() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)))
def test_escaping_keeps_the_meaning_of_json(value: object) -> None:
    text = msgspec.json.encode({"user_id": 1, "amount": 2, "x": value}).decode()
    escaped = escape_json(text)
    assert msgspec.json.decode(escaped) == msgspec.json.decode(text)
    assert shop().read(fields(b"TopUp", escaped.encode())) == shop().read(fields(b"TopUp", text.encode()))
