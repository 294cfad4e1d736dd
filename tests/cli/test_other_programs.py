"""Commands on the streams of other programs."""

import json
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Call, stored
from tests.domains import CUSTOMERS, ROOMS, SENSORS
from tests.samples import samples


def fill(client: redis.Redis, program: str) -> None:
    """Put a program's samples into the stream."""
    for fields in samples(program).entries.values():
        client.execute_command("XADD", "orders", "*", *fields)


@pytest.mark.parametrize("file", [SENSORS, CUSTOMERS], ids=lambda file: file.stem)
def test_a_domain_with_a_codec_keeps_its_promises(call: Call, file: Path) -> None:
    checked = call("domain", "check", file, "--json")
    assert checked.json["broken"] == []
    assert checked.code == 0


def test_what_is_published_is_read_by_whoever_reads_the_stream(call: Call, url: str, client: redis.Redis) -> None:
    fill(client, "faststream")
    on = ("--domain", SENSORS, "--url", url)
    first = call("publish", "reading", "kitchen", "19.5", "--key", "k-1", "--wait", *on)
    assert first.json["outcome"] == "applied"
    assert call("publish", "reading", "kitchen", "7", "--key", "k-1", "--wait", *on).json["outcome"] == "duplicate"
    (*_, (_, fields)) = stored(client)
    assert fields[b"__data__"].startswith(b"\x89BIN")
    sensors = call("state", "--json", *on).json["tables"]["sensors"]
    assert sensors == {"hall": {"celsius": 215}, "kitchen": {"celsius": 195}, "кот": {"celsius": -30}}
    *_, event = call("events", "key:k-1 outcome:applied", "--json", *on).lines
    said = {"sensor": "kitchen", "celsius": "19.5", "ok": True}
    assert (event["type"], event["key"], event["data"]) == ("Reading", "k-1", said)


def test_a_cloudevent_is_published_once(call: Call, url: str, client: redis.Redis) -> None:
    fill(client, "cloudevents")
    on = ("--domain", ROOMS, "--url", url)
    again = call("publish", "com.example.reading", "hall", "1", "--key", "/sensors e-1", "--wait", *on)
    assert again.json["outcome"] == "duplicate"
    found = call("events", 'key:"/sensors e-1"', "--json", *on).lines
    assert [event["outcome"] for event in found] == ["applied", "duplicate", "duplicate"]


@pytest.mark.parametrize(
    "command", [("publish", "customers"), ("publish", "batch", "-"), ("produce",)], ids=lambda command: command[-1]
)
def test_nothing_is_published_for_a_database(
    call: Call, url: str, client: redis.Redis, command: tuple[str, ...]
) -> None:
    fill(client, "debezium")
    before = client.xlen("orders")
    refused = call(*command, "--domain", CUSTOMERS, "--url", url)
    assert refused.code == 2
    assert "Debezium tells what a database did: nothing is published in its place." in refused.err
    assert client.xlen("orders") == before


def test_a_database_may_not_be_tried_otherwise_but_left_out(call: Call, url: str, client: redis.Redis) -> None:
    fill(client, "debezium")
    on = ("--domain", CUSTOMERS, "--url", url)
    assert call("try", "--skip", "n8", "--json", *on).code == 3
    refused = call("try", "--edit", "n1 op=d", *on)
    assert refused.code == 2
    assert "Debezium tells what a database did" in refused.err


def test_raw_knows_the_programs(call: Call, url: str, client: redis.Redis) -> None:
    for program in ("faststream", "cloudevents", "dapr", "watermill", "debezium"):
        fill(client, program)
    types = call("state", "--json", "--domain", "raw", "--url", url).json["tables"]["types"]
    assert {name: cells["count"] for name, cells in types.items()} == {
        "FastStream": 6,
        "Reading": 2,
        "com.example.reading": 7,
        "com.example.cleared": 1,
        "com.dapr.event.sent": 4,
        "data, metadata": 1,
        "orders.Placed": 4,
        "orders.Closed": 1,
        "Watermill": 1,
        "customers": 7,
        "tombstone": 2,
        "message": 1,
        "transaction": 1,
    }
    told = call("events", "--domain", "raw", "--url", url).out
    for said in (
        'data {"sensor":"hall","celsius":"21.5","ok":true} · correlation_id c-1 · content-type application/j',
        'data {"sensor":"hall","celsius":"21.5"} · id e-1 · source /sensors · specversion 1.0',
        'payload {"order":"A-1","cents":1250} · correlation_id 7b0c',
        'op u · before {"id":1} · after {"id":1,"first_name":"Anne Marie"',
        "data 0x00ff · correlation_id c-7",
    ):
        assert said in told
    first = call("events", "--json", "--count", 1, "--domain", "raw", "--url", url).json
    assert first["data"] == json.loads('{"sensor":"hall","celsius":"21.5","ok":true}')
