"""Entries that other programs write, read by a domain that says how their fields are called (`Wire`)."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from esdash.domain import Column, Domain, EventType, Table, Wire
from esdash.fold.folding import Fold
from esdash.fold.loading import load
from esdash.fold.schema import SchemaError
from esdash.fold.sorting import MAX_DEPTH
from esdash.words.entries import describe, payload_of, type_of
from tests.domains.bank import BANK, Opened
from tests.unit.shop import steady

WIRES = Path(__file__).parent / "wires"

ID = b"1795663842629-0"


def as_sent(fields: Mapping[str, str | bytes]) -> list[bytes]:
    """Fields as a client is given them, as the server sends them."""
    return [part.encode() if isinstance(part, str) else part for field in fields.items() for part in field]


def bank_on(**names: str) -> Fold:
    """The bank, its entries' fields called otherwise."""
    return Fold(dataclasses.replace(BANK, wire=Wire(**names)))


def outcome(fold: Fold, *entries: Mapping[str, str | bytes]) -> list[str]:
    """What the fold decides for entries."""
    codes = fold.fold(fold.empty(), [(ID, as_sent(fields)) for fields in entries])
    return [fold.outcomes[code].reason or fold.outcomes[code].name for code in codes]


# What each program appended to a stream when it was run (the race: as the manual of Redis appends it).

FASTSTREAM = (
    {
        "__data__": b'{"data": "{\\"sensor\\":\\"hall\\",\\"celsius\\":\\"21.5\\",\\"ok\\":true}", "headers": '
        b'{"correlation_id": "940664e2-9fba-4af7-9e59-fe4bed3bc84f", "content-type": "application/json", '
        b'"source": "test"}}'
    },
    {
        "__data__": b'{"data": "{\\"sensor\\":\\"\\u043a\\u043e\\u0442 \\\\\\"a\\\\\\"\\",\\"celsius\\":\\"-3\\"}", '
        b'"headers": {"correlation_id": "abc", "content-type": "application/json"}}'
    },
    {"__data__": b'{"data": "plain", "headers": {"correlation_id": "abc", "content-type": "text/plain"}}'},
)

FASTSTREAM_BINARY = {
    "__data__": b"\x89BIN\r\n\x1a\n\x00\x01\x00\x00\x00\x12\x00\x00\x00j\x00\x02\x00\x0ecorrelation_id\x00$6a7f8fc7-"
    b"2bb9-4a7f-b705-51af6fce70e8\x00\x0ccontent-type\x00\x10application/json"
    b'{"sensor":"hall","celsius":"21.5","ok":true}'
}

TASKIQ = (
    {
        "data": b'{"task_id": "eb0f9561c83f40ccafdec3a9551dda4d", "task_name": "bank:deposit", "labels": {}, '
        b'"labels_types": {}, "args": [], "kwargs": {"account": "A-1", "amount": 1250}}'
    },
    {
        "data": b'{"task_id": "523c63f00ec44e5a9c8676a630673cfd", "task_name": "bank:deposit", "labels": {}, '
        b'"labels_types": {}, "args": ["A-2", 99], "kwargs": {}}'
    },
    {
        "data": b'{"task_id": "af6346ac31734b7898610f7f1fa15f8b", "task_name": "bank:close", "labels": '
        b'{"retry_on_error": "True"}, "labels_types": {"retry_on_error": 5}, "args": [], "kwargs": {"account": "A-1"}}'
    },
)

