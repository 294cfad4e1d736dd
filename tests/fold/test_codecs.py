"""Entries of FastStream, Watermill, Dapr and other senders of CloudEvents, and Debezium, opened by codecs."""

import json
from typing import Any

import msgspec
import pytest

from esdash.domain import CLOUDEVENTS, DEBEZIUM, FASTSTREAM, WATERMILL, Codec, Column, Domain, EventType, Table
from esdash.fold import sorting
from esdash.fold.codecs import sorting as opening
from esdash.fold.declaration import check
from esdash.fold.schema import SchemaError
from esdash.words.entries import describe, payload_of, type_of
from tests.domains import CUSTOMERS, ROOMS, SENSORS
from tests.fold.codecs import DOMAINS, ID, RAW_FOLD, READING, Said, apply, cloud_event, domain, outcome, with_wire
from tests.samples import samples


def decided(program: str) -> dict[str, tuple[str, str, bytes | None]]:
    """Of each sample by itself: its type, outcome and key."""
    fold = domain(DOMAINS[program])
    found = samples(program).entries
    return {what: (type_of(fold, each), outcome(fold, each)[0], fold.keys.of(each)) for what, each in found.items()}


class TestSamples:
    """Each as the program wrote it, in a domain of a few lines."""

    def test_faststream(self) -> None:
        assert decided("faststream") == {
            "JSON": ("Reading", "applied", None),
            "headers": ("Reading", "applied", b"m-1"),
            "a reply is wanted": ("Reading", "applied", None),
            "beyond ASCII": ("Reading", "applied", None),
            "a header beyond ASCII": ("Reading", "applied", None),
            "text": ("Reading", "invalid_data", None),
            "bytes": ("Reading", "invalid_data", None),
            "nothing": ("Reading", "invalid_data", None),
        }

    def test_cloudevents(self) -> None:
        reading, cleared = "com.example.reading", "com.example.cleared"
        assert decided("cloudevents") == {
            "structured: JSON": (reading, "applied", b"/sensors e-1"),
            "binary: JSON": (reading, "applied", b"/sensors e-1"),
            "structured: all attributes": (reading, "applied", b"/sensors e-2"),
            "binary: all attributes": (reading, "applied", b"/sensors e-2"),
            "structured: text": (reading, "invalid_data", b"/sensors e-3"),
            "structured: bytes": (reading, "invalid_data", b"/sensors e-4"),
            "binary: bytes": (reading, "invalid_data", b"/sensors e-4"),
            "structured: no data": (cleared, "applied", b"/sensors e-5"),
        }

    def test_dapr(self) -> None:
        """Its own type, which no event of this domain has; what it sends raw is no CloudEvent."""
        sent = "com.dapr.event.sent"
        assert decided("dapr") == {
            "JSON": (sent, "unknown_type", b"checkout 5929aaac-a5e2-4ca1-859c-edfe73f11565"),
            "metadata": (sent, "unknown_type", b"checkout e-2"),
            "text": (sent, "unknown_type", b"checkout e-3"),
            "bytes": (sent, "unknown_type", b"checkout e-4"),
            "raw payload": ("", "missing_field", None),
        }
        fold = with_wire(CLOUDEVENTS.but(only="Reading"))
        entries = samples("dapr").entries
        assert outcome(fold, entries["JSON"], entries["metadata"]) == ["applied", "applied"]

    def test_watermill(self) -> None:
        assert decided("watermill") == {
            "CQRS": ("orders.Placed", "applied", b"5d1a0f0e-4c37-4f0e-9d39-0c9ab0a45d3e"),
            "another order of fields": ("orders.Closed", "unknown_order", b"0b1f"),
            "no metadata": ("", "missing_field", b"7c2e"),
            "no id": ("orders.Placed", "applied", None),
            "long metadata": ("orders.Placed", "applied", b"9f3a"),
            "no JSON": ("orders.Placed", "invalid_data", b"1d4b"),
        }

    def test_debezium(self) -> None:
        assert decided("debezium") == {
            "compact: created, schema": ("customers", "applied", None),
            "compact: updated": ("customers", "applied", None),
            "compact: deleted": ("customers", "applied", None),
            "compact: tombstone": ("tombstone", "applied", None),
            "extended: created, schema": ("customers", "applied", None),
            "extended: updated": ("customers", "applied", None),
            "extended: tombstone": ("tombstone", "applied", None),
            "extended: truncated": ("customers", "applied", None),
            "extended: message": ("message", "unknown_type", None),
            "extended: transaction": ("transaction", "unknown_type", None),
            "compact: row alone": ("customers", "invalid_data", None),
        }

    def test_a_database_is_followed(self) -> None:
        fold = domain(CUSTOMERS)
        state = fold.empty()
        entries = samples("debezium").entries
        seen = []
        for what in ("compact: created, schema", "compact: updated", "compact: deleted", "compact: tombstone"):
            fold.fold(state, [(ID, entries[what])])
            seen.append(dict(fold.cells_of(state)["customers"][1]))
        assert seen == [{1: "Anne"}, {1: "Anne Marie"}, {}, {}]

    @pytest.mark.parametrize("program", DOMAINS)
    def test_another_process_sorts_them_alike(self, program: str) -> None:
        fold = domain(DOMAINS[program])
        entries = [(b"%d-0" % number, fields) for number, fields in enumerate(samples(program).entries.values(), 1)]
        module, _, argument = fold.packing.partition(":packer(")
        assert module == opening.__name__
        packed = opening.packer(argument.removesuffix(")"))(entries)
        assert sorting.from_bytes(packed) == fold.sorter.sort(entries)

    def test_what_the_rest_of_an_entry_says_is_no_part_of_the_event(self) -> None:
        fold = domain(ROOMS)
        first = samples("cloudevents").entries["structured: all attributes"]
        assert describe(fold, first) == "sensor hall · celsius 21.5"
        assert json.loads(payload_of(fold, first)) == {"sensor": "hall", "celsius": "21.5"}


