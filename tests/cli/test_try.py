"""`esdash try`: what would be otherwise, had the log been another one."""

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import STREAM, Call, append
from tests.domains import BANK, METERS
from tests.strategies import seeded_entries

ORDER = ("Order", {"user_id": 7, "lines": [{"item_id": "hdd", "quantity": 1}]})
SHOP = (
    ("TopUp", {"user_id": 7, "amount": 50_000}),
    ("AddItem", {"item_id": "hdd", "count": 2, "price": 20_000}),
    ORDER,
    ORDER,
    ORDER,
)


def add(client: redis.Redis, events: Any = SHOP) -> list[str]:
    return append(client, [[(b"type", name.encode()), (b"data", json.dumps(data).encode())] for name, data in events])


class TestOnFiveEntries:
    @pytest.fixture(autouse=True)
    def entries(self, client: redis.Redis) -> list[str]:
        """The last one is refused: there are two disks."""
        return add(client)

    def test_one_is_left_out(self, call: Call, url: str, entries: list[str]) -> None:
        found = call("try", "--skip", "#4", "--json", "--url", url)
        assert found.code == 3
        assert found.json["numbers"] == []
        (decided,) = found.json["decided"]
        assert (decided["ordinal"], decided["id"], decided["type"]) == (5, entries[4], "Order")
        assert (decided["was"], decided["was_reason"]) == ("rejected", "out_of_stock")
        assert (decided["is"], decided["is_reason"]) == ("applied", None)

    def test_one_says_something_else(self, call: Call, url: str) -> None:
        found = call("try", "--edit", "n1 amount=300.00", "--json", "--url", url)
        assert found.code == 3
        assert found.json["numbers"] == [{"number": "items:hdd.remain", "was": 0, "is": 1}]
        assert [(each["ordinal"], each["is_reason"]) for each in found.json["decided"]] == [
            (4, "insufficient_funds"),
            (5, "insufficient_funds"),
        ]
        (tried,) = found.json["tried"]
        assert (tried["ordinal"], tried["nth"], tried["outcome"]) == (1, 0, "applied")
        assert [(each["number"], each["after"]) for each in tried["changes"]] == [("users:7.balance", 30_000)]

    def test_a_list_is_written_as_everywhere(self, call: Call, url: str) -> None:
        found = call("try", "--edit", "n3 lines=hdd:2", "--json", "--url", url).json
        assert [(each["ordinal"], each["is"]) for each in found["decided"]] == [(4, "rejected")]

    def test_two_change_places(self, call: Call, url: str, entries: list[str]) -> None:
        found = call("try", "--swap", "n1 n3", "--json", "--url", url).json
        assert [(each["ordinal"], each["id"], each["is_reason"]) for each in found["decided"]] == [
            (3, entries[2], "unknown_user"),
            (5, entries[4], None),
        ]

    def test_events_are_inserted(self, call: Call, url: str, tmp_path: Path) -> None:
        (tmp_path / "more").write_text(
            '{"type": "AddItem", "data": {"item_id": "hdd", "count": 5}}\n'
            '{"type": "TopUp", "data": {"user_id": 7, "amount": 100}, "key": "k"}\n'
        )
        found = call("try", "--at", "n2", "--insert", tmp_path / "more", "--json", "--url", url).json
        assert [(each["number"], each["was"], each["is"]) for each in found["numbers"]] == [
            ("users:7.balance", 10_000, 10_100),
            ("items:hdd.remain", 0, 5),
        ]
        # The third order lacks money now.
        assert [(each["ordinal"], each["is_reason"]) for each in found["decided"]] == [(5, "insufficient_funds")]
        assert [(each["ordinal"], each["nth"]) for each in found["tried"]] == [(2, 1), (2, 2)]

    def test_at_the_end_unless_told_otherwise(self, call: Call, url: str, tmp_path: Path) -> None:
        (tmp_path / "more").write_text('{"type": "TopUp", "data": {"user_id": 8, "amount": 100}}\n')
        found = call("try", "--insert", tmp_path / "more", "--url", url)
        assert found.code == 3
        assert "#5a" in found.out
        assert "users:8.balance" in found.out
        assert "1.00" in found.out

    def test_nothing_would_be_otherwise(self, call: Call, url: str) -> None:
        found = call("try", "--skip", "n5", "--json", "--url", url)
        assert found.code == 0
        assert (found.json["numbers"], found.json["decided"]) == ([], [])
        assert "Nothing would be otherwise" in call("try", "--skip", "n5", "--url", url).out

    def test_what_is_said_twice_of_one_entry_holds_together(self, call: Call, url: str) -> None:
        found = call("try", "--edit", "n1 amount=5.00", "--edit", "n1 user_id=8", "--json", "--url", url).json
        assert [each["changes"][0]["after"] for each in found["tried"]] == [500]
        assert {"number": "users:8.balance", "was": None, "is": 500} in found["numbers"]

    def test_an_inserted_one_has_an_id_between_its_neighbours(
        self, call: Call, url: str, entries: list[str], tmp_path: Path
    ) -> None:
        (tmp_path / "more").write_text('{"type": "TopUp", "data": {"user_id": 8, "amount": 100}}\n' * 2)
        insert = "try", "--insert", tmp_path / "more", "--json", "--url", url
        milliseconds, sequence = map(int, entries[4].split("-"))
        # Behind all of a time that the log does not fill, at its end, up to a place that is not its end.
        tried = call(*insert, "--at", f"{milliseconds}", "--until", "2100-01-01").json["tried"]
        assert [(each["ordinal"], each["nth"]) for each in tried] == [(5, 1), (5, 2)]
        first, second = ([int(part) for part in each["id"].split("-")] for each in tried)
        assert [milliseconds, sequence] < first < second < [2**42, 0]
        before, after = (tuple(map(int, each.split("-"))) for each in entries[1:3])
        for each in call(*insert, "--at", "n2", "--until", "n2").json["tried"]:
            assert before <= tuple(map(int, each["id"].split("-"))) < after

    def test_behind_one_that_is_left_out_it_is_called_by_that(self, call: Call, url: str, tmp_path: Path) -> None:
        (tmp_path / "more").write_text('{"type": "TopUp", "data": {"user_id": 8, "amount": 100}}\n')
        options = "--skip", "n3", "--at", "n3", "--insert", tmp_path / "more", "--json", "--url", url
        assert [(each["ordinal"], each["nth"]) for each in call("try", *options).json["tried"]] == [(3, 1)]

    def test_up_to_a_place(self, call: Call, url: str) -> None:
        found = call("try", "--skip", "n1", "--until", "n2", "--json", "--url", url).json
        assert found["end"]["ordinal"] == 2
        assert found["decided"] == []
        assert [each["number"] for each in found["numbers"]] == ["users:7.balance"]

    def test_nothing_is_written(self, call: Call, url: str, client: redis.Redis) -> None:
        before = client.keys("*"), client.xinfo_stream(STREAM)
        call("try", "--skip", "n1", "--swap", "n2 n3", "--json", "--url", url)
        after = client.keys("*"), client.xinfo_stream(STREAM)
        assert before == after

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ((), "There is nothing to try"),
            (("--skip", "n9"), "not there yet"),
            (("--skip", "14:03"), "Name one entry"),
            (("--skip", "1-1"), "There is no entry 1-1"),
            (("--skip", "n4", "--until", "n2"), "comes after"),
            (("--edit", "n1"), "FIELD=VALUE"),
            (("--edit", "n1 amount='"), "still open"),
            (("--edit", ""), "FIELD=VALUE"),
            (("--edit", "n1 amont=3"), "it has user_id, amount"),
            (("--edit", "n1 amount=lots"), "an amount is written like"),
            (("--edit", "9 amount=1"), "#9"),
            (("--swap", "n1"), "two places"),
        ],
    )
    def test_what_is_wrong_is_said(self, call: Call, url: str, options: tuple[str, ...], words: str) -> None:
        found = call("try", *options, "--url", url)
        assert found.code in (1, 2)
        assert words in found.err
        assert found.out == ""

    def test_a_file_without_events(self, call: Call, url: str, tmp_path: Path) -> None:
        (tmp_path / "none").write_text("\n")
        assert call("try", "--insert", tmp_path / "none", "--url", url).code == 2
        (tmp_path / "none").write_text('{"type": "Gift", "data": {}}\n')
        found = call("try", "--insert", tmp_path / "none", "--url", url)
        assert found.code == 2
        assert "Line 1" in found.err