EVENTSOURCE = (
    {
        "event_id": "812afe2f-1d5a-465f-9d42-bdb3592a6500",
        "event_type": "Deposited",
        "aggregate_id": "00000000-0000-0000-0000-000000000007",
        "aggregate_type": "Account",
        "tenant_id": "",
        "occurred_at": "2026-11-26T03:31:25.254835+00:00",
        "payload": '{"event_id":"812afe2f-1d5a-465f-9d42-bdb3592a6500","event_type":"Deposited","event_version":1,'
        '"occurred_at":"2026-11-26T03:31:25.254835Z","aggregate_id":"00000000-0000-0000-0000-000000000007",'
        '"aggregate_type":"Account","aggregate_version":1,"tenant_id":null,"actor_id":null,'
        '"correlation_id":"d1b6dc1f-7e40-4069-9f2c-17cf8308826d","causation_id":null,"metadata":{},'
        '"account":"A-1","amount":1250}',
    },
    {
        "event_id": "e7ddf2b5-3352-4293-9565-78e6ec067487",
        "event_type": "Closed",
        "aggregate_id": "00000000-0000-0000-0000-000000000007",
        "aggregate_type": "Account",
        "tenant_id": "00000000-0000-0000-0000-000000000009",
        "occurred_at": "2026-11-26T03:31:25.256123+00:00",
        "payload": '{"event_id":"e7ddf2b5-3352-4293-9565-78e6ec067487","event_type":"Closed","event_version":1,'
        '"occurred_at":"2026-11-26T03:31:25.256123Z","aggregate_id":"00000000-0000-0000-0000-000000000007",'
        '"aggregate_type":"Account","aggregate_version":1,"tenant_id":"00000000-0000-0000-0000-000000000009",'
        '"actor_id":null,"correlation_id":"293bd460-d1d9-4c42-aae5-24d5fea4863a","causation_id":null,"metadata":{},'
        '"account":"A-1"}',
    },
)

PROTEAN = (
    {
        "data": '{"data": {"account": "A-1", "amount": 1250}, "metadata": {"headers": {"id": "bank::account-A-1-0.1", '
        '"time": "2026-11-26T03:30:43.647521+00:00", "type": "Bank.Deposited.v1", "stream": "bank::account-A-1", '
        '"traceparent": null, "idempotency_key": null, "deadline": null}, "envelope": {"specversion": "1.0", '
        '"checksum": "cd863486d79fd644da6c4972f658e0b943037394b13836dbf20458adfee739bf"}, "domain": {"fqn": '
        '"__main__.Deposited", "kind": "EVENT", "origin_stream": null, "stream_category": "bank::account", '
        '"version": 1, "sequence_id": "0.1", "asynchronous": true, "expected_version": -1, "priority": 0, '
        '"correlation_id": null, "causation_id": null}, "event_store": null, "extensions": {}}}'
    },
    {
        "data": '{"data": {"account": "A-1"}, "metadata": {"headers": {"id": "bank::account-A-1-0.2", "time": '
        '"2026-11-26T03:30:43.648543+00:00", "type": "Bank.Closed.v1", "stream": "bank::account-A-1", "traceparent": '
        'null, "idempotency_key": null, "deadline": null}, "domain": {"fqn": "__main__.Closed", "kind": "EVENT", '
        '"origin_stream": null, "stream_category": "bank::account", "version": 1, "sequence_id": "0.2", '
        '"correlation_id": null, "causation_id": null}, "envelope": {"specversion": "1.0"}}}'
    },
)

RACE = (
    {"rider": "Castilla", "speed": "30.2", "position": "1", "location_id": "1"},
    {"rider": "Norem", "speed": "28.8", "position": "3", "location_id": "1"},
    {"rider": "Castilla", "speed": "29.9", "position": "1", "location_id": "2"},
)


def domain_of(name: str) -> Fold:
    """The fold of a file in `wires`."""
    return load(str(WIRES / f"{name}.py"))


def folded(name: str, entries: tuple[Mapping[str, Any], ...]) -> tuple[list[str], dict[str, list[dict[Any, Any]]]]:
    """What is decided for entries, and the tables then."""
    fold = domain_of(name)
    state = fold.empty()
    codes = fold.fold(state, [(ID, as_sent(fields)) for fields in entries])
    return [fold.outcomes[code].reason or fold.outcomes[code].name for code in codes], fold.cells_of(state)