class TestNames:
    """A codec says which header is the type, the key, the version; or that there is one type only."""

    def test_of_headers(self) -> None:
        fold = with_wire(FASTSTREAM.but(type="x-type", key="x-key", v="x-v"))
        fields = fold.fields("Reading", b"{}", b"k1")
        assert outcome(fold, fields, fields) == ["applied", "duplicate"]
        assert outcome(with_wire(FASTSTREAM), fields) == ["missing_field"]
        assert fold.sorter.version_of(fields) == b"1"
        assert with_wire(FASTSTREAM).sorter.version_of(fields) == b""

    def test_of_a_version(self) -> None:
        wire = WATERMILL.but(v="version")
        fields = with_wire(wire, v="2").fields("Reading", b"{}", b"k1")
        assert outcome(with_wire(wire, v="2"), fields) == ["applied"]
        assert outcome(with_wire(wire), fields) == ["unsupported_version"]

    def test_an_older_form_in_messagepack(self) -> None:
        fold = with_wire(CLOUDEVENTS)
        for wire in (FASTSTREAM, WATERMILL, CLOUDEVENTS):
            fold = with_wire(wire)
            packed = msgspec.msgpack.encode({"celsius": "21.5"})
            assert fold.read(fold.fields("Reading", packed, b"k")).event == Said("21.5")

    @pytest.mark.parametrize(
        ("wire", "sentence"),
        [
            ("faststream", "a domain's wire is a Wire"),
            (Codec("kafka", type="t"), "no program is called 'kafka'; there are faststream, watermill"),
            (Codec("faststream"), "nothing says the type of an entry"),
            (
                Codec("faststream", type=7),  # type: ignore[arg-type]
                "what a codec names are texts",
            ),
            (FASTSTREAM.but(only="Other"), "the wire has only Other, which is no event type"),
        ],
    )
    def test_that_cannot_be_are_told(self, wire: Any, sentence: str) -> None:
        events = (EventType(Said, apply, name="Reading"),)
        with pytest.raises(SchemaError, match=sentence):
            check(Domain("any", "1", (Table("t", "row", str, (Column("c"),)),), events, wire=wire))