def test_the_reference_programs_entries_are_changed_as_they_would_be_written_now(
    call: Call, url: str, client: redis.Redis
) -> None:
    payload = b"\x84\xa2ID\xa0\xa4Type\xa5TopUp\xa6UserID\x07\xa6Amount\x05"
    client.xadd(STREAM, {"type": "TopUp", "data": payload})
    found = call("try", "--edit", "n1 amount=6.00", "--json", "--url", url).json
    assert found["numbers"] == [{"number": "users:7.balance", "was": 500, "is": 600}]


def test_it_begins_at_a_snapshot_and_says_the_same(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 300))
    whole = call("try", "--skip", "n250", "--skip", "n260", "--json", "--url", url)
    append(client, seeded_entries(2, 50))
    call("snapshot", "take", "--url", url)
    assert call("try", "--skip", "n250", "--skip", "n260", "--until", "n300", "--json", "--url", url).out == whole.out


def test_any_domain(call: Call, url: str, client: redis.Redis) -> None:
    add(
        client,
        (
            ("Opened", {"account": "a", "owner": "Ann"}),
            ("Opened", {"account": "b", "owner": "Bob"}),
            ("Transferred", {"source": "a", "target": "b", "amount": 5}),
        ),
    )
    found = call("try", "--edit", 'n2 owner="Ann B"', "--skip", "n1", "--json", "--domain", BANK, "--url", url).json
    assert {each["number"]: each["is"] for each in found["numbers"]} == {
        "accounts:a.balance": None,
        "accounts:a.owner": None,
        "accounts:b.owner": "Ann B",
    }
    assert [(each["was_reason"], each["is_reason"]) for each in found["decided"]] == [
        ("insufficient_funds", "unknown_account")
    ]


