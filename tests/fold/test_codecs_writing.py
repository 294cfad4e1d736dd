"""What esdash writes among the entries of other programs, and their own libraries, where they are installed."""

import json

import pytest

from esdash.domain import CLOUDEVENTS, FASTSTREAM, WATERMILL, Codec, Domain, EventType, Wire
from esdash.fold.folding import Fold
from esdash.words.entries import type_of
from tests.domains import CUSTOMERS, ROOMS
from tests.fold.codecs import Said, apply, domain, with_wire
from tests.samples import samples


class TestWriting:
    """What esdash publishes among the entries of another program."""

    @pytest.mark.parametrize("wire", [FASTSTREAM, WATERMILL, CLOUDEVENTS])
    @pytest.mark.parametrize("only", ["", "Reading"])
    @pytest.mark.parametrize("key", [None, b"k1", b"corrects:1-0", "ключ".encode()])
    def test_is_what_it_reads(self, wire: Codec, only: str, key: bytes | None) -> None:
        fold = with_wire(wire.but(only=only))
        fields = fold.fields(*fold.encode(Said("21,5 °")), key)
        assert fold.read(fields).event == Said("21,5 °")
        assert fold.keys.of(fields) == key
        assert type_of(fold, fields) == "Reading"
        assert [each.wire_name for each in fold.publishable] == ["Reading"]

    def test_has_the_id_that_the_program_wants_whatever_the_key_is(self) -> None:
        for wire in (CLOUDEVENTS.but(key=""), CLOUDEVENTS.but(key="subject")):
            fold = with_wire(wire)
            (_, value) = fold.fields("Reading", b"{}", b"k1")
            assert json.loads(value)["id"] == "k1"
            assert fold.keys.of([b"data", value]) == (b"k1" if wire.key else None)

    def test_nothing_where_a_database_speaks(self) -> None:
        fold = domain(CUSTOMERS)
        assert fold.publishable == ()
        assert (
            fold.objection
            == "Debezium tells what a database did: nothing is published in its place. Change the database."
        )
        assert [with_wire(wire).objection for wire in (FASTSTREAM, WATERMILL, CLOUDEVENTS)] == [""] * 3
        assert (
            Fold(Domain("a", "1", domain(ROOMS).domain.tables, (EventType(Said, apply),), wire=Wire())).objection == ""
        )


class TestTheLibraries:
    """Where they are installed: the samples are what they write, and they read what esdash writes."""

    def test_faststream_writes_the_samples(self, url: str) -> None:
        pytest.importorskip("faststream")
        from tests.samples.make_faststream import made

        assert as_lists(made(url)) == samples("faststream").entries

    def test_faststream_reads_what_is_written(self) -> None:
        parser = pytest.importorskip("faststream.redis.parser").BinaryMessageFormatV1
        fold = with_wire(FASTSTREAM)
        (_, value) = fold.fields(*fold.encode(Said("21,5 °")), "ключ".encode())
        body, headers = parser.parse(value)
        assert json.loads(body) == {"celsius": "21,5 °"}
        named = {"type": "Reading", "message_id": "ключ", "correlation_id": "ключ", "content-type": "application/json"}
        assert headers == named

    def test_cloudevents_writes_the_samples(self) -> None:
        pytest.importorskip("cloudevents.core.formats.json")
        from tests.samples.make_cloudevents import made

        assert as_lists(made()) == samples("cloudevents").entries

    def test_cloudevents_reads_what_is_written(self) -> None:
        formats = pytest.importorskip("cloudevents.core.formats.json")
        fold = with_wire(CLOUDEVENTS)
        (_, value) = fold.fields(*fold.encode(Said("21,5 °")), b"k1")
        event = formats.JSONFormat().read(None, value)
        assert event.get_data() == {"celsius": "21,5 °"}
        assert (event.get_type(), event.get_id(), event.get_source()) == ("Reading", "k1", "esdash")

    def test_what_the_sources_say_is_what_is_kept(self) -> None:
        from tests.samples.make_from_sources import made

        for program, entries in made().items():
            assert as_lists(entries) == samples(program).entries


def as_lists(made: list[tuple[str, dict[bytes, bytes]]]) -> dict[str, list[bytes]]:
    """Entries as the server sends them."""
    return {what: [part for field in fields.items() for part in field] for what, fields in made}
