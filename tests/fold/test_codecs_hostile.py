"""Entries of other programs that no program wrote: parked, whatever they hold."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.fold.codecs.faststream import MAGIC
from esdash.fold.codecs.opening import MAX_ENVELOPE
from esdash.fold.sorting import MAX_DATA, MAX_DEPTH
from esdash.words.entries import describe, payload_of, type_of
from tests.domains import CUSTOMERS
from tests.fold.codecs import DOMAINS, ID, PLACED_A, RAW_FOLD, cloud_event, domain, message, outcome
from tests.samples import samples


class TestParking:
    """What cannot be opened is parked, with the reasons that every wire has."""

    @pytest.mark.parametrize(
        ("program", "fields", "reason"),
        [
            ("faststream", [b"data", b"{}"], "missing_field"),
            ("faststream", [b"__data__", MAGIC], "invalid_data"),
            ("faststream", [b"__data__", MAGIC + b"\0\2" + b"\0" * 20], "invalid_data"),
            ("faststream", message(b"", 60_000), "invalid_data"),
            ("faststream", message(b"", 0, start=2**31), "invalid_data"),
            ("faststream", message(b"", 0, b"[" * (MAX_DEPTH + 1)), "invalid_data"),
            ("faststream", message(b"", 0, b'{"a":' * 600 + b"1" + b"}" * 600), "invalid_data"),
            ("faststream", message(b"", 0, b"x" * (MAX_DATA + 1)), "too_large"),
            ("faststream", [b"__data__", b"x" * (MAX_ENVELOPE + 1)], "too_large"),
            ("watermill", [b"payload", PLACED_A], "missing_field"),
            ("watermill", [b"_watermill_message_uuid", b"1", b"metadata", b"\x81"], "invalid_data"),
            ("watermill", [b"_watermill_message_uuid", b"1", b"metadata", b"\x81\xa1a\x01"], "invalid_data"),
            ("watermill", [b"_watermill_message_uuid", b"1", b"metadata", b"x" * (MAX_DATA + 1)], "too_large"),
            ("watermill", [b"_watermill_message_uuid", b"1"], "missing_field"),
            ("cloudevents", [b"data", b"{}"], "missing_field"),
            ("cloudevents", [b"data", b'{"specversion":"1.0",'], "invalid_data"),
            ("cloudevents", [b"data", b'{"specversion":"1.0","data_base64":"*"}'], "invalid_data"),
            ("cloudevents", [b"data", b'{"specversion":"1.0","type":"\\ud800"}'], "invalid_data"),
            ("cloudevents", cloud_event(type=None), "missing_field"),
            ("cloudevents", cloud_event(type="Other"), "unknown_type"),
            ("cloudevents", cloud_event(data={"a": "x" * MAX_DATA}), "too_large"),
            ("cloudevents", cloud_event(data={"a": "x" * MAX_ENVELOPE}), "too_large"),
            ("cloudevents", [b"data", b'{"specversion":' + b"[" * 100_000], "invalid_data"),
            ("debezium", [b"a", b"1", b"b", b"2"], "missing_field"),
            ("debezium", [b"key", b"{}", b"value", b"7"], "invalid_data"),
            ("debezium", [b"{", b"{}"], "missing_field"),
            ("debezium", [b"{", b"default"], "invalid_data"),
            ("debezium", [b"{}", b'{"op":null,"ts_ms":1,"__table":"customers"}'], "invalid_data"),
            ("debezium", [b"{}", b"{}"], "missing_field"),
            ("debezium", [b"{}", b'{"op":"c","source":7}'], "invalid_data"),
            ("debezium", [b"{}", b'{"op":"c","source":{"table":"other"}}'], "unknown_type"),
            ("debezium", [b"{}", b'{"schema":{},"payload":' + b"[" * 100_000], "invalid_data"),
        ],
    )
    def test_the_reason(self, program: str, fields: list[bytes], reason: str) -> None:
        fold = domain(DOMAINS[program])
        assert outcome(fold, fields) == [reason]
        assert fold.sorter.type_of(fields) is not None
        assert isinstance(fold.sorter.payload_of(fields), bytes)

    def test_a_schema_may_be_larger_than_any_payload(self) -> None:
        """Debezium sends one with each row."""
        (_, value) = samples("debezium").entries["compact: created, schema"]
        event = json.loads(value)
        event["schema"]["padding"] = "x" * 2 * MAX_DATA
        assert outcome(domain(CUSTOMERS), [b"{}", json.dumps(event).encode()]) == ["applied"]


ALL = [fields for program in DOMAINS for fields in samples(program).entries.values()]

FOLDS = [domain(path) for path in dict.fromkeys(DOMAINS.values())]


@st.composite
def broken(draw: Callable[..., Any]) -> list[bytes]:
    """A sample of which something is cut, changed or put elsewhere."""
    fields = list(draw(st.sampled_from(ALL)))
    place = draw(st.integers(0, len(fields) - 1))
    value = fields[place]
    start, end = sorted((draw(st.integers(0, len(value))), draw(st.integers(0, len(value)))))
    middle = draw(st.binary(max_size=8) | st.sampled_from([b"", b"\xff\xff\xff\xff", b'"', b"{", b"null", b"\\ud800"]))
    fields[place] = value[:start] + middle + value[end if draw(st.booleans()) else start :]
    return fields


class TestHostileBytes:
    """Nothing that an entry holds raises."""

    @given(broken() | st.lists(st.binary(max_size=30), max_size=4).map(lambda each: each + each))
    def test_of_any_kind(self, fields: list[bytes]) -> None:
        for fold in (*FOLDS, RAW_FOLD):
            outcome(fold, fields)
            fold.read(fields)
            type_of(fold, fields).encode("utf-8", "strict")
            describe(fold, fields)
            payload_of(fold, fields)
            fold.keys.of(fields)
            fold.sorter.envelope(fields)
            fold.sorter.version_of(fields)

    @given(broken())
    def test_what_is_understood_is_told(self, fields: list[bytes]) -> None:
        for fold in FOLDS:
            read = fold.read(fields)
            if read.type is not None:
                assert type_of(fold, fields) == read.type.wire_name
                assert fold.sorter.open(fields)[2] == fold.keys.of(fields)

    @given(broken())
    def test_a_page_is_sorted_as_each_entry_alone(self, fields: list[bytes]) -> None:
        plain = [b"type", b"x", b"data", b"{}"]
        for fold in (*FOLDS, RAW_FOLD):
            alone = fold.sorter.sort([(ID, fields)])
            among = fold.sorter.sort([(ID, plain), (ID, fields), (ID, plain)])
            assert alone.kinds[0] == among.kinds[1]
            if fold is RAW_FOLD:
                assert alone.groups[0][0] == among.groups[0][1]
