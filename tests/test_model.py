"""The model against examples that were worked out by hand, and what the strategies promise."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model import KEY_WINDOW, Model
from tests.strategies import (
    BROKEN_REASONS,
    Event,
    RawEntry,
    entries,
    hostile_bytes,
    json_bytes,
    nested_json,
    nested_messagepack,
    numbered,
    overflowing_entries,
    pack_int64,
    pack_map,
    pack_string,
    pack_uint64,
    pack_value,
    raw_entry,
    seeded_entries,
    v0_and_v1_pairs,
    v0_payload,
    valid_events,
)

FROM_THE_REFERENCE_PROGRAM: list[tuple[str, str, dict[str, Any]]] = [
    (
        "TopUp",
        "84a24944a0a454797065a5546f705570a6557365724944d30000000000001f91a6416d6f756e74cf00000000000001f4",
        {"UserID": 8081, "Amount": 500},
    ),
    (
        "AddItem",
        "84a24944a0a454797065a74164644974656da64974656d4944a3686464a5436f756e74cf000000000000000b",
        {"ItemID": "hdd", "Count": 11},
    ),
    (
        "AddItem",
        "84a24944a0a454797065a74164644974656da64974656d4944a3637075a5436f756e74cf0000000000000000",
        {"ItemID": "cpu", "Count": 0},
    ),
    (
        "OrderType",
        "85a24944a0a454797065a94f7264657254797065a6557365724944d30000000000001cdba74974656d49447391a372616d"
        "ae4974656d5175616e74697469657391cf0000000000000008",
        {"UserID": 7387, "ItemIDs": ["ram"], "ItemQuantities": [8]},
    ),
    (
        "OrderType",
        "85a24944a0a454797065a94f7264657254797065a6557365724944d3000000000000038da74974656d49447391a3737364"
        "ae4974656d5175616e74697469657391cf0000000000000000",
        {"UserID": 909, "ItemIDs": ["ssd"], "ItemQuantities": [0]},
    ),
]


def fold(*stream: RawEntry, model: Model | None = None) -> tuple[Model, list[str]]:
    """Apply entries in turn; an outcome with a reason reads `rejected:overflow`."""
    model = model or Model()
    outcomes = []
    for entry_id, fields in numbered(stream):
        outcome, reason = model.apply(entry_id, fields)
        outcomes.append(outcome if reason is None else f"{outcome}:{reason}")
    return model, outcomes


def event(name: str, key: bytes | None = None, **data: Any) -> RawEntry:
    return raw_entry(name, json_bytes(data), key)


def outcome_of(*fields: tuple[bytes, bytes]) -> str:
    return fold(list(fields))[1][0]


def shortened(data: bytes) -> str:
    """Name a payload in the list of tests."""
    return ascii(data[-40:])


def top_up_outcome(data: bytes) -> str:
    return outcome_of((b"type", b"TopUp"), (b"data", data))


def order(user: int, *lines: tuple[str, int], key: bytes | None = None) -> RawEntry:
    return event("Order", key, user_id=user, lines=[{"item_id": item, "quantity": count} for item, count in lines])


class TestTheReferenceProgramsEntries:
    @pytest.mark.parametrize(("name", "payload", "means"), FROM_THE_REFERENCE_PROGRAM)
    def test_the_encoder_writes_them_byte_by_byte(self, name: str, payload: str, means: dict[str, Any]) -> None:
        assert v0_payload(name, means).hex() == payload

    def test_they_fold_as_the_design_says(self) -> None:
        stream = [raw_entry(name, bytes.fromhex(payload)) for name, payload, _ in FROM_THE_REFERENCE_PROGRAM]
        model, outcomes = fold(*stream)
        assert outcomes == [
            "applied",
            "applied",
            "applied",
            "rejected:unknown_user",
            "rejected:invalid_quantity",
        ]
        # crc32 of "hdd" is 4073408616, of "cpu" 3128971310
        assert model.document() == {
            "last_event_id": "1575032026830-1",
            "ordinal": 5,
            "users": {"8081": 50_000},
            "items": {"hdd": {"price": 1700, "remain": 11}, "cpu": {"price": 1100, "remain": 0}},
            "outcomes": {
                "applied": 3,
                "rejected": {"unknown_user": 1, "invalid_quantity": 1},
                "parked": {},
                "duplicate": 0,
            },
        }

    def test_a_known_item_keeps_its_price(self) -> None:
        model, _ = fold(
            event("AddItem", item_id="hdd", count=1, price=77),
            raw_entry("AddItem", v0_payload("AddItem", {"ItemID": "hdd", "Count": 11})),
        )
        assert model.items == {"hdd": (77, 12)}

    def test_lists_of_unequal_length_are_parked_and_nil_lists_are_empty(self) -> None:
        unequal = v0_payload("OrderType", {"UserID": 1, "ItemIDs": ["a"], "ItemQuantities": []})
        members: list[tuple[str, Any]] = [("UserID", 1), ("ItemIDs", None), ("ItemQuantities", None)]
        nil = pack_map([(pack_string(name), pack_value(value)) for name, value in members])
        half_nil = v0_payload("OrderType", {"UserID": 1, "ItemIDs": [], "ItemQuantities": []})
        half_nil = half_nil.replace(b"ItemIDs\x90", b"ItemIDs\xc0")
        _, outcomes = fold(raw_entry("OrderType", unequal), raw_entry("Order", nil), raw_entry("OrderType", half_nil))
        assert outcomes == ["parked:invalid_data", "rejected:empty_order", "rejected:empty_order"]

    @pytest.mark.parametrize(
        ("wire_type", "inside", "outcome"),
        [
            ("Order", "Order", "rejected:empty_order"),
            ("Order", "OrderType", "rejected:empty_order"),
            ("OrderType", "Order", "rejected:empty_order"),
            ("Order", "TopUp", "parked:invalid_data"),
            ("Order", 7, "parked:invalid_data"),
            ("Order", None, "parked:invalid_data"),
        ],
    )
    def test_another_type_inside_is_parked(self, wire_type: str, inside: Any, outcome: str) -> None:
        data = pack_value({"Type": inside, "UserID": 1, "ItemIDs": [], "ItemQuantities": []})
        assert fold(raw_entry(wire_type, data))[1] == [outcome]

    def test_an_amount_times_100_keeps_the_bounds(self) -> None:
        user = (pack_string("UserID"), pack_int64(1))
        most = pack_map([user, (pack_string("Amount"), pack_uint64(10**13))])
        more = pack_map([user, (pack_string("Amount"), pack_uint64(10**13 + 1))])
        assert top_up_outcome(most) == "applied"
        assert top_up_outcome(more) == "parked:invalid_data"

    @pytest.mark.parametrize("tail", [b"", b"\x00"])
    def test_one_map_and_nothing_after_it(self, tail: bytes) -> None:
        payload = v0_payload("TopUp", {"UserID": 1, "Amount": 5})
        assert top_up_outcome(payload + tail) == ("parked:invalid_data" if tail else "applied")
        assert top_up_outcome(payload[:-1]) == "parked:invalid_data"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            (pack_string("x"), pack_string(b"\xff")),
            (pack_string(b"\xff"), b"\x01"),
            (pack_string("y"), b"\xc7\x00\x05"),
            (pack_string(""), b"\xd8" + b"\x00" * 17),
            (pack_string("user_id"), b"\xca\x7f\xc0\x00\x00"),
            (pack_string("amount"), b"\xc6\x00\x00\x00\x00"),
            (pack_string("x"), b"\xdc\x00\x01\xdf\x00\x00\x00\x00"),
            (pack_string("x"), pack_value({1: [{2: 3}]})),
        ],
    )
    def test_other_members_are_ignored_whatever_they_are(self, name: bytes, value: bytes) -> None:
        members = {"UserID": 1, "Amount": 5}
        packed = [(pack_string(member), pack_value(number)) for member, number in members.items()]
        assert top_up_outcome(pack_map([*packed, (name, value)])) == "applied"

    @pytest.mark.parametrize("name", [b"\x00", b"\xe0", b"\xc0", pack_value(b"Amount"), pack_value({"a": {}}), b"\xc3"])
    def test_a_member_has_a_name(self, name: bytes) -> None:
        members = {"UserID": 1, "Amount": 5}
        packed = [(pack_string(member), pack_value(number)) for member, number in members.items()]
        assert top_up_outcome(pack_map([*packed, (name, b"\x01")])) == "parked:invalid_data"

    def test_of_a_repeated_member_each_is_right_and_the_last_counts(self) -> None:
        user, amount = (pack_string("UserID"), b"\x07"), (pack_string("Amount"), b"\x05")
        assert top_up_outcome(pack_map([user, amount, (pack_string("Amount"), b"\x00")])) == "rejected:invalid_amount"
        assert top_up_outcome(pack_map([user, amount, (pack_string("Amount"), b"\xff")])) == "parked:invalid_data"
        assert top_up_outcome(pack_map([user, (pack_string("Amount"), b"\xff"), amount])) == "parked:invalid_data"


class TestTheRules:
    def test_an_order_costs_price_times_quantity(self) -> None:
        model, outcomes = fold(
            event("TopUp", user_id=7, amount=1000),
            event("AddItem", item_id="cpu", count=5, price=250),
            event("AddItem", item_id="ram", count=1, price=100),
            order(7, ("cpu", 1), ("ram", 1), ("cpu", 2)),
        )
        assert outcomes == ["applied"] * 4
        assert model.users == {7: 150}
        assert model.items == {"cpu": (250, 2), "ram": (100, 0)}

    @pytest.mark.parametrize(
        ("refused", "reason"),
        [
            (order(9), "empty_order"),
            (order(9, ("cpu", 1), ("nothing", 0)), "invalid_quantity"),
            (order(9, ("nothing", 1)), "unknown_user"),
            (order(7, ("cpu", 99), ("nothing", 1)), "unknown_item"),
            (order(7, ("cpu", 3), ("cpu", 3)), "out_of_stock"),
            (order(7, ("cpu", 5)), "insufficient_funds"),
            (event("TopUp", user_id=9, amount=0), "invalid_amount"),
            (event("AddItem", item_id="new", count=1), "price_required"),
            (event("AddItem", item_id="new", count=1, price=None), "price_required"),
        ],
    )
    def test_the_first_rule_that_is_broken_gives_the_reason(self, refused: RawEntry, reason: str) -> None:
        model = Model(users={7: 1000}, items={"cpu": (250, 5)})
        _, outcomes = fold(refused, model=model)
        assert outcomes == [f"rejected:{reason}"]
        assert (model.users, model.items) == ({7: 1000}, {"cpu": (250, 5)})

    def test_a_given_price_replaces_the_old_one_and_no_count_is_fine(self) -> None:
        model, outcomes = fold(
            event("AddItem", item_id="cpu", count=2, price=5),
            event("AddItem", item_id="cpu", count=0, price=0),
        )
        assert outcomes == ["applied", "applied"]
        assert model.items == {"cpu": (0, 2)}

    def test_balances_and_stocks_end_at_two_to_the_63rd(self) -> None:
        model = Model(users={1: 2**63 - 2}, items={"a": (1, 2**63 - 2)})
        _, outcomes = fold(
            event("TopUp", user_id=1, amount=2),
            event("TopUp", user_id=1, amount=1),
            event("AddItem", item_id="a", count=2, price=3),
            event("AddItem", item_id="a", count=1),
            model=model,
        )
        assert outcomes == ["rejected:overflow", "applied", "rejected:overflow", "applied"]
        assert (model.users, model.items) == ({1: 2**63 - 1}, {"a": (1, 2**63 - 1)})

    def test_top_ups_alone_reach_the_end(self) -> None:
        _, outcomes = fold(*overflowing_entries())
        assert Counter(outcomes) == {"applied": 9223, "rejected:overflow": 1}
        assert outcomes[-1] == "rejected:overflow"


class TestKeys:
    def test_the_first_decides_even_when_it_is_refused(self) -> None:
        model, outcomes = fold(
            event("TopUp", b"a", user_id=1, amount=0),
            event("TopUp", b"a", user_id=1, amount=5),
            event("TopUp", b"b", user_id=1, amount=5),
            event("AddItem", b"b", item_id="x", count=1, price=1),
        )
        assert outcomes == ["rejected:invalid_amount", "duplicate", "applied", "duplicate"]
        assert (model.users, model.items, model.duplicate, model.ordinal) == ({1: 5}, {}, 2, 4)

    def test_a_parked_entry_neither_takes_nor_needs_a_key(self) -> None:
        _, outcomes = fold(
            event("TopUp", b"a", user_id=1),
            event("TopUp", b"a", user_id=1, amount=5),
            event("TopUp", b"a", user_id=1),
        )
        assert outcomes == ["parked:invalid_data", "applied", "parked:invalid_data"]

    @pytest.mark.parametrize(
        ("key", "outcome"),
        [
            (b"", "parked:invalid_data"),
            (b"k" * 128, "applied"),
            (b"k" * 129, "parked:invalid_data"),
            (b"\xff", "applied"),
        ],
    )
    def test_a_key_has_1_to_128_bytes(self, key: bytes, outcome: str) -> None:
        assert fold(event("TopUp", key, user_id=1, amount=5))[1] == [outcome]

    def test_the_oldest_key_leaves_the_window_and_a_duplicate_does_not_stay_longer(self) -> None:
        model = Model()
        data = json_bytes({"user_id": 1, "amount": 1})

        def publish(number: int) -> str:
            return model.apply("1-1", raw_entry("TopUp", data, b"%d" % number))[0]

        assert {publish(number) for number in range(KEY_WINDOW)} == {"applied"}
        assert publish(0) == "duplicate"
        assert publish(KEY_WINDOW) == "applied"
        assert publish(1) == "duplicate"
        assert publish(0) == "applied"
        assert publish(1) == "applied"
        assert len(model.keys) == KEY_WINDOW


class TestWhatIsParked:
    def test_the_first_reason_that_holds(self) -> None:
        large = b" " * 65_537
        assert outcome_of((b"type", b"?"), (b"v", b"2")) == "parked:missing_field"
        assert outcome_of((b"data", large), (b"v", b"2")) == "parked:missing_field"
        assert outcome_of() == "parked:missing_field"
        assert outcome_of((b"type", b"TopUp"), (b"data", large), (b"v", b"2")) == "parked:unsupported_version"
        assert outcome_of((b"type", b"OrderType"), (b"data", large), (b"v", b"2")) == "parked:unsupported_version"
        assert outcome_of((b"type", b"?"), (b"data", large), (b"v", b"2")) == "parked:too_large"
        assert outcome_of((b"type", b"?"), (b"data", large[1:]), (b"v", b"2")) == "parked:unknown_type"
        assert outcome_of((b"type", b"?"), (b"data", large)) == "parked:too_large"
        assert outcome_of((b"type", b"?"), (b"data", large[1:]), (b"key", b"")) == "parked:unknown_type"
        assert outcome_of((b"type", b"TopUp"), (b"data", large[1:]), (b"key", b"")) == "parked:invalid_data"
        assert outcome_of((b"type", b""), (b"data", b"")) == "parked:unknown_type"
        assert outcome_of((b"type", b"TopUp"), (b"data", b"")) == "parked:invalid_data"

    def test_an_order_type_in_json_is_unknown(self) -> None:
        assert fold(event("OrderType", user_id=1, lines=[]))[1] == ["parked:unknown_type"]

    @pytest.mark.parametrize("version", [b"", b"0", b"2", b"01", b"1.0", b" 1"])
    def test_a_version_is_1_or_absent(self, version: bytes) -> None:
        data = json_bytes({"user_id": 1, "amount": 1})
        assert fold(raw_entry("TopUp", data, version=version))[1] == ["parked:unsupported_version"]
        assert fold(raw_entry("TopUp", data, version=b"1"))[1] == ["applied"]

    def test_of_a_repeated_field_the_last_counts(self) -> None:
        data = json_bytes({"user_id": 1, "amount": 1})
        assert outcome_of((b"v", b"2"), (b"type", b"?"), (b"data", data), (b"type", b"TopUp"), (b"v", b"1")) == (
            "applied"
        )

    def test_64_kib_are_allowed(self) -> None:
        assert top_up_outcome(b'{"user_id":1,"amount":1}'.ljust(65_536)) == "applied"
        assert top_up_outcome(b'{"user_id":1,"amount":1}'.ljust(65_537)) == "parked:too_large"

    @pytest.mark.parametrize(
        "data",
        [
            b'{"user_id":-0,"amount":1}',
            b'{"user_id":9223372036854775807,"amount":1000000000000000}',
            b' {"user_id":1,"amount":1}\r\n',
            b'{"user_id":9,"user_id":1,"amount":1}',
            b'{"user_id":1,"amount":1,"x":"\\ud83d\\ude00","z":1e999,"y":-0.0}',
            b'{"user_id":1,"amount":1,"x":' + b"9" * 5_000 + b"}",
            b'{"user_id":1,"amount":1,"x":"' + b"[" * 5_000 + b'\\""}',
            '{"user_id":1,"amount":1,"\u202e":"\x7f"}'.encode(),
            nested_json(512),
            nested_messagepack(512),
        ],
        ids=shortened,
    )
    def test_data_that_is_fine(self, data: bytes) -> None:
        assert top_up_outcome(data) == "applied"

    @pytest.mark.parametrize(
        "data",
        [
            b'{"user_id":-1,"amount":1}',
            b'{"user_id":null,"user_id":1,"amount":1}',
            b'{"user_id":1,"amount":1,"x":"\\ud800"}',
            b'{"user_id":1,"amount":1,"\\udfff":1}',
            b'{"user_id":9223372036854775808,"amount":1}',
            b'{"user_id":1,"amount":1000000000000001}',
            b'{"user_id":1,"amount":1.0}',
            b'{"user_id":1,"amount":1e2}',
            b'{"user_id":1,"amount":true}',
            b'{"user_id":1,"amount":null}',
            b'{"user_id":1,"amount":"1"}',
            b'{"user_id":1,"amount":01}',
            b'{"user_id":1,"amount":1,"amount":null}',
            b'{"user_id":1,"amount":1,"x":NaN}',
            b'{"user_id":1,"amount":1,"x":-Infinity}',
            b'{"user_id":1,"amount":1,"x":"\xff"}',
            b'{"user_id":1,"amount":1,"x":"\xed\xa0\x80"}',
            b'{"user_id":1,"amount":1,"x":"\t"}',
            b'{"user_id":1,"amount":1}{}',
            b'\xef\xbb\xbf{"user_id":1,"amount":1}',
            b'[{"user_id":1,"amount":1}]',
            b'{"user_id":1}',
            b"{",
            nested_json(513),
            nested_messagepack(513),
            b"[" * 60_000,
            b"\x81\xa0" * 30_000,
            b"\xdf\xff\xff\xff\xff",
        ],
        ids=shortened,
    )
    def test_data_that_breaks_the_schema(self, data: bytes) -> None:
        assert top_up_outcome(data) == "parked:invalid_data"

    @pytest.mark.parametrize(
        ("item_id", "outcome"),
        [
            ("", "parked:invalid_data"),
            ("\U0001f600" * 64, "applied"),
            ("x" * 65, "parked:invalid_data"),
            ("\ud800", "parked:invalid_data"),
            ("a\x00", "parked:invalid_data"),
            ("a\x7f", "parked:invalid_data"),
            ("\u0085", "parked:invalid_data"),
            ("\u202e", "applied"),
            (7, "parked:invalid_data"),
        ],
    )
    def test_item_ids(self, item_id: Any, outcome: str) -> None:
        data = json.dumps({"item_id": item_id, "count": 1, "price": 1}).encode()
        assert fold(raw_entry("AddItem", data))[1] == [outcome]

    @pytest.mark.parametrize(
        ("lines", "outcome"),
        [
            ([{"item_id": "a", "quantity": 1}] * 100, "rejected:unknown_user"),
            ([{"item_id": "a", "quantity": 1}] * 101, "parked:invalid_data"),
            ([{"item_id": "a", "quantity": 0}, {"item_id": "a"}], "parked:invalid_data"),
            ([{"item_id": "a", "quantity": 10**12 + 1}], "parked:invalid_data"),
            ([["a", 1]], "parked:invalid_data"),
            ({}, "parked:invalid_data"),
            (None, "parked:invalid_data"),
        ],
    )
    def test_lines(self, lines: Any, outcome: str) -> None:
        assert fold(event("Order", user_id=1, lines=lines))[1] == [outcome]


class TestTheStrategies:
    @settings(deadline=None)
    @given(valid_events())
    def test_a_valid_event_is_never_parked(self, drawn: Event) -> None:
        assert not fold(raw_entry(drawn["type"], json_bytes(drawn["data"])))[0].parked

    @settings(deadline=None)
    @given(v0_and_v1_pairs())
    def test_a_fact_is_the_same_in_both_encodings(self, pair: tuple[RawEntry, RawEntry]) -> None:
        models = []
        for spoken in pair:
            stock = {"cpu": (1, 10**12), "ram": (7, 100), "x": (0, 5)}
            models.append(fold(spoken, model=Model(users={1: 10**9, 2: 5}, items=stock))[0])
        assert models[0].document() == models[1].document()
        assert not models[0].parked

    @settings(deadline=None)
    @given(hostile_bytes(), st.sampled_from(["TopUp", "AddItem", "Order", "OrderType"]))
    def test_hostile_bytes_are_decided_like_any_other(self, data: bytes, wire_type: str) -> None:
        model, _ = fold(raw_entry(wire_type, data))
        assert model.ordinal == 1

    def test_every_outcome_occurs(self) -> None:
        seen: Counter[str] = Counter()

        @settings(max_examples=150, deadline=None, database=None, derandomize=True)
        @given(entries())
        def draw(stream: list[RawEntry]) -> None:
            seen.update(fold(*stream)[1])

        draw()
        rejected = ["invalid_amount", "price_required", "empty_order", "invalid_quantity", "unknown_user"]
        rejected += ["unknown_item", "out_of_stock", "insufficient_funds"]
        expected = {"applied", "duplicate"}
        expected |= {f"rejected:{reason}" for reason in rejected}
        expected |= {f"parked:{reason}" for reason in BROKEN_REASONS}
        assert set(seen) == expected

    def test_a_seed_gives_the_same_entries_and_every_outcome(self) -> None:
        stream = seeded_entries(1, 5_000)
        assert seeded_entries(1, 4_000) == stream[:4_000]
        assert seeded_entries(2, 100) != stream[:100]
        model, outcomes = fold(*stream)
        assert set(model.parked) == set(BROKEN_REASONS)
        assert len(model.rejected) == 8
        assert Counter(outcomes)["applied"] > 2_000
        assert model.duplicate > 50