class TestOtherPrograms:
    """Each with a domain of a few lines."""

    def test_faststream(self) -> None:
        decided, tables = folded("faststream", FASTSTREAM)
        assert decided == ["applied", "applied", "invalid_data"]
        assert tables == {"sensors": [{"hall": 215, 'кот "a"': -30}]}

    def test_what_faststream_writes_in_its_binary_format_is_parked(self) -> None:
        decided, tables = folded("faststream", (FASTSTREAM_BINARY, FASTSTREAM[0]))
        assert decided == ["unknown_type", "applied"]
        assert tables == {"sensors": [{"hall": 215}]}

    def test_taskiq(self) -> None:
        decided, tables = folded("taskiq", TASKIQ)
        assert decided == ["applied", "invalid_data", "applied"]
        assert tables == {"accounts": [{}]}

    def test_eventsource(self) -> None:
        deposited, closed = EVENTSOURCE
        decided, tables = folded("eventsource", (deposited, deposited, closed, closed))
        assert decided == ["applied", "duplicate", "applied", "duplicate"]
        assert tables == {"accounts": [{}]}

    def test_protean(self) -> None:
        decided, tables = folded("protean", (*PROTEAN, PROTEAN[0]))
        assert decided == ["applied", "applied", "applied"]
        assert tables == {"accounts": [{"A-1": 1250}]}

    def test_entries_written_by_hand(self) -> None:
        decided, tables = folded("race", RACE)
        assert decided == ["applied"] * 3
        assert tables == {"riders": [{"Castilla": 1, "Norem": 3}, {"Castilla": 299, "Norem": 288}]}

    @pytest.mark.parametrize(
        ("name", "entry", "kind", "line"),
        [
            ("faststream", FASTSTREAM[0], "Envelope", "sensor hall · celsius 21.5 · ok yes"),
            ("taskiq", TASKIQ[0], "Task", "account A-1 · amount 1250"),
            ("eventsource", EVENTSOURCE[1], "Closed", "account A-1"),
            ("protean", PROTEAN[1], "Message", "account A-1"),
            ("race", RACE[0], "Passed", "rider Castilla · speed 30.2 · position 1 · location id 1"),
        ],
    )
    def test_are_told_in_the_log(self, name: str, entry: Mapping[str, Any], kind: str, line: str) -> None:
        fold = domain_of(name)
        assert type_of(fold, as_sent(entry)) == kind
        assert describe(fold, as_sent(entry)) == line

    def test_the_payload_is_the_field_that_holds_it(self) -> None:
        assert payload_of(domain_of("eventsource"), as_sent(EVENTSOURCE[0])) == EVENTSOURCE[0]["payload"].encode()
        assert json.loads(payload_of(domain_of("race"), as_sent(RACE[0]))) == RACE[0]

    @pytest.mark.parametrize(
        ("name", "names"),
        [
            ("faststream", []),
            ("taskiq", []),
            ("protean", []),
            ("eventsource", ["Deposited", "Closed"]),
            ("race", ["Passed"]),
        ],
    )
    def test_what_could_not_be_read_again_is_not_offered_for_publishing(self, name: str, names: list[str]) -> None:
        assert [each.wire_name for each in domain_of(name).publishable] == names


OPENED = '{"account":"A","owner":"Ann"}'


class TestOtherNames:
    """Type, payload, key and version in fields that are called otherwise."""

    def test_of_all_fields(self) -> None:
        fold = bank_on(type="kind", data="body", key="dedup", v="schema")
        entry = {"kind": "Opened", "body": OPENED, "dedup": "k1", "schema": "1"}
        assert outcome(fold, entry, entry, entry | {"dedup": "k2"}) == ["applied", "duplicate", "already_open"]
        assert outcome(fold, entry | {"schema": "2"}) == ["unsupported_version"]
        assert outcome(fold, entry | {"v": "2", "type": "X", "key": ""}) == ["applied"]
        assert outcome(fold, {"type": "Opened", "data": OPENED}) == ["missing_field"]

    def test_no_key(self) -> None:
        entry = {"type": "Opened", "data": OPENED, "key": "k1"}
        assert outcome(bank_on(key=""), entry, entry) == ["applied", "already_open"]
        assert bank_on(key="").fields("Opened", b"{}", b"k1") == [b"type", b"Opened", b"data", b"{}"]

    def test_no_version(self) -> None:
        entry = {"type": "Opened", "data": OPENED, "v": "9"}
        assert outcome(bank_on(v=""), entry) == ["applied"]
        assert outcome(bank_on(v=""), {"type": "Opened", "data": OPENED, "": "9"}) == ["applied"]

    def test_fields_without_a_name_stand_for_nothing(self) -> None:
        assert outcome(bank_on(data="", key="", v=""), {"": "Opened"}) == ["missing_field"]
        fold = bank_on(data="", key="", v="")
        assert fold.read([b"", b"Opened", b"", OPENED.encode()]).event is None
        (code,) = fold.fold(fold.empty(), [(ID, [b"", b"Opened", b"", OPENED.encode()])])
        assert fold.outcomes[code].reason == "missing_field"
        (code,) = bank_on(key="").fold(
            fold.empty(), [(ID, [b"type", b"Opened", b"data", OPENED.encode(), b"", b"x" * 200])]
        )
        assert fold.outcomes[code].name == "applied"

    def test_only_one_type(self) -> None:
        fold = bank_on(only="Opened", data="body")
        assert outcome(fold, {"body": OPENED}, {"type": "Transferred", "body": OPENED}) == ["applied", "already_open"]
        assert outcome(fold, {"type": "Opened", "data": OPENED}) == ["missing_field"]
        assert [each.wire_name for each in fold.publishable] == ["Opened"]


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Part(Struct, frozen=True):
    name: str
    count: int = 1
    note: str | None = None