def test_invariants_that_would_not_hold_are_named(call: Call, url: str, client: redis.Redis) -> None:
    add(client, (("Read", {"meter": "a", "shown": 5}), ("Read", {"meter": "b", "shown": 100})))
    options = ("--domain", METERS, "--url", url)
    found = call("try", "--edit", "n1 shown=-5", "--edit", "n2 shown=200", "--json", *options)
    assert found.json["unheld"] == ["none_below_zero"]
    assert "✗ Invariants that would not hold: none_below_zero." in call("try", "--edit", "n1 shown=-5", *options).out
    assert call("try", "--edit", "n2 shown=0", "--json", *options).json["unheld"] == []


def test_an_entry_is_named_by_its_milliseconds_where_it_is_the_only_one(
    call: Call, url: str, client: redis.Redis
) -> None:
    for entry_id in ("1700000000000-5", "1700000000001-0", "1700000000001-1"):
        client.xadd(STREAM, {"type": "TopUp", "data": '{"user_id":7,"amount":5}'}, id=entry_id)
    found = call("try", "--skip", "1700000000000", "--json", "--url", url).json
    assert found["numbers"] == [{"number": "users:7.balance", "was": 15, "is": 10}]
    for several in ("1700000000001", "1700000000002"):
        assert "Name one entry" in call("try", "--skip", several, "--url", url).err


def test_raw_has_no_rules(call: Call, url: str, client: redis.Redis) -> None:
    client.xadd(STREAM, {"a": "b"})
    found = call("try", "--skip", "n1", "--domain", "raw", "--url", url)
    assert (found.code, found.out) == (1, "")
    assert "no rules" in found.err