class TestKeys:
    def test_an_event_is_identified_by_source_and_id_together(self) -> None:
        fold = with_wire(CLOUDEVENTS)
        one, other = (cloud_event(source=source) for source in ("/a", "/b"))
        assert outcome(fold, one, other, one) == ["applied", "applied", "duplicate"]
        assert outcome(fold, cloud_event(id=None), cloud_event(id=None)) == ["applied", "applied"]

    def test_what_is_published_again_has_the_identity_that_it_had(self) -> None:
        fold = with_wire(CLOUDEVENTS)
        first = cloud_event(source="/a")
        again = fold.fields("Reading", payload_of(fold, first), fold.keys.of(first))
        assert json.loads(again[1])["source"] == "esdash"
        assert outcome(fold, first, again) == ["applied", "duplicate"]

    def test_one_that_is_long_counts_by_its_hash(self) -> None:
        fold = with_wire(CLOUDEVENTS)
        one, other = (cloud_event(source=f"/{'a' * 500}{each}") for each in "ab")
        assert outcome(fold, one, other, one) == ["applied", "applied", "duplicate"]
        assert len(fold.keys.of(one) or b"") == 32

    def test_a_correlation_is_shared_by_many_messages_and_is_none(self) -> None:
        fold = with_wire(FASTSTREAM.but(only="Reading"))
        fields = samples("faststream").entries["JSON"]
        assert outcome(fold, fields, fields) == ["applied", "applied"]

    @pytest.mark.parametrize("wire", [FASTSTREAM, WATERMILL, CLOUDEVENTS])
    def test_are_found_where_only_they_are_kept(self, wire: Codec) -> None:
        fold = with_wire(wire)
        fields = fold.fields("Reading", b"{}", b"k1")
        assert fold.keys.of(fields) == b"k1"
        assert fold.keys.of(fold.keys.alone(fields)) == b"k1"
        assert fold.keys.of(fold.fields("Reading", b"{}", None)) is None
        assert fold.keys.alone([b"\0key", b"x" * 200]) == ()


class TestForms:
    """Less usual ones."""

    def test_a_cloudevent_in_a_field_of_any_name(self) -> None:
        (_, value) = cloud_event(data={"celsius": "1"})
        fold = with_wire(CLOUDEVENTS)
        for fields in ([b"event", value], [b"a", b"{}", b"ce", b" \n" + value], [b"data", b"{}", b"value", value]):
            assert fold.read(fields).event == Said("1"), fields
            assert type_of(RAW_FOLD, fields) == "Reading"
        assert type_of(RAW_FOLD, [b"event", b'{"a":1}']) == "event", "an object is no name of a type"
        assert type_of(RAW_FOLD, [b"type", b"Own", b"data", value]) == "Own", "a field that says it goes first"

    @pytest.mark.parametrize("prefix", [b"", b"ce_", b"ce-"])
    @pytest.mark.parametrize("payload", [b"data", b"event_data", b"value", b"payload", b"body"])
    def test_a_flat_cloudevent(self, prefix: bytes, payload: bytes) -> None:
        attributes = {b"specversion": b"1.0", b"id": b"1", b"source": b"/s", b"type": b"Reading"}
        flat = [part for name, value in attributes.items() for part in (prefix + name, value)]
        fold = with_wire(CLOUDEVENTS)
        fields = [*flat, payload, b'{"celsius":"1"}']
        assert fold.read(fields).event == Said("1")
        assert fold.keys.of(fields) == b"/s 1"
        assert fold.read(flat).event == Said("")
        assert type_of(RAW_FOLD, fields) == "Reading"

    def test_data_of_a_cloudevent_that_is_json_in_a_text(self) -> None:
        fold = with_wire(CLOUDEVENTS)
        assert fold.read(cloud_event(data='{"celsius":"1"}')).event == Said("1")
        assert fold.read(cloud_event(data=None)).event == Said("")
        assert fold.read(cloud_event(data=None, data_base64="eyJjZWxzaXVzIjoiMSJ9")).event == Said("1")

    def test_the_json_of_older_faststreams_and_what_is_no_message_of_its(self) -> None:
        fold = domain(SENSORS)
        text = READING.decode()
        old = json.dumps({"data": text, "headers": {"message_id": "m-1", "n": 1}}).encode()
        assert fold.keys.of([b"__data__", old]) == b"m-1"
        for value in (old, json.dumps({"data": text}).encode(), READING):
            assert outcome(fold, [b"__data__", value]) == ["applied"], value
        assert outcome(fold, [b"__data__", b'{"data":7}'], [b"__data__", b'{"data":"\\ud800"}']) == ["invalid_data"] * 2

    def test_of_a_field_given_twice_the_last_counts(self) -> None:
        (_, value) = samples("faststream").entries["JSON"]
        assert outcome(domain(SENSORS), [b"__data__", b"x", b"__data__", value]) == ["applied"]

    def test_a_change_of_a_document_and_of_a_schema(self) -> None:
        fold = with_wire(DEBEZIUM)
        of_document = {"op": "c", "source": {"db": "d", "collection": "Reading"}, "ts_ms": 1, "after": "{}"}
        assert outcome(fold, [b"{}", json.dumps(of_document).encode()]) == ["applied"]
        ddl = {"ddl": "DROP TABLE x", "source": {"table": "x"}, "ts_ms": 1}
        assert type_of(fold, [b"{}", json.dumps(ddl).encode()]) == "schema_change"