class Everything(Struct, frozen=True, kw_only=True, rename="camel"):
    """Every kind of field."""

    whole_number: int
    text: str
    yes: bool
    price: Decimal
    at: datetime
    size: Size
    level: Literal[1, 2]
    side: Literal["left", "null"]
    maybe: int | None
    limit: int | None = 7
    open: bool | None = True
    note: str | None = None
    part: Part
    other: Part | None = None
    parts: list[Part]
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class EverythingAsDataclass:
    """Every kind of field."""

    whole_number: int
    text: str
    yes: bool
    price: Decimal
    at: datetime
    size: Size
    level: Literal[1, 2]
    side: Literal["left", "null"]
    maybe: int | None
    part: Part
    parts: list[Part]
    limit: int | None = 7
    open: bool | None = True
    note: str | None = None
    other: Part | None = None
    tags: tuple[str, ...] = ()


class PydanticPart(pydantic.BaseModel):
    name: str
    count: int = 1
    note: str | None = None


class EverythingAsPydantic(pydantic.BaseModel):
    """Every kind of field."""

    whole_number: int = pydantic.Field(alias="wholeNumber")
    text: str
    yes: bool
    price: Decimal
    at: datetime
    size: Size
    level: Literal[1, 2]
    side: Literal["left", "null"]
    maybe: int | None
    limit: int | None = 7
    open: bool | None = True
    note: str | None = None
    part: PydanticPart
    other: PydanticPart | None = None
    parts: list[PydanticPart]
    tags: tuple[str, ...] = ()


def apply(state: Any, event: Any) -> None:
    """Nothing comes of it."""


def fold_with(model: type, wire: Wire) -> Fold:
    """A domain of one event."""
    return Fold(Domain("any", "1", (Table("t", "row", str, (Column("c"),)),), (EventType(model, apply),), wire=wire))


def parts(model: Callable[..., Any]) -> st.SearchStrategy[Any]:
    return st.builds(model, name=st.text(max_size=5), count=st.integers(), note=st.none() | st.text(max_size=3))


def members(part: Callable[..., Any]) -> dict[str, st.SearchStrategy[Any]]:
    """A value of every field."""
    return {
        "whole_number": st.integers(),
        "text": st.text(max_size=20) | st.sampled_from(["null", "5", "true", "{}", '["a"]']),
        "yes": st.booleans(),
        "price": st.decimals(allow_nan=False, allow_infinity=False),
        "at": st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3, minutes=-30))])),
        "size": st.sampled_from(Size),
        "level": st.sampled_from([1, 2]),
        "side": st.sampled_from(["left", "null"]),
        "maybe": st.none() | st.integers(),
        "limit": st.none() | st.integers(),
        "open": st.none() | st.booleans(),
        "note": st.none() | st.text(max_size=5) | st.just("null"),
        "part": parts(part),
        "other": st.none() | parts(part),
        "parts": st.lists(parts(part), max_size=3),
        "tags": st.lists(st.text(max_size=3), max_size=3).map(tuple),
    }


