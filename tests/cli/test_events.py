"""`esdash events`."""

import json
import subprocess
from collections.abc import Callable

import pytest
import redis

from tests.cli.conftest import Call, append, day
from tests.domains.ways import present
from tests.strategies import raw_entry


def change(table: str, key: int | str, column: str, before: int | None, after: int | None) -> dict[str, object]:
    number = f"{table}:{key}.{column}"
    return {"number": number, "table": table, "key": key, "column": column, "before": before, "after": after}


class TestJson:
    @pytest.mark.usefixtures("any_domain")
    def test_ordinals_outcomes_and_reasons_are_the_models(self, call: Call, url: str, client: redis.Redis) -> None:
        entries = day(6, 300)
        ids = append(client, entries)
        reference = present().reference()
        decided = [reference.apply(entry_id, entry) for entry_id, entry in zip(ids, entries, strict=True)]
        shown = call("events", "--json", "--url", url).lines
        assert [(event["id"], event["ordinal"]) for event in shown] == list(zip(ids, range(1, 301), strict=True))
        assert [(event["outcome"], event["reason"]) for event in shown] == decided

    def test_before_and_after(self, call: Call, url: str) -> None:
        call("publish", "top-up", 7, 10, "--url", url)
        call("publish", "add-item", "hdd", 5, "--price", 2, "--url", url)
        key = call("publish", "order", 7, "hdd:2", "--url", url).json["key"]
        event = call("events", "--json", "--url", url).lines[-1]
        assert set(event) == {"ordinal", "id", "time", "type", "key", "outcome", "reason", "data", "raw", "changes"}
        assert event["key"] == key
        assert event["data"] == {"user_id": 7, "lines": [{"item_id": "hdd", "quantity": 2}]}
        assert event["raw"] is None
        assert event["changes"] == [
            change("items", "hdd", "remain", 5, 3),
            change("users", 7, "balance", 1000, 600),
        ]

    def test_the_numbers_that_decided_a_refusal(self, call: Call, url: str) -> None:
        call("publish", "top-up", 7, 10, "--url", url)
        call("publish", "add-item", "hdd", 5, "--price", 9, "--url", url)
        call("publish", "order", 7, "hdd:2", "--url", url)
        event = call("events", "--json", "--url", url).lines[-1]
        assert (event["reason"], event["needed"], event["available"]) == ("insufficient_funds", 1800, 1000)
        assert "needed 18.00, had 10.00, short 8.00" in call("events", "--url", url).out

    def test_the_time_is_the_ids(self, call: Call, url: str, client: redis.Redis) -> None:
        client.xadd("orders", {"x": "y"}, id="1700000000123-0")
        client.xadd("orders", {"x": "y"}, id=f"{2**64 - 1}-0")
        first, last = call("events", "--json", "--url", url).lines
        assert first["time"] == "2023-11-14T22:13:20.123Z"
        assert last["time"] is None

    @pytest.mark.parametrize(
        ("data", "decoded"),
        [
            (b"\x81\xa6UserID\x01", None),
            (b"\xff", None),
            (b"[1]", None),
            (b'{"a": NaN}', None),
            (b'{"a": 1e999}', None),
            (b'{"a": ' + b"9" * 5000 + b"}", None),
            (b'{"a":' * 3000 + b"1" + b"}" * 3000, None),
            (b'{"a": "\\ud800", "a": 1}', {"a": 1}),
            (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        ],
    )
    def test_any_payload(
        self, call: Call, url: str, client: redis.Redis, data: bytes, decoded: dict[str, object] | None
    ) -> None:
        append(client, [raw_entry("TopUp", data)])
        (event,) = call("events", "--json", "--url", url).lines
        assert event["data"] == decoded
        assert event["raw"] == (data.hex() if decoded is None else None)

    def test_numbers_of_a_payload_have_every_digit(self, call: Call, url: str, client: redis.Redis) -> None:
        data = '{"a":12345678901234567.89,"b":[1.10,-0.0,1e5],"c":9007199254740993,"d":"1.10"}'
        append(client, [raw_entry("Any", data.encode())])
        for command in (["events", "--json"], ["export", "log", "--format", "jsonl"]):
            (line,) = call(*command, "--url", url).out.splitlines()
            assert data.replace(":", ": ").replace(",", ", ") in line

    def test_of_a_stream_that_nobody_described_every_field(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [[(b"kind", b"\xc3\xa9"), (b"\xff", b"\x81\xa1a\x01"), (b"data", b'{"n":1.50}')]])
        fields = (
            '"fields": [["kind", "\\u00e9"], [{"base64": "/w=="}, {"base64": "gaFhAQ=="}], ["data", "{\\"n\\":1.50}"]]'
        )
        for command in (["events", "--json"], ["export", "log", "--format", "jsonl"]):
            assert fields in call(*command, "--domain", "raw", "--url", url).out

    def test_an_entry_without_data(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [[(b"key", b"\xff")]])
        (event,) = call("events", "--json", "--url", url).lines
        assert (event["type"], event["data"], event["raw"], event["key"]) == ("", None, None, "\\xff")
        assert (event["outcome"], event["reason"]) == ("parked", "missing_field")


class TestSelection:
    @pytest.fixture
    def ids(self, url: str, client: redis.Redis) -> list[str]:  # noqa: ARG002 - url empties the server
        entries = [raw_entry("TopUp", b'{"user_id": %d, "amount": 100}' % (number % 3)) for number in range(9)]
        entries.append(raw_entry("AddItem", b'{"item_id": "hdd", "count": 1}'))
        entries.append(raw_entry("AddItem", b'{"item_id": "hdd", "count": 1, "price": 1}'))
        entries.append(raw_entry("Order", b'{"user_id": 1, "lines": [{"item_id": "hdd", "quantity": 1}]}'))
        entries.append(raw_entry("Refund", b"{}"))
        return append(client, entries)

    def ordinals(self, call: Call, url: str, *arguments: object) -> list[int]:
        return [event["ordinal"] for event in call("events", "--json", "--url", url, *arguments).lines]

    def test_a_range(self, call: Call, url: str, ids: list[str]) -> None:
        assert self.ordinals(call, url, "--from", ids[3], "--to", ids[5]) == [4, 5, 6]

    def test_a_range_behind_a_snapshot(self, call: Call, url: str, ids: list[str]) -> None:
        call("snapshot", "take", "--url", url)
        assert self.ordinals(call, url, "--from", ids[3], "--count", 2) == [4, 5]

    def test_how_many(self, call: Call, url: str, ids: list[str]) -> None:
        assert self.ordinals(call, url, "--count", 2) == [1, 2]
        assert self.ordinals(call, url, "--count", len(ids) + 5) == list(range(1, len(ids) + 1))
        assert call("events", "--count", 0, "--url", url).code == 2

    def test_by_user_item_and_outcome(self, call: Call, url: str, ids: list[str]) -> None:
        assert len(ids) == 13
        assert self.ordinals(call, url, "--about", "users:1") == [2, 5, 8, 12]
        assert self.ordinals(call, url, "--about", "users:1", "--count", 2) == [2, 5]
        assert self.ordinals(call, url, "--about", "items:hdd") == [10, 11, 12]
        assert self.ordinals(call, url, "--about", "users:1", "--about", "items:hdd") == [12]
        assert self.ordinals(call, url, "--outcome", "rejected", "--outcome", "parked") == [10, 13]
        assert self.ordinals(call, url, "--outcome", "price_required") == [10]
        assert self.ordinals(call, url, "--about", "users:2", "--outcome", "rejected") == []
        assert call("events", "--outcome", "fine", "--url", url).code == 2


@pytest.mark.usefixtures("any_domain")
@pytest.mark.domains_in_turn
class TestFollow:
    def test_new_entries_come_as_they_are_appended(
        self, start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis
    ) -> None:
        entries = day(8, 6)
        append(client, entries[:3])
        process = start("events", "--json", "--follow", "--count", 6, "--url", url)
        assert process.stdout is not None
        shown = [json.loads(process.stdout.readline()) for _ in range(3)]
        append(client, entries[3:])
        shown += [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [event["ordinal"] for event in shown] == [1, 2, 3, 4, 5, 6]
        assert process.wait(timeout=30) == 0

    def test_a_gap_ends_it(self, start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis) -> None:
        append(client, day(8, 3))
        process = start("events", "--json", "--follow", "--url", url)
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        pipeline = client.pipeline(transaction=True)
        for _ in range(4):
            pipeline.xadd("orders", {"type": "x", "data": "y"})
        pipeline.xtrim("orders", maxlen=1, approximate=False)
        pipeline.execute()
        out, err = process.communicate(timeout=30)
        assert process.returncode == 4
        assert out == ""
        assert "3 entries vanished" in err


class TestForPeople:
    def test_a_line_says_it_all(self, call: Call, url: str) -> None:
        call("publish", "top-up", 7, "12.34", "--url", url)
        entry_id = call("publish", "order", 7, "hdd:1", "--url", url).json["id"]
        first, second = call("events", "--url", url).out.splitlines()
        assert "balance of 7 new → 12.34" in first
        for part in (entry_id, "user 7 buys 1 × hdd", "rejected unknown_item"):
            assert part in second

    @pytest.mark.usefixtures("any_domain")
    @pytest.mark.domains_in_turn
    def test_partial_history_is_said(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, day(1, 9))
        client.xtrim("orders", maxlen=4, approximate=False)
        shown = call("events", "--json", "--url", url)
        assert "Partial history: 5 entries were gone" in shown.err
        assert len(shown.lines) == 4