EVENTS = st.one_of(
    st.builds(Everything, **members(Part)),
    st.builds(EverythingAsDataclass, **members(Part)),
    st.fixed_dictionaries(members(PydanticPart)).map(
        lambda found: EverythingAsPydantic(**found | {"wholeNumber": found["whole_number"]})
    ),
)

WIRINGS = [
    Wire(),
    Wire(type="kind", data="body", key="dedup", v="schema"),
    Wire(key="", v=""),
    Wire(data=""),
    Wire(type="kind", data="", key="dedup", v=""),
]


@pytest.mark.parametrize("wire", [*WIRINGS, *(dataclasses.replace(wire, only="only") for wire in WIRINGS)])
@steady(20)
@given(event=EVENTS)
def test_what_is_published_is_read_as_the_same_event(wire: Wire, event: Any) -> None:
    name = type(event).__name__
    fold = fold_with(type(event), dataclasses.replace(wire, only=name if wire.only else ""))
    fields = fold.fields(*fold.encode(event), b"k1")
    assert fold.read(fields) == (None, fold.domain.events[0], event)
    codes = fold.fold(fold.empty(), [(ID, fields), (ID, fields)])
    assert [fold.outcomes[code].name for code in codes] == ["applied", "duplicate" if wire.key else "applied"]


class Reading(Struct, frozen=True):
    """What a sensor said."""

    sensor: str
    value: Decimal
    count: int = 0
    ok: bool = True
    limit: int | None = None
    parts: list[Part] = []


READINGS = fold_with(Reading, Wire(data="", only="Reading"))


def reading(**fields: str | bytes) -> Any:
    """The event of an entry whose fields are members."""
    return READINGS.read(as_sent({"sensor": "a", "value": "1", **fields})).event


class TestMembersAsFields:
    """`data=""`: the members of an event are fields of the entry, as text."""

    def test_a_model_that_is_strict_is_read_leniently_as_well(self) -> None:
        class Strict(pydantic.BaseModel):
            model_config = pydantic.ConfigDict(strict=True)

            count: int
            ok: bool
            value: Decimal

        fold = fold_with(Strict, Wire(data="", only="Strict"))
        read = fold.read(as_sent({"count": "5", "ok": "true", "value": "1.5"}))
        assert read.event == Strict(count=5, ok=True, value=Decimal("1.5"))
        assert fold.read(as_sent({"count": "five", "ok": "true", "value": "1.5"})).event is None

    @pytest.mark.parametrize(
        ("field", "text", "value"),
        [
            ("count", "5", 5),
            ("count", "-5", -5),
            ("count", "5.0", 5),
            ("ok", "true", True),
            ("ok", "True", True),
            ("ok", "0", False),
            ("value", "1.50", Decimal("1.50")),
            ("value", "3", Decimal(3)),
            ("limit", "null", None),
            ("limit", "12", 12),
            ("sensor", "12", "12"),
            ("sensor", "null", "null"),
            ("parts", '[{"name":"x","count":"2"}]', [Part("x", 2)]),
            ("parts", "[]", []),
        ],
    )
    def test_a_text_stands_for_what_the_model_wants(self, field: str, text: str, value: object) -> None:
        assert getattr(reading(**{field: text}), field) == value

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("count", ""),
            ("count", "x"),
            ("count", "1.5"),
            ("ok", "perhaps"),
            ("value", "NaN"),
            ("limit", ""),
            ("parts", "x"),
            ("parts", '{"name":"x"}'),
            ("parts", ""),
            ("sensor", b"\xff"),
            ("parts", b"\xff"),
        ],
    )
    def test_what_it_cannot_stand_for_is_parked(self, field: str, text: str | bytes) -> None:
        assert reading(**{field: text}) is None
        entry = {"sensor": "a", "value": "1", field: text}
        assert outcome(READINGS, entry) == ["invalid_data"]

    def test_a_decimal_within_a_text_has_every_digit(self) -> None:
        @dataclasses.dataclass(frozen=True)
        class Line:
            price: Decimal

        class Sold(Struct, frozen=True):
            lines: list[Line]

        class Paid(pydantic.BaseModel):
            class Line(pydantic.BaseModel):
                price: Decimal

            lines: list[Line]

        prices = ["12345678901234567.89", "1.10", "1e400"]
        text = "[" + ",".join(f'{{"price":{price}}}' for price in prices) + "]"
        for model in (Sold, Paid):
            fold = fold_with(model, Wire(data="", only=model.__name__))
            event = fold.read(as_sent({"lines": text})).event
            assert [str(line.price) for line in event.lines] == [str(Decimal(price)) for price in prices]
            assert fold.read(as_sent({"lines": '[{"price":1e9999999999999999999999}]'})).event is None

    def test_any_other_field_is_ignored(self) -> None:
        assert reading(trace=b"\xff\x00", type="X", at="now") == Reading("a", Decimal(1))
        assert READINGS.read([b"sensor", b"a", b"value", b"1", b"\xff", b"x"]).event == Reading("a", Decimal(1))

    def test_of_a_field_given_twice_the_last_counts(self) -> None:
        assert READINGS.read([b"sensor", b"a", b"value", b"1", b"sensor", b"b"]).event == Reading("b", Decimal(1))

    def test_key_and_version_are_no_members(self) -> None:
        entry = {"sensor": "a", "value": "1", "key": "k", "v": "1"}
        assert outcome(READINGS, entry, entry, entry | {"v": "2"}) == ["applied", "duplicate", "unsupported_version"]
        assert json.loads(payload_of(READINGS, as_sent(entry))) == {"sensor": "a", "value": "1"}

    def test_how_deep_a_text_may_be_nested_does_not_depend_on_who_asks(self) -> None:
        def asked_from(depth: int, text: str) -> Any:
            return asked_from(depth - 1, text) if depth else reading(parts=text)

        for levels, stands in ((MAX_DEPTH - 2, True), (MAX_DEPTH + 1, False), (900, False)):
            text = '[{"name":"x","unknown":' + "[" * (levels - 2) + "]" * (levels - 2) + "}]"
            assert (reading(parts=text) is not None) is stands
            assert asked_from(300, text) == reading(parts=text)

    def test_a_payload_that_is_no_object_is_no_event(self) -> None:
        event, why = READINGS.decode(READINGS.domain.events[0], b"[]")
        assert event is None
        assert why

    def test_one_that_is_too_large_is_parked(self) -> None:
        assert outcome(READINGS, {"sensor": "a" * 70_000, "value": "1"}) == ["too_large"]

    def test_a_forbidding_model_forbids(self) -> None:
        class Strict(Struct, frozen=True, forbid_unknown_fields=True):
            sensor: str

        fold = fold_with(Strict, Wire(data="", only="Strict"))
        assert outcome(fold, {"sensor": "a"}, {"sensor": "a", "b": "c"}) == ["applied", "invalid_data"]


class Keyed(Struct, frozen=True):
    key: str


class Typed(Struct, frozen=True):
    kind: Annotated[str, Meta(max_length=9)] = msgspec.field(name="type")


class Sayable(Struct, frozen=True):
    note: str | None


class Defaulted(Struct, frozen=True):
    note: str | None = "x"


@pytest.mark.parametrize(
    ("model", "wire", "sentence"),
    [
        (Keyed, Wire(data=""), r"Keyed.key would be the field key .* Wire\(key=\)"),
        (Typed, Wire(data=""), r"Typed.kind would be the field type .* Wire\(type=\)"),
        (Sayable, Wire(data=""), "Sayable.note may be None, which no text says"),
        (Defaulted, Wire(data=""), "Defaulted.note may be None, which no text says"),
    ],
)
def test_what_the_fields_of_an_entry_cannot_say_is_refused(model: type, wire: Wire, sentence: str) -> None:
    with pytest.raises(SchemaError, match=sentence):
        fold_with(model, wire)


@pytest.mark.parametrize(
    ("model", "wire"),
    [
        (Keyed, Wire()),
        (Keyed, Wire(data="", key="dedup")),
        (Keyed, Wire(data="", key="")),
        (Typed, Wire(data="", only="Typed")),
        (Sayable, Wire()),
        (Opened, Wire(data="")),
    ],
)
def test_what_they_can_say_is_not(model: type, wire: Wire) -> None:
    assert fold_with(model, wire).publishable
